//! What it means when a step was refused, or when no answer came: somebody else may have
//! been quicker.

use crate::client::{Engine, Transport};
use crate::error::{Error, ErrorKind};
use crate::model::{Change, Service, ServiceEntry, ServiceId};
use crate::table::look::Look;
use crate::table::plan::Purpose;
use crate::table::run::Run;
use crate::table::{Actions, Step, StepOutcome};
use crate::wire::Request;

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
                self.replace_service(run, wanted, error).await
            }
            (Change::AddDestination(..), ErrorKind::DestinationExists) => {
                self.replace_destination(run, step, error).await
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

    /// Gives a service that somebody else has added the settings that were asked for.
    async fn replace_service(
        &mut self,
        run: &Run<'_>,
        wanted: &Service,
        error: &Error,
    ) -> StepOutcome {
        let there = match self.read::<ServiceEntry>(Request::Service(wanted.id)).await {
            Ok(entry) => entry.service,
            Err(_) => return StepOutcome::Failed(error.clone()),
        };
        let action = Actions::to_update(&there, wanted);
        let update = Change::UpdateService(wanted.clone());
        self.replace_unless(run, wanted.id, there == *wanted, action, &update, error).await
    }

    /// As [`Engine::replace_service`] for a destination.
    async fn replace_destination(
        &mut self,
        run: &Run<'_>,
        step: &Step,
        error: &Error,
    ) -> StepOutcome {
        let failed = || StepOutcome::Failed(error.clone());
        let Change::AddDestination(service, wanted) = &step.change else { return failed() };
        let Ok(look) = self.look_at(*service).await else { return failed() };
        let Some(there) = look.destination(wanted.id) else { return failed() };
        let mut wanted = wanted.clone();
        if step.purpose == Purpose::OfAnyWeight {
            wanted.weight = there.destination.weight;
        }
        let same = there.destination == wanted;
        let update = Change::UpdateDestination(*service, wanted);
        self.replace_unless(run, *service, same, Actions::UPDATE_DESTINATION, &update, error).await
    }

    async fn replace_unless(
        &mut self,
        run: &Run<'_>,
        service: ServiceId,
        same: bool,
        action: Actions,
        update: &Change,
        error: &Error,
    ) -> StepOutcome {
        if same {
            return StepOutcome::AlreadySo;
        }
        if !run.plan.allowed.contains(action) {
            return StepOutcome::Failed(error.clone());
        }
        if let Some(because) = run.failed_before(Some(service)) {
            return StepOutcome::Skipped { because };
        }
        match self.change(update).await {
            Ok(()) => StepOutcome::Replaced,
            Err(error) => StepOutcome::Failed(error),
        }
    }
}
