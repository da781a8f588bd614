//! Whatever is sent, nothing panics, and answers are messages.

use proptest::prelude::*;

use crate::fake::tests::captures::{captures, receive, socket, with};
use crate::fake::tests::raw::{messages, request};
use crate::fake::{Kernel, Version};

/// Changes of bytes: which datagram, which byte, what is added.
fn changes() -> impl Strategy<Value = Vec<(prop::sample::Index, prop::sample::Index, u8)>> {
    prop::collection::vec(
        (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 1_u8..),
        0..40,
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn changed_requests_are_answered(changes in changes(), old in any::<bool>()) {
        let (version, name, family) =
            if old { (Version::V6_1, "k61", 28) } else { (Version::V6_12, "k612", 34) };
        let captures = captures(name);
        let mut sent: Vec<Vec<u8>> = captures
            .iter()
            .flat_map(|it| &it.sent)
            .map(|it| with(it, Some((family, 28)), None))
            .collect();
        for (datagram, byte, add) in changes {
            let index = datagram.index(sent.len());
            let byte = byte.index(sent[index].len());
            sent[index][byte] = sent[index][byte].wrapping_add(add);
        }
        let kernel = Kernel::with_version(version);
        let host = kernel.initial();
        host.set_interface("d0".parse().unwrap(), 1500, true);
        let socket = socket(&host, true, false);
        for datagram in &sent {
            socket.send(datagram).unwrap();
            for answer in receive(&socket) {
                prop_assert!(!messages(&answer).is_empty());
            }
            for request in kernel.log() {
                let _ = (request.to_string(), request.change());
            }
            kernel.clear_log();
        }
        let _ = host.table();
    }

    #[test]
    fn any_attributes_are_answered(
        command in 0_u8..20,
        flags in any::<u16>(),
        attributes in prop::collection::vec(any::<u8>(), 0..80),
    ) {
        let kernel = Kernel::new();
        let socket = kernel.socket().unwrap();
        socket.send(&request(1, command, flags, &attributes)).unwrap();
        for answer in receive(&socket) {
            prop_assert!(!messages(&answer).is_empty());
        }
    }
}
