//! The two messages of the protocol, in protocol buffers and framed for gRPC.
//!
//! By hand, because they have one field each.

use bytes::{BufMut as _, Bytes, BytesMut};

use crate::health::probe::excerpt::Excerpt;

/// The longest answer that is read, in bytes.
pub(super) const LONGEST: usize = 4096;

/// The field of the service in the request, and of the status in the answer.
const FIELD: u64 = 1;

/// Wire types of protocol buffers.
const VARINT: u64 = 0;
const EIGHT_BYTES: u64 = 1;
const LENGTH: u64 = 2;
const FOUR_BYTES: u64 = 5;

/// Returns the message `HealthCheckRequest`.
pub(super) fn request(service: &str) -> Bytes {
    let mut message = BytesMut::new();
    if !service.is_empty() {
        put_varint(&mut message, FIELD << 3 | LENGTH);
        put_varint(&mut message, u64::try_from(service.len()).unwrap_or(u64::MAX));
        message.put_slice(service.as_bytes());
    }
    let mut framed = BytesMut::new();
    // Not compressed.
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    framed.unsplit(message);
    framed.freeze()
}

fn put_varint(message: &mut BytesMut, mut number: u64) {
    while number >= 0x80 {
        message.put_u8(0x80 | u8::try_from(number & 0x7f).unwrap_or_default());
        number >>= 7;
    }
    message.put_u8(u8::try_from(number).unwrap_or_default());
}

/// Judges an answer with the message `HealthCheckResponse`.
pub(super) fn judge(framed: &[u8]) -> Result<(), String> {
    let malformed = || format!("gRPC: the answer is no health message: {}", Excerpt(framed));
    let (head, message) = framed.split_at_checked(5).ok_or_else(malformed)?;
    let (compressed, length) = head.split_first().ok_or_else(malformed)?;
    let length = length.iter().fold(0, |sum, byte| (sum << 8) | usize::from(*byte));
    if *compressed != 0 {
        return Err("gRPC: the answer is compressed".to_owned());
    }
    if message.len() != length {
        return Err(malformed());
    }
    match status(message).ok_or_else(malformed)? {
        1 => Ok(()),
        0 => Err("gRPC: UNKNOWN".to_owned()),
        2 => Err("gRPC: NOT_SERVING".to_owned()),
        3 => Err("gRPC: SERVICE_UNKNOWN".to_owned()),
        other => Err(format!("gRPC: status {other}")),
    }
}

/// Returns the status in a message; 0 where it is left out. Skips fields that are not known.
fn status(mut message: &[u8]) -> Option<u64> {
    let mut status = 0;
    while !message.is_empty() {
        let (key, rest) = varint(message)?;
        let (number, rest) = match key & 7 {
            VARINT => varint(rest)?,
            EIGHT_BYTES => (0, rest.get(8..)?),
            LENGTH => {
                let (length, rest) = varint(rest)?;
                (0, rest.get(usize::try_from(length).ok()?..)?)
            }
            FOUR_BYTES => (0, rest.get(4..)?),
            _ => return None,
        };
        if key == FIELD << 3 | VARINT {
            status = number;
        }
        message = rest;
    }
    Some(status)
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0;
    for (at, byte) in bytes.iter().enumerate().take(10) {
        number |= u64::from(byte & 0x7f).checked_shl(7 * u32::try_from(at).ok()?)?;
        if *byte < 0x80 {
            return Some((number, bytes.get(at + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_request_names_its_service() {
        assert_eq!(&request("")[..], [0; 5]);
        assert_eq!(&request("ab")[..], b"\0\0\0\0\x04\x0a\x02ab");
        let long = request(&"x".repeat(300));
        assert_eq!(long[..8], [0, 0, 0, 1, 47, 0x0a, 0xac, 0x02]);
        assert_eq!(long.len(), 5 + 303);
    }

    #[test]
    fn only_serving_passes() {
        let answer = |message: &[u8]| {
            judge(&[&[0, 0, 0, 0, u8::try_from(message.len()).unwrap()], message].concat())
        };
        assert_eq!(answer(&[8, 1]), Ok(()));
        // With fields that are not known, and the last of two that are the same.
        assert_eq!(answer(&[0x12, 1, 9, 8, 2, 0x1d, 1, 2, 3, 4, 8, 1]), Ok(()));
        assert_eq!(answer(&[]).unwrap_err(), "gRPC: UNKNOWN");
        assert_eq!(answer(&[8, 2]).unwrap_err(), "gRPC: NOT_SERVING");
        assert_eq!(answer(&[8, 3]).unwrap_err(), "gRPC: SERVICE_UNKNOWN");
        assert_eq!(answer(&[8, 0x81, 1]).unwrap_err(), "gRPC: status 129");
        for odd in [&[8][..], &[0x0b, 1], &[0x12, 9, 1], &[8, 0xff], &[0xff; 11]] {
            assert!(answer(odd).unwrap_err().contains("no health message"), "{odd:?}");
        }
        assert!(judge(&[0, 0, 0, 0, 3, 8, 1]).is_err());
        assert_eq!(judge(&[1, 0, 0, 0, 2, 8, 1]).unwrap_err(), "gRPC: the answer is compressed");
        assert!(judge(b"").is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = judge(&bytes);
            let framed = [&[0, 0, 0, 0, u8::try_from(bytes.len()).unwrap()], &bytes[..]].concat();
            let _ = judge(&framed);
        }
    }
}
