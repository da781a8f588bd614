//! What it means when a step was refused, or when no answer came: somebody else may have
//! been quicker.

use crate::engine::{Engine, Transport};
use crate::error::{Error, ErrorKind};
use crate::model::{Change, Destination, Service, ServiceId};
use crate::table::look::Look;
use crate::table::plan::Purpose;
use crate::table::run::Run;
use crate::table::{Actions, Step, StepOutcome};

/// What is there in the place of what was to be added.
struct Found {
    /// Whether it is as wanted.
    same: bool,
    /// What it takes to make it so.
    action: Actions,
    update: Change,
}

impl<T: Transport> Engine<T> {
    /// The answer was lost, but the kernel has done the change or refused it: the table
    /// tells which.
    pub(crate) async fn resolve(
        &mut self,
        step: &Step,
        error: &Error,
        looked: &mut Option<(ServiceId, Option<Look<'static>>)>,
    ) -> StepOutcome {
        let Some(service) = step.service() else { return StepOutcome::Failed(error.clone()) };
        if looked.as_ref().is_none_or(|(id, _)| *id != service) {
            *looked = Some((service, self.look_at(service).await.ok()));
        }
        match looked {
            Some((_, Some(look))) if look.shows(step) => StepOutcome::Done,
            _ => StepOutcome::Failed(error.clone()),
        }
    }

    /// What a refusal means: the object may have been added or deleted by somebody else.
    pub(crate) async fn reconsider(
        &mut self,
        run: &Run<'_>,
        step: &Step,
        error: &Error,
    ) -> StepOutcome {
        let failed = || StepOutcome::Failed(error.clone());
        match (&step.change, error.kind()) {
            (Change::AddService(wanted), ErrorKind::ServiceExists) => {
                let found = self.find_service(wanted).await;
                self.adapt(run, wanted.id, found, error).await
            }
            (Change::AddDestination(service, wanted), ErrorKind::DestinationExists) => {
                let found = self.find_destination(*service, wanted, step.purpose).await;
                self.adapt(run, *service, found, error).await
            }
            (
                Change::DeleteService(_) | Change::DeleteDestination(..),
                ErrorKind::NoSuchService | ErrorKind::NoSuchDestination,
            ) => StepOutcome::AlreadySo,
            // What is gone needs not drain.
            (
                Change::UpdateDestination(..),
                ErrorKind::NoSuchService | ErrorKind::NoSuchDestination,
            ) if step.purpose == Purpose::Drain => StepOutcome::AlreadySo,
            (Change::AddDestination(service, _), ErrorKind::NoSuchService) => {
                match run.failed_before(Some(*service)) {
                    Some(because) => StepOutcome::Skipped { because },
                    None => failed(),
                }
            }
            _ => failed(),
        }
    }

    /// What somebody else has added instead of a service.
    async fn find_service(&mut self, wanted: &Service) -> Option<Found> {
        let there = self.service(wanted.id).await.ok()?.service;
        Some(Found {
            same: there == *wanted,
            action: Actions::to_update(&there, wanted),
            update: Change::UpdateService(wanted.clone()),
        })
    }

    /// What somebody else has added instead of a destination.
    async fn find_destination(
        &mut self,
        service: ServiceId,
        wanted: &Destination,
        purpose: Purpose,
    ) -> Option<Found> {
        let look = self.look_at(service).await.ok()?;
        let there = &look.destination(wanted.id)?.destination;
        let mut wanted = wanted.clone();
        if purpose == Purpose::OfAnyWeight {
            wanted.weight = there.weight;
        }
        Some(Found {
            same: *there == wanted,
            action: Actions::UPDATE_DESTINATION,
            update: Change::UpdateDestination(service, wanted),
        })
    }

    /// Gives what somebody else has added the settings that were asked for. Where it was not
    /// found, what failed with `error` has failed.
    async fn adapt(
        &mut self,
        run: &Run<'_>,
        service: ServiceId,
        found: Option<Found>,
        error: &Error,
    ) -> StepOutcome {
        let failed = || StepOutcome::Failed(error.clone());
        let Some(Found { same, action, update }) = found else { return failed() };
        if same {
            return StepOutcome::AlreadySo;
        }
        if !run.plan.allowed.contains(action) {
            return failed();
        }
        if let Some(because) = run.failed_before(Some(service)) {
            return StepOutcome::Skipped { because };
        }
        match self.change(&update).await {
            Ok(()) => StepOutcome::Replaced,
            Err(error) => StepOutcome::Failed(error),
        }
    }
}
