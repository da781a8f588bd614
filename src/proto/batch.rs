use netlink_packet_core::NLMSG_ERROR;

use crate::proto::Refusal;
use crate::proto::datagram::{Content, Messages};
use crate::wire::Malformed;

/// Requests that were sent together. Only the last one asked for an acknowledgement.
#[derive(Debug)]
pub(crate) struct Batch {
    port: u32,
    first: u32,
    last: u32,
    refusals: Vec<(u32, Refusal)>,
}

/// Whether all answers to a [`Batch`] have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Answers are missing.
    Open,
    /// Every request was executed or refused.
    Complete,
}

impl Batch {
    pub(crate) const fn new(port: u32, first: u32, last: u32) -> Self {
        Self { port, first, last, refusals: Vec::new() }
    }

    /// Reads the answers in a datagram.
    #[inline]
    pub(crate) fn read(&mut self, datagram: &[u8]) -> Result<Verdict, Malformed> {
        match self.is_acknowledged_by(datagram) {
            true => Ok(Verdict::Complete),
            false => self.walk(datagram),
        }
    }

    /// Returns `true` for the usual datagram: only the acknowledgement of the last request.
    #[inline]
    fn is_acknowledged_by(&self, datagram: &[u8]) -> bool {
        let Some(&[l0, l1, l2, l3, k0, k1, _, _, s0, s1, s2, s3, p0, p1, p2, p3, code @ ..]) =
            datagram.first_chunk::<20>()
        else {
            return false;
        };
        u32::from_ne_bytes([s0, s1, s2, s3]) == self.last
            && u32::from_ne_bytes([p0, p1, p2, p3]) == self.port
            && u16::from_ne_bytes([k0, k1]) == NLMSG_ERROR
            && code == [0; 4]
            && usize::try_from(u32::from_ne_bytes([l0, l1, l2, l3])) == Ok(datagram.len())
    }

    /// Reads the answers in any other datagram.
    pub(crate) fn walk(&mut self, datagram: &[u8]) -> Result<Verdict, Malformed> {
        let mut verdict = Verdict::Open;
        for message in Messages::new(datagram) {
            let message = message?;
            if message.port != self.port || !self.contains(message.sequence) {
                continue;
            }
            match message.content {
                Content::Ack => {}
                Content::Refused(refusal) | Content::Done(Some(refusal)) => {
                    self.refusals.push((message.sequence, refusal));
                }
                Content::Done(None) => return Err("the end of a dump as the answer to a change"),
                Content::Data { .. } => return Err("data as the answer to a change"),
                Content::Overrun => return Err("the kernel lost the answer"),
                Content::Noop => continue,
            }
            if message.sequence == self.last {
                verdict = Verdict::Complete;
            }
        }
        Ok(verdict)
    }

    /// Compares by distance, because sequence numbers wrap around and skip 0.
    #[inline]
    fn contains(&self, sequence: u32) -> bool {
        sequence != 0 && sequence.wrapping_sub(self.first) <= self.last.wrapping_sub(self.first)
    }

    /// Returns `true` if `test` holds for any refusal.
    pub(crate) fn any_refusal(&self, test: impl Fn(&Refusal) -> bool) -> bool {
        self.refusals.iter().any(|(_, refusal)| test(refusal))
    }

    /// Returns `true` if each of the first `count` requests was refused and `test` holds for each
    /// refusal.
    pub(crate) fn all_refused(&self, count: usize, test: impl Fn(&Refusal) -> bool) -> bool {
        count > 0 && (0..).take(count).all(|index| self.refusal(index).is_some_and(&test))
    }

    /// Returns the refusal of the request at `index`, if there is one.
    pub(crate) fn refusal(&self, index: u32) -> Option<&Refusal> {
        let mut wanted = self.first.wrapping_add(index);
        if wanted < self.first {
            wanted = wanted.wrapping_add(1);
        }
        let find = |(sequence, _): &&(u32, Refusal)| *sequence == wanted;
        self.refusals.iter().find(find).map(|(_, refusal)| refusal)
    }
}
