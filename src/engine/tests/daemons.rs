//! Stopping a daemon, which a kernel may leave without an answer.

use rustix::io::Errno;

use crate::engine::tests::script::{Call, Event, Script, dumped, found, number, one, ready};
use crate::error::{Certainty, ErrorKind};
use crate::model::{Change, Object, Role, SyncDaemon};
use crate::proto::tests::reply::{FAMILY, Reply};
use crate::wire::Request;
use crate::wire::tests::any_report::AnyReport;
use crate::wire::tests::raw::Raw;

const STOP: Change = Change::StopDaemon(Role::Backup);
const NOOP: u16 = 1;

/// The refusal of the request before the fence, and the fence.
fn refused_before_fence(errno: Errno) -> impl FnOnce(&[Raw]) -> Vec<Event> + Send + 'static {
    move |sent| {
        let [stop, fence] = sent else { panic!("not a request and a fence") };
        assert_eq!((stop.kind, stop.flags, fence.kind, fence.flags), (FAMILY, 0x1, NOOP, 0x5));
        let refusal = Reply::refused(stop.sequence, errno.raw_os_error());
        vec![one(refusal), one(Reply::ack(fence.sequence))]
    }
}

#[test]
fn the_answer_to_the_fence_is_enough() {
    let script = Script::new();
    let mut engine = script.engine();
    script.then(|sent| vec![one(Reply::ack(number(sent)))]);
    ready(engine.change(&STOP)).unwrap();
    assert_eq!(script.calls(), [Call::Send, Call::Receive]);
    script.assert_finished();
}

#[test]
fn a_refusal_before_the_fence_counts() {
    let script = Script::new();
    let mut engine = script.engine();
    script.then(refused_before_fence(Errno::SRCH));
    let error = ready(engine.change(&STOP)).unwrap_err();
    assert_eq!(
        (error.kind(), error.certainty()),
        (ErrorKind::NoSuchDaemon, Some(Certainty::Refused))
    );
    assert_eq!(error.object(), Some(Object::Daemon(Role::Backup)));
    script.assert_finished();
}

#[test]
fn a_module_that_was_loaded_anew_is_asked_again_with_a_fence() {
    let script = Script::new();
    let mut engine = script.engine();
    script.then(refused_before_fence(Errno::NOENT));
    script.then(found(FAMILY + 1));
    script.then(|sent| {
        assert_eq!((sent[0].kind, sent[1].kind), (FAMILY + 1, NOOP));
        vec![one(Reply::ack(number(sent)))]
    });
    ready(engine.change(&STOP)).unwrap();
    script.assert_finished();
}

#[test]
fn without_the_fence_the_outcome_is_unknown() {
    let script = Script::new();
    let mut engine = script.engine();
    script.then(|_| vec![Event::Never]);
    let error = ready(engine.change(&STOP)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    assert_eq!(error.certainty(), Some(Certainty::Unknown));
}

#[test]
fn running_daemons_are_read() {
    let daemon = |role| SyncDaemon::new(role, "eth0".parse().unwrap()).sync_id(7);
    let both = [daemon(Role::Master), daemon(Role::Backup)];
    for running in [&both[..0], &both[..1], &both] {
        let script = Script::new();
        let mut engine = script.engine();
        let reports = running.iter().cloned().map(AnyReport::Daemon).collect();
        script.then(dumped(vec![reports]));
        let read: Vec<SyncDaemon> = ready(engine.collect(Request::Daemons)).unwrap();
        assert_eq!(read, running);
    }
}
