//! Waiting until connections have ended.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::ControlFlow;
use std::slice;
use std::time::{Duration, Instant};

use crate::engine::{Engine, Transport};
use crate::error::{Context, Error, Result};
use crate::model::{
    Change, Connections, DestinationEntry, DestinationId, Protocol, Service, ServiceId, Stats,
};
use crate::table::plan::{Before, Phase, Plan, Purpose, Step};
use crate::table::planner::{can_drain, destination_before};
use crate::table::progress::{DrainProgress, Draining, Observer, Progress};
use crate::table::run::Run;
use crate::table::{DrainPolicy, DrainUntil, OnFailure, PlanOptions, StepOutcome};

/// How a destination left. See [`Client::drain`](crate::Client::drain).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "the destination may still be there"]
pub enum Drained {
    /// It was deleted: there was nothing left that carried data. With
    /// [`DrainUntil::NoActive`] connections that one side had closed may have, and broke.
    Emptied,
    /// It was deleted at the deadline, or at once where draining does no good, while it had
    /// these connections and some of them carried data. They broke.
    Cut(Connections),
    /// Somebody else deleted it.
    AlreadyGone,
    /// Somebody else gave it a weight again, or added it again. It is there.
    Restored,
    /// The observer ended the waiting. It still has weight 0;
    /// [`Client::set_weight`](crate::Client::set_weight) with the weight that it had before
    /// puts it back into rotation.
    #[non_exhaustive]
    Cancelled {
        /// The weight that it had before; 0 if it was draining already.
        weight: u32,
    },
}

impl fmt::Display for Drained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Emptied => f.write_str("deleted, with nothing left to wait for"),
            Self::Cut(connections) => {
                write!(f, "deleted, which cut connections that carried data: {connections}")
            }
            Self::AlreadyGone => f.write_str("somebody else had deleted it"),
            Self::Restored => f.write_str("it is there: somebody else wants it"),
            Self::Cancelled { weight } => {
                write!(f, "not waited for any longer; its weight was {weight}")
            }
        }
    }
}

/// How many looks in a row may fail before it is given up to look.
const MISSES: u32 = 20;

/// What is known of something that drains.
#[derive(Clone, Copy)]
struct Watched {
    connections: Connections,
    /// How many packets have come and gone.
    packets: u64,
    /// When something last came, or when it was first looked at.
    since: Instant,
    /// Whether there was nothing active the last time, too.
    inactive_before: bool,
    looked: bool,
}

impl Watched {
    const fn new(now: Instant) -> Self {
        let connections = Connections { active: 0, inactive: 0, persistent: 0 };
        Self { connections, packets: 0, since: now, inactive_before: false, looked: false }
    }

    /// Notes what a look has found.
    fn look(&mut self, entries: &[DestinationEntry], now: Instant) {
        let connections = sum(entries.iter().map(|entry| entry.connections));
        let packets = entries.iter().fold(0_u64, |sum, entry| {
            let Stats { incoming_packets, outgoing_packets, .. } = entry.stats;
            sum.wrapping_add(incoming_packets).wrapping_add(outgoing_packets)
        });
        let more = self.looked
            && (packets != self.packets || connections.inactive > self.connections.inactive);
        if connections.active > 0 || more {
            self.since = now;
        }
        self.inactive_before = self.looked && self.connections.active == 0;
        (self.connections, self.packets, self.looked) = (connections, packets, true);
    }

    fn quiet(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.since)
    }

    /// Whether it has drained.
    fn is_met(&self, policy: &DrainPolicy, now: Instant) -> bool {
        let Connections { active, inactive, .. } = self.connections;
        if active > 0 || inactive == 0 {
            return policy.until.is_met(self.connections);
        }
        match policy.until {
            // What is inactive may be just being opened: next time it is active or gone.
            DrainUntil::NoActive => self.inactive_before,
            DrainUntil::NoTraffic => self.quiet(now) >= policy.quiet,
            DrainUntil::NoConnections | DrainUntil::NoClients => false,
        }
    }

    /// Whether deleting it breaks something: connections that carry data, or what it was to be
    /// waited for beside those.
    fn is_cut(&self, policy: &DrainPolicy, now: Instant) -> bool {
        let Connections { active, inactive, persistent, .. } = self.connections;
        active > 0
            || (inactive > 0 && self.quiet(now) < policy.quiet)
            || (persistent > 0 && policy.until == DrainUntil::NoClients)
    }
}

