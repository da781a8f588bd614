//! Every file of `tests/fixtures`, so that none is left out.

use crate::proto::datagram::{Content, Messages};
use crate::wire::tests::any_report::AnyReport;
use crate::wire::tests::capture::{Capture, KERNELS};
use crate::wire::tests::raw::Raw;

/// Messages of the controller, which answers the question for the family.
const CONTROLLER: u16 = 16;

#[test]
fn no_file_is_missing() {
    let captures = Capture::all();
    let count = |prefix: &str| {
        captures.iter().filter(|capture| capture.name.starts_with(&format!("{prefix}-"))).count()
    };
    assert_eq!(KERNELS.map(count), [100; 3]);
    assert_eq!(count("ipvsadm"), 35);
    assert_eq!(captures.len(), 335);
    for capture in &captures {
        assert!(!capture.requests().is_empty(), "{}", capture.name);
        let answered = !capture.name.starts_with("ipvsadm-");
        assert_eq!(!capture.received.is_empty(), answered, "{}", capture.name);
    }
}

#[test]
fn every_message_of_every_capture_is_read() {
    for Capture { name, received, .. } in Capture::all() {
        for datagram in &received {
            let raw = Raw::all(datagram);
            let mut messages = Messages::new(datagram);
            for raw in &raw {
                let message = messages.next().unwrap().unwrap_or_else(|e| panic!("{name}: {e}"));
                assert_eq!((message.sequence, message.port), (raw.sequence, raw.port), "{name}");
                let Content::Data { command, attributes } = message.content else {
                    assert!(!raw.is_generic(), "{name}");
                    continue;
                };
                assert_eq!(command, raw.command(), "{name}");
                assert_eq!(attributes, raw.attributes(), "{name}");
                if raw.kind != CONTROLLER {
                    AnyReport::decode(command, attributes)
                        .unwrap_or_else(|e| panic!("{name}: {e}"));
                }
            }
            assert!(!raw.is_empty() && messages.next().is_none(), "{name}");
            assert_eq!(messages.remaining(), 0, "{name}");
        }
    }
}

#[test]
fn every_captured_request_is_walked() {
    for Capture { name, sent, .. } in Capture::all() {
        for datagram in &sent {
            let walked = Messages::new(datagram).filter(Result::is_ok).count();
            assert_eq!(walked, Raw::all(datagram).len(), "{name}");
        }
    }
}
