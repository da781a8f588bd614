//! Judges steps that the kernel refused: another program may have added or deleted the object since
//! the plan was made.

use std::borrow::Borrow;

use crate::error::{Error, ErrorKind};
use crate::model::{Change, Destination, Service, ServiceId};
use crate::table::execute::applied::StepOutcome;
use crate::table::execute::execution::Execution;
use crate::table::execute::reading::ServiceReading;
use crate::table::options::Actions;
use crate::table::plan::{Plan, Purpose, Step};

/// What to do about an object that another program has added.
pub(crate) enum Adaptation {
    /// The step has this outcome.
    Decided(StepOutcome),
    /// The object is to be updated.
    Update(Box<Update>),
}

/// An update of an object that another program has added.
#[derive(Debug)]
pub(crate) struct Update {
    /// The update that would write the settings that the object has.
    pub(crate) read: Change,
    /// The update that writes the desired settings.
    pub(crate) wanted: Change,
}

/// Judges a refusal with `error`. Returns `None` if another program has added the object: the object
/// is to be read.
pub(crate) fn judge_refusal<P: Borrow<Plan>>(
    execution: &Execution<P>,
    step: &Step,
    error: &Error,
) -> Option<StepOutcome> {
    let failed = || StepOutcome::Failed(error.clone());
    Some(match (&step.change, error.kind()) {
        (Change::AddService(_), ErrorKind::ServiceExists)
        | (Change::AddDestination(..), ErrorKind::DestinationExists) => return None,
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
    })
}

/// An existing object that a step was to add.
struct Found {
    /// `true` if the object has the desired settings.
    same: bool,
    /// The actions that must be allowed to give the object the desired settings.
    action: Actions,
    update: Update,
}

/// Decides how an object that another program added gets the desired settings. The step fails with
/// `error`, the refusal, if the reading does not show the object, or if the plan does not allow the
/// update.
pub(crate) fn adapt<P: Borrow<Plan>>(
    execution: &Execution<P>,
    step: &Step,
    reading: Option<&ServiceReading<'_>>,
    error: &Error,
) -> Adaptation {
    let found = reading.and_then(|reading| match &step.change {
        Change::AddService(wanted) => find_service(reading, wanted),
        Change::AddDestination(service, wanted) => {
            find_destination(reading, *service, wanted, step.purpose)
        }
        _ => None,
    });
    Adaptation::Decided(match found {
        None => StepOutcome::Failed(error.clone()),
        Some(found) if found.same => StepOutcome::AlreadySo,
        Some(found) if !execution.plan().allowed.contains(found.action) => {
            StepOutcome::Failed(error.clone())
        }
        Some(Found { update, .. }) => match execution.failed_before(step.service()) {
            Some(because) => StepOutcome::Skipped { because },
            None => return Adaptation::Update(Box::new(update)),
        },
    })
}

fn find_service(reading: &ServiceReading<'_>, wanted: &Service) -> Option<Found> {
    let there = &reading.service.as_ref()?.service;
    Some(Found {
        same: there == wanted,
        action: Actions::to_update(there, wanted),
        update: Update {
            read: Change::UpdateService(there.clone()),
            wanted: Change::UpdateService(wanted.clone()),
        },
    })
}

fn find_destination(
    reading: &ServiceReading<'_>,
    service: ServiceId,
    wanted: &Destination,
    purpose: Purpose,
) -> Option<Found> {
    let there = &reading.destination(wanted.id)?.destination;
    let mut wanted = wanted.clone();
    if purpose == Purpose::OfAnyWeight {
        wanted.weight = there.weight;
    }
    Some(Found {
        same: *there == wanted,
        action: Actions::UPDATE_DESTINATION,
        update: Update {
            read: Change::UpdateDestination(service, there.clone()),
            wanted: Change::UpdateDestination(service, wanted),
        },
    })
}
