//! The state of a socket between requests.

use netlink_packet_core::{NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NLMSG_NOOP};
use netlink_packet_generic::GenlHeader;

use crate::proto::datagram::{Frame, append, append_empty};
use crate::proto::{Batch, Dump, FamilyId, Single, encode_lookup};
use crate::uapi::IPVS_GENL_VERSION;
use crate::wire::Request;

/// The state of one socket: its port and the next sequence number. Every request has its own
/// number, which identifies late answers to abandoned requests.
#[derive(Debug)]
pub(crate) struct Session {
    port: u32,
    next: u32,
    /// Whether a dump or a batch was not read to its end. The kernel does one dump at a time for
    /// each socket, and unread answers use the room of new ones.
    unread: bool,
}

impl Session {
    /// `port` is the kernel's name for the socket.
    pub(crate) const fn new(port: u32) -> Self {
        Self { port, next: 1, unread: false }
    }

    fn sequence(&mut self) -> u32 {
        let sequence = self.next;
        // Unsolicited messages have the number 0.
        self.next = self.next.checked_add(1).unwrap_or(1);
        sequence
    }

    /// Writes the request for the id of the family.
    pub(crate) fn lookup(&mut self, buffer: &mut Vec<u8>) -> Single {
        let sequence = self.sequence();
        buffer.clear();
        encode_lookup(buffer, sequence);
        Single::new(self.port, sequence)
    }

    /// Writes a request that the kernel answers with one message. It asks for no acknowledgement,
    /// because that would be a second message.
    pub(crate) fn single(
        &mut self,
        buffer: &mut Vec<u8>,
        family: FamilyId,
        request: &Request<'_>,
    ) -> Single {
        let sequence = self.sequence();
        buffer.clear();
        append_request(buffer, family, NLM_F_REQUEST, sequence, request);
        Single::new(self.port, sequence)
    }

    /// Writes a request that the kernel answers with a dump.
    pub(crate) fn dump(
        &mut self,
        buffer: &mut Vec<u8>,
        family: FamilyId,
        request: &Request<'_>,
    ) -> Dump {
        let sequence = self.sequence();
        buffer.clear();
        append_request(buffer, family, NLM_F_REQUEST | NLM_F_DUMP, sequence, request);
        self.unread = true;
        Dump::new(self.port, sequence)
    }

    /// Returns `true` if answers to abandoned requests may be in the socket.
    pub(crate) const fn has_unread(&self) -> bool {
        self.unread
    }

    /// Notes that all answers have been read.
    pub(crate) const fn all_read(&mut self) {
        self.unread = false;
    }

    /// Writes requests of which only the last asks for an acknowledgement. The kernel reports every
    /// request that it refuses, so the answer to the last one says that the others are done.
    ///
    /// With a `fence` a message that does nothing follows and asks for the acknowledgement instead.
    /// The kernel may never answer the stop of a daemon whose thread has not run yet:
    /// `af_netlink.c:netlink_rcv_skb` takes the EINTR of the handler for "no acknowledgement".
    pub(crate) fn batch<'a>(
        &mut self,
        buffer: &mut Vec<u8>,
        family: FamilyId,
        requests: impl ExactSizeIterator<Item = Request<'a>>,
        fence: bool,
    ) -> Batch {
        let count = requests.len();
        let first = self.next;
        let mut last = first;
        buffer.clear();
        for (index, request) in requests.enumerate() {
            last = self.sequence();
            let acknowledge = !fence && index + 1 == count;
            let flags = if acknowledge { NLM_F_REQUEST | NLM_F_ACK } else { NLM_F_REQUEST };
            append_request(buffer, family, flags, last, &request);
        }
        if fence {
            last = self.sequence();
            let flags = NLM_F_REQUEST | NLM_F_ACK;
            append_empty(buffer, Frame { kind: NLMSG_NOOP, flags, sequence: last });
        }
        self.unread = true;
        Batch::new(self.port, first, last)
    }

    #[cfg(test)]
    pub(crate) fn starting_at(port: u32, next: u32) -> Self {
        Self { port, next, unread: false }
    }
}

#[inline]
fn append_request(
    buffer: &mut Vec<u8>,
    family: FamilyId,
    flags: u16,
    sequence: u32,
    request: &Request<'_>,
) {
    let frame = Frame { kind: family.number(), flags, sequence };
    let header = GenlHeader { cmd: request.command(), version: IPVS_GENL_VERSION };
    append(buffer, frame, header, |headers, writer| {
        request.encode_message(headers, writer);
    });
}
