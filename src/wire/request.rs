//! The requests to the kernel, and their attributes.

use crate::error::Context;
use crate::model::{Change, Object, Operation, ServiceId, Tunnel};
use crate::uapi::*;
use crate::wire::{Put, Writer, daemon, destination, service, timeouts};

/// A request of the IPVS family.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Request<'a> {
    Change(&'a Change),
    Info,
    Service(ServiceId),
    Services,
    Destinations(ServiceId),
    Timeouts,
    Daemons,
}

impl Request<'_> {
    pub(crate) const fn command(&self) -> u8 {
        match self {
            Self::Change(change) => match change {
                Change::AddService(_) => IPVS_CMD_NEW_SERVICE,
                Change::UpdateService(_) => IPVS_CMD_SET_SERVICE,
                Change::DeleteService(_) => IPVS_CMD_DEL_SERVICE,
                Change::AddDestination(..) => IPVS_CMD_NEW_DEST,
                Change::UpdateDestination(..) => IPVS_CMD_SET_DEST,
                Change::DeleteDestination(..) => IPVS_CMD_DEL_DEST,
                Change::SetTimeouts(_) => IPVS_CMD_SET_CONFIG,
                Change::StartDaemon(_) => IPVS_CMD_NEW_DAEMON,
                Change::StopDaemon(_) => IPVS_CMD_DEL_DAEMON,
                Change::ZeroService(_) | Change::ZeroAll => IPVS_CMD_ZERO,
                Change::Flush => IPVS_CMD_FLUSH,
            },
            Self::Info => IPVS_CMD_GET_INFO,
            Self::Service(_) | Self::Services => IPVS_CMD_GET_SERVICE,
            Self::Destinations(_) => IPVS_CMD_GET_DEST,
            Self::Timeouts => IPVS_CMD_GET_CONFIG,
            Self::Daemons => IPVS_CMD_GET_DAEMON,
        }
    }

    /// Returns the context for errors of this request.
    pub(crate) const fn context(&self) -> Context {
        match self {
            Self::Change(change) => Context::of(change),
            Self::Info => Context::new(Operation::ReadInfo),
            Self::Service(id) => Context::about(Operation::ReadService, Object::Service(*id)),
            Self::Services => Context::new(Operation::ReadServices),
            Self::Destinations(id) => {
                Context::about(Operation::ReadDestinations, Object::Service(*id))
            }
            Self::Timeouts => Context::new(Operation::ReadTimeouts),
            Self::Daemons => Context::new(Operation::ReadDaemons),
        }
    }

    /// Writes the message. `headers` has all fields but the length.
    ///
    /// The most frequent messages are written in one piece, because all their lengths are known.
    #[inline]
    pub(crate) fn encode_message(&self, headers: [u8; 20], writer: &mut Writer<'_>) {
        match self {
            Self::Change(Change::DeleteDestination(
                ServiceId::Address { protocol, address },
                it,
            )) if address.is_ipv4() == it.address.is_ipv4() => {
                destination::put_message_with_id(writer, headers, *protocol, address, it);
            }
            Self::Change(
                Change::AddDestination(ServiceId::Address { protocol, address }, it)
                | Change::UpdateDestination(ServiceId::Address { protocol, address }, it),
            ) if address.is_ipv4() == it.id.address.is_ipv4() => {
                match destination::method_and_tunnel(it.forwarding) {
                    (method, Tunnel::Ipip) => destination::put_message_with_settings(
                        writer, headers, *protocol, address, it, method,
                    ),
                    _ => self.encode_after(headers, writer),
                }
            }
            _ => self.encode_after(headers, writer),
        }
    }

    fn encode_after(&self, headers: [u8; 20], writer: &mut Writer<'_>) {
        writer.raw(headers);
        self.encode(writer);
    }

    /// Writes the attributes.
    #[inline]
    pub(crate) fn encode(&self, writer: &mut Writer<'_>) {
        match self {
            Self::Change(change) => encode_change(change, writer),
            Self::Service(id) | Self::Destinations(id) => service::encode_id(writer, id),
            Self::Info | Self::Services | Self::Timeouts | Self::Daemons => {}
        }
    }
}

#[inline]
fn encode_change(change: &Change, writer: &mut Writer<'_>) {
    match change {
        Change::AddService(it) | Change::UpdateService(it) => service::encode(writer, it),
        Change::DeleteService(id) | Change::ZeroService(id) => service::encode_id(writer, id),
        Change::AddDestination(id, it) | Change::UpdateDestination(id, it) => {
            service::encode_id(writer, id);
            destination::encode(writer, it, id.family());
        }
        Change::DeleteDestination(id, it) => {
            service::encode_id(writer, id);
            destination::encode_id(writer, it, id.family());
        }
        Change::SetTimeouts(it) => timeouts::encode(writer, it),
        Change::StartDaemon(it) => daemon::encode(writer, it),
        Change::StopDaemon(role) => daemon::encode_role(writer, *role),
        Change::ZeroAll | Change::Flush => {}
    }
}
