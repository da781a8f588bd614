//! Many changes in one send.

use rustix::io::Errno;

use crate::engine::submit::Next;
use crate::engine::tests::changes::{server, service};
use crate::engine::tests::script::{
    Call, Event, Script, done, dumped, found, number, one, ready, refused,
};
use crate::engine::{Engine, Link, Outcome, Report, portion};
use crate::error::{Certainty, ErrorKind};
use crate::model::{Change, Connections, Destination, DestinationEntry, Role, ServiceId, Stats};
use crate::proto::tests::PORT;
use crate::proto::tests::reply::{FAMILY, Reply};
use crate::wire::tests::any_report::AnyReport;
use crate::wire::tests::raw::Raw;

const ACK: u16 = 0x4;

fn destination(number: u16) -> Destination {
    let mut destination = server();
    destination.id.address.set_port(number + 1);
    destination
}

fn add(number: u16) -> Change {
    Change::AddDestination(service().id, destination(number))
}

fn additions(count: u16) -> Vec<Change> {
    (0..count).map(add).collect()
}

fn submit(engine: &mut Engine<Script>, changes: &[Change]) -> Report {
    let report = ready(engine.submit(changes));
    assert_eq!(report.len(), changes.len());
    for (change, outcome) in changes.iter().zip(report.outcomes()) {
        if let Some(error) = outcome.error() {
            assert_eq!((error.operation(), error.object()), (change.operation(), change.object()));
        }
    }
    report
}

/// Each request of these positions is refused, the last answered anyhow.
fn refusing(positions: &'static [usize], errno: Errno) -> impl FnOnce(&[Raw]) -> Vec<Event> + Send {
    move |sent| {
        let refusals = positions
            .iter()
            .map(|at| one(Reply::refused(sent[*at].sequence, errno.raw_os_error())));
        let last = sent.len() - 1;
        let end = (!positions.contains(&last)).then(|| one(Reply::ack(number(sent))));
        refusals.chain(end).collect()
    }
}

/// `d` for done, `r` for refused, `u` for unknown, `n` for not sent.
fn outcomes(report: &Report) -> String {
    let letter = |outcome: &Outcome| match outcome {
        Outcome::Done => 'd',
        Outcome::Refused(error) => {
            assert_eq!(error.certainty(), Some(Certainty::Refused));
            'r'
        }
        Outcome::Unknown(error) => {
            assert_eq!(error.certainty(), Some(Certainty::Unknown));
            'u'
        }
        Outcome::NotSent(error) => {
            assert_eq!(error.certainty(), Some(Certainty::NotSent));
            'n'
        }
    };
    report.outcomes().map(letter).collect()
}

fn kind(report: &Report, index: usize) -> Option<ErrorKind> {
    report.outcome(index).and_then(Outcome::error).map(|error| error.kind())
}

#[test]
fn many_changes_take_one_send_and_one_acknowledgement() {
    let script = Script::new();
    let mut engine = script.engine();
    script.then(done);
    assert!(submit(&mut engine, &additions(64)).is_done());
    assert_eq!(script.calls(), [Call::Send, Call::Receive]);
    let sent = script.forget();
    assert_eq!(sent.len(), 64);
    let acknowledged: Vec<_> = sent.iter().filter(|raw| raw.flags & ACK != 0).collect();
    assert_eq!(acknowledged.len(), 1);
    assert_eq!(acknowledged[0].sequence, sent[63].sequence);
}

#[test]
fn more_go_in_chunks_and_each_waits_for_its_answer() {
    let script = Script::new();
    let mut engine = script.engine();
    script.then(done);
    script.then(refusing(&[1], Errno::EXIST));
    script.then(done);
    let report = submit(&mut engine, &additions(130));
    assert_eq!(report.failures().map(|failed| failed.index).collect::<Vec<_>>(), [65]);
    assert_eq!(script.sends(), 3);
    assert_eq!(script.forget().len(), 130);
    script.assert_finished();
}

#[test]
fn a_new_service_is_sent_with_its_first_destination() {
    let script = Script::new();
    let mut engine = script.engine();
    let mut changes = additions(63);
    changes.push(Change::AddService(service()));
    changes.extend(additions(3));
    for expected in [65, 2] {
        script.then(move |sent| {
            assert_eq!(sent.len(), expected);
            done(sent)
        });
    }
    assert!(submit(&mut engine, &changes).is_done());
    script.assert_finished();
    assert_eq!(portion(2, 1, |index| changes.get(63 + index)), 2);
    // What follows is another's, or nothing.
    assert_eq!(portion(9, 4, |index| changes.get(index)), 4);
    assert_eq!(portion(64, 64, |index| changes[..64].get(index)), 64);
}

