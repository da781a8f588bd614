//! Changing a table without netlink.

use crate::fake::state::State;
use crate::fake::{Errno, convert};
use crate::model::{Change, ServiceId};

impl State {
    /// Makes a change without netlink.
    pub(super) fn write(&mut self, space: usize, change: &Change) -> Result<(), Errno> {
        let now = self.now();
        let table = &mut self.table;
        let key = |id: &ServiceId| convert::service_key(space, *id);
        match change {
            Change::AddService(service) => {
                let settings = convert::service_settings(service);
                table.add_service(key(&service.id), &settings).map(|_| ())
            }
            Change::UpdateService(service) => {
                let slot = table.find(&key(&service.id)).ok_or(Errno::SRCH)?;
                table.edit_service(slot, &convert::service_settings(service))
            }
            Change::DeleteService(id) => {
                let slot = table.find(&key(id)).ok_or(Errno::SRCH)?;
                table.delete_service(slot, now);
                Ok(())
            }
            Change::ZeroService(id) => {
                let slot = table.find(&key(id)).ok_or(Errno::SRCH)?;
                table.zero(slot, now);
                Ok(())
            }
            Change::AddDestination(id, destination) => {
                let slot = table.find(&key(id)).ok_or(Errno::SRCH)?;
                let settings = convert::destination_settings(destination);
                let key = convert::destination_key(destination.id);
                table.add_destination(slot, key, &settings, now)
            }
            Change::UpdateDestination(id, destination) => {
                let slot = table.find(&key(id)).ok_or(Errno::SRCH)?;
                let settings = convert::destination_settings(destination);
                table.edit_destination(slot, convert::destination_key(destination.id), &settings)
            }
            Change::DeleteDestination(id, destination) => {
                let slot = table.find(&key(id)).ok_or(Errno::SRCH)?;
                table.delete_destination(slot, convert::destination_key(*destination), now)
            }
            Change::SetTimeouts(timeouts) => {
                let ticks = table.version.ticks_per_second();
                let space = table.space(space).ok_or(Errno::INVAL)?;
                space.set_timeouts(ticks, convert::timeout_numbers(timeouts))
            }
            Change::StartDaemon(daemon) => {
                let settings = convert::daemon_settings(daemon);
                table.space(space).ok_or(Errno::NODEV)?.start_daemon(&settings, now)
            }
            Change::StopDaemon(role) => {
                let state = convert::state_number(*role);
                table.space(space).ok_or(Errno::SRCH)?.stop_daemon(state).map(|_| ())
            }
            Change::ZeroAll => {
                table.zero_all(space, now);
                Ok(())
            }
            Change::Flush => {
                table.flush(space, now);
                Ok(())
            }
        }
    }
}