/// What came of looking at what drains.
#[derive(Default)]
struct Looked {
    ready: Vec<usize>,
    waiting: Vec<usize>,
    /// Those of services that could not be read.
    unread: Vec<(usize, Error)>,
}

/// The connections that a step deletes which nobody waits for, if they may carry data: those
/// of UDP are never active.
pub(crate) fn cut_at_once(step: &Step) -> Option<Connections> {
    let deletes = matches!(step.change, Change::DeleteService(_) | Change::DeleteDestination(..));
    if !deletes || step.phase == Phase::Drained {
        return None;
    }
    let (Before::Service { connections, .. } | Before::Destination { connections, .. }) =
        step.before()?;
    let udp = matches!(step.service(), Some(ServiceId::Address { protocol: Protocol::UDP, .. }));
    let carries = connections.active > 0 || (udp && connections.inactive > 0);
    carries.then_some(*connections)
}

impl<T: Transport> Engine<T> {
    /// Deletes what drains as soon as it has, or at the deadline.
    pub(crate) async fn run_drains(&mut self, run: &mut Run<'_>, observer: Observer<'_>) {
        let Some(policy) = run.plan.drain() else { return };
        let mut pending = run.undecided(run.range(Phase::Drained));
        let begin = self.now();
        let deadline = policy.deadline.and_then(|deadline| begin.checked_add(deadline));
        let mut misses = 0;
        let mut watched: BTreeMap<usize, Watched> =
            pending.iter().map(|index| (*index, Watched::new(begin))).collect();
        while !pending.is_empty() {
            let Looked { ready, mut waiting, mut unread } =
                self.look_at_drains(run, &pending, &policy, &mut watched).await;
            self.run_steps(run, &ready).await;
            if run.plan.on_failure == OnFailure::Stop {
                // What will not be deleted need not be waited for.
                run.skip_dependants(pending);
                waiting.retain(|index| run.outcome(*index).is_none());
                unread.retain(|(index, _)| run.outcome(*index).is_none());
            }
            let now = self.now();
            let left = deadline.map(|deadline| deadline.saturating_duration_since(now));
            misses = if unread.is_empty() { 0 } else { misses + 1 };
            if left == Some(Duration::ZERO) || misses > MISSES {
                for (index, error) in unread {
                    run.fail_unread(index, &error);
                }
                if left == Some(Duration::ZERO) {
                    self.cut(run, &waiting, &policy, &watched).await;
                }
                return;
            }
            pending = waiting;
            pending.extend(unread.into_iter().map(|(index, _)| index));
            if pending.is_empty() {
                return;
            }
            pending.sort_unstable();
            let draining = draining(run, &pending, &watched, now);
            let progress = DrainProgress {
                waiting: pending.len(),
                connections: sum(draining.iter().map(|draining| draining.connections)),
                elapsed: now.saturating_duration_since(begin),
                left,
                draining: &draining,
            };
            if observer(&Progress::Draining(progress)).is_break() {
                return;
            }
            let interval = policy.interval.max(Duration::from_millis(1));
            let pause = left.map_or(interval, |left| left.min(interval));
            if let Err(cause) = self.sleep(pause).await {
                for index in pending {
                    let Some(step) = run.step(index) else { continue };
                    let error = Error::not_sent(Context::of(&step.change), &cause);
                    run.set(index, StepOutcome::Failed(error));
                }
                return;
            }
        }
    }

    /// Deletes at the deadline what has not drained.
    async fn cut(
        &mut self,
        run: &mut Run<'_>,
        waiting: &[usize],
        policy: &DrainPolicy,
        watched: &BTreeMap<usize, Watched>,
    ) {
        let now = self.now();
        self.run_steps(run, waiting).await;
        for index in waiting {
            let Some(watched) = watched.get(index) else { continue };
            if matches!(run.outcome(*index), Some(StepOutcome::Done)) && watched.is_cut(policy, now)
            {
                run.set(*index, StepOutcome::Cut(watched.connections));
            }
        }
    }

