//! Judges steps that the kernel refused or did not answer: another program may have changed the
//! object since the plan was made.

use crate::engine::{Engine, Transport};
use crate::error::{Error, ErrorKind};
use crate::model::{Change, Destination, Service, ServiceId};
use crate::table::execute::applied::StepOutcome;
use crate::table::execute::done;
use crate::table::execute::reading::{ServiceReading, read_service};
use crate::table::execute::state::Execution;
use crate::table::options::Actions;
use crate::table::plan::{Plan, Purpose, Step};

/// An existing object that a step was to add.
struct Found {
    /// `true` if the object has the desired settings.
    same: bool,
    /// The actions that must be allowed to give the object the desired settings.
    action: Actions,
    /// The update that would write the settings that the object has.
    read: Change,
    /// The update that writes the desired settings.
    update: Change,
}

/// Reads the table to judge a step whose answer was lost. `looked` keeps the last service that was
/// read, for the next step about the same service.
pub(crate) async fn judge_unanswered<T: Transport>(
    engine: &mut Engine<T>,
    step: &Step,
    error: &Error,
    looked: &mut Option<(ServiceId, Option<ServiceReading<'static>>)>,
) -> StepOutcome {
    let Some(service) = step.service() else { return StepOutcome::Failed(error.clone()) };
    if looked.as_ref().is_none_or(|(id, _)| *id != service) {
        *looked = Some((service, read_service(engine, service).await.ok()));
    }
    match looked {
        Some((_, Some(reading))) if reading.shows(step) => done(step),
        _ => StepOutcome::Failed(error.clone()),
    }
}

/// Judges a refusal: another program may have added or deleted the object.
pub(crate) async fn judge_refusal<T: Transport>(
    engine: &mut Engine<T>,
    execution: &Execution<&Plan>,
    step: &Step,
    error: &Error,
) -> StepOutcome {
    let failed = || StepOutcome::Failed(error.clone());
    match (&step.change, error.kind()) {
        (Change::AddService(wanted), ErrorKind::ServiceExists) => {
            let found = find_service(engine, wanted).await;
            adapt(engine, execution, wanted.id, found, error).await
        }
        (Change::AddDestination(service, wanted), ErrorKind::DestinationExists) => {
            let found = find_destination(engine, *service, wanted, step.purpose).await;
            adapt(engine, execution, *service, found, error).await
        }
        (
            Change::DeleteService(_) | Change::DeleteDestination(..),
            ErrorKind::NoSuchService | ErrorKind::NoSuchDestination,
        ) => StepOutcome::AlreadySo,
        // A deleted destination has nothing to drain.
        (
            Change::UpdateDestination(..),
            ErrorKind::NoSuchService | ErrorKind::NoSuchDestination,
        ) if step.purpose == Purpose::Drain => StepOutcome::AlreadySo,
        (Change::AddDestination(service, _), ErrorKind::NoSuchService) => {
            match execution.failed_before(Some(*service)) {
                Some(because) => StepOutcome::Skipped { because },
                None => failed(),
            }
        }
        _ => failed(),
    }
}

/// Reads the service that another program has added.
async fn find_service<T: Transport>(engine: &mut Engine<T>, wanted: &Service) -> Option<Found> {
    let there = engine.service(wanted.id).await.ok()?.service;
    Some(Found {
        same: there == *wanted,
        action: Actions::to_update(&there, wanted),
        update: Change::UpdateService(wanted.clone()),
        read: Change::UpdateService(there),
    })
}

/// Reads the destination that another program has added.
async fn find_destination<T: Transport>(
    engine: &mut Engine<T>,
    service: ServiceId,
    wanted: &Destination,
    purpose: Purpose,
) -> Option<Found> {
    let reading = read_service(engine, service).await.ok()?;
    let there = &reading.destination(wanted.id)?.destination;
    let mut wanted = wanted.clone();
    if purpose == Purpose::OfAnyWeight {
        wanted.weight = there.weight;
    }
    Some(Found {
        same: *there == wanted,
        action: Actions::UPDATE_DESTINATION,
        read: Change::UpdateDestination(service, there.clone()),
        update: Change::UpdateDestination(service, wanted),
    })
}

/// Gives an object that another program added the desired settings. The step fails with `error` if
/// the object was not found, or if the plan does not allow the update.
async fn adapt<T: Transport>(
    engine: &mut Engine<T>,
    execution: &Execution<&Plan>,
    service: ServiceId,
    found: Option<Found>,
    error: &Error,
) -> StepOutcome {
    let failed = || StepOutcome::Failed(error.clone());
    let Some(Found { same, action, read, update }) = found else { return failed() };
    if same {
        return StepOutcome::AlreadySo;
    }
    if !execution.plan().allowed.contains(action) {
        return failed();
    }
    if let Some(because) = execution.failed_before(Some(service)) {
        return StepOutcome::Skipped { because };
    }
    match engine.update(&read, &update).await {
        Ok(()) => StepOutcome::Replaced,
        Err(error) => StepOutcome::Failed(error),
    }
}
