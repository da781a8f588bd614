//! Writing messages and attributes as the kernel lays them out.

use crate::fake::netlink::message::{GENERIC_HEADER, HEADER};

/// Writes messages into a datagram.
#[derive(Debug)]
pub(in crate::fake) struct Writer<'b> {
    buffer: &'b mut Vec<u8>,
    /// Whether values of 64 bits are aligned, and how far the datagram begins after a multiple
    /// of eight bytes in the kernel's memory.
    alignment: Option<usize>,
}

/// The place of the length of something that is not written to its end.
#[derive(Debug)]
#[must_use]
pub(in crate::fake) struct Open(usize);

/// The header of a message.
#[derive(Clone, Copy, Debug)]
pub(in crate::fake) struct Header {
    pub(in crate::fake) kind: u16,
    pub(in crate::fake) flags: u16,
    pub(in crate::fake) sequence: u32,
    pub(in crate::fake) port: u32,
}

impl<'b> Writer<'b> {
    pub(in crate::fake) const fn new(buffer: &'b mut Vec<u8>, alignment: Option<usize>) -> Self {
        Self { buffer, alignment }
    }

    pub(in crate::fake) fn len(&self) -> usize {
        self.buffer.len()
    }

    /// Takes back what was written after the first `length` bytes.
    pub(in crate::fake) fn truncate(&mut self, length: usize) {
        self.buffer.truncate(length);
    }

    pub(in crate::fake) fn begin(&mut self, header: Header) -> Open {
        let open = Open(self.buffer.len());
        let mut bytes = [0; HEADER];
        let fields = [
            (4, &header.kind.to_ne_bytes()[..]),
            (6, &header.flags.to_ne_bytes()),
            (8, &header.sequence.to_ne_bytes()),
            (12, &header.port.to_ne_bytes()),
        ];
        for (at, field) in fields {
            if let Some(place) = bytes.get_mut(at..at + field.len()) {
                place.copy_from_slice(field);
            }
        }
        self.buffer.extend_from_slice(&bytes);
        open
    }

    /// Begins a generic netlink message.
    pub(in crate::fake) fn begin_generic(
        &mut self,
        header: Header,
        command: u8,
        version: u8,
    ) -> Open {
        let open = self.begin(header);
        let bytes: [u8; GENERIC_HEADER] = [command, version, 0, 0];
        self.buffer.extend_from_slice(&bytes);
        open
    }

    pub(in crate::fake) fn end(&mut self, Open(start): Open) {
        let length = u32::try_from(self.buffer.len() - start).unwrap_or(u32::MAX);
        if let Some(place) = self.buffer.get_mut(start..start + 4) {
            place.copy_from_slice(&length.to_ne_bytes());
        }
    }

    /// Writes bytes and fills up to a multiple of four.
    pub(in crate::fake) fn bytes(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
        let aligned = self.buffer.len().next_multiple_of(4);
        self.buffer.resize(aligned, 0);
    }

    pub(in crate::fake) fn put(&mut self, kind: u16, value: &[u8]) {
        let length = u16::try_from(4 + value.len()).unwrap_or(u16::MAX);
        let [a, b] = length.to_ne_bytes();
        let [c, d] = kind.to_ne_bytes();
        self.buffer.extend_from_slice(&[a, b, c, d]);
        self.bytes(value);
    }

    pub(in crate::fake) fn put_u8(&mut self, kind: u16, value: u8) {
        self.put(kind, &[value]);
    }

    pub(in crate::fake) fn put_u16(&mut self, kind: u16, value: u16) {
        self.put(kind, &value.to_ne_bytes());
    }

    pub(in crate::fake) fn put_port(&mut self, kind: u16, value: u16) {
        self.put(kind, &value.to_be_bytes());
    }

    pub(in crate::fake) fn put_u32(&mut self, kind: u16, value: u32) {
        let [a, b] = 8_u16.to_ne_bytes();
        let [c, d] = kind.to_ne_bytes();
        let [e, f, g, h] = value.to_ne_bytes();
        self.buffer.extend_from_slice(&[a, b, c, d, e, f, g, h]);
    }

    /// Writes a value of 64 bits, behind a PAD attribute of the type `pad` if it must be aligned.
    pub(in crate::fake) fn put_u64(&mut self, kind: u16, value: u64, pad: u16) {
        if self.alignment.is_some_and(|start| (start + self.buffer.len()) % 8 == 0) {
            self.put(pad, &[]);
        }
        self.put(kind, &value.to_ne_bytes());
    }

    /// Writes a text with its NUL.
    pub(in crate::fake) fn put_text(&mut self, kind: u16, text: &str) {
        let length = u16::try_from(5 + text.len()).unwrap_or(u16::MAX);
        self.buffer.extend_from_slice(&length.to_ne_bytes());
        self.buffer.extend_from_slice(&kind.to_ne_bytes());
        self.buffer.extend_from_slice(text.as_bytes());
        self.bytes(&[0]);
    }

    pub(in crate::fake) fn begin_nest(&mut self, kind: u16) -> Open {
        let open = Open(self.buffer.len());
        self.put(kind, &[]);
        open
    }

    pub(in crate::fake) fn end_nest(&mut self, Open(start): Open) {
        let length = u16::try_from(self.buffer.len() - start).unwrap_or(u16::MAX);
        if let Some(place) = self.buffer.get_mut(start..start + 2) {
            place.copy_from_slice(&length.to_ne_bytes());
        }
    }

    /// Whether values of 64 bits have their place without PAD attributes.
    pub(in crate::fake) const fn is_dense(&self) -> bool {
        self.alignment.is_none()
    }
}
