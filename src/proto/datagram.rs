//! The messages in a datagram.

use netlink_packet_core::{NLMSG_DONE, NLMSG_ERROR, NLMSG_NOOP, NLMSG_OVERRUN};
use netlink_packet_generic::GenlHeader;
use netlink_packet_generic::constants::GENL_HDRLEN;

use crate::proto::extack::{self, Refusal};
use crate::wire::{Block, Malformed, Put, Writer};

/// The length of a netlink header.
const HEADER: usize = 16;

/// A received message.
pub(crate) struct Message<'a> {
    pub(crate) sequence: u32,
    pub(crate) port: u32,
    pub(crate) content: Content<'a>,
}

/// The meaning of a received message.
pub(crate) enum Content<'a> {
    /// A message of a generic netlink family.
    Data { command: u8, attributes: &'a [u8] },
    /// The kernel executed the request.
    Ack,
    /// The kernel refused the request.
    Refused(Refusal),
    /// A dump has ended, or failed.
    Done(Option<Refusal>),
    /// The kernel lost data.
    Overrun,
    /// A message without meaning.
    Noop,
}

/// Iterates over the messages of a datagram. Each message begins at a multiple of four bytes; the
/// last one may end anywhere.
#[derive(Clone)]
pub(crate) struct Messages<'a> {
    rest: &'a [u8],
}

impl<'a> Messages<'a> {
    pub(crate) const fn new(datagram: &'a [u8]) -> Self {
        Self { rest: datagram }
    }

    /// Returns the command and the attributes of the next message, if it is a valid message of a
    /// generic netlink family with this sequence number and port. Otherwise does not advance.
    #[inline(always)]
    pub(crate) fn next_data(&mut self, sequence: u32, port: u32) -> Option<(u8, &'a [u8])> {
        let header: &[u8; HEADER + GENL_HDRLEN] = self.rest.first_chunk()?;
        let [l0, l1, l2, l3, k0, k1, _, _, s0, s1, s2, s3, p0, p1, p2, p3, command, ..] = *header;
        let length = usize::try_from(u32::from_ne_bytes([l0, l1, l2, l3])).ok()?;
        let kind = u16::from_ne_bytes([k0, k1]);
        let is_wanted = u32::from_ne_bytes([s0, s1, s2, s3]) == sequence
            && u32::from_ne_bytes([p0, p1, p2, p3]) == port
            && !matches!(kind, NLMSG_NOOP | NLMSG_ERROR | NLMSG_DONE | NLMSG_OVERRUN);
        if !is_wanted {
            return None;
        }
        let attributes = self.rest.get(HEADER + GENL_HDRLEN..length)?;
        self.rest = self.rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((command, attributes))
    }

    /// Returns the number of bytes that are left.
    pub(crate) const fn remaining(&self) -> usize {
        self.rest.len()
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, Malformed>;

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let message = read(self.rest);
        self.rest = match &message {
            Ok((_, length)) => self.rest.get(length.next_multiple_of(4)..).unwrap_or_default(),
            Err(_) => &[],
        };
        Some(message.map(|(message, _)| message))
    }
}

#[inline(always)]
fn read(bytes: &[u8]) -> Result<(Message<'_>, usize), Malformed> {
    const WRONG: Malformed = "a message's length is wrong";
    let header: &[u8; HEADER] = bytes.first_chunk().ok_or(WRONG)?;
    let [l0, l1, l2, l3, k0, k1, f0, f1, s0, s1, s2, s3, p0, p1, p2, p3] = *header;
    let length = usize::try_from(u32::from_ne_bytes([l0, l1, l2, l3])).map_err(|_| WRONG)?;
    let payload = bytes.get(HEADER..length).ok_or(WRONG)?;
    let flags = u16::from_ne_bytes([f0, f1]);
    let content = match u16::from_ne_bytes([k0, k1]) {
        NLMSG_NOOP => Content::Noop,
        NLMSG_ERROR => match extack::read_error(flags, payload)? {
            None => Content::Ack,
            Some(refusal) => Content::Refused(refusal),
        },
        NLMSG_DONE => Content::Done(extack::read_done(flags, payload)?),
        NLMSG_OVERRUN => Content::Overrun,
        _ => {
            let (header, attributes) =
                payload.split_at_checked(GENL_HDRLEN).ok_or("a message without a command")?;
            Content::Data { command: header.first().copied().unwrap_or_default(), attributes }
        }
    };
    let sequence = u32::from_ne_bytes([s0, s1, s2, s3]);
    let port = u32::from_ne_bytes([p0, p1, p2, p3]);
    Ok((Message { sequence, port, content }, length))
}

/// The fields of a message to be sent.
#[derive(Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) kind: u16,
    pub(crate) flags: u16,
    pub(crate) sequence: u32,
}

impl Frame {
    /// Returns the header of the message, without its length.
    #[inline]
    fn put(self, into: &mut impl Put) {
        into.raw([0; 4]);
        into.raw(self.kind.to_ne_bytes());
        into.raw(self.flags.to_ne_bytes());
        into.raw(self.sequence.to_ne_bytes());
        into.raw([0; 4]);
    }
}

/// Appends a message without a payload.
pub(crate) fn append_empty(buffer: &mut Vec<u8>, frame: Frame) {
    let start = buffer.len();
    frame.put(&mut Writer::new(buffer));
    finish(buffer, start);
}

/// Appends a message of a generic netlink family. `fill` receives the headers and writes the
/// message.
#[inline]
pub(crate) fn append(
    buffer: &mut Vec<u8>,
    frame: Frame,
    header: GenlHeader,
    fill: impl FnOnce([u8; HEADER + GENL_HDRLEN], &mut Writer<'_>),
) {
    let start = buffer.len();
    let headers = Block::filled(|block| {
        frame.put(block);
        block.raw([header.cmd, header.version, 0, 0]);
    });
    fill(headers, &mut Writer::new(buffer));
    finish(buffer, start);
}

/// Writes the length of the message that begins at `start`.
fn finish(buffer: &mut [u8], start: usize) {
    let length = u32::try_from(buffer.len() - start).unwrap_or(u32::MAX);
    if let Some(field) = buffer.get_mut(start..start + 4) {
        field.copy_from_slice(&length.to_ne_bytes());
    }
}
