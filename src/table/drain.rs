//! Waiting until connections have ended.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::ControlFlow;
use std::slice;
use std::time::{Duration, Instant};

use crate::client::{Engine, Transport};
use crate::error::{Context, Error, Result};
use crate::model::{
    Change, Connections, DestinationEntry, DestinationId, Service, ServiceEntry, ServiceId,
};
use crate::table::plan::{Phase, Plan, Purpose, Step};
use crate::table::planner::{can_drain, destination_before};
use crate::table::progress::{DrainProgress, Observer, Progress};
use crate::table::run::Run;
use crate::table::{DrainPolicy, DrainUntil, OnFailure, PlanOptions, StepOutcome};
use crate::wire::Request;

/// How a destination left. See [`Client::drain`](crate::Client::drain).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "the destination may still be there"]
pub enum Drained {
    /// It was deleted: there were none left of the connections that [`DrainUntil`] waits
    /// for. Others, with [`DrainUntil::NoActive`], broke.
    Emptied,
    /// It was deleted at the deadline, or at once where draining does no good, with these
    /// connections. They broke.
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
            Self::Cut(connections) => write!(f, "deleted, with connections: {connections}"),
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

/// What came of looking at what drains.
#[derive(Default)]
struct Looked {
    ready: Vec<usize>,
    waiting: Vec<(usize, Connections)>,
    /// Those of services that could not be read.
    unread: Vec<(usize, Error)>,
}

impl<T: Transport> Engine<T> {
    /// Deletes what drains as soon as it has, or at the deadline.
    pub(crate) async fn run_drains(&mut self, run: &mut Run<'_>, observer: Observer<'_>) {
        let Some(policy) = run.plan.drain() else { return };
        let mut pending = run.undecided(run.range(Phase::Drained));
        let deadline = policy.deadline.and_then(|deadline| Instant::now().checked_add(deadline));
        let mut misses = 0;
        let mut quiet = BTreeSet::new();
        while !pending.is_empty() {
            let Looked { ready, mut waiting, mut unread } =
                self.look_at_drains(run, &pending, policy.until, &mut quiet).await;
            self.run_steps(run, &ready).await;
            if run.plan.on_failure == OnFailure::Stop {
                // What will not be deleted need not be waited for.
                run.skip_dependants(pending);
                waiting.retain(|(index, _)| run.outcome(*index).is_none());
                unread.retain(|(index, _)| run.outcome(*index).is_none());
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            misses = if unread.is_empty() { 0 } else { misses + 1 };
            if left == Some(Duration::ZERO) || misses > MISSES {
                for (index, error) in unread {
                    run.fail_unread(index, &error);
                }
                return self.cut(run, waiting, left == Some(Duration::ZERO)).await;
            }
            let connections = sum(waiting.iter().map(|(_, connections)| *connections));
            pending = waiting.into_iter().map(|(index, _)| index).collect();
            pending.extend(unread.into_iter().map(|(index, _)| index));
            if pending.is_empty() {
                return;
            }
            let progress = DrainProgress { waiting: pending.len(), connections, left };
            if observer(&Progress::Draining(progress)).is_break() {
                return;
            }
            let interval = policy.interval.max(Duration::from_millis(1));
            let pause = left.map_or(interval, |left| left.min(interval));
            if let Err(cause) = self.commands.sleep(pause).await {
                for index in pending {
                    let Some(step) = run.step(index) else { continue };
                    let error = Error::not_sent(Context::of(&step.change), &cause);
                    run.set(index, StepOutcome::Failed(error));
                }
                return;
            }
        }
    }

    /// Deletes what has connections still, if it is time.
    async fn cut(&mut self, run: &mut Run<'_>, waiting: Vec<(usize, Connections)>, due: bool) {
        if !due {
            return;
        }
        let steps: Vec<usize> = waiting.iter().map(|(index, _)| *index).collect();
        self.run_steps(run, &steps).await;
        for (index, connections) in waiting {
            if matches!(run.outcome(index), Some(StepOutcome::Done)) {
                run.set(index, StepOutcome::Expired(connections));
            }
        }
    }

    /// Looks which of the steps need not wait any longer. Those in `quiet` had nothing to be
    /// waited for the last time either.
    async fn look_at_drains(
        &mut self,
        run: &mut Run<'_>,
        pending: &[usize],
        until: DrainUntil,
        quiet: &mut BTreeSet<usize>,
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
            for index in steps {
                let concerned = match run.step(index).and_then(Step::destination) {
                    Some(id) => look.destination(id).map_or(&[][..], slice::from_ref),
                    None => &look.destinations,
                };
                let connections = sum(concerned.iter().map(|entry| entry.connections));
                let met = look.settled && until.is_met(connections);
                // What is inactive may be just being opened: next time it is active or gone.
                let before = quiet.remove(&index);
                if met {
                    quiet.insert(index);
                }
                if concerned.iter().any(|entry| entry.destination.weight > 0) {
                    run.set(index, StepOutcome::Differs);
                } else if met && (before || connections.inactive == 0) {
                    looked.ready.push(index);
                } else {
                    looked.waiting.push((index, connections));
                }
            }
        }
        // Services last, as in the plan.
        looked.ready.sort_unstable();
        looked.waiting.sort_unstable_by_key(|(index, _)| *index);
        looked
    }

    /// Takes one destination out of its service: by weight 0, waiting, and deletion.
    pub(crate) async fn drain(
        &mut self,
        service: ServiceId,
        id: DestinationId,
        policy: DrainPolicy,
        observer: &mut (dyn FnMut(&DrainProgress) -> ControlFlow<()> + Send),
    ) -> Result<Drained> {
        let mut observer = |progress: &Progress<'_>| match progress {
            Progress::Draining(progress) => observer(progress),
            Progress::Phase(_) => ControlFlow::Continue(()),
        };
        let settings = self.read::<ServiceEntry>(Request::Service(service)).await?.service;
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
            Some(StepOutcome::Expired(connections)) => Drained::Cut(*connections),
            Some(StepOutcome::AlreadySo) => Drained::AlreadyGone,
            Some(StepOutcome::Draining | StepOutcome::Stopped) => Drained::Cancelled { weight },
            Some(StepOutcome::Done) if plan.disruptive().next().is_some() => {
                Drained::Cut(entry.connections)
            }
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
        Step { change, phase: Phase::Reduce, before: Some(before.clone()), purpose: Purpose::Drain }
    });
    let phase = if drains { Phase::Drained } else { Phase::Delete };
    let change = Change::DeleteDestination(service.id, entry.destination.id);
    let delete = Step { change, phase, before: Some(before.clone()), purpose: Purpose::Desired };
    let steps = reduce.into_iter().chain([delete]).collect();
    Plan::of(steps, &PlanOptions::new().drain(Some(policy)), BTreeSet::new())
}

/// All connections together.
pub(crate) fn sum(all: impl Iterator<Item = Connections>) -> Connections {
    all.fold(Connections::default(), |sum, one| Connections {
        active: sum.active.saturating_add(one.active),
        inactive: sum.inactive.saturating_add(one.inactive),
        persistent: sum.persistent.saturating_add(one.persistent),
    })
}
