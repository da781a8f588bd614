//! Finding out, by reading, whether a change was done whose answer was lost.

use crate::client::{Engine, Transport};
use crate::error::{Error, ErrorKind};
use crate::model::{Change, Service, ServiceEntry, SyncDaemon, Timeouts};
use crate::wire::Request;

impl<T: Transport> Engine<T> {
    /// Whether the kernel's table is as `change` asks, after its answer was lost for
    /// the reason `error`. False where reading cannot tell, too.
    pub(crate) async fn holds(&mut self, change: &Change, error: &Error) -> bool {
        // After any other loss the socket may be of no use.
        if error.kind() != ErrorKind::ReceiveOverflow {
            return false;
        }
        match change {
            Change::AddService(service) | Change::UpdateService(service) => {
                let read = self.read::<ServiceEntry>(Request::Service(service.id)).await;
                read.is_ok_and(|entry| entry.service == Service::canonical(service.clone()))
            }
            Change::DeleteService(id) => {
                let read = self.read::<ServiceEntry>(Request::Service(*id)).await;
                read.is_err_and(|error| error.is_not_found())
            }
            Change::AddDestination(id, destination)
            | Change::UpdateDestination(id, destination) => {
                let read = self.destination(*id, destination.id).await;
                read.is_ok_and(|entry| entry.destination == *destination)
            }
            Change::DeleteDestination(id, destination) => {
                let read = self.destination(*id, *destination).await;
                read.is_err_and(|error| error.is_not_found())
            }
            Change::SetTimeouts(wanted) => {
                let read = self.read::<Timeouts>(Request::Timeouts).await;
                read.is_ok_and(|timeouts| contains(wanted, &timeouts))
            }
            Change::StartDaemon(wanted) => {
                let read = self.collect::<SyncDaemon>(Request::Daemons).await;
                read.is_ok_and(|all| all.iter().any(|daemon| matches(wanted, daemon)))
            }
            Change::StopDaemon(role) => {
                let read = self.collect::<SyncDaemon>(Request::Daemons).await;
                read.is_ok_and(|all| all.iter().all(|daemon| daemon.role != *role))
            }
            Change::Flush => {
                let read = self.collect::<ServiceEntry>(Request::Services).await;
                read.is_ok_and(|all| all.is_empty())
            }
            Change::ZeroService(_) | Change::ZeroAll => false,
        }
    }
}

fn contains(wanted: &Timeouts, timeouts: &Timeouts) -> bool {
    let fields = [
        (wanted.tcp, timeouts.tcp),
        (wanted.tcp_fin, timeouts.tcp_fin),
        (wanted.udp, timeouts.udp),
    ];
    fields.iter().all(|(wanted, is)| wanted.is_none() || wanted == is)
}

/// Whether `daemon` is the wanted one, whatever the kernel chose where nothing was.
fn matches(wanted: &SyncDaemon, daemon: &SyncDaemon) -> bool {
    let mut expected = wanted.clone();
    expected.group = wanted.group.or(daemon.group);
    expected.port = wanted.port.or(daemon.port);
    expected.ttl = wanted.ttl.or(daemon.ttl);
    // The kernel clamps the length that was asked for.
    expected.max_length = daemon.max_length;
    expected == *daemon
}
