//! Judges what pools wish, by what the servers, the operator and the policies say.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use ipvs_netlink::health::{Check, Outcome, PoolEvent, Verdict, Watched};
use ipvs_netlink::table::controller::Wish;
use ipvs_netlink::table::{TableDestination, TableService};
use ipvs_netlink::{DestinationId, Scheduler, Service, ServiceId, ServiceSnapshot};

use crate::health::servers::{Servers, TIMEOUT};
use crate::judge::{Broken, Promise};

/// What a judge knows of a service.
#[derive(Debug)]
struct Case {
    /// The destinations that clients could come to by the last wish, or at the start by the table.
    usable: BTreeSet<DestinationId>,
    /// When the checks or the destinations changed last: what was known may be known no more.
    changed: Instant,
    sorry: Option<DestinationId>,
}

/// The judge of one program.
#[derive(Debug, Default)]
pub(crate) struct Judge {
    cases: BTreeMap<ServiceId, Case>,
    /// The results in a row of each check.
    rows: BTreeMap<(DestinationId, u8), (bool, u32)>,
}

fn usable(service: &TableService) -> BTreeSet<DestinationId> {
    let usable = service.destinations().filter(|to| to.weight().is_some_and(|weight| weight > 0));
    usable.map(TableDestination::id).collect()
}

fn broken(how: String) -> Broken {
    Broken::new(Promise::Health, how)
}

impl Judge {
    /// Takes in what is watched. `held` is what the table holds at the start.
    pub(crate) fn watched(
        &mut self,
        watched: &Watched<u8>,
        held: Option<&ServiceSnapshot>,
        now: Instant,
    ) {
        let there = held.into_iter().flat_map(|held| &held.destinations);
        let there = there.filter(|entry| entry.destination.weight > 0).map(|entry| entry.id());
        let sorry = watched.policy.sorry.as_ref().map(|sorry| sorry.id);
        let new = || Case { usable: there.collect(), changed: now, sorry };
        let case = self.cases.entry(watched.id()).or_insert_with(new);
        case.changed = now;
        // Whoever takes the sorry server away takes it out.
        let before = std::mem::replace(&mut case.sorry, sorry);
        if let Some(gone) = before.filter(|_| before != sorry) {
            case.usable.remove(&gone);
        }
    }

    pub(crate) fn forget(&mut self, id: ServiceId) {
        self.cases.remove(&id);
    }

    /// Takes in the result of a check.
    pub(crate) fn finished(&mut self, check: &Check<u8>, outcome: &Outcome) {
        if let Outcome::NotDone(_) = outcome {
            return;
        }
        let row = self.rows.entry((check.destination, *check.check)).or_default();
        let passed = outcome.is_passed();
        *row = if row.0 == passed { (passed, row.1 + 1) } else { (passed, 1) };
    }

    /// Nobody goes down faster than the fall of a check allows.
    pub(crate) fn event(
        &mut self,
        watched: &Watched<u8>,
        event: &PoolEvent,
        _now: Instant,
    ) -> Result<(), Broken> {
        let PoolEvent::Verdict { destination, verdict: Verdict::Down, .. } = event else {
            return Ok(());
        };
        let failed = |(check, _): &(u8, _)| match self.rows.get(&(*destination, *check)) {
            Some((false, row)) => *row,
            _ => 0,
        };
        let checks = watched.checks_at(*destination);
        let most = checks.iter().map(failed).max().unwrap_or(0);
        let fall = checks.iter().map(|(_, pace)| pace.fall).min().unwrap_or(0);
        // A target that is known to be dead may become one of this service.
        let was_new = self.cases.get(&watched.id()).is_some_and(|case| case.changed == _now);
        match most >= fall || was_new {
            true => Ok(()),
            false => Err(broken(format!(
                "{} -> {destination} is down after {most} failures of {fall}",
                watched.id()
            ))),
        }
    }

    /// The last usable destination leaves only by an operator's decision, or by the policy.
    pub(crate) fn wished(
        &mut self,
        watched: &Watched<u8>,
        wish: &Wish,
        maintained: &BTreeSet<(ServiceId, DestinationId)>,
        _now: Instant,
    ) -> Result<(), Broken> {
        let id = watched.id();
        let Some(case) = self.cases.get_mut(&id) else { return Ok(()) };
        let after = usable(wish.service());
        let before = std::mem::replace(&mut case.usable, after.clone());
        if before.is_empty() || !after.is_empty() {
            return Ok(());
        }
        let policy = &watched.policy;
        let stopped = |to: &DestinationId| {
            let desired = watched.service.destination(*to);
            desired.is_none_or(|desired| desired.destination().weight == 0)
                || maintained.contains(&(id, *to))
        };
        let sorry = policy.sorry.as_ref().filter(|sorry| !maintained.contains(&(id, sorry.id)));
        let may_leave = !policy.keep_last && policy.panic == 0;
        match sorry {
            Some(_) => Err(broken(format!("{id}: the sorry server does not serve: {wish:?}"))),
            None if may_leave || before.iter().all(stopped) => Ok(()),
            None => Err(broken(format!(
                "{id}: the last of {before:?} was taken out: {wish:?} {watched:?} {maintained:?}"
            ))),
        }
    }

