//! Netlink attributes: a reader over received bytes and a writer into a buffer.

use netlink_packet_core::{NLA_F_NESTED, NLA_HEADER_SIZE, NlasIterator};

use crate::wire::Malformed;

/// The attributes in a piece of a message: kind (flags masked off) and value.
///
/// Ends after the first malformed one.
pub(crate) struct Attributes<'a>(NlasIterator<&'a [u8]>);

impl<'a> Attributes<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(NlasIterator::new(bytes))
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<(u16, &'a [u8]), Malformed>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let attribute = self.0.next()?.ok().and_then(|attribute| {
            let (kind, length) = (attribute.kind(), usize::from(attribute.length()));
            Some((kind, attribute.into_inner().get(NLA_HEADER_SIZE..length)?))
        });
        Some(attribute.ok_or("an attribute's length is wrong"))
    }
}

/// Appends attributes to a buffer.
pub(crate) struct Writer<'b> {
    buffer: &'b mut Vec<u8>,
}

impl<'b> Writer<'b> {
    pub(crate) fn new(buffer: &'b mut Vec<u8>) -> Self {
        Self { buffer }
    }

    /// For what is not an attribute: the headers before them.
    pub(crate) fn raw<const N: usize>(&mut self, bytes: [u8; N]) {
        self.buffer.extend_from_slice(&bytes);
    }

    pub(crate) fn u8(&mut self, kind: u16, value: u8) {
        let [k0, k1] = kind.to_ne_bytes();
        let [l0, l1] = 5_u16.to_ne_bytes();
        self.raw([l0, l1, k0, k1, value, 0, 0, 0]);
    }

    pub(crate) fn u16(&mut self, kind: u16, value: u16) {
        self.two(kind, value.to_ne_bytes());
    }

    pub(crate) fn u16_be(&mut self, kind: u16, value: u16) {
        self.two(kind, value.to_be_bytes());
    }

    fn two(&mut self, kind: u16, [v0, v1]: [u8; 2]) {
        let [k0, k1] = kind.to_ne_bytes();
        let [l0, l1] = 6_u16.to_ne_bytes();
        self.raw([l0, l1, k0, k1, v0, v1, 0, 0]);
    }

    pub(crate) fn u32(&mut self, kind: u16, value: u32) {
        self.four(kind, value.to_ne_bytes());
    }

    pub(crate) fn four(&mut self, kind: u16, [v0, v1, v2, v3]: [u8; 4]) {
        let [k0, k1] = kind.to_ne_bytes();
        let [l0, l1] = 8_u16.to_ne_bytes();
        self.raw([l0, l1, k0, k1, v0, v1, v2, v3]);
    }

    /// A value of any length that fits an attribute; names and addresses do by
    /// far.
    pub(crate) fn bytes(&mut self, kind: u16, value: &[u8]) {
        let start = self.open(kind);
        self.buffer.extend_from_slice(value);
        self.close(start);
    }

    /// A text with its terminating NUL.
    pub(crate) fn string(&mut self, kind: u16, text: &[u8]) {
        let start = self.open(kind);
        self.buffer.extend_from_slice(text);
        self.buffer.push(0);
        self.close(start);
    }

    /// An attribute that holds the attributes that `fill` writes.
    pub(crate) fn nest(&mut self, kind: u16, fill: impl FnOnce(&mut Self)) {
        let start = self.open(kind | NLA_F_NESTED);
        fill(self);
        self.close(start);
    }

    fn open(&mut self, kind: u16) -> usize {
        let start = self.buffer.len();
        let [k0, k1] = kind.to_ne_bytes();
        self.raw([0, 0, k0, k1]);
        start
    }

    /// Writes the length of the attribute that begins at `start` and pads it.
    fn close(&mut self, start: usize) {
        let length = self.buffer.len() - start;
        debug_assert!(length <= usize::from(u16::MAX));
        let field = u16::try_from(length).unwrap_or(u16::MAX).to_ne_bytes();
        if let Some(slot) = self.buffer.get_mut(start..start + 2) {
            slot.copy_from_slice(&field);
        }
        let padded = start + length.next_multiple_of(4);
        self.buffer.resize(padded, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut buffer = vec![0xa5];
        buffer.clear();
        let mut writer = Writer::new(&mut buffer);
        writer.u8(1, 7);
        writer.string(2, b"abcde");
        writer.nest(3, |writer| {
            writer.u16_be(4, 0x0102);
            writer.bytes(5, &[0xff; 8]);
        });
        assert_eq!(buffer.len() % 4, 0);
        let read: Vec<_> = Attributes::new(&buffer).map(Result::unwrap).collect();
        assert_eq!(read[0], (1, &[7][..]));
        assert_eq!(read[1], (2, &b"abcde\0"[..]));
        let nested: Vec<_> = Attributes::new(read[2].1).map(Result::unwrap).collect();
        assert_eq!(nested, [(4, &[1, 2][..]), (5, &[0xff; 8][..])]);
    }

    #[test]
    fn lying_lengths_end_the_reading() {
        for bytes in [&[0][..], &[3, 0, 1, 0], &[9, 0, 1, 0, 0, 0, 0, 0], &[4, 0, 1, 0, 5]] {
            let last = Attributes::new(bytes).last().unwrap();
            assert!(last.is_err() || cfg!(target_endian = "big"), "{bytes:?}");
        }
    }
}
