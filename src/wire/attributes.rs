//! Netlink attributes: a reader over received bytes and a writer into a buffer.

use netlink_packet_core::{NLA_F_NESTED, NLA_HEADER_SIZE, NLA_TYPE_MASK};

use crate::wire::Malformed;

/// Iterates over the attributes in a part of a message: kind, without flags, and value.
///
/// Ends after the first malformed attribute. The `NlasIterator` of netlink-packet-core does the same
/// at ten times the cost, because its calls cannot be inlined (`benches/README.md`).
#[derive(Clone)]
pub(crate) struct Attributes<'a> {
    rest: &'a [u8],
}

impl<'a> Attributes<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<(u16, &'a [u8]), Malformed>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let attribute = split(self.rest);
        self.rest = match &attribute {
            Some((_, value)) => {
                let length = NLA_HEADER_SIZE + value.len();
                self.rest.get(length.next_multiple_of(4)..).unwrap_or_default()
            }
            None => &[],
        };
        Some(attribute.ok_or("an attribute's length is wrong"))
    }
}

#[inline]
fn split(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let [l0, l1, k0, k1] = *bytes.first_chunk()?;
    let length = usize::from(u16::from_ne_bytes([l0, l1]));
    let kind = u16::from_ne_bytes([k0, k1]) & NLA_TYPE_MASK;
    Some((kind, bytes.get(NLA_HEADER_SIZE..length)?))
}

/// Writes attributes one after the other.
pub(crate) trait Put {
    /// Writes bytes that are no attribute, such as headers.
    fn raw<const N: usize>(&mut self, bytes: [u8; N]);

    #[inline(always)]
    fn u8(&mut self, kind: u16, value: u8) {
        let [k0, k1] = kind.to_ne_bytes();
        let [l0, l1] = 5_u16.to_ne_bytes();
        self.raw([l0, l1, k0, k1, value, 0, 0, 0]);
    }

    #[inline(always)]
    fn u16(&mut self, kind: u16, value: u16) {
        self.two(kind, value.to_ne_bytes());
    }

    #[inline(always)]
    fn u16_be(&mut self, kind: u16, value: u16) {
        self.two(kind, value.to_be_bytes());
    }

    #[inline(always)]
    fn two(&mut self, kind: u16, [v0, v1]: [u8; 2]) {
        let [k0, k1] = kind.to_ne_bytes();
        let [l0, l1] = 6_u16.to_ne_bytes();
        self.raw([l0, l1, k0, k1, v0, v1, 0, 0]);
    }

    #[inline(always)]
    fn u32(&mut self, kind: u16, value: u32) {
        self.four(kind, value.to_ne_bytes());
    }

    #[inline(always)]
    fn four(&mut self, kind: u16, value: [u8; 4]) {
        self.header(8, kind);
        self.raw(value);
    }

    #[inline(always)]
    fn eight(&mut self, kind: u16, value: [u8; 8]) {
        self.header(12, kind);
        self.raw(value);
    }

    #[inline(always)]
    fn sixteen(&mut self, kind: u16, value: [u8; 16]) {
        self.header(20, kind);
        self.raw(value);
    }

    /// Writes the header of an attribute. `length` includes the header.
    #[inline(always)]
    fn header(&mut self, length: u16, kind: u16) {
        let [l0, l1] = length.to_ne_bytes();
        let [k0, k1] = kind.to_ne_bytes();
        self.raw([l0, l1, k0, k1]);
    }
}

/// A buffer for attributes whose total length is known. Writing them together is cheaper.
pub(crate) struct Block<'b, const N: usize> {
    bytes: &'b mut [u8; N],
    length: usize,
}

impl<const N: usize> Block<'_, N> {
    #[inline(always)]
    pub(crate) fn filled(fill: impl FnOnce(&mut Block<'_, N>)) -> [u8; N] {
        let mut bytes = [0; N];
        Block { bytes: &mut bytes, length: 0 }.fill(fill);
        bytes
    }

    #[inline(always)]
    fn fill(mut self, fill: impl FnOnce(&mut Self)) {
        fill(&mut self);
        debug_assert_eq!(self.length, N);
    }
}

impl<const N: usize> Put for Block<'_, N> {
    #[inline(always)]
    fn raw<const M: usize>(&mut self, bytes: [u8; M]) {
        if let Some(slot) = self.bytes.get_mut(self.length..self.length + M) {
            slot.copy_from_slice(&bytes);
        }
        self.length += M;
    }
}

/// Appends attributes to a buffer.
pub(crate) struct Writer<'b> {
    buffer: &'b mut Vec<u8>,
}

impl Put for Writer<'_> {
    #[inline]
    fn raw<const N: usize>(&mut self, bytes: [u8; N]) {
        self.buffer.extend_from_slice(&bytes);
    }
}

impl<'b> Writer<'b> {
    pub(crate) fn new(buffer: &'b mut Vec<u8>) -> Self {
        Self { buffer }
    }

    /// Appends `N` bytes, which `fill` writes.
    #[inline(always)]
    pub(crate) fn block<const N: usize>(&mut self, fill: impl FnOnce(&mut Block<'_, N>)) {
        self.buffer.extend_from_slice(&[0; N]);
        if let Some(bytes) = self.buffer.last_chunk_mut() {
            Block { bytes, length: 0 }.fill(fill);
        }
    }

    /// Writes a text with its terminating NUL. Cuts a text that is longer than any name in the
    /// kernel.
    pub(crate) fn string(&mut self, kind: u16, text: &[u8]) {
        let mut attribute = [0; 24];
        let (header, value) = attribute.split_at_mut(NLA_HEADER_SIZE);
        let text = text.get(..value.len() - 1).unwrap_or(text);
        for (slot, byte) in value.iter_mut().zip(text) {
            *slot = *byte;
        }
        let length = NLA_HEADER_SIZE + text.len() + 1;
        let [l0, l1] = u16::try_from(length).unwrap_or(u16::MAX).to_ne_bytes();
        let [k0, k1] = kind.to_ne_bytes();
        header.copy_from_slice(&[l0, l1, k0, k1]);
        let padded = attribute.get(..length.next_multiple_of(4)).unwrap_or(&attribute);
        self.buffer.extend_from_slice(padded);
    }

    /// Writes an attribute that contains the attributes that `fill` writes.
    #[inline]
    pub(crate) fn nest(&mut self, kind: u16, fill: impl FnOnce(&mut Self)) {
        let start = self.buffer.len();
        self.header(0, kind | NLA_F_NESTED);
        fill(self);
        let length = self.buffer.len() - start;
        debug_assert!(length <= usize::from(u16::MAX));
        let length = u16::try_from(length).unwrap_or(u16::MAX).to_ne_bytes();
        if let Some(field) = self.buffer.get_mut(start..start + 2) {
            field.copy_from_slice(&length);
        }
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
            writer.eight(5, [0xff; 8]);
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
