//! Tests the conversion of outcomes into results, and the text of the errors.

use super::planning::{everything, server, there, wanted, web};
use crate::error::{Certainty, Context, Error, ErrorKind};
use crate::model::{Connections, Operation};
use crate::table::{
    Applied, Plan, PlanError, PlanOptions, ReconcileError, Reconciled, Round, Scope, StepOutcome,
};

fn failed() -> StepOutcome {
    let context = Context::new(Operation::AddDestination);
    StepOutcome::Failed(Error::known(context, ErrorKind::DestinationExists, Certainty::Refused))
}

fn cut() -> StepOutcome {
    StepOutcome::Cut(Connections { active: 2, inactive: 1, persistent: 0 })
}

#[test]
fn what_is_not_done_is_an_error_with_its_cause() {
    let done = Applied::new(vec![StepOutcome::Done, cut(), StepOutcome::AlreadySo], None);
    assert_eq!(done.cut().map(|(index, cut)| (index, cut.active)).collect::<Vec<_>>(), [(1, 2)]);
    assert!(done.into_result().is_ok());
    let skipped = StepOutcome::Skipped { because: 2 };
    let applied = Applied::new(vec![StepOutcome::Done, skipped, failed()], None);
    let error = applied.into_result().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DestinationExists);
    assert!(error.error().is_some());
    let text = error.to_string();
    assert!(text.starts_with("2 of 3 steps are not done; add destination"), "{text}");
    let error = Applied::new(vec![StepOutcome::Draining], None).into_result().unwrap_err();
    assert_eq!(error.to_string(), "1 of 1 steps is not done; still draining");
    assert_eq!(error.kind(), ErrorKind::NotAttempted);
    let unread = Error::known(
        Context::new(Operation::ReadServices),
        ErrorKind::ReceiveOverflow,
        Certainty::Refused,
    );
    let unverified = Applied::new(vec![StepOutcome::Done], Some(unread.clone()));
    let error = unverified.into_result().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReceiveOverflow);
}

#[test]
fn a_table_that_differs_still_is_an_error() {
    let plan = Plan::new(&there(web(), &[]), &wanted(web(), &[server(1)]), &everything()).unwrap();
    let reconciled = |outcome: Option<StepOutcome>, rest: Plan, complete, unfinished| {
        let rounds = outcome
            .map(|outcome| Round::new(plan.clone(), Applied::new(vec![outcome], None)))
            .into_iter()
            .collect();
        Reconciled { rounds, rest, complete, unfinished }
    };
    let none = Plan::default;
    assert!(reconciled(None, none(), true, None).into_result().is_ok());
    assert!(reconciled(Some(StepOutcome::Done), none(), true, None).into_result().is_ok());
    let command = "ipvsadm -a -t 192.0.2.10:80 -r 10.0.0.1:8080 -m -w 1";
    let text = |reconciled: Reconciled| reconciled.into_result().unwrap_err().to_string();
    // The result must not be `Ok` if every step failed.
    let all_failed = reconciled(Some(failed()), plan.clone(), true, None);
    let all_failed = text(all_failed);
    assert!(all_failed.starts_with(&format!("1 of 1 steps is not done; {command}: ")));
    let undone = text(reconciled(Some(StepOutcome::Done), plan.clone(), true, None));
    assert_eq!(undone, format!("1 changes are needed still, first {command}"));
    let restless = text(reconciled(None, none(), false, None));
    assert_eq!(restless, "others kept writing the table while it was read");
    let error = ReconcileError::from(PlanError::OutOfScope(web().id));
    let unfinished = reconciled(Some(StepOutcome::Done), none(), false, Some(error));
    assert_eq!(unfinished.into_result().unwrap_err().kind(), ErrorKind::OutOfScope);
}

#[test]
fn every_error_of_planning_has_a_kind() {
    let current = there(web(), &[]);
    let desired = wanted(web(), &[server(1)]);
    let kind = |options: PlanOptions| {
        ReconcileError::from(Plan::new(&current, &desired, &options).unwrap_err()).kind()
    };
    let elsewhere = Scope::only(Scope::new().network("198.51.100.0/24".parse().unwrap()));
    assert_eq!(kind(everything().scope(elsewhere)), ErrorKind::OutOfScope);
    assert_eq!(kind(everything().allowed(crate::table::Actions::empty())), ErrorKind::NotAllowed);
    let invalid = wanted(web(), &[server(1).weight(u32::MAX)]);
    let error = Plan::new(&current, &invalid, &everything()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidValue);
    // A service that is neither desired nor in scope stays.
    let foreign = there(web(), &[server(1)]);
    let bounded = PlanOptions::new().scope(Scope::only(Scope::new().ports(443..=443)));
    let plan = Plan::new(&foreign, &crate::table::Table::new(), &bounded).unwrap();
    assert!(plan.is_empty());
}
