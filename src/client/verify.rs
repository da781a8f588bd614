//! Finding out, by reading, whether a change was done whose answer was lost.

use crate::client::{Engine, Transport};
use crate::error::Result;
use crate::model::{Change, Service, ServiceEntry, Timeouts};
use crate::wire::Request;

impl<T: Transport> Engine<T> {
    /// Whether the kernel's table is as `change` asks, where that is all that the
    /// change means.
    ///
    /// False for additions and deletions: what exists, or does not, may have done so
    /// before, when they were refused. Where reading fails, `readable` becomes false:
    /// there is no use in trying on.
    pub(crate) async fn holds(&mut self, change: &Change, readable: &mut bool) -> bool {
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
                let fields = [
                    (wanted.tcp, timeouts.tcp),
                    (wanted.tcp_fin, timeouts.tcp_fin),
                    (wanted.udp, timeouts.udp),
                ];
                fields.iter().all(|(wanted, is)| wanted.is_none() || wanted == is)
            }
            Change::Flush => self.collect::<ServiceEntry>(Request::Services).await?.is_empty(),
            _ => false,
        })
    }
}
