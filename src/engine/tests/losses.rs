//! Answers that come late, not at all, or cut off.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::io::Errno;

use crate::engine::tests::changes::{server, service};
use crate::engine::tests::reads::{info, info_report};
use crate::engine::tests::script::{Call, Event, Script, done, number, one, ready, reported};
use crate::error::{Certainty, Error, ErrorKind};
use crate::model::{Change, Info, ServiceEntry};
use crate::proto::tests::reply::{Reply, datagram};
use crate::wire::Request;

fn assert_unknown(error: &Error, kind: ErrorKind) {
    assert_eq!((error.kind(), error.certainty()), (kind, Some(Certainty::Unknown)), "{error}");
}

fn add() -> Change {
    Change::AddDestination(service().id, server())
}

#[test]
fn a_lost_acknowledgement_leaves_the_outcome_unknown() {
    let script = Script::new();
    let mut engine = script.engine();
    script.then(|_| vec![Event::Never]);
    let error = ready(engine.change(&add())).unwrap_err();
    assert_unknown(&error, ErrorKind::DeadlineExceeded);
    assert_eq!((error.operation(), error.object()), (add().operation(), add().object()));
    assert_eq!(script.calls(), [Call::Send, Call::Receive, Call::Wait]);
}

#[test]
fn the_deadline_is_one_of_the_transports_clock() {
    let script = Script::new();
    let mut engine = script.engine();
    engine.deadline = Some(Duration::from_secs(3600));
    script.then(|_| vec![Event::Late, Event::Never]);
    let error = ready(engine.read::<Info>(Request::Info)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    assert_eq!(script.elapsed(), Duration::from_secs(3600));
}

#[test]
fn a_late_answer_is_not_taken_for_that_to_the_next_request() {
    let script = Script::new();
    let mut engine = script.engine();
    for late in [Reply::ack, |number| Reply::refused(number, 17)] {
        script.then(|_| vec![Event::Never]);
        assert!(ready(engine.change(&add())).is_err());
        let lost = script.forget()[0].sequence;

        script.queue(one(late(lost)));
        script.then(|sent| vec![one(Reply::refused(number(sent), 3))]);
        let error = ready(engine.change(&Change::DeleteService(service().id))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoSuchService);

        script.queue(one(late(lost)));
        script.then(done);
        ready(engine.change(&Change::ZeroAll)).unwrap();

        script.queue(one(late(lost)));
        script.then(reported(info_report()));
        assert_eq!(ready(engine.read::<Info>(Request::Info)).unwrap(), info());
        script.assert_finished();
        script.forget();
    }
}

#[test]
fn an_overflow_before_an_answer_that_is_there_does_not_matter() {
    let script = Script::new();
    let mut engine = script.engine();
    script.then(|sent| vec![Event::Failure(Errno::NOBUFS), one(Reply::ack(number(sent)))]);
    ready(engine.change(&add())).unwrap();
    script.then(|sent| {
        let stale = one(Reply::ack(number(sent) - 1));
        vec![Event::Failure(Errno::NOBUFS), stale, one(Reply::report(number(sent), &info_report()))]
    });
    assert_eq!(ready(engine.read::<Info>(Request::Info)).unwrap(), info());
    assert!(!script.calls().contains(&Call::Wait));
    script.assert_finished();
}

#[test]
fn interruptions_are_gone_over() {
    let script = Script::new();
    let mut engine = script.engine();
    script.then_send_fails(Errno::INTR);
    script.then_send_fails(Errno::INTR);
    script.then(|sent| {
        let interrupted = || Event::Failure(Errno::INTR);
        vec![interrupted(), interrupted(), one(Reply::ack(number(sent)))]
    });
    ready(engine.change(&add())).unwrap();
    let calls = [Call::Send, Call::Send, Call::Send, Call::Receive, Call::Receive, Call::Receive];
    assert_eq!(script.calls(), calls);
}

#[test]
fn what_could_not_be_sent_has_changed_nothing() {
    let script = Script::new();
    let mut engine = script.engine();
    for (errno, kind) in [
        (Errno::NOBUFS, ErrorKind::Socket),
        (Errno::MSGSIZE, ErrorKind::Socket),
        (Errno::PERM, ErrorKind::PermissionDenied),
    ] {
        script.then_send_fails(errno);
        let error = ready(engine.change(&add())).unwrap_err();
        assert_eq!((error.kind(), error.certainty()), (kind, Some(Certainty::NotSent)));
        assert_eq!(error.errno(), Some(errno.raw_os_error()));
        assert_eq!((error.operation(), error.object()), (add().operation(), add().object()));
    }
    assert!(!script.calls().contains(&Call::Receive));
    script.then(done);
    ready(engine.change(&add())).unwrap();
}

#[test]
fn an_observer_is_told_no_bytes_of_what_could_not_be_sent() {
    let script = Script::new();
    let mut engine = script.engine();
    let log = Arc::new(Mutex::new(Vec::new()));
    let to = Arc::clone(&log);
    engine.observer.set(Some(Box::new(move |exchange| {
        let kind = exchange.result.err().map(Error::kind);
        to.lock().unwrap().push((kind, exchange.together, exchange.sent > 0, exchange.received));
    })));
    let told = || std::mem::take(&mut *log.lock().unwrap());
    script.then_send_fails(Errno::NOBUFS);
    assert_eq!(ready(engine.submit(&[add(), add()])).failures().count(), 2);
    assert_eq!(told(), [(Some(ErrorKind::Socket), 2, false, 0); 2]);
    script.then_send_fails(Errno::NOBUFS);
    ready(engine.collect::<ServiceEntry>(Request::Services)).unwrap_err();
    assert_eq!(told(), [(Some(ErrorKind::Socket), 1, false, 0)]);
    script.then_send_fails(Errno::INTR);
    script.then(done);
    ready(engine.change(&add())).unwrap();
    let all = told();
    assert!(matches!(all.as_slice(), [(None, 1, true, 1..)]), "{all:?}");
}

#[test]
fn a_failure_to_receive_leaves_the_outcome_unknown() {
    let script = Script::new();
    let mut engine = script.engine();
    script.then(|_| vec![Event::Failure(Errno::NOMEM)]);
    let error = ready(engine.change(&add())).unwrap_err();
    assert_unknown(&error, ErrorKind::Socket);
    assert_eq!(error.errno(), Some(Errno::NOMEM.raw_os_error()));
}

#[test]
fn an_answer_that_was_cut_off_is_not_read() {
    let script = Script::new();
    let mut engine = script.engine();
    let long = |sent: &[_]| {
        let words = vec![b'a'; 33 * 1024];
        vec![one(Reply::refused(number(sent), 22).with(&[(1, &words)]))]
    };
    script.then(long);
    let error = ready(engine.change(&add())).unwrap_err();
    assert_unknown(&error, ErrorKind::MalformedReply);
    // The buffer has grown.
    script.then(long);
    let error = ready(engine.change(&add())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected);
}

#[test]
fn an_answer_that_no_change_has_leaves_the_outcome_unknown() {
    let script = Script::new();
    let mut engine = script.engine();
    let mut lying = datagram(&[Reply::ack(1)]);
    lying[0] = 200;
    script.then(|sent| vec![one(Reply::report(number(sent), &info_report()))]);
    script.then(|sent| vec![one(Reply::overrun(number(sent)))]);
    script.then(move |_| vec![Event::Datagram(lying)]);
    for _ in 0..3 {
        let error = ready(engine.change(&add())).unwrap_err();
        assert_unknown(&error, ErrorKind::MalformedReply);
    }
    script.then(done);
    ready(engine.change(&add())).unwrap();
    script.assert_finished();
}
