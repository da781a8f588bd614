//! What kernels refused, and how.

use crate::error::Extack;
use crate::proto::tests::family;
use crate::proto::{Answer, Batch, Refusal, Single, Verdict, read_lookup};
use crate::wire::tests::capture::{Capture, KERNELS};

const POLICY: &str = "Attribute failed policy validation";
const LEFTOVER: &str = "bytes leftover after parsing attributes";

/// Feeds a capture to the batch of its requests. A single request is a batch too.
fn outcome(capture: &Capture) -> Batch {
    let (requests, answers) = (capture.requests(), capture.answers());
    let (first, last) = (&requests[0], &requests[requests.len() - 1]);
    let mut batch = Batch::new(answers[0].port, first.sequence, last.sequence);
    let (end, before) = capture.received.split_last().unwrap();
    for datagram in before {
        assert_eq!(batch.read(datagram), Ok(Verdict::Open), "{}", capture.name);
    }
    assert_eq!(batch.read(end), Ok(Verdict::Complete), "{}", capture.name);
    batch
}

fn assert_refused(file: &str, errno: i32, extack: Option<(&str, Option<u32>)>) {
    for kernel in KERNELS {
        let name = format!("{kernel}-{file}");
        let extack = extack.map(|(text, offset)| Extack { message: Some(text.to_owned()), offset });
        let extack = extack.map(Box::new);
        let batch = outcome(&Capture::named(&name));
        assert_eq!(batch.refusal(0), Some(&Refusal { errno, extack }), "{name}");
    }
}

#[test]
fn a_refusal_has_the_kernels_errno() {
    assert_refused("002-ctrl-getfamily-enoent", 2, None);
    assert_refused("054-err-eexist-svc", 17, None);
    assert_refused("055-err-eexist-dest", 17, None);
    assert_refused("056-err-esrch", 3, None);
    assert_refused("057-err-enoent-dest", 2, None);
    assert_refused("058-err-enoent-sched", 2, None);
    assert_refused("059-err-einval", 22, None);
    assert_refused("060-err-erange-weight", 34, None);
    assert_refused("061-err-eafnosupport", 97, None);
    assert_refused("062-err-eopnotsupp", 95, None);
    assert_refused("069-err-einval-mixed", 22, None);
    assert_refused("070-err-family", 2, None);
    assert_refused("072-err-eperm", 1, None);
    assert_refused("078-err-enodev", 19, None);
    assert_refused("084-err-eexist-daemon", 17, None);
    assert_refused("086-err-esrch-daemon", 3, None);
}

#[test]
fn the_kernels_words_and_offset_are_read_with_and_without_the_request_before_them() {
    assert_refused("063-err-reserved", 22, Some(("genlmsghdr.reserved field is not 0", None)));
    assert_refused("064-err-extack-policy", 34, Some((POLICY, Some(20))));
    assert_refused("065-err-extack-nocap", 34, Some((POLICY, Some(20))));
    assert_refused("066-err-noextack-nocap", 34, None);
    assert_refused("068-err-ifname", 22, Some((POLICY, Some(32))));
}

#[test]
fn words_in_an_acknowledgement_do_not_make_it_a_refusal() {
    for kernel in KERNELS {
        let capture = Capture::named(&format!("{kernel}-067-ok-extack-warning"));
        let text = capture.received[0].windows(LEFTOVER.len()).any(|it| it == LEFTOVER.as_bytes());
        assert!(text, "{kernel}");
        assert_eq!(outcome(&capture).refusal(0), None, "{kernel}");
    }
}

#[test]
fn every_change_that_a_kernel_did_is_acknowledged() {
    let mut count = 0;
    for capture in Capture::all() {
        let words: Vec<&str> = capture.name.split('-').collect();
        let done = matches!(words[2], "new" | "set" | "del" | "zero" | "flush" | "noop");
        if words[0] == "ipvsadm" || words[1] == "tr" || !done {
            continue;
        }
        assert_eq!(outcome(&capture).refusal(0), None, "{}", capture.name);
        count += 1;
    }
    assert_eq!(count, 3 * 42);
}

#[test]
fn a_batch_says_which_of_its_requests_was_refused() {
    for kernel in KERNELS {
        for file in ["091-batch", "tr-batch-err-mid"] {
            let batch = outcome(&Capture::named(&format!("{kernel}-{file}")));
            let refused = [0, 1, 2, 3, 4].map(|index| batch.refusal(index).map(|it| it.errno));
            assert_eq!(refused, [None, None, Some(17), None, None], "{kernel}-{file}");
        }
    }
}

#[test]
fn a_fence_ends_a_batch_of_which_nothing_else_is_acknowledged() {
    for kernel in KERNELS {
        let capture = Capture::named(&format!("{kernel}-tr-noop-fence"));
        let (requests, port) = (capture.requests(), capture.answers()[0].port);
        // The capture names both additions one number higher than they were sent.
        let mut batch = Batch::new(port, requests[0].sequence - 2, requests[2].sequence);
        assert_eq!(batch.read(&capture.received[0]), Ok(Verdict::Open));
        assert_eq!(batch.read(&capture.received[1]), Ok(Verdict::Complete));
        assert_eq!(batch.refusal(1).map(|it| it.errno), Some(17));
        assert_eq!(batch.refusal(0), None);
    }
}

#[test]
fn a_stopped_daemon_that_gets_no_answer_is_settled_by_the_fence() {
    for name in ["k61-tr-del-daemon-lost-ack", "k73-tr-del-daemon-lost-ack"] {
        let capture = Capture::named(name);
        assert_eq!((capture.requests().len(), capture.received.len()), (3, 2), "{name}");
        assert_eq!(outcome(&capture).refusal(1), None, "{name}");
    }
    let answered = Capture::named("k612-tr-new-del-daemon-noop");
    assert_eq!(answered.received.len(), 3);
    assert_eq!(outcome(&answered).refusal(1), None);
}

#[test]
fn the_family_is_found() {
    for (kernel, id) in [("k61", 0x1c), ("k612", family().number()), ("k73", 0x24)] {
        let capture = Capture::named(&format!("{kernel}-001-ctrl-getfamily"));
        let single = Single::new(capture.answers()[0].port, capture.requests()[0].sequence);
        let answer = single.read(&capture.received[0]).unwrap().unwrap();
        let Answer::Data { command, attributes } = answer else { panic!("{answer:?}") };
        assert_eq!(read_lookup(command, attributes).unwrap().number(), id, "{kernel}");
    }
}