#[test]
fn chunks_fit_the_buffers_of_the_socket() {
    let chunk =
        |send, receive| Link::for_commands(Script::new(), PORT).bounded((send, receive)).chunk();
    assert_eq!(chunk(212_992, 212_992), 64);
    // One more has to fit.
    assert_eq!(chunk(32 + 4 * 256, 212_992), 3);
    assert_eq!(chunk(212_992, 3 * 1024), 2);
    assert_eq!(chunk(0, 0), 1);
}

#[test]
fn nothing_is_sent_for_nothing() {
    let script = Script::new();
    let mut engine = script.engine();
    assert!(submit(&mut engine, &[]).is_empty());
    assert_eq!(script.calls(), []);
}

#[test]
fn a_refusal_does_not_touch_the_others() {
    let script = Script::new();
    let mut engine = script.engine();
    script.then(refusing(&[0, 2, 4], Errno::EXIST));
    let report = submit(&mut engine, &additions(5));
    assert_eq!(outcomes(&report), "rdrdr");
    assert_eq!(kind(&report, 2), Some(ErrorKind::DestinationExists));
    script.assert_finished();
}

#[test]
fn one_invalid_change_keeps_all_from_being_sent() {
    let script = Script::new();
    let mut engine = script.engine();
    let mut changes = additions(100);
    changes[80] = Change::AddDestination(service().id, server().weight(u32::MAX));
    let report = submit(&mut engine, &changes);
    assert_eq!(script.calls(), []);
    assert_eq!(outcomes(&report), "n".repeat(100));
    assert_eq!(kind(&report, 80), Some(ErrorKind::InvalidValue));
    assert_eq!(kind(&report, 0), Some(ErrorKind::NotAttempted));
    assert_eq!(kind(&report, 99), Some(ErrorKind::NotAttempted));
}

#[test]
fn after_a_lost_answer_what_is_known_stays_known_and_the_rest_is_not_attempted() {
    let script = Script::new();
    let mut engine = script.engine();
    script.then(|sent| {
        vec![one(Reply::refused(sent[1].sequence, Errno::EXIST.raw_os_error())), Event::Never]
    });
    let report = submit(&mut engine, &additions(70));
    assert_eq!(outcomes(&report), format!("ur{}{}", "u".repeat(62), "n".repeat(6)));
    assert_eq!(kind(&report, 0), Some(ErrorKind::DeadlineExceeded));
    assert_eq!(kind(&report, 64), Some(ErrorKind::NotAttempted));
    assert_eq!(script.sends(), 1);
    script.then(done);
    assert!(submit(&mut engine, &additions(2)).is_done());
}

#[test]
fn what_could_not_be_sent_is_told_apart_from_what_was_not_attempted() {
    let script = Script::new();
    let mut engine = script.engine();
    script.then(done);
    script.then_send_fails(Errno::NOBUFS);
    let report = submit(&mut engine, &additions(140));
    assert_eq!(outcomes(&report), format!("{}{}", "d".repeat(64), "n".repeat(76)));
    assert_eq!(kind(&report, 64), Some(ErrorKind::Socket));
    assert_eq!(kind(&report, 128), Some(ErrorKind::NotAttempted));
}

#[test]
fn after_an_overflow_the_table_tells_about_updates_and_nothing_about_additions() {
    let script = Script::new();
    let mut engine = script.engine();
    script.then(|sent| vec![Event::Failure(Errno::NOBUFS), one(Reply::ack(number(sent)))]);
    let table = || {
        let (connections, stats) = (Connections::default(), Stats::default());
        let entry = DestinationEntry { destination: destination(0), connections, stats };
        dumped(vec![vec![AnyReport::Destination(entry)]])
    };
    script.then(table());
    script.then(table());
    let update = |number| Change::UpdateDestination(service().id, destination(number));
    let report = submit(&mut engine, &[update(0), update(1), add(2)]);
    assert_eq!(outcomes(&report), "duu");
    assert_eq!(kind(&report, 1), Some(ErrorKind::ReceiveOverflow));
    script.assert_finished();
}

#[test]
fn a_socket_that_stays_silent_is_not_asked_about_every_change() {
    let script = Script::new();
    let mut engine = script.engine();
    script.then(|sent| vec![Event::Failure(Errno::NOBUFS), one(Reply::ack(number(sent)))]);
    script.then(|_| vec![Event::Never]);
    let update = |number| Change::UpdateDestination(service().id, destination(number));
    let report = submit(&mut engine, &(0..64).map(update).collect::<Vec<_>>());
    assert_eq!(outcomes(&report), "u".repeat(64));
    assert_eq!(script.sends(), 2);
}

