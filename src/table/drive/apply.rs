//! Executes plans over the engine.

use std::borrow::Borrow;
use std::mem;

use crate::engine::{Engine, Transport};
use crate::model::Snapshot;
use crate::table::Applied;
use crate::table::drive::reading::{read_again, read_service, read_settings};
use crate::table::execute::{Observer, Progress, Sequencer, Task};
use crate::table::plan::Plan;

/// Executes a plan, then reads the services that it changed to verify the outcomes.
pub(crate) async fn apply<T: Transport>(
    engine: &mut Engine<T>,
    plan: &Plan,
    observer: Observer<'_>,
) -> Applied {
    let mut sequencer = Sequencer::new(plan);
    execute(engine, &mut sequencer, observer).await;
    verify(engine, &mut sequencer, None, observer).await;
    sequencer.finish()
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
    let mut sequencer = Sequencer::new(plan);
    execute(engine, &mut sequencer, observer).await;
    match read_again(engine, plan, before).await {
        Ok(now) => {
            *snapshot = now;
            verify(engine, &mut sequencer, Some(snapshot), observer).await;
        }
        Err(error) => sequencer.cannot_verify(error),
    }
    sequencer.finish()
}

/// Verifies the outcomes by a snapshot that was taken afterwards, or by reading each service if
/// there is no complete snapshot.
pub(super) async fn verify<T: Transport, P: Borrow<Plan> + Sync>(
    engine: &mut Engine<T>,
    sequencer: &mut Sequencer<P>,
    snapshot: Option<&Snapshot>,
    observer: Observer<'_>,
) {
    sequencer.verify(snapshot);
    execute(engine, sequencer, observer).await;
}

/// Does what `sequencer` says until nothing is left to be done.
pub(super) async fn execute<T: Transport, P: Borrow<Plan> + Sync>(
    engine: &mut Engine<T>,
    sequencer: &mut Sequencer<P>,
    observer: Observer<'_>,
) {
    loop {
        let now = engine.now();
        match sequencer.next(now) {
            Task::Begin(phase) => {
                if observer(&Progress::Phase(sequencer.next_phase(phase))).is_break() {
                    sequencer.stop();
                }
            }
            Task::Read(service) => {
                let reading = read_service(engine, service).await;
                sequencer.saw(reading, engine.now());
            }
            Task::ReadSettings(service) => {
                let reading = read_settings(engine, service).await;
                sequencer.saw(reading, engine.now());
            }
            Task::Write(changes) => {
                let report = engine.submit_updates(&changes, &|at| sequencer.before(at)).await;
                sequencer.wrote(report);
            }
            Task::Wait(until) => {
                let told = sequencer
                    .report_drains(now, |progress| observer(&Progress::Draining(progress)));
                if told.is_some_and(|flow| flow.is_break()) {
                    sequencer.leave();
                } else if let Err(failure) =
                    engine.sleep(until.saturating_duration_since(now)).await
                {
                    sequencer.fail(failure);
                }
            }
            Task::Finished => return,
        }
    }
}
