//! Finding out, by reading, whether a change was done whose answer was lost.

use std::time::Duration;

use crate::engine::{Engine, Transport};
use crate::error::Result;
use crate::model::{Change, Service, ServiceEntry, Timeouts};
use crate::wire::Request;

impl<T: Transport> Engine<T> {
    /// Whether the kernel's table is as `change` asks, where that is all that the
    /// change means and where none of the `others`, which were sent with it, can be the
    /// reason.
    ///
    /// False for additions and deletions: what exists, or does not, may have done so
    /// before, when they were refused. Where reading fails, `readable` becomes false:
    /// there is no use in trying on.
    pub(crate) async fn holds<'c>(
        &mut self,
        change: &Change,
        mut others: impl Iterator<Item = &'c Change>,
        readable: &mut bool,
    ) -> bool {
        if others.any(|other| explains(other, change)) {
            return false;
        }
        let holds = self.try_holds(change).await;
        *readable = holds.as_ref().err().is_none_or(|error| error.is_not_found());
        holds.unwrap_or(false)
    }

    async fn try_holds(&mut self, change: &Change) -> Result<bool> {
        Ok(match change {
            Change::UpdateService(service) => {
                let entry = self.read::<ServiceEntry>(Request::Service(service.id)).await?;
                entry.service == Service::canonical(service.clone())
            }
            Change::UpdateDestination(id, destination) => {
                let entry = self.destination(*id, destination.id).await?;
                entry.destination == *destination
            }
            Change::SetTimeouts(wanted) => {
                let timeouts = self.read::<Timeouts>(Request::Timeouts).await?;
                fields(wanted, &timeouts)
                    .iter()
                    .all(|(wanted, is)| wanted.is_none() || wanted == is)
            }
            Change::Flush => self.collect::<ServiceEntry>(Request::Services).await?.is_empty(),
            _ => false,
        })
    }
}

/// Whether `other`, if it was done, can be why the table is as `change` asks though the
/// kernel refused `change`.
fn explains(other: &Change, change: &Change) -> bool {
    match (change, other) {
        (
            Change::UpdateService(wanted),
            Change::AddService(service) | Change::UpdateService(service),
        ) => Service::canonical(service.clone()) == Service::canonical(wanted.clone()),
        (
            Change::UpdateDestination(wanted_in, wanted),
            Change::AddDestination(service, destination)
            | Change::UpdateDestination(service, destination),
        ) => (service, destination) == (wanted_in, wanted),
        // What it does not set may have been as wanted before.
        (Change::SetTimeouts(wanted), Change::SetTimeouts(timeouts)) => fields(wanted, timeouts)
            .iter()
            .any(|(wanted, other)| wanted.is_some() && wanted == other),
        // Several deletions may have emptied the table together.
        (Change::Flush, Change::Flush | Change::DeleteService(_)) => true,
        _ => false,
    }
}

/// The fields of two timeouts, side by side.
fn fields(one: &Timeouts, other: &Timeouts) -> [(Option<Duration>, Option<Duration>); 3] {
    [(one.tcp, other.tcp), (one.tcp_fin, other.tcp_fin), (one.udp, other.udp)]
}