#[test]
fn a_module_loaded_anew_before_them_gets_them_all() {
    let script = Script::new();
    let mut engine = script.engine();
    script.then(refusing(&[0, 1, 2], Errno::NOENT));
    script.then(found(FAMILY + 1));
    script.then(|sent| {
        assert!(sent.iter().all(|raw| raw.kind == FAMILY + 1));
        done(sent)
    });
    assert!(submit(&mut engine, &additions(3)).is_done());
    script.assert_finished();
}

#[test]
fn some_refusals_are_not_a_module_loaded_anew() {
    let script = Script::new();
    let mut engine = script.engine();
    let gone = Change::DeleteDestination(service().id, server().id);
    script.then(refusing(&[0, 1], Errno::NOENT));
    let report = submit(&mut engine, &[gone.clone(), gone, add(1)]);
    assert_eq!(outcomes(&report), "rrd");
    assert_eq!(kind(&report, 0), Some(ErrorKind::NoSuchDestination));
    script.assert_finished();
}

#[test]
fn a_refusal_that_comes_twice_is_one() {
    let script = Script::new();
    let mut engine = script.engine();
    let gone = Change::DeleteDestination(service().id, server().id);
    script.then(refusing(&[0, 0], Errno::NOENT));
    let report = submit(&mut engine, &[gone, add(1)]);
    assert_eq!(outcomes(&report), "rd");
    assert_eq!(kind(&report, 0), Some(ErrorKind::NoSuchDestination));
    script.assert_finished();
}

#[test]
fn the_same_module_meant_what_it_said() {
    let script = Script::new();
    let mut engine = script.engine();
    let gone = Change::DeleteDestination(service().id, server().id);
    script.then(refusing(&[0, 1], Errno::NOENT));
    script.then(found(FAMILY));
    let report = submit(&mut engine, &[gone.clone(), gone]);
    assert_eq!(outcomes(&report), "rr");
    assert_eq!(kind(&report, 0), Some(ErrorKind::NoSuchDestination));
    script.assert_finished();
}

#[test]
fn a_module_that_is_gone_is_said_of_all_and_ends_the_submitting() {
    let script = Script::new();
    let mut engine = script.engine();
    script.then(|sent| {
        let refused = |raw: &Raw| one(Reply::refused(raw.sequence, Errno::NOENT.raw_os_error()));
        sent.iter().map(refused).collect()
    });
    script.then(refused(Errno::NOENT));
    let report = submit(&mut engine, &additions(70));
    assert_eq!(outcomes(&report), format!("{}{}", "r".repeat(64), "n".repeat(6)));
    assert_eq!(kind(&report, 1), Some(ErrorKind::Unavailable));
    script.assert_finished();
}

#[test]
fn nothing_is_sent_for_a_chunk_of_nothing() {
    let script = Script::new();
    let mut engine = script.engine();
    let mut outcomes = std::collections::VecDeque::new();
    assert_eq!(ready(engine.submit_chunk(&[], &mut outcomes)), Next::Continue);
    assert!(outcomes.is_empty());
    assert_eq!(script.sends(), 0);
}

/// The fence is answered in any case, so that its answer says nothing of the daemon.
#[test]
fn what_became_of_a_stopped_daemon_is_unknown_after_an_overflow() {
    let script = Script::new();
    let mut engine = script.engine();
    script.then(|sent| {
        vec![Event::Failure(Errno::NOBUFS), one(Reply::refused(number(sent), 2)), Event::Never]
    });
    let report = submit(&mut engine, &[Change::StopDaemon(Role::Master)]);
    assert_eq!(outcomes(&report), "u");
    assert_eq!(kind(&report, 0), Some(ErrorKind::ReceiveOverflow));
}

#[test]
fn a_stopped_daemon_among_them_puts_a_fence_behind_all() {
    let script = Script::new();
    let mut engine = script.engine();
    script.then(|sent| {
        assert_eq!(
            sent.iter().map(|raw| raw.kind).collect::<Vec<_>>(),
            [FAMILY, FAMILY, FAMILY, 1]
        );
        assert!(sent[..3].iter().all(|raw| raw.flags & ACK == 0));
        refusing(&[2], Errno::SRCH)(sent)
    });
    let id = ServiceId::tcp("192.0.2.99:80".parse().unwrap());
    let stop = Change::StopDaemon(Role::Master);
    let report = submit(&mut engine, &[add(0), stop, Change::DeleteService(id)]);
    assert_eq!(outcomes(&report), "ddr");
    assert_eq!(kind(&report, 2), Some(ErrorKind::NoSuchService));
    script.assert_finished();
}