    /// Looks which of the steps need not wait any longer.
    async fn look_at_drains(
        &mut self,
        run: &mut Run<'_>,
        pending: &[usize],
        policy: &DrainPolicy,
        watched: &mut BTreeMap<usize, Watched>,
    ) -> Looked {
        let mut looked = Looked::default();
        for (service, steps) in run.by_service(pending.iter().copied()) {
            let look = match self.look_at(service).await {
                Ok(look) => look,
                Err(error) => {
                    looked.unread.extend(steps.into_iter().map(|index| (index, error.clone())));
                    continue;
                }
            };
            let now = self.now();
            for index in steps {
                let concerned = match run.step(index).and_then(Step::destination) {
                    Some(id) => look.destination(id).map_or(&[][..], slice::from_ref),
                    None => &look.destinations,
                };
                let watched = watched.entry(index).or_insert_with(|| Watched::new(now));
                watched.look(concerned, now);
                if concerned.iter().any(|entry| entry.destination.weight > 0) {
                    run.set(index, StepOutcome::Differs);
                } else if look.settled && watched.is_met(policy, now) {
                    looked.ready.push(index);
                } else {
                    looked.waiting.push(index);
                }
            }
        }
        // Services last, as in the plan.
        looked.ready.sort_unstable();
        looked.waiting.sort_unstable();
        looked
    }

    /// Takes one destination out of its service: by weight 0, waiting, and deletion.
    pub(crate) async fn drain(
        &mut self,
        service: ServiceId,
        id: DestinationId,
        policy: DrainPolicy,
        observer: &mut (dyn FnMut(&DrainProgress<'_>) -> ControlFlow<()> + Send),
    ) -> Result<Drained> {
        let mut observer = |progress: &Progress<'_>| match progress {
            Progress::Draining(progress) => observer(progress),
            Progress::Phase(_) => ControlFlow::Continue(()),
        };
        let settings = self.service(service).await?.service;
        let entry = self.destination(service, id).await?;
        let weight = entry.destination.weight;
        let plan = drain_plan(&settings, &entry, policy);
        let applied = self.apply(&plan, &mut observer).await;
        if let Some(StepOutcome::Failed(error)) =
            applied.outcomes().find(|outcome| matches!(outcome, StepOutcome::Failed(_)))
        {
            return Err(error.clone());
        }
        Ok(match applied.outcomes().last() {
            Some(StepOutcome::Cut(connections)) => Drained::Cut(*connections),
            Some(StepOutcome::AlreadySo) => Drained::AlreadyGone,
            Some(StepOutcome::Draining | StepOutcome::Stopped) => Drained::Cancelled { weight },
            Some(StepOutcome::Done) => Drained::Emptied,
            // Its service may be gone, and it with that.
            _ => match Box::pin(self.look_at(service)).await?.destination(id) {
                Some(_) => Drained::Restored,
                None => Drained::AlreadyGone,
            },
        })
    }
}

fn drain_plan(service: &Service, entry: &DestinationEntry, policy: DrainPolicy) -> Plan {
    let drains = can_drain(service, entry);
    let before = destination_before(entry);
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

/// What is waited for, as an observer is told.
fn draining(
    run: &Run<'_>,
    pending: &[usize],
    watched: &BTreeMap<usize, Watched>,
    now: Instant,
) -> Vec<Draining> {
    let one = |index: &usize| {
        let object = run.step(*index)?.change.object()?;
        let watched = watched.get(index)?;
        Some(Draining { object, connections: watched.connections, quiet: watched.quiet(now) })
    };
    pending.iter().filter_map(one).collect()
}

/// All connections together.
pub(crate) fn sum(all: impl Iterator<Item = Connections>) -> Connections {
    all.fold(Connections::default(), |sum, one| Connections {
        active: sum.active.saturating_add(one.active),
        inactive: sum.inactive.saturating_add(one.inactive),
        persistent: sum.persistent.saturating_add(one.persistent),
    })
}
