//! A program that checks the servers of some services, and wishes what its pools say.

mod desires;
mod judge;
mod servers;
mod witness;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use ipvs_netlink::health::{
    Check, Maintenance, MaintenanceKind, Monitor, Outcome, PoolEvent, Share, Verdict, Watched,
};
use ipvs_netlink::table::TableDestination;
use ipvs_netlink::table::controller::Wish;
use ipvs_netlink::{DestinationId, ServiceId, ServiceSnapshot, Snapshot};

use crate::bug::Bug;
use crate::health::desires::Desires;
use crate::health::judge::Judge;
use crate::health::servers::Servers;
use crate::judge::{Broken, Promise};
use crate::profile::Profile;
use crate::random::Random;
use crate::text::wish_text;
use crate::user::Input;

pub(crate) use witness::Witness;

/// The longest time until all servers that work are in rotation again: the longest slow interval,
/// 16 times three successes in a row, and the longest slow start.
const RECOVERS: Duration = Duration::from_secs(120);

/// A program with a monitor.
#[derive(Debug)]
pub(crate) struct Program {
    random: Random,
    seed: u64,
    desires: Desires,
    servers: Servers,
    monitor: Monitor<u8>,
    /// What is watched, as the program knows it.
    watched: BTreeMap<ServiceId, Watched<u8>>,
    maintained: BTreeSet<(ServiceId, DestinationId)>,
    /// The checks that run, and when they end.
    running: Vec<(Instant, Check<u8>, Outcome)>,
    judge: Judge,
    /// No fault stops the program for seconds.
    punctual: bool,
    bug: Option<Bug>,
    /// How often everything happened.
    counts: BTreeMap<&'static str, u64>,
    /// What happened, for the trace. `None` if nobody reads it.
    notes: Option<Vec<String>>,
}

impl Program {
    pub(crate) fn new(
        profile: &Profile,
        index: usize,
        services: Vec<ServiceId>,
        bug: Option<Bug>,
    ) -> Self {
        let random = Random::fork(profile.seed, &format!("health {index}"));
        Self {
            desires: Desires::new(profile, index, services),
            servers: Servers::new(profile.seed),
            monitor: Monitor::new(profile.seed),
            watched: BTreeMap::new(),
            maintained: BTreeSet::new(),
            running: Vec::new(),
            judge: Judge::default(),
            punctual: !profile.actors.faults,
            bug,
            counts: BTreeMap::new(),
            notes: None,
            seed: profile.seed,
            random,
        }
    }

    pub(crate) fn pause(&mut self, longest: u32) -> Duration {
        match self.random.chance(15) {
            true => self.random.pause(0, 50),
            false => self.random.pause(50, longest),
        }
    }

    /// Returns `true` if nobody else wishes this service.
    pub(crate) fn has(&self, id: ServiceId) -> bool {
        self.desires.services().contains(&id)
    }

    /// What the pools wish now.
    pub(crate) fn wishes(&self) -> impl Iterator<Item = Wish> {
        let pools = self.watched.keys().filter_map(|id| self.monitor.pool(*id));
        pools.filter_map(|pool| pool.last_wish().cloned())
    }

