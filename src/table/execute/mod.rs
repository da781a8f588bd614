//! Executes plans, phase by phase.

mod applied;
mod conflicts;
mod drain;
pub(crate) mod drain_state;
mod incomplete;
mod outcomes;
mod progress;
mod readback;
mod reading;
mod replacements;
mod state;
mod undo;
mod waiting;

use std::collections::BTreeSet;
use std::mem;

use crate::engine::{Engine, Outcome, Report, Transport, not_attempted, portion};
use crate::error::Result;
use crate::model::{Change, ServiceId, ServiceSnapshot, Snapshot};
use crate::table::execute::conflicts::{judge_refusal, judge_unanswered};
use crate::table::execute::reading::ServiceReading;
use crate::table::execute::replacements::keep_without_replacement;
use crate::table::execute::undo::undo_useless;
use crate::table::execute::waiting::{cut_at_once, finish_drains};
use crate::table::options::OnFailure;
use crate::table::plan::{Phase, Plan, Step};

pub use applied::{Applied, StepOutcome};
pub use drain::Drained;
pub(crate) use drain::drain;
pub use incomplete::Incomplete;
pub(crate) use progress::Observer;
pub use progress::{DrainProgress, Draining, NextPhase, Progress};
pub(crate) use readback::check_outcomes;
use state::CAREFUL_PORTION;
pub(crate) use state::Execution;

/// The largest number of changes given to the engine at once. Each of them is copied.
const PORTION: usize = 1024;

/// Executes a plan, then reads the services that it changed to verify the outcomes.
pub(crate) async fn apply<T: Transport>(
    engine: &mut Engine<T>,
    plan: &Plan,
    observer: Observer<'_>,
) -> Applied {
    let mut execution = carry_out(engine, plan, observer).await;
    let unverified = check_outcomes(engine, &mut execution, None).await.err();
    execution.finish(unverified)
}

/// Executes a plan that was made from `snapshot`, and updates the snapshot: reads the list of
/// services, and the services that the plan changed. If that reading fails, the snapshot becomes
/// empty.
pub(crate) async fn apply_from<T: Transport>(
    engine: &mut Engine<T>,
    plan: &Plan,
    snapshot: &mut Snapshot,
    observer: Observer<'_>,
) -> Applied {
    if plan.is_empty() {
        return Applied::new([], None);
    }
    // Take the old snapshot away: if this future is dropped, the table already differs from it.
    let before = mem::take(snapshot);
    let mut execution = carry_out(engine, plan, observer).await;
    let unverified = match read_again(engine, plan, before).await {
        Ok(now) => {
            *snapshot = now;
            check_outcomes(engine, &mut execution, Some(snapshot)).await.err()
        }
        Err(error) => Some(error),
    };
    execution.finish(unverified)
}

/// Reads the list of services, and keeps the services in `before` that the plan did not change. All
/// others are read.
async fn read_again<T: Transport>(
    engine: &mut Engine<T>,
    plan: &Plan,
    before: Snapshot,
) -> Result<Snapshot> {
    // Read everything if objects may be missing: a kept service would miss them for ever.
    if !before.is_complete() {
        return engine.snapshot().await;
    }
    engine.snapshot_with(untouched(plan, before)).await
}

/// Reads the services that a plan changed, and keeps the others as they are in `before`. If
/// `before` is incomplete, reads all services in `ids` instead.
async fn read_touched<T: Transport>(
    engine: &mut Engine<T>,
    plan: &Plan,
    before: Snapshot,
    ids: &[ServiceId],
) -> Result<Snapshot> {
    if !before.is_complete() {
        return engine.snapshot_of(ids).await;
    }
    let touched: Vec<ServiceId> = services_of(plan).into_iter().collect();
    let mut services = untouched(plan, before);
    let now = engine.snapshot_of(&touched).await?;
    let (complete, read_at) = (now.is_complete(), now.read_at());
    services.extend(now);
    services.sort_unstable_by_key(ServiceSnapshot::id);
    Ok(Snapshot::new(services, complete, read_at))
}

/// Reads all services, or only those with the given ids, before a plan is made.
pub(crate) async fn read_scope<T: Transport>(
    engine: &mut Engine<T>,
    ids: Option<&[ServiceId]>,
) -> Result<Snapshot> {
    match ids {
        Some(ids) => engine.snapshot_of(ids).await,
        None => engine.snapshot().await,
    }
}

