//! Tests which steps of a plan are written together.

use super::planning::{everything, server, there, wanted, web};
use crate::error::{Certainty, Context, Error, ErrorKind};
use crate::model::{Operation, Service, Snapshot};
use crate::table::execute::Execution;
use crate::table::{OnFailure, Phase, Plan, PlanOptions, StepOutcome, Table};

fn failed() -> StepOutcome {
    let context = Context::new(Operation::AddService);
    StepOutcome::Failed(Error::known(context, ErrorKind::InvalidValue, Certainty::Refused))
}

fn number(number: u16) -> Service {
    Service::tcp(([192, 0, 2, 10], number).into())
}

/// Two new services, and `web`, which gets another destination.
fn plan(options: &PlanOptions) -> Plan {
    let current = there(web(), &[server(1).weight(0), server(2)]);
    let new = |port| wanted(number(port), &[server(1), server(2)]);
    let desired: Table =
        [new(1), new(2), wanted(web(), &[server(2), server(3)])].into_iter().flatten().collect();
    Plan::new(&current, &desired, options).unwrap()
}

/// Takes all portions. The steps in `failing` fail, the others are done.
fn portions(plan: Plan, most: usize, failing: &[usize]) -> (Vec<Vec<usize>>, Execution<Plan>) {
    let mut execution = Execution::new(plan);
    let mut portions = Vec::new();
    while let Some(portion) = execution.next_portion(most) {
        for step in &portion {
            let failing = failing.contains(step);
            execution.set(*step, if failing { failed() } else { StepOutcome::Done });
        }
        portions.push(portion);
    }
    (portions, execution)
}

#[test]
fn a_portion_has_steps_of_one_phase() {
    let plan = plan(&everything());
    let phases: Vec<Phase> = plan.steps().map(|step| step.phase).collect();
    assert_eq!(phases[5..], [Phase::Add, Phase::Extend, Phase::Drained]);
    let (portions, _) = portions(plan, 1024, &[]);
    assert_eq!(portions, [vec![0, 1, 2, 3, 4, 5], vec![6], vec![7]]);
}

#[test]
fn a_new_service_and_its_first_destination_are_written_together() {
    let (divided, _) = portions(plan(&everything()), 4, &[]);
    assert_eq!(divided, [vec![0, 1, 2], vec![3, 4, 5], vec![6], vec![7]]);
    let (single, _) = portions(plan(&everything()), 0, &[]);
    assert_eq!(single, (0..8).map(|step| vec![step]).collect::<Vec<_>>());
}

#[test]
fn a_failure_forbids_the_later_phases_of_its_service_only() {
    let (portions, execution) = portions(plan(&everything()), 3, &[0, 6]);
    assert_eq!(portions, [vec![0, 1, 2], vec![3, 4, 5], vec![6]]);
    assert_eq!(execution.outcome(7), Some(&StepOutcome::Skipped { because: 6 }));
}

#[test]
fn a_failure_forbids_everything_if_the_options_say_so() {
    let options = everything().on_failure(OnFailure::Stop);
    let (divided, execution) = portions(plan(&options), 3, &[1]);
    assert_eq!(divided, [[0, 1, 2]]);
    assert!((3..8).all(|step| execution.outcome(step).is_some_and(|it| it.name() == "skipped")));
    let desired: Table = (1..=100).flat_map(|port| wanted(number(port), &[])).collect();
    let plan = Plan::new(&Snapshot::default(), &desired, &options).unwrap();
    assert_eq!(portions(plan, 1024, &[]).0.iter().map(Vec::len).collect::<Vec<_>>(), [64, 36]);
}

#[test]
fn a_step_without_an_outcome_is_returned_again() {
    let mut execution = Execution::new(plan(&everything()));
    let first = execution.next_portion(3).unwrap();
    execution.set(first[1], StepOutcome::Done);
    // Step 3 adds a service, whose first destination is step 4.
    assert_eq!(execution.next_portion(3).unwrap(), [0, 2]);
}