    /// How often everything happened since this was asked last.
    pub(crate) fn take_counts(&mut self) -> BTreeMap<&'static str, u64> {
        std::mem::take(&mut self.counts)
    }

    /// Keeps what happens for [`take_notes`](Self::take_notes).
    pub(crate) fn keep_notes(&mut self) {
        self.notes = Some(Vec::new());
    }

    pub(crate) fn take_notes(&mut self) -> Vec<String> {
        self.notes.as_mut().map(std::mem::take).unwrap_or_default()
    }

    fn note(&mut self, what: impl FnOnce() -> String) {
        if let Some(notes) = &mut self.notes {
            notes.push(what());
        }
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// Something happens: to servers, by an operator, or a new table comes.
    pub(crate) fn act(&mut self, truth: &Snapshot, now: Instant) -> Vec<Input> {
        let watched: Vec<_> = self.watched.keys().copied().collect();
        let Some(id) = self.random.pick(self.desires.services()).copied() else {
            return Vec::new();
        };
        match self.random.below(100) {
            0..=54 => {
                self.count("servers");
                self.servers.change(now);
            }
            55..=66 => self.maintain(id, now),
            67..=76 => {
                let all = self.maintained.iter().copied().collect::<Vec<_>>();
                if let Some((id, to)) = self.random.pick(&all).copied() {
                    self.monitor.end_maintenance(id, to, now);
                    self.maintained.remove(&(id, to));
                }
            }
            77..=89 => self.reload(id, truth, now),
            90..=92 => self.moves(id, now),
            93..=95 => {
                if let Some(id) = self.random.pick(&watched).copied() {
                    self.forget(id, now);
                    return vec![Input::Forget(id)];
                }
            }
            _ => {
                let to = self.desires.server(id);
                self.monitor.hasten(to, now);
            }
        }
        Vec::new()
    }

    fn maintain(&mut self, id: ServiceId, now: Instant) {
        let Some(watched) = self.watched.get(&id) else { return };
        let ids: Vec<_> = watched.service.destinations().map(TableDestination::id).collect();
        let Some(to) = self.random.pick(&ids).copied() else { return };
        let kind = self.random.one([MaintenanceKind::Drain, MaintenanceKind::Out]);
        let mut maintenance = Maintenance::new(kind, "somebody");
        if self.random.chance(40) {
            maintenance = maintenance.until(now + self.random.pause(0, 30_000));
        }
        self.monitor.maintain(id, to, maintenance, now);
        self.maintained.insert((id, to));
        self.count("maintenance");
    }

    /// Another desired service, policy or check, or one that was not watched.
    fn reload(&mut self, id: ServiceId, truth: &Snapshot, now: Instant) {
        let watched = match self.watched.get(&id) {
            Some(old) if self.random.chance(80) => self.desires.edited(old),
            _ => self.desires.fresh(id),
        };
        self.count("reload");
        self.watch(watched, truth.service(id), now);
    }

    /// The destinations of a service move to another one, in two steps.
    fn moves(&mut self, id: ServiceId, now: Instant) {
        let Some(from) = self.watched.get(&id).cloned() else { return };
        // Destinations have the same port in all services of an address, and none in others.
        let alike = |to: &ServiceId| {
            let marks = [id, *to].map(|id| matches!(id, ServiceId::Fwmark { .. }));
            *to != id && to.family() == id.family() && marks[0] == marks[1]
        };
        let others: Vec<_> = self.watched.keys().copied().filter(alike).collect();
        let Some(to) = self.random.pick(&others).copied() else { return };
        let Some(mut to) = self.watched.get(&to).cloned() else { return };
        let Some(moving) = from.service.destinations().next().cloned() else { return };
        let mut rest = from;
        rest.service.remove(moving.id());
        self.watch(rest, None, now);
        to.service.insert(moving);
        self.watch(to, None, now);
        self.count("move");
    }

    fn watch(&mut self, watched: Watched<u8>, held: Option<&ServiceSnapshot>, now: Instant) {
        let id = watched.id();
        let mut given = watched.clone();
        let mut held = held;
        match self.bug {
            Some(Bug::Cruel) => {
                given.policy = given.policy.sorry(None).panic(0).keep_last(false);
            }
            Some(Bug::Hasty) => {
                let otherwise = given.checks_of.values_mut().flat_map(|it| &mut it.checks);
                given.checks.iter_mut().chain(otherwise).for_each(|(_, pace)| pace.fall = 1);
            }
            Some(Bug::Forgetful) => held = None,
            _ => {}
        }
        let is_new = !self.watched.contains_key(&id);
        self.note(|| {
            let text = wish_text(&Wish::new(watched.service.clone()));
            let Watched { policy, checks_of, .. } = &watched;
            format!("watch {text}, {policy:?}, {checks_of:?}")
        });
        self.judge.watched(&watched, held.filter(|_| is_new), now);
        self.maintained.retain(|(of, to)| *of != id || watched.service.destination(*to).is_some());
        self.monitor.watch(given, held, now);
        self.watched.insert(id, watched);
    }

    fn forget(&mut self, id: ServiceId, now: Instant) {
        self.monitor.forget(id, now);
        self.watched.remove(&id);
        self.maintained.retain(|(of, _)| *of != id);
        self.judge.forget(id);
        self.count("forget");
    }

    /// The program starts for the first time.
    pub(crate) fn begin(&mut self, truth: &Snapshot, now: Instant) {
        for id in self.desires.services().to_vec() {
            if self.random.chance(80) {
                let watched = self.desires.fresh(id);
                self.watch(watched, truth.service(id), now);
            }
        }
    }

    /// The program starts again with the same configuration. Returns what it wishes first.
    ///
    /// # Errors
    ///
    /// A wish changes what the table holds.
    pub(crate) fn restart(&mut self, truth: &Snapshot, now: Instant) -> Result<Vec<Wish>, Broken> {
        self.count("restart");
        self.monitor = Monitor::new(self.seed);
        self.running.clear();
        self.maintained.clear();
        self.judge = Judge::default();
        let watched: Vec<_> = std::mem::take(&mut self.watched).into_values().collect();
        for watched in watched {
            let held = truth.service(watched.id());
            self.watch(watched, held, now);
        }
        let wishes = self.monitor.wishes(now);
        for wish in &wishes {
            let watched = &self.watched[&wish.id()];
            judge::changes_nothing(watched, truth.service(wish.id()), wish)
                .map_err(|how| Broken::new(Promise::Health, how))?;
            self.judge.wished(watched, wish, &self.maintained, now)?;
        }
        self.events(now)?;
        Ok(wishes)
    }

    /// Does the checks that are due, and returns the wishes that have changed.
    pub(crate) fn step(&mut self, now: Instant) -> Result<Vec<Wish>, Broken> {
        let running = std::mem::take(&mut self.running);
        for (ends, check, outcome) in running {
            if ends <= now {
                self.judge.finished(&check, &outcome);
                self.monitor.finished(&check, outcome, now);
            } else {
                self.running.push((ends, check, outcome));
            }
        }
        while let Some(check) = self.monitor.due(now) {
            let (outcome, time) = self.servers.check(check.destination);
            self.running.push((now + time, check, outcome));
        }
        let wishes = self.monitor.wishes(now);
        // An operator's maintenance may have ended by itself.
        let pool = |id: &ServiceId| self.monitor.pool(*id);
        self.maintained
            .retain(|(id, to)| pool(id).is_some_and(|pool| pool.maintenance(*to).is_some()));
        for wish in &wishes {
            let watched = &self.watched[&wish.id()];
            self.judge.wished(watched, wish, &self.maintained, now)?;
        }
        self.events(now)?;
        if self.punctual {
            self.judge.dead_leave(&self.watched, &self.servers, now)?;
        }
        Ok(wishes)
    }

    fn events(&mut self, now: Instant) -> Result<(), Broken> {
        for (id, event) in self.monitor.events() {
            let Some(watched) = self.watched.get(&id) else { continue };
            self.judge.event(watched, &event, now)?;
            if let Some(notes) = &mut self.notes {
                notes.push(format!("{id}: {event}"));
            }
            self.count(match event {
                PoolEvent::Kept(_) => "kept",
                PoolEvent::TakenOut(_) => "taken-out",
                PoolEvent::PutBack(_) => "put-back",
                PoolEvent::Available => "available",
                PoolEvent::Unavailable { .. } => "unavailable",
                PoolEvent::SorryServerIn => "sorry-in",
                PoolEvent::SorryServerOut => "sorry-out",
                _ => continue,
            });
        }
        Ok(())
    }

    /// When a check is due or ends, or a wish changes by itself.
    pub(crate) fn next(&self, now: Instant) -> Option<Instant> {
        let ends = self.running.iter().map(|(ends, ..)| *ends);
        ends.chain(self.monitor.next(now)).min()
    }

    /// All servers work, and no operator has stopped one.
    pub(crate) fn heal(&mut self, now: Instant) -> Instant {
        self.servers.heal(now);
        for (id, to) in std::mem::take(&mut self.maintained) {
            self.monitor.end_maintenance(id, to, now);
        }
        now + RECOVERS
    }

    /// Returns `true` if all is known, and no wish will change by itself.
    pub(crate) fn is_at_rest(&self, now: Instant) -> bool {
        self.watched.iter().all(|(id, watched)| {
            let is_up = |to: &TableDestination| {
                let mut checks = self.monitor.status(to.id(), now);
                checks.all(|(_, it)| it.verdict == Verdict::Up && it.share == Share::FULL)
            };
            let pool = self.monitor.pool(*id).expect("it is watched");
            watched.service.destinations().all(is_up) && pool.next(now).is_none()
        })
    }

    /// Returns an error if a wish is not what was desired, when all works.
    pub(crate) fn is_as_desired(&self) -> Result<(), Broken> {
        for (id, watched) in &self.watched {
            let pool = self.monitor.pool(*id).expect("it is watched");
            let wish = pool.last_wish().expect("it was asked");
            judge::is_as_desired(watched, wish, pool.is_available())
                .map_err(|how| Broken::new(Promise::Health, how))?;
        }
        Ok(())
    }
}
