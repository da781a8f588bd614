use netlink_packet_core::{DecodeError, Emitable, ParseableParametrized};
use netlink_packet_generic::{GenlFamily, GenlHeader};

use crate::model::{
    Change, DestinationEntry, Info, InvalidValue, ServiceEntry, ServiceId, SyncDaemon, Timeouts,
};
use crate::uapi::{IPVS_GENL_NAME, IPVS_GENL_VERSION};
use crate::wire::{Reported, Request, Writer, daemon, report, service, timeouts};

/// A message of the IPVS family, for programs that bring their own netlink
/// transport (feature `packet`).
///
/// It is the payload of a [`GenlMessage`](netlink_packet_generic::GenlMessage),
/// whose family id has to be looked up first: a message with the id 0 is
/// acknowledged by the kernel and does nothing. The clients of this crate take care
/// of that, of truncated and lost answers and of everything else.
///
/// Parsing reads what a kernel answers, which has the commands of the additions:
/// a service and its counters are `IPVS_CMD_NEW_SERVICE`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IpvsMessage {
    /// Requests a change. Send it with `NLM_F_ACK`. The kernel may stop a daemon that has just
    /// been started without an answer.
    Change(Change),
    /// Requests [`IpvsMessage::Info`].
    ReadInfo,
    /// Requests one [`IpvsMessage::Service`].
    ReadService(ServiceId),
    /// Requests all services. Send it with `NLM_F_DUMP`.
    ReadServices,
    /// Requests the destinations of a service. Send it with `NLM_F_DUMP`.
    ReadDestinations(ServiceId),
    /// Requests [`IpvsMessage::Timeouts`].
    ReadTimeouts,
    /// Requests the running synchronization daemons. Send it with `NLM_F_DUMP`.
    ReadDaemons,
    /// Reports a service.
    Service(ServiceEntry),
    /// Reports a destination.
    Destination(DestinationEntry),
    /// Reports a running synchronization daemon.
    Daemon(SyncDaemon),
    /// Reports the timeouts.
    Timeouts(Timeouts),
    /// Reports the version of IPVS and the size of its connection table.
    Info(Info),
}

impl IpvsMessage {
    /// Checks a change against the kernel's rules, the names in a report, and whether the identity
    /// in a read can be encoded.
    ///
    /// Emitting checks only names: the kernel passes a scheduler or persistence engine that it does
    /// not know to `modprobe`. If a name cannot be that of a module, the emitted message has only
    /// the identity of its object, and the kernel refuses it.
    ///
    /// # Errors
    ///
    /// The errors of [`Change::validate`].
    pub fn validate(&self) -> Result<(), InvalidValue> {
        match self {
            Self::Change(change) => change.validate(),
            Self::ReadService(id) | Self::ReadDestinations(id) => id.check_encodable(),
            _ => self.check_names(),
        }
    }

    /// Checks the names, also those in a report: to a kernel, a service with its counters is a
    /// request to add the service.
    fn check_names(&self) -> Result<(), InvalidValue> {
        match self {
            Self::Change(change) => change.check_names(),
            Self::Service(entry) => entry.service.check_names(),
            Self::Daemon(daemon) => daemon.check_names(),
            _ => Ok(()),
        }
    }

    /// Returns the request in this message, if it is a request.
    fn request(&self) -> Option<Request<'_>> {
        match self {
            Self::Change(change) => Some(Request::Change(change)),
            Self::ReadInfo => Some(Request::Info),
            Self::ReadService(id) => Some(Request::Service(*id)),
            Self::ReadServices => Some(Request::Services),
            Self::ReadDestinations(id) => Some(Request::Destinations(*id)),
            Self::ReadTimeouts => Some(Request::Timeouts),
            Self::ReadDaemons => Some(Request::Daemons),
            _ => None,
        }
    }

    /// Appends the attributes to `buffer`, like emitting. Allocates only if `buffer` has no room.
    pub fn append(&self, buffer: &mut Vec<u8>) {
        let mut writer = Writer::new(buffer);
        if self.check_names().is_err() {
            return self.append_identity(&mut writer);
        }
        match self {
            Self::Service(entry) => report::service_entry(&mut writer, entry),
            Self::Destination(entry) => report::destination_entry(&mut writer, entry),
            Self::Daemon(it) => daemon::encode(&mut writer, it),
            Self::Timeouts(it) => timeouts::encode(&mut writer, it),
            Self::Info(it) => report::info(&mut writer, it),
            _ => {
                if let Some(request) = self.request() {
                    request.encode(&mut writer);
                }
            }
        }
    }

    /// Appends only the identity of the object, for a message with names.
    fn append_identity(&self, writer: &mut Writer<'_>) {
        match self {
            Self::Change(Change::AddService(service) | Change::UpdateService(service))
            | Self::Service(ServiceEntry { service, .. }) => {
                service::encode_id(writer, &service.id)
            }
            Self::Change(Change::StartDaemon(it)) | Self::Daemon(it) => {
                daemon::encode_role(writer, it.role);
            }
            _ => {}
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(512);
        self.append(&mut bytes);
        bytes
    }
}

impl From<Change> for IpvsMessage {
    fn from(change: Change) -> Self {
        Self::Change(change)
    }
}

impl GenlFamily for IpvsMessage {
    fn family_name() -> &'static str {
        IPVS_GENL_NAME
    }

    fn command(&self) -> u8 {
        match self {
            Self::Service(_) => ServiceEntry::COMMAND,
            Self::Destination(_) => DestinationEntry::COMMAND,
            Self::Daemon(_) => SyncDaemon::COMMAND,
            Self::Timeouts(_) => Timeouts::COMMAND,
            Self::Info(_) => Info::COMMAND,
            _ => self.request().map_or(0, |request| request.command()),
        }
    }

    fn version(&self) -> u8 {
        IPVS_GENL_VERSION
    }
}

impl Emitable for IpvsMessage {
    fn buffer_len(&self) -> usize {
        self.bytes().len()
    }

    /// # Panics
    ///
    /// Panics if `buffer` is shorter than [`buffer_len`](Emitable::buffer_len), as the trait
    /// requires.
    #[expect(clippy::indexing_slicing, reason = "the trait says that a short buffer panics")]
    fn emit(&self, buffer: &mut [u8]) {
        let bytes = self.bytes();
        buffer[..bytes.len()].copy_from_slice(&bytes);
    }
}

impl ParseableParametrized<[u8], GenlHeader> for IpvsMessage {
    fn parse_with_param(bytes: &[u8], header: GenlHeader) -> Result<Self, DecodeError> {
        let message = match header.cmd {
            ServiceEntry::COMMAND => Reported::decode(bytes, None).map(Self::Service),
            DestinationEntry::COMMAND => Reported::decode(bytes, None).map(Self::Destination),
            SyncDaemon::COMMAND => Reported::decode(bytes, None).map(Self::Daemon),
            Timeouts::COMMAND => Reported::decode(bytes, None).map(Self::Timeouts),
            Info::COMMAND => Reported::decode(bytes, None).map(Self::Info),
            _ => Err("a command that is no answer"),
        };
        message.map_err(DecodeError::from)
    }
}
