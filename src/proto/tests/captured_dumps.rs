//! Captured dumps and reads, through [`Dump`] and [`Single`].

use crate::proto::tests::dump::read_all;
use crate::proto::{Answer, Dump, Refusal, Single};
use crate::wire::tests::capture::{Capture, KERNELS};

/// The commands of what a dump reports, and how it ends.
fn dumped(name: &str, request: usize) -> (Vec<u8>, Option<Refusal>) {
    let capture = Capture::named(name);
    let sequence = capture.requests()[request].sequence;
    let mut dump = Dump::new(capture.answers()[0].port, sequence);
    let (entries, end) = read_all(&mut dump, &capture.received);
    let refusal = end.unwrap_or_else(|| panic!("{name} has no end"));
    (entries.into_iter().map(|(command, _)| command).collect(), refusal)
}

#[test]
fn a_dump_ends_with_what_says_so() {
    for kernel in KERNELS {
        let dumps = [
            ("007-dump-services-empty", 1, 0),
            ("029-dump-services", 1, 12),
            ("030-dump-services-with-ack-flag", 1, 12),
            ("090-dump-services-multi", 1, 40),
            ("047-dump-dests", 5, 12),
            ("048-dump-dests-v6", 5, 2),
            ("049-dump-dests-fwm", 5, 1),
            ("050-dump-dests-unknown", 5, 0),
            ("051-dump-dests-noattr", 5, 0),
            ("052-dump-dests-done-extack", 5, 0),
            ("079-dump-daemons-none", 9, 0),
            ("081-dump-daemons-one", 9, 1),
            ("083-dump-daemons-both", 9, 2),
            ("089-dump-daemons-v6", 9, 1),
            ("data-dump-dest-persist-conns", 5, 2),
            ("data-dump-dest-stats-nonzero", 5, 2),
        ];
        for (file, command, count) in dumps {
            let name = format!("{kernel}-{file}");
            assert_eq!(dumped(&name, 0), (vec![command; count], None), "{name}");
        }
    }
}

#[test]
fn of_two_dumps_at_once_one_is_refused_and_the_other_unharmed() {
    const EBUSY: Refusal = Refusal { errno: 16, extack: None };
    for kernel in KERNELS {
        let name = format!("{kernel}-071-err-ebusy");
        assert_eq!(dumped(&name, 0), (vec![1; 12], None));
        assert_eq!(dumped(&name, 1), (vec![], Some(EBUSY)));
    }
}

#[test]
fn a_read_is_answered_by_its_first_datagram() {
    let reads = [
        ("003-get-info-empty", 14),
        ("004-get-config", 12),
        ("006-get-config-changed", 12),
        ("009-get-info", 14),
        ("022-get-svc-v4", 1),
        ("023-get-svc-v6", 1),
        ("024-get-svc-fwm", 1),
        ("028-get-svc-ack", 1),
        ("data-get-service-stats-nonzero", 1),
    ];
    for kernel in KERNELS {
        for (file, expected) in reads {
            let capture = Capture::named(&format!("{kernel}-{file}"));
            let answer = &capture.answers()[0];
            let single = Single::new(answer.port, capture.requests()[0].sequence);
            let attributes = answer.attributes();
            let expected = Answer::Data { command: expected, attributes };
            assert_eq!(single.read(&capture.received[0]), Ok(Some(expected)), "{kernel}-{file}");
        }
    }
}
