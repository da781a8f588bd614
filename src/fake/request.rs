use std::fmt;
use std::time::Instant;

use crate::fake::convert;
use crate::fake::dispatch::GENL_ID_CTRL;
use crate::fake::log::Entry;
use crate::fake::netlink::acknowledgement::Reason;
use crate::fake::netlink::message::Message;
use crate::fake::requests::command::{self, TopLevel};
use crate::fake::requests::daemon::DaemonRequest;
use crate::fake::requests::destination::DestinationRequest;
use crate::fake::requests::service::ServiceRequest;
use crate::model::{Change, Object, Operation, Role, ServiceId};
use crate::uapi::{
    IP_VS_STATE_BACKUP, IP_VS_STATE_MASTER, IPVS_CMD_ATTR_DEST, IPVS_CMD_ATTR_SERVICE,
    IPVS_CMD_DEL_DAEMON, IPVS_CMD_DEL_DEST, IPVS_CMD_DEL_SERVICE, IPVS_CMD_FLUSH,
    IPVS_CMD_GET_CONFIG, IPVS_CMD_GET_DAEMON, IPVS_CMD_GET_DEST, IPVS_CMD_GET_INFO,
    IPVS_CMD_GET_SERVICE, IPVS_CMD_NEW_DAEMON, IPVS_CMD_NEW_DEST, IPVS_CMD_NEW_SERVICE,
    IPVS_CMD_SET_CONFIG, IPVS_CMD_SET_DEST, IPVS_CMD_SET_SERVICE, IPVS_CMD_ZERO,
};

/// A request that a fake kernel received: one netlink message.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    number: u64,
    at: Instant,
    namespace: String,
    /// The id of the family of IPVS at that time.
    family: Option<u16>,
    bytes: Vec<u8>,
}

impl Request {
    pub(super) fn new(entry: Entry, namespace: &str) -> Self {
        let Entry { number, at, family, bytes, .. } = entry;
        Self { number, at, namespace: namespace.to_owned(), family, bytes }
    }

    /// Returns which request of the kernel it is. The first one is 1.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Returns the time of the kernel's clock at which the request came.
    #[must_use]
    pub const fn at(&self) -> Instant {
        self.at
    }

    /// Returns the name of the network namespace, which is empty for the initial one.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Returns the netlink message.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns what was asked for, or `None` if the kernel has no such command or the message is
    /// of another family.
    #[must_use]
    pub fn operation(&self) -> Option<Operation> {
        let message = self.message()?;
        let (command, _) = message.command()?;
        if message.kind == GENL_ID_CTRL {
            return Some(Operation::ResolveFamily);
        }
        if Some(message.kind) != self.family {
            return None;
        }
        let operation = match command {
            IPVS_CMD_NEW_SERVICE => Operation::AddService,
            IPVS_CMD_SET_SERVICE => Operation::UpdateService,
            IPVS_CMD_DEL_SERVICE => Operation::DeleteService,
            IPVS_CMD_GET_SERVICE if message.is_dump() => Operation::ReadServices,
            IPVS_CMD_GET_SERVICE => Operation::ReadService,
            IPVS_CMD_NEW_DEST => Operation::AddDestination,
            IPVS_CMD_SET_DEST => Operation::UpdateDestination,
            IPVS_CMD_DEL_DEST => Operation::DeleteDestination,
            IPVS_CMD_GET_DEST => Operation::ReadDestinations,
            IPVS_CMD_NEW_DAEMON => Operation::StartDaemon,
            IPVS_CMD_DEL_DAEMON => Operation::StopDaemon,
            IPVS_CMD_GET_DAEMON => Operation::ReadDaemons,
            IPVS_CMD_SET_CONFIG => Operation::SetTimeouts,
            IPVS_CMD_GET_CONFIG => Operation::ReadTimeouts,
            IPVS_CMD_GET_INFO => Operation::ReadInfo,
            IPVS_CMD_ZERO if self.attributes()?.get(IPVS_CMD_ATTR_SERVICE).is_none() => {
                Operation::ZeroAll
            }
            IPVS_CMD_ZERO => Operation::ZeroService,
            IPVS_CMD_FLUSH => Operation::Flush,
            _ => return None,
        };
        Some(operation)
    }

