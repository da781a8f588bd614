//! Requests and answers as bytes.

use crate::fake::{Errno, Socket};
use crate::uapi::{IPVS_CMD_ATTR_SERVICE, IPVS_SVC_ATTR_AF, IPVS_SVC_ATTR_FWMARK};

/// The id of the family at first.
pub(super) const FAMILY: u16 = 28;
pub(super) const REQUEST: u16 = 0x1;
pub(super) const ACK: u16 = 0x4;
pub(super) const DUMP: u16 = 0x300;
/// `NLMSG_DONE`.
pub(super) const DONE: u16 = 3;
/// `NLMSG_ERROR`.
pub(super) const ERROR: u16 = 2;

pub(super) fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = u16::try_from(4 + value.len()).unwrap().to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

pub(super) fn request(sequence: u32, command: u8, flags: u16, attributes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(20 + attributes.len()).unwrap();
    let mut bytes = length.to_ne_bytes().to_vec();
    bytes.extend(FAMILY.to_ne_bytes());
    bytes.extend((REQUEST | flags).to_ne_bytes());
    bytes.extend(sequence.to_ne_bytes());
    bytes.extend([0; 4]);
    bytes.extend([command, 1, 0, 0]);
    bytes.extend(attributes);
    bytes
}

/// The nest that names an IPv4 service by its firewall mark.
pub(super) fn service(mark: u32) -> Vec<u8> {
    let family = attribute(IPVS_SVC_ATTR_AF, &2_u16.to_ne_bytes());
    let mark = attribute(IPVS_SVC_ATTR_FWMARK, &mark.to_ne_bytes());
    attribute(IPVS_CMD_ATTR_SERVICE, &[family, mark].concat())
}

/// One message of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) kind: u16,
    pub(super) sequence: u32,
    /// What comes after the header of netlink.
    pub(super) rest: Vec<u8>,
}

impl Answer {
    /// The error number of an acknowledgement, an error or the end of a dump.
    pub(super) fn errno(&self) -> i32 {
        assert!(matches!(self.kind, ERROR | DONE));
        -i32::from_ne_bytes(self.rest[..4].try_into().unwrap())
    }

    /// The firewall mark of a service.
    pub(super) fn mark(&self) -> u32 {
        assert_eq!(self.rest[16..20], [8, 0, 5, 0]);
        u32::from_ne_bytes(self.rest[20..24].try_into().unwrap())
    }
}

pub(super) fn messages(datagram: &[u8]) -> Vec<Answer> {
    let mut messages = Vec::new();
    let mut rest = datagram;
    while !rest.is_empty() {
        let length = u32::from_ne_bytes(rest[..4].try_into().unwrap()) as usize;
        messages.push(Answer {
            kind: u16::from_ne_bytes(rest[4..6].try_into().unwrap()),
            sequence: u32::from_ne_bytes(rest[8..12].try_into().unwrap()),
            rest: rest[16..length].to_vec(),
        });
        rest = &rest[length.next_multiple_of(4).min(rest.len())..];
    }
    messages
}

/// Receives a datagram into so many bytes.
pub(super) fn receive(socket: &Socket, room: usize) -> Result<Vec<Answer>, Errno> {
    let mut buffer = vec![0; room];
    let length = socket.receive(&mut buffer)?;
    Ok(messages(&buffer[..length]))
}
