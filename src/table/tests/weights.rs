//! Weights that are left open, for the beginning and after a drain.

use super::planning::{everything, server, there, wanted, web};
use crate::model::{Change, Snapshot};
use crate::table::{DrainedWeights, Plan, PlanOptions, Table, TableDestination, TableService};

fn open(destination: TableDestination) -> Table {
    [TableService::new(web()).with(destination)].into_iter().collect()
}

/// The weights that a plan writes.
fn written(current: &Snapshot, desired: &Table, options: &PlanOptions) -> Vec<u32> {
    let plan = Plan::new(current, desired, options).unwrap();
    let weight = |change: &Change| match change {
        Change::AddDestination(_, destination) | Change::UpdateDestination(_, destination) => {
            Some(destination.weight)
        }
        _ => None,
    };
    plan.steps().filter_map(|step| weight(&step.change)).collect()
}

#[test]
fn a_weight_for_the_beginning_is_the_one_that_is_added() {
    let kept = everything().keep_weights(true);
    let missing = there(web(), &[]);
    for (destination, weight) in [
        (TableDestination::of_any_weight(server(1)), 1),
        (TableDestination::of_any_weight(server(1).weight(7)), 7),
        (TableDestination::of_any_weight(server(1)).initially(3), 3),
        (TableDestination::of_any_weight(server(1)).initially(0), 0),
    ] {
        let desired = open(destination);
        for options in [&everything(), &kept] {
            assert_eq!(written(&missing, &desired, options), [weight]);
            assert_eq!(written(&Snapshot::default(), &desired, options), [weight]);
        }
        // Somebody else has given it another one.
        let other = there(web(), &[server(1).weight(9)]);
        assert_eq!(written(&other, &desired, &kept), [0; 0]);
        assert_eq!(written(&other, &desired, &everything()), [weight]);
    }
}

#[test]
fn what_drained_and_is_wanted_again_gets_the_weight_that_is_remembered() {
    let current = there(web(), &[server(1).weight(0), server(2)]);
    let desired: Table = [TableService::new(web())
        .with(TableDestination::of_any_weight(server(1)).initially(3))
        .with(server(2))]
    .into_iter()
    .collect();
    let kept = everything().keep_weights(true);
    // The 0 may be a health check's.
    assert_eq!(written(&current, &desired, &kept), [0; 0]);
    let mut weights = DrainedWeights::new();
    weights.insert(web().id, server(1).id, 8);
    let remembered = kept.drained_weights(weights.clone());
    assert_eq!(written(&current, &desired, &remembered), [8]);
    // A weight that is given, and weights that are not kept, need no memory.
    let given = wanted(web(), &[server(1).weight(5), server(2)]);
    assert_eq!(written(&current, &given, &remembered), [5]);
    assert_eq!(written(&current, &desired, &everything().drained_weights(weights)), [3]);
    // One that somebody has put back into rotation meanwhile stays as it is.
    let back = there(web(), &[server(1).weight(2), server(2)]);
    assert_eq!(written(&back, &desired, &remembered), [0; 0]);
}
