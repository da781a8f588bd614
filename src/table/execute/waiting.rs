//! Waits until connections have ended, and deletes what has drained.

use std::collections::BTreeMap;
use std::slice;
use std::time::Instant;

use crate::engine::{Engine, Transport};
use crate::error::{Context, Error};
use crate::model::{Change, Connections, Protocol, ServiceId};
use crate::table::execute::applied::StepOutcome;
use crate::table::execute::drain_state::DrainState;
use crate::table::execute::progress::{DrainProgress, Draining, Observer, Progress};
use crate::table::execute::reading::read_service;
use crate::table::execute::run_steps;
use crate::table::execute::state::Execution;
use crate::table::options::OnFailure;
use crate::table::plan::{Before, Phase, Plan, Step, total};

/// The steps of one round of readings, sorted by what comes next.
#[derive(Default)]
struct DrainReadings {
    /// The steps that need not wait any longer.
    ready: Vec<usize>,
    /// The steps that wait.
    waiting: Vec<usize>,
    /// The steps of services that could not be read.
    unread: Vec<(usize, Error)>,
}

/// Returns the connections that a deletion without a wait breaks, or `None` if none carries data.
/// Inactive connections of UDP may carry data: the kernel never counts UDP as active.
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

/// Waits for the steps of [`Phase::Drained`], and executes each when its object has drained. At the
/// deadline executes all that are left.
pub(crate) async fn finish_drains<T: Transport>(
    engine: &mut Engine<T>,
    execution: &mut Execution<&Plan>,
    observer: Observer<'_>,
) {
    let Some(policy) = execution.plan().drain() else { return };
    let mut pending = execution.undecided(execution.range(Phase::Drained));
    // All drains of a plan begin together, and end together at the deadline.
    let all = DrainState::begin(policy, engine.now());
    let mut watched: BTreeMap<usize, DrainState> =
        pending.iter().map(|index| (*index, all.clone())).collect();
    while !pending.is_empty() {
        let DrainReadings { ready, mut waiting, mut unread } =
            read_drains(engine, execution, &pending, &mut watched).await;
        run_steps(engine, execution, &ready).await;
        if execution.plan().on_failure == OnFailure::Stop {
            // Do not wait for objects that will not be deleted.
            execution.skip_dependants(pending);
            waiting.retain(|index| execution.outcome(*index).is_none());
            unread.retain(|(index, _)| execution.outcome(*index).is_none());
        }
        let now = engine.now();
        let due = all.is_due(now);
        pending = waiting.clone();
        for (index, error) in unread {
            let given_up = watched.get(&index).is_some_and(DrainState::is_given_up);
            if due || given_up {
                execution.fail_unread(index, &error);
            } else {
                pending.push(index);
            }
        }
        if due {
            cut(engine, execution, &waiting, &watched).await;
            return;
        }
        if pending.is_empty() {
            return;
        }
        pending.sort_unstable();
        let draining = draining(execution, &pending, &watched, now);
        let progress = DrainProgress {
            waiting: pending.len(),
            connections: total(draining.iter().map(|draining| draining.connections)),
            elapsed: now.saturating_duration_since(all.begun()),
            left: all.deadline().map(|deadline| deadline.saturating_duration_since(now)),
            draining: &draining,
        };
        if observer(&Progress::Draining(progress)).is_break() {
            return;
        }
        let pause = all.next_look(now).saturating_duration_since(now);
        if let Err(failure) = engine.sleep(pause).await {
            for index in pending {
                let Some(step) = execution.step(index) else { continue };
                let error = Error::not_sent(Context::of(&step.change), failure);
                execution.set(index, StepOutcome::Failed(error));
            }
            return;
        }
    }
}

/// Executes the deletions that still wait at the deadline. The outcome is [`StepOutcome::Cut`] if
/// connections broke.
async fn cut<T: Transport>(
    engine: &mut Engine<T>,
    execution: &mut Execution<&Plan>,
    waiting: &[usize],
    watched: &BTreeMap<usize, DrainState>,
) {
    let now = engine.now();
    run_steps(engine, execution, waiting).await;
    for index in waiting {
        let Some(watched) = watched.get(index) else { continue };
        if let (Some(StepOutcome::Done), Some(cut)) = (execution.outcome(*index), watched.cut(now))
        {
            execution.set(*index, StepOutcome::Cut(cut));
        }
    }
}

/// Reads the services of the pending steps, and sorts the steps by what comes next.
async fn read_drains<T: Transport>(
    engine: &mut Engine<T>,
    execution: &mut Execution<&Plan>,
    pending: &[usize],
    watched: &mut BTreeMap<usize, DrainState>,
) -> DrainReadings {
    let mut looked = DrainReadings::default();
    for (service, steps) in execution.by_service(pending.iter().copied()) {
        let reading = read_service(engine, service).await;
        let now = engine.now();
        for index in steps {
            let Some(watched) = watched.get_mut(&index) else { continue };
            let reading = match &reading {
                Ok(reading) => reading,
                Err(error) => {
                    watched.miss();
                    looked.unread.push((index, error.clone()));
                    continue;
                }
            };
            watched.read();
            let concerned = match execution.step(index).and_then(Step::destination) {
                Some(id) => reading.destination(id).map_or(&[][..], slice::from_ref),
                None => &reading.destinations,
            };
            // A destination that an incomplete reading misses has not lost its connections.
            if reading.complete || !concerned.is_empty() {
                watched.look(concerned, now);
            }
            if concerned.iter().any(|entry| entry.destination.weight > 0) {
                execution.set(index, StepOutcome::Differs);
            } else if reading.complete && watched.is_met(now) {
                looked.ready.push(index);
            } else {
                looked.waiting.push(index);
            }
        }
    }
    // Restore the order of the plan, in which services come last.
    looked.ready.sort_unstable();
    looked.waiting.sort_unstable();
    looked
}

/// Returns the report of the pending steps to the observer.
fn draining(
    execution: &Execution<&Plan>,
    pending: &[usize],
    watched: &BTreeMap<usize, DrainState>,
    now: Instant,
) -> Vec<Draining> {
    let one = |index: &usize| {
        let object = execution.step(*index)?.change.object()?;
        let watched = watched.get(index)?;
        Some(Draining { object, connections: watched.connections(), quiet: watched.quiet(now) })
    };
    pending.iter().filter_map(one).collect()
}
