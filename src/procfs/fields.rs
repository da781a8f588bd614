//! The parts of a line.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The length of an IPv4 address.
const IPV4_DIGITS: usize = 8;

/// The length of an IPv6 address, with colons.
const IPV6_DIGITS: usize = 39;

/// Takes the first word off `rest`. The word is empty at the end of the line.
#[inline]
pub(super) fn word<'l>(rest: &mut &'l [u8]) -> &'l [u8] {
    while let [b' ' | b'\t', tail @ ..] = rest {
        *rest = tail;
    }
    let length = rest.iter().position(|byte| *byte == b' ').unwrap_or(rest.len());
    let (word, tail) = rest.split_at_checked(length).unwrap_or_default();
    *rest = tail;
    word
}

/// Takes the first word off `rest`, which normally has `length` bytes. Faster than [`word`].
#[inline]
fn word_of<'l>(length: usize, rest: &mut &'l [u8]) -> &'l [u8] {
    match rest.split_at_checked(length) {
        Some((word, [b' ', tail @ ..])) => {
            *rest = tail;
            word
        }
        _ => word(rest),
    }
}

/// Takes an address and a port off `rest`.
#[inline]
pub(super) fn socket_words<'l>(rest: &mut &'l [u8]) -> [&'l [u8]; 2] {
    let length = if rest.get(IPV4_DIGITS) == Some(&b' ') { IPV4_DIGITS } else { IPV6_DIGITS };
    [word_of(length, rest), word_of(4, rest)]
}

/// Returns the value of a hexadecimal digit, or a value above 15.
#[inline]
const fn digit(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => byte - b'0',
        b'A'..=b'F' => byte - b'A' + 10,
        b'a'..=b'f' => byte - b'a' + 10,
        _ => 0xff,
    }
}

/// Reads a number of 1 to `digits` hexadecimal digits.
#[inline]
fn hex(text: &[u8], digits: usize) -> Option<u64> {
    if text.is_empty() || text.len() > digits {
        return None;
    }
    let (mut number, mut all) = (0, 0);
    for byte in text {
        let digit = digit(*byte);
        number = number << 4 | u64::from(digit & 0xf);
        all |= digit;
    }
    (all <= 0xf).then_some(number)
}

/// Reads a 64-bit number in hexadecimal digits.
pub(super) fn counter(text: &[u8]) -> Option<u64> {
    hex(text, 16)
}

/// Reads a number in decimal digits.
#[inline]
pub(super) fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u64, |number, byte| match byte {
        b'0'..=b'9' => number.checked_mul(10)?.checked_add(u64::from(byte - b'0')),
        _ => None,
    })
}

/// Reads a port: four hexadecimal digits.
#[inline]
pub(super) fn port(text: &[u8]) -> Option<u16> {
    if text.len() != 4 {
        return None;
    }
    hex(text, 4)?.try_into().ok()
}

/// Reads an address: eight hexadecimal digits, or eight groups of four.
#[inline]
pub(super) fn address(text: &[u8]) -> Option<IpAddr> {
    match text.len() {
        IPV4_DIGITS => Some(Ipv4Addr::from_bits(hex(text, IPV4_DIGITS)?.try_into().ok()?).into()),
        IPV6_DIGITS => {
            let mut bits = 0_u128;
            for (at, group) in text.chunks(5).enumerate() {
                let digits = match group {
                    [digits @ .., b':'] if at < 7 => digits,
                    digits if at == 7 => digits,
                    _ => return None,
                };
                bits = bits << 16 | u128::from(port(digits)?);
            }
            Some(Ipv6Addr::from_bits(bits).into())
        }
        _ => None,
    }
}
