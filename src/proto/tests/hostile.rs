//! Datagrams that no kernel sends.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::proto::datagram::Messages;
use crate::proto::tests::PORT;
use crate::proto::tests::reply::{HAS_ATTRIBUTES, Reply, datagram};
use crate::proto::{Batch, Dump, Single, Step};

/// Reads a datagram in every way that there is, to its end.
fn read_everyhow(bytes: &[u8], sequence: u32) -> Result<(), TestCaseError> {
    // Every message is at least a header long.
    prop_assert!(Messages::new(bytes).count() <= bytes.len() / 16 + 1);
    let _ = Single::new(PORT, sequence).read(bytes);
    let _ = Batch::new(PORT, sequence, sequence).read(bytes);
    let mut dump = Dump::new(PORT, sequence);
    let ended =
        (0..=bytes.len() / 16 + 1).any(|_| matches!(dump.next(bytes), Ok(Step::NeedsDatagram)));
    prop_assert!(ended, "a dump reads no datagram for ever");
    Ok(())
}

fn reply() -> impl Strategy<Value = Reply> {
    let kind = prop_oneof![0..5_u16, Just(0x22)];
    let flags = prop_oneof![Just(0), Just(HAS_ATTRIBUTES), any::<u16>()];
    (kind, flags, 0..3_u32, vec(any::<u8>(), 0..40)).prop_map(|(kind, flags, sequence, payload)| {
        Reply { kind, flags, sequence, port: PORT, payload }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn arbitrary_bytes(bytes in vec(any::<u8>(), 0..200)) {
        read_everyhow(&bytes, 1)?;
    }

    #[test]
    fn arbitrary_messages_whole_and_damaged(
        replies in vec(reply(), 0..6),
        place in any::<Index>(),
        bits in any::<u8>(),
        length in any::<Index>(),
    ) {
        let mut bytes = datagram(&replies);
        read_everyhow(&bytes, 1)?;
        if !bytes.is_empty() {
            let place = place.index(bytes.len());
            bytes[place] ^= bits;
        }
        bytes.truncate(length.index(bytes.len() + 1));
        read_everyhow(&bytes, 1)?;
    }
}

#[cfg(target_endian = "little")]
proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn damaged_captures(
        which in any::<Index>(),
        flips in vec((any::<Index>(), any::<u8>()), 0..4),
        length in any::<Index>(),
    ) {
        let (sequence, datagram) = which.get(&CAPTURED);
        let mut bytes = datagram.clone();
        for (place, bits) in flips {
            let place = place.index(bytes.len());
            bytes[place] ^= bits;
        }
        read_everyhow(&bytes, *sequence)?;
        bytes.truncate(length.index(bytes.len() + 1));
        read_everyhow(&bytes, *sequence)?;
    }
}

/// The datagrams of all captures as this socket would have got them, with the
/// number of their first message.
#[cfg(target_endian = "little")]
static CAPTURED: std::sync::LazyLock<Vec<(u32, Vec<u8>)>> = std::sync::LazyLock::new(|| {
    use crate::wire::tests::capture::Capture;
    use crate::wire::tests::raw::Raw;

    let received = Capture::all().into_iter().flat_map(|capture| capture.received);
    let to_us = |datagram: Vec<u8>| {
        let messages = Raw::all(&datagram).into_iter().map(|raw| Reply {
            kind: raw.kind,
            flags: raw.flags,
            sequence: raw.sequence,
            port: PORT,
            payload: raw.payload,
        });
        let messages: Vec<_> = messages.collect();
        (messages[0].sequence, crate::proto::tests::reply::datagram(&messages))
    };
    received.map(to_us).collect()
});
