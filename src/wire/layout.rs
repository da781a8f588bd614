//! A fast path for attributes at the offsets that current kernels use.

use netlink_packet_core::NLA_HEADER_SIZE;

/// The place of an attribute: its offset, the length of its value, and its kind.
pub(crate) type Place = (usize, u16, u16);

/// Returns `true` if `nest` has an attribute at each of the places. Does not look at the bytes in
/// between.
#[inline]
pub(crate) fn fits<const SIZE: usize, const COUNT: usize>(
    nest: &[u8; SIZE],
    places: &[Place; COUNT],
) -> bool {
    let mut difference = 0;
    for (offset, length, kind) in places {
        difference |= word(nest, *offset) ^ header(*length, *kind);
    }
    difference == 0
}

/// Returns the header of an attribute as one number.
const fn header(length: u16, kind: u16) -> u32 {
    let [l0, l1] = (length + 4).to_ne_bytes();
    let [k0, k1] = kind.to_ne_bytes();
    u32::from_ne_bytes([l0, l1, k0, k1])
}

/// Returns `places`, moved by `by` bytes.
pub(crate) const fn moved<const COUNT: usize>(
    mut places: [Place; COUNT],
    by: usize,
) -> [Place; COUNT] {
    let mut rest: &mut [Place] = &mut places;
    while let [first, others @ ..] = rest {
        first.0 += by;
        rest = others;
    }
    places
}

/// Returns the value of the attribute at `offset`, or zeros if the nest is too short.
#[inline]
pub(crate) fn value<const N: usize>(nest: &[u8], offset: usize) -> [u8; N] {
    let value = nest.get(offset + NLA_HEADER_SIZE..).and_then(|rest| rest.first_chunk());
    value.copied().unwrap_or([0; N])
}

#[inline]
fn word(nest: &[u8], offset: usize) -> u32 {
    let bytes = nest.get(offset..).and_then(|rest| rest.first_chunk());
    bytes.map_or(0, |bytes| u32::from_ne_bytes(*bytes))
}
