//! Finding out by a read whether a change was done whose answer was lost.

use std::time::Duration;

use crate::engine::{Engine, Transport};
use crate::error::Result;
use crate::model::{Change, Service, ServiceEntry, Timeouts};
use crate::wire::Request;

/// What a read says about a change whose answer was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// The change was done, or makes no difference: the table is as the change asks.
    Done,
    /// The table does not say whether the change was done.
    Unknown,
    /// The table cannot be read.
    Unreadable,
}

impl<T: Transport> Engine<T> {
    /// Finds out whether `change` was done. `others` are the changes that were sent with it and
    /// may have been done.
    ///
    /// Additions and deletions stay unknown: the object may have existed, or not, before the
    /// kernel refused the change. So does a change whose effect one of the `others` can explain.
    pub(super) async fn find_out<'c>(
        &mut self,
        change: &Change,
        mut others: impl Iterator<Item = &'c Change>,
    ) -> Finding {
        if others.any(|other| explains(other, change)) {
            return Finding::Unknown;
        }
        match self.is_as_asked(change).await {
            Ok(true) => Finding::Done,
            Ok(false) => Finding::Unknown,
            Err(error) if error.is_not_found() => Finding::Unknown,
            Err(_) => Finding::Unreadable,
        }
    }

    /// Reads whether the table is as `change` asks. Returns `false` for additions and deletions.
    async fn is_as_asked(&mut self, change: &Change) -> Result<bool> {
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

/// Returns `true` if `other` alone can make the table as `change` asks, so that the kernel may
/// have refused `change`.
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
        // The fields that `other` does not set may have had the wanted values before.
        (Change::SetTimeouts(wanted), Change::SetTimeouts(timeouts)) => fields(wanted, timeouts)
            .iter()
            .any(|(wanted, other)| wanted.is_some() && wanted == other),
        // Several deletions together may have emptied the table.
        (Change::Flush, Change::Flush | Change::DeleteService(_)) => true,
        _ => false,
    }
}

/// Pairs the fields of two timeouts.
fn fields(one: &Timeouts, other: &Timeouts) -> [(Option<Duration>, Option<Duration>); 3] {
    [(one.tcp, other.tcp), (one.tcp_fin, other.tcp_fin), (one.udp, other.udp)]
}
