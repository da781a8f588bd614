//! Messages as a kernel sends them, built field by field.

use crate::proto::tests::PORT;
use crate::wire::tests::any_report::AnyReport;
use crate::wire::tests::raw::attribute;

/// The id of the family.
pub(crate) const FAMILY: u16 = 0x22;

const NOOP: u16 = 1;
const ERROR: u16 = 2;
const DONE: u16 = 3;
const OVERRUN: u16 = 4;

pub(crate) const CAPPED: u16 = 0x100;
pub(crate) const HAS_ATTRIBUTES: u16 = 0x200;
pub(crate) const MSG: u16 = 1;
pub(crate) const OFFS: u16 = 2;

/// One message from the kernel.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) kind: u16,
    pub(crate) flags: u16,
    pub(crate) sequence: u32,
    pub(crate) port: u32,
    pub(crate) payload: Vec<u8>,
}

impl Reply {
    fn new(kind: u16, flags: u16, sequence: u32, payload: Vec<u8>) -> Self {
        Self { kind, flags, sequence, port: PORT, payload }
    }

    pub(crate) fn data(sequence: u32, command: u8, attributes: &[u8]) -> Self {
        Self::new(FAMILY, 0, sequence, [&[command, 1, 0, 0], attributes].concat())
    }

    pub(crate) fn report(sequence: u32, report: &AnyReport) -> Self {
        Self::data(sequence, report.command(), &report.bytes())
    }

    pub(crate) fn ack(sequence: u32) -> Self {
        Self::refused(sequence, 0)
    }

    /// The refusal of a request of which the kernel repeats the header only.
    pub(crate) fn refused(sequence: u32, errno: i32) -> Self {
        let header = request_header(16, sequence);
        Self::new(ERROR, CAPPED, sequence, [&(-errno).to_ne_bytes()[..], &header].concat())
    }

    /// The refusal of a request of which the kernel repeats all.
    pub(crate) fn refused_uncapped(sequence: u32, errno: i32, request: &[u8]) -> Self {
        let header = request_header(16 + request.len(), sequence);
        let mut payload = [&(-errno).to_ne_bytes()[..], &header, request].concat();
        payload.resize(payload.len().next_multiple_of(4), 0);
        Self::new(ERROR, 0, sequence, payload)
    }

    pub(crate) fn done(sequence: u32) -> Self {
        Self::done_with(sequence, &0_i32.to_ne_bytes())
    }

    pub(crate) fn done_with(sequence: u32, payload: &[u8]) -> Self {
        Self::new(DONE, 0x2, sequence, payload.to_vec())
    }

    pub(crate) fn noop(sequence: u32) -> Self {
        Self::new(NOOP, 0, sequence, Vec::new())
    }

    pub(crate) fn overrun(sequence: u32) -> Self {
        Self::new(OVERRUN, 0, sequence, Vec::new())
    }

    /// The same with attributes behind it.
    pub(crate) fn with(mut self, attributes: &[(u16, &[u8])]) -> Self {
        self.flags |= HAS_ATTRIBUTES;
        for (kind, value) in attributes {
            self.payload.extend(attribute(*kind, value));
        }
        self
    }

    /// The same to another socket.
    pub(crate) fn for_port(mut self, port: u32) -> Self {
        self.port = port;
        self
    }

    /// The message without padding behind it.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let length = u32::try_from(16 + self.payload.len()).unwrap();
        let mut bytes = length.to_ne_bytes().to_vec();
        bytes.extend(self.kind.to_ne_bytes());
        bytes.extend(self.flags.to_ne_bytes());
        bytes.extend(self.sequence.to_ne_bytes());
        bytes.extend(self.port.to_ne_bytes());
        bytes.extend(&self.payload);
        bytes
    }
}

fn request_header(length: usize, sequence: u32) -> Vec<u8> {
    let length = u32::try_from(length).unwrap();
    let words = [length, u32::from(FAMILY), sequence, 0];
    words.iter().flat_map(|word| word.to_ne_bytes()).collect()
}

/// A datagram: every message but the last is padded.
pub(crate) fn datagram(replies: &[Reply]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for reply in replies {
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes.extend(reply.bytes());
    }
    bytes
}
