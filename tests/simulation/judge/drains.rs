//! The fourth promise: no connection that a drain waits for is cut before the deadline, and
//! without faults nothing drains longer than its deadline and one interval.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ipvs_netlink::table::controller::{Answer, DrainEnd, Event, Work};
use ipvs_netlink::table::{DrainPolicy, DrainUntil};
use ipvs_netlink::{Change, Connections, DestinationId, ServiceId};

use crate::judge::knowledge::{Server, refuses_at_zero};
use crate::judge::{Case, Verdict};

type Key = (ServiceId, DestinationId);

/// The time that the steps of a run may take.
const SLACK: Duration = Duration::from_millis(500);

/// A destination that leaves, has weight 0, and has been so since `began`.
#[derive(Clone, Debug)]
struct Drain {
    /// The earliest moment from which its deadline may count.
    began: Instant,
    looks: u32,
    /// No connection was active at the look before the last.
    inactive_before: bool,
    /// The last traffic that a look showed.
    traffic: Instant,
    connections: Connections,
    packets: u64,
}

impl Drain {
    fn new(began: Instant) -> Self {
        Self {
            began,
            looks: 0,
            inactive_before: false,
            traffic: began,
            connections: Connections::default(),
            packets: 0,
        }
    }

    fn look(&mut self, server: &Server, now: Instant) {
        let more = server.connections.inactive > self.connections.inactive;
        let moved = self.looks > 0 && (server.packets != self.packets || more);
        if server.connections.active > 0 || moved {
            self.traffic = now;
        }
        self.inactive_before = self.looks > 0 && self.connections.active == 0;
        self.looks += 1;
        self.connections = server.connections;
        self.packets = server.packets;
    }

    /// Returns `true` if nothing is left to wait for.
    fn is_empty(&self, policy: &DrainPolicy, now: Instant) -> bool {
        let Connections { active, inactive, persistent, .. } = self.connections;
        self.looks > 0
            && active == 0
            && match policy.until {
                DrainUntil::NoActive => inactive == 0 || self.inactive_before,
                DrainUntil::NoTraffic => {
                    inactive == 0 || now.saturating_duration_since(self.traffic) >= policy.quiet
                }
                DrainUntil::NoConnections => inactive == 0,
                DrainUntil::NoClients => inactive == 0 && persistent == 0,
                _ => false,
            }
    }

    /// Returns `true` if no connection may carry data, whatever the drain waits for.
    fn is_idle(&self, policy: &DrainPolicy, now: Instant) -> bool {
        let Connections { active, persistent, .. } = self.connections;
        let quiet = policy.until(DrainUntil::NoTraffic);
        active == 0
            && self.is_empty(&quiet, now)
            && (persistent == 0 || policy.until != DrainUntil::NoClients)
    }

    fn is_due(&self, policy: &DrainPolicy, now: Instant) -> bool {
        policy
            .deadline
            .is_some_and(|deadline| now.saturating_duration_since(self.began) >= deadline)
    }
}

/// Why a destination was deleted.
#[derive(Clone, Copy, Debug)]
struct Deleted {
    /// Nothing was left to wait for, or nothing carried data.
    empty: bool,
    connections: Connections,
    /// The last traffic that a look showed.
    traffic: Instant,
}

/// Judges drains.
#[derive(Debug, Default)]
pub(crate) struct Drains {
    drains: BTreeMap<Key, Drain>,
    /// When weight 0 was asked for last.
    asked: BTreeMap<Key, Instant>,
    /// The drains that an event has told to have begun, with their deadlines.
    told: BTreeMap<Key, Option<Instant>>,
    /// Until when nothing was to be deleted from a service: its wish was refused, or it was held.
    paused: BTreeMap<ServiceId, Instant>,
    /// The last deletion by the controller.
    deleted: BTreeMap<Key, Deleted>,
}

