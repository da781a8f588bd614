//! Doing a plan, phase by phase.

mod applied;
mod conflicts;
mod drain;
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
pub(crate) use state::Execution;

/// How many changes are handed over at a time, each of them a copy.
const PORTION: usize = 1024;

/// The same, where a failure is to stop what follows: what goes to the kernel at once.
const CAREFUL_PORTION: usize = 64;

/// Does a plan and reads what it touched again.
pub(crate) async fn apply<T: Transport>(
    engine: &mut Engine<T>,
    plan: &Plan,
    observer: Observer<'_>,
) -> Applied {
    let mut execution = carry_out(engine, plan, observer).await;
    let unverified = check_outcomes(engine, &mut execution, None).await.err();
    execution.finish(unverified)
}

/// Does a plan that was made from `snapshot`, and brings that up to date: reads the list
/// of services and the services that the plan is about. Where that fails, nothing is
/// known.
pub(crate) async fn apply_from<T: Transport>(
    engine: &mut Engine<T>,
    plan: &Plan,
    snapshot: &mut Snapshot,
    observer: Observer<'_>,
) -> Applied {
    if plan.is_empty() {
        return Applied::new([], None);
    }
    // The old snapshot must not stay when this future is dropped: the table differs from then on.
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

/// Reads the list of services, and of the services in `before` those that a plan is about.
async fn read_again<T: Transport>(
    engine: &mut Engine<T>,
    plan: &Plan,
    before: Snapshot,
) -> Result<Snapshot> {
    // A snapshot that may lack something is of no use here: nothing would ever find it.
    if !before.is_complete() {
        return engine.snapshot().await;
    }
    engine.snapshot_with(untouched(plan, before)).await
}

/// Reads the services that a plan is about, and keeps the others as they are in `before`. `ids`
/// are the services of that snapshot, and all of them are read if it may lack something.
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

/// Reads what a plan may be about: all services, or only those with the given ids.
pub(crate) async fn read_scope<T: Transport>(
    engine: &mut Engine<T>,
    ids: Option<&[ServiceId]>,
) -> Result<Snapshot> {
    match ids {
        Some(ids) => engine.snapshot_of(ids).await,
        None => engine.snapshot().await,
    }
}

/// Reads again what a plan may have changed of what [`read_scope`] has read.
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

fn services_of(plan: &Plan) -> BTreeSet<ServiceId> {
    plan.steps().filter_map(Step::service).collect()
}

/// The services of a snapshot that a plan is not about.
fn untouched(plan: &Plan, snapshot: Snapshot) -> Vec<ServiceSnapshot> {
    let touched = services_of(plan);
    snapshot.into_iter().filter(|service| !touched.contains(&service.id())).collect()
}

/// Does a plan.
pub(crate) async fn carry_out<'p, T: Transport>(
    engine: &mut Engine<T>,
    plan: &'p Plan,
    observer: Observer<'_>,
) -> Execution<'p> {
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

/// The outcome of a step that is done.
pub(crate) fn done(step: &Step) -> StepOutcome {
    cut_at_once(step).map_or(StepOutcome::Done, StepOutcome::Cut)
}

/// Does steps that do not depend on one another's outcomes.
pub(crate) async fn run_steps<T: Transport>(
    engine: &mut Engine<T>,
    execution: &mut Execution<'_>,
    steps: &[usize],
) {
    let mut lost = false;
    let most = match execution.plan.on_failure {
        OnFailure::KeepService => PORTION,
        OnFailure::Stop => CAREFUL_PORTION,
    };
    let mut rest = steps;
    while !rest.is_empty() {
        let length = portion(rest.len(), most, |at| Some(&execution.step(*rest.get(at)?)?.change));
        let (portion, after) = rest.split_at(length);
        rest = after;
        if execution.plan.on_failure == OnFailure::Stop {
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
