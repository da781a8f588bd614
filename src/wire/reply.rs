//! The things that the kernel reports.

use crate::model::{
    AddressFamily, DestinationEntry, Info, ServiceEntry, ServiceId, SyncDaemon, Timeouts,
};
use crate::uapi::*;
use crate::wire::{Attributes, Malformed, daemon, destination, service, timeouts};

/// Something that the kernel reports, in messages of one command.
pub(crate) trait Reported: Sized {
    /// The command of the messages.
    const COMMAND: u8;

    /// The approximate length of such a message, to estimate how many a datagram holds.
    const LENGTH: usize;

    /// Reads the attributes of such a message. `service` is the family of the service whose
    /// destinations were requested.
    fn decode(attributes: &[u8], service: Option<AddressFamily>) -> Result<Self, Malformed>;
}

impl Reported for ServiceEntry {
    const COMMAND: u8 = IPVS_CMD_NEW_SERVICE;
    const LENGTH: usize = 320;

    #[inline]
    fn decode(attributes: &[u8], _: Option<AddressFamily>) -> Result<Self, Malformed> {
        service::decode(nest(attributes, IPVS_CMD_ATTR_SERVICE)?)
    }
}

/// Reads only the identity of a service.
impl Reported for ServiceId {
    const COMMAND: u8 = IPVS_CMD_NEW_SERVICE;
    const LENGTH: usize = ServiceEntry::LENGTH;

    fn decode(attributes: &[u8], _: Option<AddressFamily>) -> Result<Self, Malformed> {
        service::decode_id(nest(attributes, IPVS_CMD_ATTR_SERVICE)?)
    }
}

impl Reported for DestinationEntry {
    const COMMAND: u8 = IPVS_CMD_NEW_DEST;
    const LENGTH: usize = 356;

    #[inline(always)]
    fn decode(attributes: &[u8], service: Option<AddressFamily>) -> Result<Self, Malformed> {
        destination::decode(attributes, service)
    }
}

impl Reported for SyncDaemon {
    const COMMAND: u8 = IPVS_CMD_NEW_DAEMON;
    const LENGTH: usize = 88;

    fn decode(attributes: &[u8], _: Option<AddressFamily>) -> Result<Self, Malformed> {
        daemon::decode(nest(attributes, IPVS_CMD_ATTR_DAEMON)?)
    }
}

impl Reported for Timeouts {
    const COMMAND: u8 = IPVS_CMD_SET_CONFIG;
    const LENGTH: usize = 44;

    fn decode(attributes: &[u8], _: Option<AddressFamily>) -> Result<Self, Malformed> {
        timeouts::decode(attributes)
    }
}

impl Reported for Info {
    const COMMAND: u8 = IPVS_CMD_SET_INFO;
    const LENGTH: usize = 36;

    fn decode(attributes: &[u8], _: Option<AddressFamily>) -> Result<Self, Malformed> {
        timeouts::decode_info(attributes)
    }
}

/// Reads a message. Fails if its `command` is not that of `R`.
#[inline(always)]
pub(crate) fn decode<R: Reported>(
    command: u8,
    attributes: &[u8],
    service: Option<AddressFamily>,
) -> Result<R, Malformed> {
    if command == R::COMMAND {
        R::decode(attributes, service)
    } else {
        Err("an answer to another question")
    }
}

/// Returns the nest of a kind. If there are several, returns the last one.
#[inline]
pub(crate) fn nest(attributes: &[u8], wanted: u16) -> Result<&[u8], Malformed> {
    match Attributes::new(attributes).next() {
        // The usual message has only this nest.
        Some(Ok((kind, value))) if kind == wanted && attributes.len() == value.len() + 4 => {
            Ok(value)
        }
        _ => last_nest(attributes, wanted),
    }
}

#[cold]
fn last_nest(attributes: &[u8], wanted: u16) -> Result<&[u8], Malformed> {
    let mut nest = None;
    for attribute in Attributes::new(attributes) {
        let (kind, value) = attribute?;
        if kind == wanted {
            nest = Some(value);
        }
    }
    nest.ok_or("an answer without what it is about")
}
