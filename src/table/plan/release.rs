//! Plans how one destination leaves its service.

use std::collections::BTreeSet;

use crate::model::{Change, DestinationEntry, Service};
use crate::table::options::{DrainPolicy, PlanOptions};
use crate::table::plan::Plan;
use crate::table::plan::phase::Phase;
use crate::table::plan::step::{Before, Purpose, Step};

/// Returns `true` if a destination drains at weight 0. An update to weight 0 also writes the other
/// settings, so a destination with settings that the kernel would refuse cannot drain.
pub(crate) fn can_drain(service: &Service, entry: &DestinationEntry) -> bool {
    let destination = &entry.destination;
    service.drains_at_weight_zero()
        && (destination.weight == 0 || destination.validate_settings(service.id).is_ok())
}

/// Makes the plan that drains and deletes one destination, or deletes it at once if it cannot
/// drain.
pub(crate) fn release_plan(
    service: &Service,
    entry: &DestinationEntry,
    policy: DrainPolicy,
) -> Plan {
    let drains = can_drain(service, entry);
    let before = Before::of_destination(entry);
    let reduce = (drains && entry.destination.weight > 0).then(|| {
        let change = Change::UpdateDestination(service.id, entry.destination.clone().weight(0));
        Step::new(change, Phase::Reduce, Some(before.clone()), Purpose::Drain)
    });
    let phase = if drains { Phase::Drained } else { Phase::Delete };
    let change = Change::DeleteDestination(service.id, entry.destination.id);
    let delete = Step::new(change, phase, Some(before.clone()), Purpose::Desired);
    let steps = reduce.into_iter().chain([delete]).collect();
    Plan::of(steps, &PlanOptions::new().drain(Some(policy)), BTreeSet::new())
}
