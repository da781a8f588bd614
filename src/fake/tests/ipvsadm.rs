//! The requests of the original ipvsadm get the answers that it got.

use crate::fake::tests::captures::{captures, receive, socket, with};
use crate::fake::tests::raw::{DONE, ERROR, messages};
use crate::fake::{Errno, Kernel};

/// The family in the captured requests.
const FAMILY: u16 = 34;

#[test]
fn every_command_is_done_but_for_two() {
    let kernel = Kernel::new();
    let host = kernel.initial();
    host.set_interface("d0".parse().unwrap(), 1500, true);
    let captures = captures("ipvsadm");
    assert_eq!(captures.len(), 35);
    for capture in captures {
        let socket = socket(&host, false, false);
        let mut errors = Vec::new();
        for datagram in &capture.sent {
            socket.send(&with(datagram, Some((FAMILY, 28)), None)).unwrap();
            let answers = receive(&socket).iter().flat_map(|it| messages(it)).collect::<Vec<_>>();
            assert!(!answers.is_empty(), "{}", capture.name);
            let ends = answers.iter().filter(|it| matches!(it.kind, ERROR | DONE));
            errors.extend(ends.map(|it| it.errno()).filter(|errno| *errno != 0));
        }
        // The one of an unknown scheduler, and the one of an unknown service.
        let expected = match capture.name.get(..2).unwrap() {
            "34" => vec![Errno::NOENT.number()],
            "35" => vec![Errno::SRCH.number()],
            _ => Vec::new(),
        };
        assert_eq!(errors, expected, "{}", capture.name);
        match capture.name.get(..2).unwrap() {
            "16" => {
                let table = host.table();
                assert_eq!(table.len(), 7);
                let first = "TCP 10.0.0.1:80".parse().unwrap();
                let weights = table.service(first).unwrap().destinations.iter();
                let weights: Vec<_> = weights.map(|it| it.destination.weight).collect();
                assert_eq!(weights, [5, 1, 1, 1, 1]);
            }
            "27" => assert_eq!(host.daemons().len(), 2),
            "28" => assert_eq!(host.daemons().len(), 1),
            "33" => assert!(host.table().is_empty()),
            _ => {}
        }
    }
}
