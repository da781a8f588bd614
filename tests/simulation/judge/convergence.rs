//! The third promise: when user, others and faults fall silent, the table is as wished within a
//! stated time and number of tasks, and then nothing but the resynchronization happens.

use std::time::Duration;

use ipvs_netlink::table::controller::ControllerOptions;
use ipvs_netlink::table::{Plan, Table};
use ipvs_netlink::{ServiceId, ServiceSnapshot, Snapshot};

use crate::judge::wishes::weight;
use crate::judge::{Court, Verdict};

/// The time after which no connection is left when all fall silent.
pub(crate) const CONNECTIONS_END: Duration = Duration::from_secs(8);

/// The longest time from silence to a table that is as wished.
///
/// The next resynchronization finds what others did. What failed before, or was undone, waits for
/// its next attempt, which may find more and wait once again. Then come the hold time, the drain,
/// and a last look.
pub(crate) fn longest(options: &ControllerOptions) -> Duration {
    let drain = options.plan.drain.map_or(Duration::ZERO, |drain| {
        let empty = CONNECTIONS_END + drain.quiet;
        drain.deadline.map_or(empty, |deadline| deadline.min(empty)) + drain.interval * 4
    });
    options.resync.mul_f64(1.1)
        + options.retry.most * 3
        + options.hold
        + drain
        + Duration::from_secs(10)
}

/// The most tasks from silence to a table that is as wished, for this number of services.
pub(crate) fn most_tasks(options: &ControllerOptions, services: usize) -> u64 {
    let spans = |pause: Duration| {
        let pause = pause.as_millis().max(1);
        u64::try_from(longest(options).as_millis() / pause).unwrap_or(u64::MAX) + 1
    };
    let looks = options.plan.drain.map_or(0, |drain| spans(drain.interval));
    let few = services.min(24) as u64;
    looks + spans(options.resync) * 8 + 20 * few + 60 * (services as u64 / 1024 + 1)
}

/// Returns an error if a service that is the controller's concern is not as wished.
pub(crate) fn judge(court: &Court, truth: &Snapshot) -> Verdict {
    let Court { options, wishes, refused, .. } = court;
    for id in wishes.current.keys() {
        match refused.contains(id) {
            true => is_impossible(court, truth, *id)?,
            false => as_wished(court, truth.service(*id), *id)?,
        }
    }
    for present in truth {
        let id = present.id();
        if wishes.current.contains_key(&id) || !wishes.may_change(options, id) {
            continue;
        }
        match refused.contains(&id) {
            true => is_impossible(court, truth, id)?,
            false => return Err(format!("{id} is there, and is not wished")),
        }
    }
    Ok(())
}

/// Returns an error if a refused wish could be carried out.
fn is_impossible(court: &Court, truth: &Snapshot, id: ServiceId) -> Verdict {
    let wish = court.wishes.current.get(&id).map(|wish| wish.service().clone());
    let present = truth.service(id).cloned();
    let current: Snapshot = present.into_iter().collect();
    let mut options = court.options.plan.clone();
    if wish.is_none() {
        options.scope = options.scope.service(id);
    }
    match Plan::new(&current, &Table::from_iter(wish), &options) {
        Ok(plan) => Err(format!("{id} was refused, and could be done: {plan}")),
        Err(_) => Ok(()),
    }
}

fn as_wished(court: &Court, present: Option<&ServiceSnapshot>, id: ServiceId) -> Verdict {
    let Some(wish) = court.wishes.current.get(&id) else { return Ok(()) };
    let Some(present) = present else { return Err(format!("{id} is wished, and not there")) };
    let wish = wish.service();
    if present.entry.service != *wish.service() {
        return Err(format!("{} is wished, and is {}", wish.service(), present.entry.service));
    }
    for wished in wish.destinations() {
        let to = wished.id();
        let Some(entry) = present.destination(to) else {
            return Err(format!("{id} -> {to} is wished, and not there"));
        };
        let weight = weight(&court.options, wished, Some(entry.destination.weight));
        let expected = wished.destination().clone().weight(weight);
        if entry.destination != expected {
            return Err(format!("{id} -> {expected} is wished, and is {}", entry.destination));
        }
    }
    let others = present.destinations.iter().map(|entry| entry.id());
    match others.into_iter().find(|to| wish.destination(*to).is_none()) {
        Some(to) => Err(format!("{id} -> {to} is there, and is not wished")),
        None => Ok(()),
    }
}
