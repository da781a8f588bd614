use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::health::probe::dns::{DnsCheck, DnsCode, DnsType};

/// The class of the Internet.
const IN: u16 = 1;

const HEADER: usize = 12;

/// A query as it is sent.
pub(super) struct Query {
    bytes: Vec<u8>,
}

/// What an answer says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) code: DnsCode,
    pub(super) truncated: bool,
    pub(super) addresses: BTreeSet<IpAddr>,
}

/// Why a message is no answer to the query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// It answers another query.
    Other,
    /// It ends too early, or a part of it does not fit in.
    Malformed,
}

impl Query {
    pub(super) fn new(check: &DnsCheck, id: [u8; 2]) -> Self {
        let mut bytes = id.to_vec();
        bytes.extend([u8::from(check.recursion), 0, 0, 1, 0, 0, 0, 0, 0, 0]);
        for label in check.name.split('.').filter(|label| !label.is_empty()) {
            // A label has at most 63 bytes.
            bytes.push(u8::try_from(label.len()).unwrap_or_default());
            bytes.extend(label.bytes());
        }
        bytes.push(0);
        bytes.extend(check.kind.0.to_be_bytes());
        bytes.extend(IN.to_be_bytes());
        Self { bytes }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the query as TCP carries it, with its length.
    pub(super) fn with_length(&self) -> Vec<u8> {
        let length = u16::try_from(self.bytes.len()).unwrap_or_default();
        [&length.to_be_bytes(), &*self.bytes].concat()
    }

    /// Reads an answer to this query.
    ///
    /// Names in it are passed over, and never followed: a loop of compressed names costs nothing.
    pub(super) fn answer(&self, message: &[u8]) -> Result<Answer, Unread> {
        let mut reader = Reader(message);
        let id = reader.take(2).ok_or(Unread::Malformed)?;
        let [flags, more] = reader.array().ok_or(Unread::Malformed)?;
        let [questions, answers, _, _] = [(); 4].map(|()| reader.number());
        // An answer with the operation of a query.
        let is_answer = flags & 0xf8 == 0x80;
        if Some(id) != self.bytes.get(..2) || !is_answer {
            return Err(Unread::Other);
        }
        let code = DnsCode::of_bits(more);
        let truncated = flags & 2 != 0;
        let answers = answers.ok_or(Unread::Malformed)?;
        match questions.ok_or(Unread::Malformed)? {
            1 => {
                let question = self.bytes.get(HEADER..).unwrap_or_default();
                let echoed = reader.take(question.len()).ok_or(Unread::Other)?;
                if !echoed.eq_ignore_ascii_case(question) {
                    return Err(Unread::Other);
                }
            }
            // A server that did not understand the query need not repeat it.
            0 if code == DnsCode::FORMAT_ERROR && answers == 0 => {}
            _ => return Err(Unread::Other),
        }
        let mut addresses = BTreeSet::new();
        if !truncated {
            for _ in 0..answers {
                addresses.extend(reader.record().ok_or(Unread::Malformed)?);
            }
        }
        Ok(Answer { code, truncated, addresses })
    }
}

/// The rest of a message.
struct Reader<'m>(&'m [u8]);

impl<'m> Reader<'m> {
    fn take(&mut self, length: usize) -> Option<&'m [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn number(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    /// Passes over a name: labels that end with an empty one or with a pointer.
    fn name(&mut self) -> Option<()> {
        loop {
            let [length] = self.array()?;
            match length {
                0 => return Some(()),
                1..=63 => drop(self.take(length.into())?),
                0xc0.. => return self.take(1).map(drop),
                // Other kinds of labels do not exist.
                _ => return None,
            }
        }
    }

    /// Reads a record. The inner value is its address, if it is one.
    fn record(&mut self) -> Option<Option<IpAddr>> {
        self.name()?;
        let (kind, class) = (self.number()?, self.number()?);
        let _time_to_live = self.take(4)?;
        let length = self.number()?;
        let data = self.take(length.into())?;
        if class != IN {
            return Some(None);
        }
        match DnsType(kind) {
            DnsType::A => {
                let address: [u8; 4] = data.try_into().ok()?;
                Some(Some(Ipv4Addr::from(address).into()))
            }
            DnsType::AAAA => {
                let address: [u8; 16] = data.try_into().ok()?;
                Some(Some(Ipv6Addr::from(address).into()))
            }
            _ => Some(None),
        }
    }
}
