//! Changing some settings of an object and keeping the others.

use crate::engine::{Engine, Transport};
use crate::error::{Context, Error, Result};
use crate::model::{
    Change, Destination, DestinationEntry, DestinationId, InvalidValue, Object, Operation, Service,
    ServiceEntry, ServiceId,
};
use crate::wire::Request;

impl<T: Transport> Engine<T> {
    /// Reads a service, applies `edit`, and writes the service back.
    pub(crate) async fn modify_service(
        &mut self,
        id: ServiceId,
        edit: impl FnOnce(&mut Service),
    ) -> Result<()> {
        let context = Context::about(Operation::UpdateService, Object::Service(id));
        let entry = self.read::<ServiceEntry>(Request::Service(id)).await;
        let read = entry.map_err(|error| error.unwritten(context))?.service;
        let mut service = read.clone();
        edit(&mut service);
        if service.id != id {
            return Err(Error::invalid(context, moved_identity(service.id)));
        }
        let read = Change::UpdateService(read);
        self.update(&read, &Change::UpdateService(service)).await
    }

    /// Reads a destination, applies `edit`, and writes the destination back.
    pub(crate) async fn modify_destination(
        &mut self,
        service: ServiceId,
        id: DestinationId,
        edit: impl FnOnce(&mut Destination),
    ) -> Result<()> {
        let context =
            Context::about(Operation::UpdateDestination, Object::Destination(service, id));
        let entry = self.destination(service, id).await;
        let read = entry.map_err(|error| error.unwritten(context))?.destination;
        let mut destination = read.clone();
        edit(&mut destination);
        if destination.id != id {
            return Err(Error::invalid(context, moved_identity(destination.id)));
        }
        let read = Change::UpdateDestination(service, read);
        self.update(&read, &Change::UpdateDestination(service, destination)).await
    }

    /// Writes a destination that was read as `entry`, with another weight.
    pub(crate) async fn set_weight_of(
        &mut self,
        service: ServiceId,
        entry: &DestinationEntry,
        weight: u32,
    ) -> Result<()> {
        let read = Change::UpdateDestination(service, entry.destination.clone());
        self.update(&read, &Change::weight_of(service, entry, weight)).await
    }
}

fn moved_identity(id: impl ToString) -> InvalidValue {
    InvalidValue::new("id", id.to_string(), "an update cannot change what names the object")
}
