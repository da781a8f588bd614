//! Waiting until connections have ended.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use crate::client::{Engine, Transport};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{
    Change, Connections, DestinationEntry, DestinationId, Service, ServiceEntry, ServiceId,
};
use crate::table::apply::Run;
use crate::table::plan::{Before, Phase, Plan, Step};
use crate::table::{DrainPolicy, DrainUntil, StepOutcome};
use crate::wire::Request;

/// How far draining has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DrainProgress {
    /// How many destinations, or services that leave as a whole, are waited for.
    pub waiting: usize,
    /// What connections they have, all together.
    pub connections: Connections,
    /// How long they will be waited for at most.
    pub left: Option<Duration>,
}

/// Who is told of the progress, and may end the waiting.
pub(crate) type Observer<'o> = &'o mut (dyn FnMut(&DrainProgress) -> ControlFlow<()> + Send);

/// How a destination left. See `Client::drain`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "the destination may still be there"]
pub enum Drained {
    /// It had no connections left and was deleted.
    Emptied,
    /// It was deleted at the deadline, or at once where draining does no good, with these
    /// connections. They broke.
    Cut(Connections),
    /// Somebody else deleted it.
    AlreadyGone,
    /// Somebody else gave it a weight again. It was not deleted.
    Restored,
    /// The observer ended the waiting. It still has weight 0; `Client::set_weight` with
    /// the weight that it had before puts it back into rotation.
    Cancelled {
        /// The weight that it had before.
        weight: u32,
    },
}

/// What is waited for, found anew at each look.
#[derive(Default)]
struct Look {
    ready: Vec<usize>,
    waiting: Vec<(usize, Connections)>,
}

impl<T: Transport> Engine<T> {
    /// Deletes what drains as soon as it has, or at the deadline.
    pub(crate) async fn run_drains(&mut self, run: &mut Run<'_>, observer: Observer<'_>) {
        let Some(policy) = run.plan.drain else { return };
        let range = run.range(Phase::Drained);
        let mut pending = run.skip_dependants(range);
        let deadline = policy.deadline.and_then(|deadline| Instant::now().checked_add(deadline));
        while !pending.is_empty() {
            let Look { ready, waiting } = self.look(run, &pending, policy.until).await;
            self.run_steps(run, &ready).await;
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            pending = waiting.iter().map(|(index, _)| *index).collect();
            if left == Some(Duration::ZERO) {
                self.run_steps(run, &pending).await;
                for (index, connections) in waiting {
                    if matches!(run.outcome(index), Some(StepOutcome::Done)) {
                        run.set(index, StepOutcome::Expired(connections));
                    }
                }
                return;
            }
            let connections = sum(waiting.iter().map(|(_, connections)| *connections));
            let progress = DrainProgress { waiting: waiting.len(), connections, left };
            if !waiting.is_empty() && observer(&progress).is_break() {
                return;
            }
            if !waiting.is_empty() {
                let interval = policy.interval.max(Duration::from_millis(1));
                self.commands.sleep(left.map_or(interval, |left| left.min(interval))).await;
            }
        }
    }

    /// Looks which of the steps need not wait any longer.
    async fn look(&mut self, run: &mut Run<'_>, pending: &[usize], until: DrainUntil) -> Look {
        let mut services: BTreeMap<ServiceId, Vec<usize>> = BTreeMap::new();
        for index in pending {
            if let Some(service) = run.step(*index).and_then(Step::service) {
                services.entry(service).or_default().push(*index);
            }
        }
        let mut look = Look::default();
        for (service, steps) in services {
            let entries = match self.find_destinations(service).await {
                Ok(entries) => entries.unwrap_or_default(),
                Err(error) => {
                    steps
                        .iter()
                        .for_each(|index| run.set(*index, StepOutcome::Failed(error.clone())));
                    continue;
                }
            };
            for index in steps {
                let destination = run.step(index).and_then(Step::destination);
                let concerned = |entry: &&DestinationEntry| {
                    destination.is_none_or(|id| entry.destination.id == id)
                };
                let concerned: Vec<_> = entries.iter().filter(concerned).collect();
                if concerned.iter().any(|entry| entry.destination.weight > 0) {
                    run.set(index, StepOutcome::Differs);
                } else if concerned.iter().all(|entry| until.is_met(entry.connections)) {
                    look.ready.push(index);
                } else {
                    let connections = sum(concerned.iter().map(|entry| entry.connections));
                    look.waiting.push((index, connections));
                }
            }
        }
        // Services last, as in the plan.
        look.ready.sort_unstable();
        look
    }

    /// Takes one destination out of its service: by weight 0, waiting, and deletion.
    pub(crate) async fn drain(
        &mut self,
        service: ServiceId,
        id: DestinationId,
        policy: DrainPolicy,
        observer: Observer<'_>,
    ) -> Result<Drained> {
        let settings = self.read::<ServiceEntry>(Request::Service(service)).await?.service;
        let entry = self.destination(service, id).await?;
        let weight = entry.destination.weight;
        let plan = drain_plan(&settings, &entry, policy);
        let applied = self.apply(&plan, observer).await;
        let failed = applied.outcomes().find_map(|outcome| match outcome {
            StepOutcome::Failed(error) => Some(error.clone()),
            _ => None,
        });
        if let Some(error) = failed.or(applied.unverified().cloned()) {
            return Err(error);
        }
        Ok(match applied.outcomes().last() {
            Some(StepOutcome::Expired(connections)) => Drained::Cut(*connections),
            Some(StepOutcome::AlreadySo) => Drained::AlreadyGone,
            Some(StepOutcome::Draining) => Drained::Cancelled { weight },
            Some(StepOutcome::Done) if plan.disruptive().next().is_some() => {
                Drained::Cut(entry.connections)
            }
            Some(StepOutcome::Done) => Drained::Emptied,
            _ => Drained::Restored,
        })
    }

    /// A service, or `None` when there is none.
    pub(crate) async fn find_service(&mut self, id: ServiceId) -> Result<Option<ServiceEntry>> {
        found(self.read(Request::Service(id)).await)
    }

    /// The destinations of a service, or `None` when there is no such service.
    pub(crate) async fn find_destinations(
        &mut self,
        id: ServiceId,
    ) -> Result<Option<Vec<DestinationEntry>>> {
        found(self.destinations(id).await)
    }
}

fn found<R>(result: Result<R>) -> Result<Option<R>, Error> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::NoSuchService => Ok(None),
        Err(error) => Err(error),
    }
}

fn drain_plan(service: &Service, entry: &DestinationEntry, policy: DrainPolicy) -> Plan {
    let drains = service.drains_at_weight_zero();
    let before = Before::Destination {
        destination: entry.destination.clone(),
        connections: entry.connections,
    };
    let reduce = (drains && entry.destination.weight > 0).then(|| {
        let change = Change::UpdateDestination(service.id, entry.destination.clone().weight(0));
        Step { change, phase: Phase::Reduce, before: Some(before.clone()) }
    });
    let phase = if drains { Phase::Drained } else { Phase::Delete };
    let change = Change::DeleteDestination(service.id, entry.destination.id);
    let delete = Step { change, phase, before: Some(before.clone()) };
    Plan::of(reduce.into_iter().chain([delete]).collect(), Some(policy))
}

/// All connections together.
pub(crate) fn sum(all: impl Iterator<Item = Connections>) -> Connections {
    all.fold(Connections::default(), |sum, one| Connections {
        active: sum.active.saturating_add(one.active),
        inactive: sum.inactive.saturating_add(one.inactive),
        persistent: sum.persistent.saturating_add(one.persistent),
    })
}
