//! Looking up the id of the IPVS family.

use netlink_packet_core::NLM_F_REQUEST;
use netlink_packet_generic::GenlHeader;
use netlink_packet_generic::constants::{
    CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME, CTRL_CMD_GETFAMILY, CTRL_CMD_NEWFAMILY,
    GENL_ID_CTRL,
};

use crate::proto::datagram::{Frame, append};
use crate::uapi::{IPVS_GENL_NAME, NLMSG_MIN_TYPE};
use crate::wire::{Attributes, Malformed, Put};

/// The id of a generic netlink family. Never the type of a message to the netlink core, which
/// acknowledges such messages and does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FamilyId(u16);

impl FamilyId {
    pub(crate) fn new(id: u16) -> Result<Self, Malformed> {
        if id < NLMSG_MIN_TYPE { Err("a family id that is too small") } else { Ok(Self(id)) }
    }

    pub(crate) const fn number(self) -> u16 {
        self.0
    }
}

/// Appends the request for the id of the family. The kernel loads the module `ip_vs` to answer.
pub(crate) fn encode_lookup(buffer: &mut Vec<u8>, sequence: u32) {
    let frame = Frame { kind: GENL_ID_CTRL, flags: NLM_F_REQUEST, sequence };
    let header = GenlHeader { cmd: CTRL_CMD_GETFAMILY, version: 1 };
    append(buffer, frame, header, |headers, writer| {
        writer.raw(headers);
        writer.string(CTRL_ATTR_FAMILY_NAME, IPVS_GENL_NAME.as_bytes());
    });
}

/// Reads the answer to the request.
pub(crate) fn read_lookup(command: u8, attributes: &[u8]) -> Result<FamilyId, Malformed> {
    if command != CTRL_CMD_NEWFAMILY {
        return Err("an answer that is not about a family");
    }
    for attribute in Attributes::new(attributes) {
        let (kind, value) = attribute?;
        if kind == CTRL_ATTR_FAMILY_ID {
            let id = value.first_chunk().ok_or("a family id that is too short")?;
            return FamilyId::new(u16::from_ne_bytes(*id));
        }
    }
    Err("a family without an id")
}
