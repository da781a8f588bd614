//! Reading the messages of a datagram.

use crate::uapi::NLMSG_MIN_TYPE;

/// Length of the header of a message.
pub(in crate::fake) const HEADER: usize = 16;
/// Length of the header of a generic netlink message after it.
pub(in crate::fake) const GENERIC_HEADER: usize = 4;

pub(in crate::fake) const REQUEST: u16 = 0x1;
pub(in crate::fake) const MULTI: u16 = 0x2;
pub(in crate::fake) const ACK: u16 = 0x4;
pub(in crate::fake) const ECHO: u16 = 0x8;
pub(in crate::fake) const DUMP: u16 = 0x300;

/// One message of a datagram.
#[derive(Clone, Copy, Debug)]
pub(in crate::fake) struct Message<'m> {
    pub(in crate::fake) kind: u16,
    pub(in crate::fake) flags: u16,
    pub(in crate::fake) sequence: u32,
    /// The whole message, as long as its header says.
    pub(in crate::fake) bytes: &'m [u8],
}

impl<'m> Message<'m> {
    /// Reads the message at the start of `datagram`, and what comes after it. Returns `None` if
    /// the length in the header is wrong: the kernel then ignores the rest.
    pub(in crate::fake) fn split(datagram: &'m [u8]) -> Option<(Self, &'m [u8])> {
        let header: &[u8; HEADER] = datagram.first_chunk()?;
        let &[a, b, c, d, kind, kind_high, flags, flags_high, s0, s1, s2, s3, ..] = header;
        let length = usize::try_from(u32::from_ne_bytes([a, b, c, d])).ok()?;
        if length < HEADER {
            return None;
        }
        let message = Self {
            kind: u16::from_ne_bytes([kind, kind_high]),
            flags: u16::from_ne_bytes([flags, flags_high]),
            sequence: u32::from_ne_bytes([s0, s1, s2, s3]),
            bytes: datagram.get(..length)?,
        };
        let rest = datagram.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((message, rest))
    }

    pub(in crate::fake) const fn is_request(&self) -> bool {
        self.flags & REQUEST != 0
    }

    /// Whether the message is for the netlink core, which does nothing.
    pub(in crate::fake) const fn is_control(&self) -> bool {
        self.kind < NLMSG_MIN_TYPE
    }

    pub(in crate::fake) const fn is_dump(&self) -> bool {
        self.flags & DUMP == DUMP
    }

    /// The command of a generic netlink message, and the reserved field of its header.
    pub(in crate::fake) fn command(&self) -> Option<(u8, u16)> {
        match self.bytes.get(HEADER..HEADER + GENERIC_HEADER)? {
            &[command, _, low, high] => Some((command, u16::from_ne_bytes([low, high]))),
            _ => None,
        }
    }

    /// The attributes of a generic netlink message.
    pub(in crate::fake) fn attributes(&self) -> &'m [u8] {
        self.bytes.get(HEADER + GENERIC_HEADER..).unwrap_or_default()
    }
}