    /// Servers that fail leave within the time that their checks take, as long as others work.
    pub(crate) fn dead_leave(
        &self,
        watched: &BTreeMap<ServiceId, Watched<u8>>,
        servers: &Servers,
        now: Instant,
    ) -> Result<(), Broken> {
        for (id, case) in &self.cases {
            let Some(watched) = watched.get(id) else { continue };
            let ids = watched.service.destinations().map(TableDestination::id);
            let paces = ids.flat_map(|to| watched.checks_at(to)).map(|(_, pace)| pace);
            let pace = paces.map(|pace| pace.down_within(TIMEOUT)).max();
            let slack = Duration::from_secs(2);
            let Some(since) = now.checked_sub(pace.unwrap_or_default() + slack) else { continue };
            if case.changed > since || watched.policy.panic > 0 {
                continue;
            }
            // The checks know, too, that these work: a target that flaps needs many successes.
            let known = |to: DestinationId| {
                watched.checks_at(to).iter().all(|(check, pace)| {
                    let most = if pace.damping.is_some() { 16 } else { 1 };
                    let row = self.rows.get(&(to, *check));
                    row.is_some_and(|(passed, row)| *passed && *row >= pace.rise * most)
                })
            };
            let works = |to: &DestinationId| servers.works(*to, since) && known(*to);
            let dead = |to: &&DestinationId| {
                let is_sorry = watched.policy.sorry.as_ref().is_some_and(|it| it.id == **to);
                let desired = watched.service.destination(**to).is_some();
                let is_checked = !watched.checks_at(**to).is_empty();
                desired
                    && is_checked
                    && !is_sorry
                    && servers.fails_since(**to).is_some_and(|begun| begun <= since)
            };
            let dead = case.usable.iter().find(dead);
            if let (Some(dead), true) = (dead, case.usable.iter().any(works)) {
                return Err(broken(format!("{id} -> {dead} is dead and stays, beside others")));
            }
        }
        Ok(())
    }
}

/// Returns an error if the first wish after a start changes a destination that the table holds, or
/// adds one.
pub(crate) fn changes_nothing(
    watched: &Watched<u8>,
    held: Option<&ServiceSnapshot>,
    wish: &Wish,
) -> Result<(), String> {
    let there = |to| {
        let entry = held.and_then(|held| held.destination(to));
        entry.map(|entry| entry.destination.weight)
    };
    for desired in watched.service.destinations() {
        let (id, to) = (wish.id(), desired.id());
        let wished = wish.service().destination(to).and_then(TableDestination::weight);
        let expected = match desired.destination().weight {
            0 => there(to).map(|_| 0),
            _ => there(to),
        };
        // A sorry server may take the place of those that an operator has stopped.
        let is_sorry = watched.policy.sorry.as_ref().is_some_and(|sorry| sorry.id == to);
        // One without a check is up at once.
        let is_checked = !watched.checks_at(to).is_empty();
        if wished != expected && !is_sorry && is_checked {
            return Err(format!("{id} -> {to}: a restart changes {expected:?} to {wished:?}"));
        }
    }
    Ok(())
}

/// The factor by which a slow start multiplies the weights of a service.
fn factor(watched: &Watched<u8>) -> u32 {
    let Some(slow) = watched.policy.slow_start else { return 1 };
    let Service { scheduler, .. } = watched.service.service();
    if matches!(*scheduler, Scheduler::ROUND_ROBIN | Scheduler::SOURCE_HASHING) {
        return 1;
    }
    let weights = watched.service.destinations().map(|to| to.destination().weight);
    slow.steps.div_ceil(weights.filter(|weight| *weight > 0).min().unwrap_or(1))
}

/// Returns an error if a wish is not what is desired, when all servers work and nobody is stopped.
pub(crate) fn is_as_desired(
    watched: &Watched<u8>,
    wish: &Wish,
    is_available: bool,
) -> Result<(), String> {
    let (id, factor) = (wish.id(), factor(watched));
    let weight = |to: &TableDestination| to.destination().weight;
    let live = watched.service.destinations().filter(|to| weight(to) > 0).count();
    if live == 0 {
        return Ok(());
    }
    for desired in watched.service.destinations() {
        let wished = wish.service().destination(desired.id());
        let wished = wished.map(|wished| wished.destination().clone());
        let expected = desired.destination().clone().weight(weight(desired) * factor);
        if wished != Some(expected.clone()) {
            return Err(format!("{id} -> {expected} is desired, and {wished:?} is wished"));
        }
    }
    let others = wish.service().destinations().map(TableDestination::id);
    if let Some(other) = others.into_iter().find(|to| watched.service.destination(*to).is_none()) {
        return Err(format!("{id} -> {other} is wished, and not desired"));
    }
    let policy = &watched.policy;
    match is_available || live < (policy.quorum + policy.hysteresis) as usize {
        true => Ok(()),
        false => Err(format!("{id} is not available with {live} live destinations")),
    }
}