    /// Returns the service, destination or daemon that the request names, or `None` if it names
    /// none that the kernel would understand.
    #[must_use]
    pub fn object(&self) -> Option<Object> {
        let attributes = self.attributes()?;
        match self.operation()? {
            Operation::AddDestination
            | Operation::UpdateDestination
            | Operation::DeleteDestination => {
                let service = service(&attributes)?;
                let nest = attributes.get(IPVS_CMD_ATTR_DEST);
                let destination = DestinationRequest::parse(nest, false).ok()?;
                let id = convert::service_id(&service.key)?;
                let key = destination.key(service.key.family).ok()?;
                Some(Object::Destination(id, convert::destination_id(&key)))
            }
            Operation::StartDaemon | Operation::StopDaemon => role(&attributes).map(Object::Daemon),
            _ => service_id(&attributes).map(Object::Service),
        }
    }

    /// Returns the change that the request asks for, or `None` if it asks for none that a client
    /// could have written.
    #[must_use]
    pub fn change(&self) -> Option<Change> {
        let attributes = self.attributes()?;
        let destination = |full| {
            let service = service(&attributes)?;
            let nest = attributes.get(IPVS_CMD_ATTR_DEST);
            let request = DestinationRequest::parse(nest, full).ok()?;
            let key = request.key(service.key.family).ok()?;
            Some((convert::service_id(&service.key)?, key, request.settings))
        };
        let full_service = || {
            let request = service(&attributes)?;
            convert::service(&request.key, &request.settings().ok()?)
        };
        let full_destination = || {
            let (id, key, settings) = destination(true)?;
            Some((id, convert::destination(&key, &settings?)))
        };
        Some(match self.operation()? {
            Operation::AddService => Change::AddService(full_service()?),
            Operation::UpdateService => Change::UpdateService(full_service()?),
            Operation::DeleteService => Change::DeleteService(service_id(&attributes)?),
            Operation::ZeroService => Change::ZeroService(service_id(&attributes)?),
            Operation::AddDestination => {
                let (id, destination) = full_destination()?;
                Change::AddDestination(id, destination)
            }
            Operation::UpdateDestination => {
                let (id, destination) = full_destination()?;
                Change::UpdateDestination(id, destination)
            }
            Operation::DeleteDestination => {
                let (id, key, _) = destination(false)?;
                Change::DeleteDestination(id, convert::destination_id(&key))
            }
            Operation::SetTimeouts => {
                Change::SetTimeouts(convert::timeouts(command::timeouts(&attributes)))
            }
            Operation::StartDaemon => {
                let daemon = DaemonRequest::parse(&attributes, &mut Reason::default()).ok()?;
                Change::StartDaemon(convert::daemon(&daemon.settings().ok()?)?)
            }
            Operation::StopDaemon => Change::StopDaemon(role(&attributes)?),
            Operation::ZeroAll => Change::ZeroAll,
            Operation::Flush => Change::Flush,
            _ => return None,
        })
    }

    fn message(&self) -> Option<Message<'_>> {
        Message::split(&self.bytes).map(|(message, _)| message)
    }

    fn attributes(&self) -> Option<TopLevel<'_>> {
        command::parse(&self.message()?).ok()
    }
}

fn service<'m>(attributes: &TopLevel<'m>) -> Option<ServiceRequest<'m>> {
    ServiceRequest::parse(0, attributes.get(IPVS_CMD_ATTR_SERVICE)).ok()
}

fn service_id(attributes: &TopLevel<'_>) -> Option<ServiceId> {
    convert::service_id(&service(attributes)?.key)
}

fn role(attributes: &TopLevel<'_>) -> Option<Role> {
    let daemon = DaemonRequest::parse(attributes, &mut Reason::default()).ok()?;
    match daemon.state().ok()? {
        IP_VS_STATE_MASTER => Some(Role::Master),
        IP_VS_STATE_BACKUP => Some(Role::Backup),
        _ => None,
    }
}

impl fmt::Display for Request {
    /// The operation and its object, such as `add service TCP 192.0.2.10:80`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.operation() {
            Some(operation) => operation.fmt(f)?,
            None => f.write_str("unknown request")?,
        }
        match self.object() {
            Some(object) => write!(f, " {object}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut request = f.debug_struct("Request");
        request.field("number", &self.number).field("namespace", &self.namespace);
        request.field("request", &format_args!("{self}")).finish_non_exhaustive()
    }
}
