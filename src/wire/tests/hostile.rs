//! Bytes that no kernel sends: nothing panics, and what is read is a value that
//! could have been sent.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::wire::tests::any_report::{AnyReport, any_report};
use crate::wire::tests::raw::{attribute, join};

/// Whatever can be read of `bytes` reads the same when it is written.
fn reads_a_value_or_nothing(bytes: &[u8]) -> Result<(), TestCaseError> {
    for command in AnyReport::COMMANDS {
        if let Ok(report) = AnyReport::decode(command, bytes) {
            prop_assert_eq!(AnyReport::decode(command, &report.bytes()), Ok(report));
        }
    }
    Ok(())
}

fn mutated(mut bytes: Vec<u8>, damage: &Damage) -> Vec<u8> {
    if !bytes.is_empty() {
        for (place, bits) in &damage.flips {
            let place = place.index(bytes.len());
            bytes[place] ^= bits;
        }
    }
    if let Some(length) = damage.length {
        bytes.truncate(length.index(bytes.len() + 1));
    }
    bytes
}

/// Bits that flip, and where it is cut off.
#[derive(Clone, Debug)]
struct Damage {
    flips: Vec<(Index, u8)>,
    length: Option<Index>,
}

fn damage() -> impl Strategy<Value = Damage> {
    let flips = vec((any::<Index>(), any::<u8>()), 0..4);
    (flips, option::weighted(0.3, any::<Index>()))
        .prop_map(|(flips, length)| Damage { flips, length })
}

/// Attributes of kinds and lengths that are about right, in a nest.
fn plausible() -> impl Strategy<Value = Vec<u8>> {
    let length = prop_oneof![Just(1_usize), Just(2), Just(4), Just(8), Just(16), 0..20_usize];
    let value = length.prop_flat_map(|length| vec(any::<u8>(), length));
    let attributes = vec((0..18_u16, value), 0..20);
    (0..4_u16, attributes).prop_map(|(nest, attributes)| match nest {
        0 => join(&attributes),
        nest => attribute(nest, &join(&attributes)),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn arbitrary_bytes(bytes in vec(any::<u8>(), 0..300)) {
        reads_a_value_or_nothing(&bytes)?;
    }

    #[test]
    fn plausible_attributes(bytes in plausible()) {
        reads_a_value_or_nothing(&bytes)?;
    }

    #[test]
    fn damaged_reports(report in any_report(), damage in damage()) {
        reads_a_value_or_nothing(&mutated(report.bytes(), &damage))?;
    }
}

#[cfg(target_endian = "little")]
mod captured {
    use std::sync::LazyLock;

    use super::*;
    use crate::wire::tests::capture::Capture;
    use crate::wire::tests::raw::Raw;

    static MESSAGES: LazyLock<Vec<Raw>> = LazyLock::new(|| {
        let answers = Capture::all().into_iter().flat_map(|capture| capture.answers());
        answers.filter(Raw::is_generic).collect()
    });

    #[test]
    fn undamaged_messages() {
        for message in &*MESSAGES {
            reads_a_value_or_nothing(message.attributes()).unwrap();
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1024))]

        #[test]
        fn damaged_messages(which in any::<Index>(), damage in damage()) {
            let message = which.get(&MESSAGES);
            reads_a_value_or_nothing(&mutated(message.attributes().to_vec(), &damage))?;
        }
    }
}
