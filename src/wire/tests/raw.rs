//! Messages and attributes taken apart and put together by hand, apart from the
//! code under test. What is not well-formed panics.

/// The kind of an attribute without its flags, and its value.
pub(crate) type Attribute = (u16, Vec<u8>);

pub(crate) const NESTED: u16 = 0x8000;
pub(crate) const NET_BYTEORDER: u16 = 0x4000;

/// One attribute with its padding.
pub(crate) fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len() + 4).unwrap();
    let mut bytes = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
    bytes.extend_from_slice(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

pub(crate) fn join(attributes: &[Attribute]) -> Vec<u8> {
    attributes.iter().flat_map(|(kind, value)| attribute(*kind, value)).collect()
}

pub(crate) fn split(mut bytes: &[u8]) -> Vec<Attribute> {
    let mut attributes = Vec::new();
    while !bytes.is_empty() {
        let length = usize::from(u16::from_ne_bytes([bytes[0], bytes[1]]));
        let kind = u16::from_ne_bytes([bytes[2], bytes[3]]) & !(NESTED | NET_BYTEORDER);
        attributes.push((kind, bytes[4..length].to_vec()));
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    attributes
}

/// Replaces what is in the only nest of the attributes `bytes`.
pub(crate) fn within(bytes: &[u8], edit: impl FnOnce(Vec<Attribute>) -> Vec<Attribute>) -> Vec<u8> {
    let [(kind, value)] = &split(bytes)[..] else { panic!("not one nest") };
    attribute(*kind, &join(&edit(split(value))))
}

/// A message as it lies in a datagram.
#[derive(Debug)]
pub(crate) struct Raw {
    pub(crate) kind: u16,
    pub(crate) flags: u16,
    pub(crate) sequence: u32,
    pub(crate) port: u32,
    pub(crate) payload: Vec<u8>,
}

impl Raw {
    /// The messages of a datagram.
    pub(crate) fn all(mut datagram: &[u8]) -> Vec<Self> {
        let mut messages = Vec::new();
        while !datagram.is_empty() {
            let word = |at: usize| u32::from_ne_bytes(*datagram[at..].first_chunk().unwrap());
            let length = usize::try_from(word(0)).unwrap();
            messages.push(Self {
                kind: u16::from_ne_bytes([datagram[4], datagram[5]]),
                flags: u16::from_ne_bytes([datagram[6], datagram[7]]),
                sequence: word(8),
                port: word(12),
                payload: datagram[16..length].to_vec(),
            });
            datagram = datagram.get(length.next_multiple_of(4)..).unwrap_or_default();
        }
        messages
    }

    /// Whether it belongs to a family, not to the netlink core.
    pub(crate) fn is_generic(&self) -> bool {
        self.kind >= 16
    }

    pub(crate) fn command(&self) -> u8 {
        self.payload[0]
    }

    pub(crate) fn attributes(&self) -> &[u8] {
        &self.payload[4..]
    }
}
