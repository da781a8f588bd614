//! Tests weights that a table leaves open: for a new destination, and after a drain.

use super::planning::{everything, server, there, wanted, web};
use crate::model::{Change, Snapshot};
use crate::table::{DrainedWeights, Plan, PlanOptions, Table, TableDestination, TableService};

fn open(destination: TableDestination) -> Table {
    [TableService::new(web()).with(destination)].into_iter().collect()
}

/// Returns the weights that a plan writes.
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
        // Another program has changed the weight.
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
    // A health check may have set the weight to 0.
    assert_eq!(written(&current, &desired, &kept), [0; 0]);
    let mut weights = DrainedWeights::new();
    weights.insert(web().id, server(1).id, 8);
    let remembered = kept.drained_weights(weights.clone());
    assert_eq!(written(&current, &desired, &remembered), [8]);
    // Remembered weights do not count for a given weight, or if weights are not kept.
    let given = wanted(web(), &[server(1).weight(5), server(2)]);
    assert_eq!(written(&current, &given, &remembered), [5]);
    assert_eq!(written(&current, &desired, &everything().drained_weights(weights)), [3]);
    // A destination that another program put back into rotation keeps its weight.
    let back = there(web(), &[server(1).weight(2), server(2)]);
    assert_eq!(written(&back, &desired, &remembered), [0; 0]);
}