/// Updates the snapshot of [`read_scope`] after a plan: reads the services that the plan changed.
pub(crate) async fn read_scope_again<T: Transport>(
    engine: &mut Engine<T>,
    plan: &Plan,
    before: Snapshot,
    ids: Option<&[ServiceId]>,
) -> Result<Snapshot> {
    match ids {
        Some(ids) => read_touched(engine, plan, before, ids).await,
        None => read_again(engine, plan, before).await,
    }
}

/// Returns the services that the steps of a plan change, or whose destinations they change.
fn services_of(plan: &Plan) -> BTreeSet<ServiceId> {
    plan.steps().filter_map(Step::service).collect()
}

/// Returns the services of a snapshot that no step of a plan changes.
fn untouched(plan: &Plan, snapshot: Snapshot) -> Vec<ServiceSnapshot> {
    let touched = services_of(plan);
    snapshot.into_iter().filter(|service| !touched.contains(&service.id())).collect()
}

/// Executes a plan without verifying the outcomes.
pub(crate) async fn carry_out<'p, T: Transport>(
    engine: &mut Engine<T>,
    plan: &'p Plan,
    observer: Observer<'_>,
) -> Execution<&'p Plan> {
    let mut execution = Execution::new(plan);
    for phase in Phase::ALL {
        execution.skip_dependants(0..plan.len());
        if matches!(phase, Phase::Clear | Phase::Reduce) {
            keep_without_replacement(engine, &mut execution, phase).await;
            execution.skip_dependants(0..plan.len());
        }
        if !execution.begin(phase, observer) {
            execution.stop();
            break;
        }
        if phase == Phase::Drained {
            finish_drains(engine, &mut execution, observer).await;
            break;
        }
        let steps = execution.undecided(execution.range(phase));
        run_steps(engine, &mut execution, &steps).await;
        if phase == Phase::Add {
            undo_useless(engine, &mut execution).await;
        }
    }
    execution
}

/// Returns the outcome of a step that the kernel executed: `Done`, or `Cut` if connections broke.
pub(crate) fn done(step: &Step) -> StepOutcome {
    cut_at_once(step).map_or(StepOutcome::Done, StepOutcome::Cut)
}

/// Executes steps that do not depend on one another's outcomes.
pub(crate) async fn run_steps<T: Transport>(
    engine: &mut Engine<T>,
    execution: &mut Execution<&Plan>,
    steps: &[usize],
) {
    let mut lost = false;
    let most = match execution.plan().on_failure {
        OnFailure::KeepService => PORTION,
        OnFailure::Stop => CAREFUL_PORTION,
    };
    let mut rest = steps;
    while !rest.is_empty() {
        let length = portion(rest.len(), most, |at| Some(&execution.step(*rest.get(at)?)?.change));
        let (portion, after) = rest.split_at(length);
        rest = after;
        if execution.plan().on_failure == OnFailure::Stop {
            execution.skip_dependants(portion.iter().copied());
        }
        let portion = execution.undecided(portion.iter().copied());
        let changes: Vec<Change> = portion
            .iter()
            .filter_map(|index| execution.step(*index))
            .map(|step| step.change.clone())
            .collect();
        let report = if lost {
            let mut report = Report::default();
            changes.iter().for_each(|change| report.push(not_attempted(change)));
            report
        } else {
            let read = |at: usize| execution.step(*portion.get(at)?)?.read();
            engine.submit_updates(&changes, &read).await
        };
        let mut looked: Option<(ServiceId, Option<ServiceReading<'static>>)> = None;
        for (index, outcome) in portion.iter().zip(report.outcomes()) {
            let Some(step) = execution.step(*index) else { continue };
            let outcome = match outcome {
                Outcome::Done => done(step),
                Outcome::Refused(error) => judge_refusal(engine, execution, step, error).await,
                Outcome::NotSent(error) => StepOutcome::Failed(error.clone()),
                Outcome::Unknown(error) => {
                    lost = true;
                    judge_unanswered(engine, step, error, &mut looked).await
                }
            };
            execution.set(*index, outcome);
        }
    }
}
