//! The messages in a datagram.

use netlink_packet_core::{
    Emitable, NLMSG_DONE, NLMSG_ERROR, NLMSG_NOOP, NLMSG_OVERRUN, NetlinkBuffer, NetlinkHeader,
    Parseable,
};
use netlink_packet_generic::{GenlHeader, constants::GENL_HDRLEN};

use crate::proto::extack::{self, Refusal};
use crate::wire::{Malformed, Writer};

/// Length of a netlink header.
const HEADER: usize = 16;

/// A received message.
pub(crate) struct Message<'a> {
    pub(crate) sequence: u32,
    pub(crate) port: u32,
    pub(crate) content: Content<'a>,
}

/// What a received message says.
pub(crate) enum Content<'a> {
    /// A message of a generic netlink family.
    Data { command: u8, attributes: &'a [u8] },
    /// The request was executed.
    Ack,
    /// The request was refused.
    Refused(Refusal),
    /// A dump is at its end, or failed.
    Done(Option<Refusal>),
    /// The kernel says that it lost data.
    Overrun,
    /// A message without meaning.
    Noop,
}

/// Walks the messages of a datagram: the length of each, rounded up to four bytes,
/// is where the next begins, but the last may end unrounded.
#[derive(Clone)]
pub(crate) struct Messages<'a> {
    rest: &'a [u8],
}

impl<'a> Messages<'a> {
    pub(crate) const fn new(datagram: &'a [u8]) -> Self {
        Self { rest: datagram }
    }

    /// How many bytes have not been walked yet.
    pub(crate) const fn remaining(&self) -> usize {
        self.rest.len()
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, Malformed>;

    #[inline]
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

fn read(bytes: &[u8]) -> Result<(Message<'_>, usize), Malformed> {
    let header = NetlinkBuffer::new_checked(bytes)
        .ok()
        .and_then(|buffer| NetlinkHeader::parse(&buffer).ok())
        .ok_or("a message's length is wrong")?;
    let length = usize::try_from(header.length).map_err(|_| "a message's length is wrong")?;
    let payload = bytes.get(HEADER..length).ok_or("a message's length is wrong")?;
    let content = match header.message_type {
        NLMSG_NOOP => Content::Noop,
        NLMSG_ERROR => match extack::read_error(header.flags, payload)? {
            None => Content::Ack,
            Some(refusal) => Content::Refused(refusal),
        },
        NLMSG_DONE => Content::Done(extack::read_done(header.flags, payload)?),
        NLMSG_OVERRUN => Content::Overrun,
        _ => {
            let header = GenlHeader::parse(payload).map_err(|_| "a message without a command")?;
            let attributes = payload.get(GENL_HDRLEN..).unwrap_or_default();
            Content::Data { command: header.cmd, attributes }
        }
    };
    let message = Message { sequence: header.sequence_number, port: header.port_number, content };
    Ok((message, length))
}

/// The fields of a message to be sent.
#[derive(Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) kind: u16,
    pub(crate) flags: u16,
    pub(crate) sequence: u32,
}

/// Appends a message whose payload `fill` writes.
pub(crate) fn append(buffer: &mut Vec<u8>, frame: Frame, fill: impl FnOnce(&mut Writer<'_>)) {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; HEADER]);
    fill(&mut Writer::new(buffer));
    let mut header = NetlinkHeader::default();
    header.length = u32::try_from(buffer.len() - start).unwrap_or(u32::MAX);
    header.message_type = frame.kind;
    header.flags = frame.flags;
    header.sequence_number = frame.sequence;
    if let Some(slot) = buffer.get_mut(start..start + HEADER) {
        header.emit(slot);
    }
}

/// Appends a message of a generic netlink family.
pub(crate) fn append_generic(
    buffer: &mut Vec<u8>,
    frame: Frame,
    header: GenlHeader,
    fill: impl FnOnce(&mut Writer<'_>),
) {
    append(buffer, frame, |writer| {
        writer.raw([header.cmd, header.version, 0, 0]);
        fill(writer);
    });
}