impl Drains {
    /// Judges a list of changes that are about to be written.
    pub(crate) fn given(&mut self, case: &Case<'_>, writes: &[Change]) -> Verdict {
        for change in writes {
            match change {
                Change::DeleteDestination(id, to) => self.deletes(case, (*id, *to), true)?,
                // A wished service is only deleted to take it back: `serving` judges that.
                Change::DeleteService(id) if !case.wishes.current.contains_key(id) => {
                    let all = case.knowledge.present(*id).map(|present| &present.servers);
                    for to in all.into_iter().flat_map(|servers| servers.keys()) {
                        self.deletes(case, (*id, *to), false)?;
                    }
                }
                Change::UpdateDestination(id, new)
                    if new.weight == 0 && case.wishes.destination(*id, new.id).is_none() =>
                {
                    self.asked.entry((*id, new.id)).or_insert(case.now);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn deletes(&mut self, case: &Case<'_>, key: Key, single: bool) -> Verdict {
        let (id, to) = key;
        if case.knowledge.is_absent(id) {
            // A list has shown meanwhile that others have deleted the service: nothing is cut.
            return Ok(());
        }
        let Some(server) = case.knowledge.server(id, to) else {
            return Err(format!("{id} -> {to}: deletes what no reading had"));
        };
        let Some(policy) = &case.options.plan.drain else { return Ok(()) };
        let drain = self.drains.get(&key);
        let empty = drain.is_some_and(|drain| drain.is_empty(policy, case.now));
        let idle = drain.is_some_and(|drain| drain.is_idle(policy, case.now));
        let traffic = drain.map_or(case.now, |drain| drain.traffic);
        let (empty_or_idle, connections) = (empty || idle, server.connections);
        self.deleted.insert(key, Deleted { empty: empty_or_idle, connections, traffic });
        let due = drain.is_some_and(|drain| drain.is_due(policy, case.now));
        let fine = (server.settings.weight == 0 && (empty || due))
            || case.wishes.leaves_at_once(id, to)
            || !drains_at_zero(case, id)
            // Nothing can wait for what somebody else has stopped already.
            || (!single && !server.sure);
        match fine {
            true => Ok(()),
            false => Err(format!(
                "{id} -> {to}: deleted with weight {} and {} before its time: {drain:?}",
                server.settings.weight, server.connections
            )),
        }
    }

    /// Takes in an answer. The knowledge has it already.
    pub(crate) fn answered(&mut self, case: &Case<'_>, work: &Work, answer: &Answer) {
        match (work, answer) {
            (_, Answer::Destinations(read)) => {
                for (id, _) in read {
                    self.follow(case, *id, true);
                }
            }
            (_, Answer::Readings(read)) => {
                for reading in read.iter().filter(|reading| reading.present.is_ok()) {
                    self.follow(case, reading.id, true);
                }
            }
            (Work::Write(writes), _) => {
                let ids = writes.iter().filter_map(|write| match write {
                    Change::UpdateDestination(id, _)
                    | Change::DeleteDestination(id, _)
                    | Change::AddDestination(id, _)
                    | Change::DeleteService(id) => Some(*id),
                    _ => None,
                });
                let mut ids: Vec<_> = ids.collect();
                ids.dedup();
                for id in ids {
                    self.follow(case, id, false);
                }
            }
            _ => {}
        }
    }

    /// Takes in that the wish for a service has changed.
    pub(crate) fn wished(&mut self, case: &Case<'_>, id: ServiceId) {
        self.follow(case, id, false);
    }

    /// Takes in that nothing was to be deleted from a service until this time.
    pub(crate) fn pause(&mut self, id: ServiceId, until: Instant) {
        self.paused.insert(id, until);
    }

    /// Begins and ends the drains of a service.
    fn follow(&mut self, case: &Case<'_>, id: ServiceId, look: bool) {
        let low = "0.0.0.0:0".parse().expect("an address");
        let mut gone: Vec<Key> = self
            .drains
            .range((id, low)..)
            .take_while(|((of, _), _)| *of == id)
            .map(|(key, _)| *key)
            .collect();
        let servers = case.knowledge.present(id).map(|present| &present.servers);
        for (to, server) in servers.into_iter().flatten() {
            let key = (id, *to);
            let leaves = case.wishes.destination(id, *to).is_none();
            if !leaves {
                self.asked.remove(&key);
            }
            if !leaves && !look && self.told.contains_key(&key) {
                // A wish that comes and goes before the controller reads ends no drain.
                gone.retain(|other| *other != key);
                continue;
            }
            // A drain goes on if somebody else gives its destination a weight.
            let begins = server.settings.weight == 0 || self.drains.contains_key(&key);
            if !leaves || !begins {
                continue;
            }
            gone.retain(|other| *other != key);
            // Nor does one that comes and goes before the answer to the change of the weight.
            let deadline = case.options.plan.drain.and_then(|policy| policy.deadline);
            let told = self.told.get(&key).copied().flatten().zip(deadline);
            let told = told.and_then(|(until, time)| until.checked_sub(time));
            let began = self.asked.remove(&key).or(told).unwrap_or(case.now);
            let drain = self.drains.entry(key).or_insert_with(|| Drain::new(began));
            if look && server.sure {
                drain.look(server, case.now);
            }
        }
        for key in gone {
            self.drains.remove(&key);
            self.asked.remove(&key);
        }
    }

    /// Judges an event about a drain.
    pub(crate) fn told(&mut self, case: &Case<'_>, event: &Event) -> Verdict {
        match event {
            Event::DrainBegun { service, destination, deadline, .. } => {
                self.begun(case, (*service, *destination), *deadline)
            }
            Event::DrainEnded { service, destination, end, .. } => {
                self.ended(case, (*service, *destination), *end)
            }
            _ => Ok(()),
        }
    }

    fn begun(&mut self, case: &Case<'_>, key: Key, deadline: Option<Instant>) -> Verdict {
        let (id, to) = key;
        if self.told.insert(key, deadline).is_some() {
            return Err(format!("{id} -> {to}: a drain begins while one goes on"));
        }
        if case.knowledge.server(id, to).is_none_or(|server| server.settings.weight > 0) {
            return Err(format!("{id} -> {to}: a drain begins and the weight is not 0"));
        }
        let policy = case.options.plan.drain;
        let expected = policy.and_then(|policy| policy.deadline).map(|time| case.now + time);
        match deadline == expected {
            true => Ok(()),
            false => Err(format!("{id} -> {to}: a drain begins with a wrong deadline")),
        }
    }

    fn ended(&mut self, case: &Case<'_>, key: Key, end: DrainEnd) -> Verdict {
        let (id, to) = key;
        if self.told.remove(&key).is_none() {
            return Err(format!("{id} -> {to}: a drain ends that has not begun"));
        }
        let deleted = self.deleted.get(&key);
        let policy = case.options.plan.drain;
        let right = match end {
            DrainEnd::Emptied => deleted.is_some_and(|deleted| {
                let Connections { active, inactive, persistent, .. } = deleted.connections;
                // The quiet time counts until the answer to the deletion, which may come late.
                let quiet = policy.is_some_and(|policy| {
                    case.now.saturating_duration_since(deleted.traffic) >= policy.quiet
                        && (persistent == 0 || policy.until != DrainUntil::NoClients)
                });
                deleted.empty
                    || (active == 0 && quiet)
                    || (active, inactive, persistent) == (0, 0, 0)
            }),
            DrainEnd::Cut(connections) => {
                deleted.is_some_and(|deleted| deleted.connections == connections)
            }
            DrainEnd::WantedAgain => case.wishes.destination(id, to).is_some(),
            DrainEnd::DeletedByOthers => case.knowledge.server(id, to).is_none(),
            _ => false,
        };
        match right {
            true => Ok(()),
            false => Err(format!("{id} -> {to}: a drain ends as {end}, and did not: {deleted:?}")),
        }
    }

    /// Judges, while the controller waits and nothing has disturbed it, that no drain is overdue.
    pub(crate) fn waits(&self, case: &Case<'_>) -> Verdict {
        let Some(policy) = &case.options.plan.drain else { return Ok(()) };
        for ((id, to), drain) in &self.drains {
            let ours = case.wishes.may_change(case.options, *id);
            if !ours || !drains_at_zero(case, *id) || case.refused.contains(id) {
                continue;
            }
            let age = case.now.saturating_duration_since(drain.began);
            // What had weight 0 before begins to drain when the pause is over.
            let began = self.paused.get(id).map_or(drain.began, |paused| drain.began.max(*paused));
            let longest = policy.deadline.map(|deadline| began + deadline);
            if longest.is_some_and(|longest| case.now > longest + policy.interval + SLACK) {
                return Err(format!("{id} -> {to}: drains for {age:?}: {drain:?}"));
            }
        }
        Ok(())
    }

    pub(crate) fn is_draining(&self) -> bool {
        !self.drains.is_empty()
    }
}

/// Returns `true` if a destination of the service drains, by the settings that the service has and
/// by those that it is to have.
fn drains_at_zero(case: &Case<'_>, id: ServiceId) -> bool {
    let wished = case.wishes.current.get(&id).map(|wish| wish.service().service());
    let present = case.knowledge.present(id).map(|present| &present.settings);
    [wished, present]
        .into_iter()
        .flatten()
        .all(|service| service.drains_at_weight_zero() && !refuses_at_zero(service))
}
