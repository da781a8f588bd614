//! Futures that are dropped while they wait: what comes late for them is known for
//! what it is, and the next operation is right.

use rustix::io::Errno;

use crate::engine::tests::changes::{server, service};
use crate::engine::tests::dumps::entry;
use crate::engine::tests::reads::{info, info_report, service_entry};
use crate::engine::tests::script::{
    Call, Event, Script, Shared, done, drive, dumped, found, give_up, give_up_after, one, refused,
    reported,
};
use crate::engine::{Engine, Transport};
use crate::model::{Change, DestinationEntry, ServiceEntry};
use crate::proto::tests::reply::{FAMILY, Reply};
use crate::wire::Request;
use crate::wire::tests::any_report::AnyReport;
use crate::wire::tests::raw::Raw;

/// The answers with a pause before the one at `pause`.
fn paused(
    pause: usize,
    answers: impl FnOnce(&[Raw]) -> Vec<Event> + Send + 'static,
) -> impl FnOnce(&[Raw]) -> Vec<Event> + Send + 'static {
    move |sent| {
        let mut events = answers(sent);
        events.insert(pause, Event::Blocked);
        events
    }
}

fn two_destinations() -> Vec<Vec<AnyReport>> {
    vec![vec![AnyReport::Destination(entry(1))], vec![AnyReport::Destination(entry(2))]]
}

/// Every kind of operation gives the right answer on the client.
fn works(script: &Script, engine: &mut Engine<impl Transport>) {
    script.then(refused(Errno::EXIST));
    assert!(drive(engine.change(&Change::AddService(service()))).unwrap_err().is_already_exists());
    script.then(done);
    drive(engine.change(&Change::Flush)).unwrap();
    script.then(reported(info_report()));
    assert_eq!(drive(engine.read::<crate::model::Info>(Request::Info)).unwrap(), info());
    script.then(dumped(two_destinations()));
    let read: Vec<DestinationEntry> = drive(engine.destinations(service().id)).unwrap().into();
    assert_eq!(read, [entry(1), entry(2)]);
    script.then(dumped(vec![vec![AnyReport::Service(service_entry())]]));
    let read: Vec<ServiceEntry> = drive(engine.collect(Request::Services)).unwrap();
    assert_eq!(read, [service_entry()]);
    script.assert_finished();
}

#[test]
fn a_change_given_up_leaves_the_client_usable() {
    for answer in [None, Some(Errno::EXIST)] {
        let script = Script::new();
        let mut engine = script.engine();
        match answer {
            None => script.then(paused(0, done)),
            Some(errno) => script.then(paused(0, refused(errno))),
        }
        give_up(engine.change(&Change::AddService(service())));
        script.unblock();
        works(&script, &mut engine);
    }
}

#[test]
fn an_answer_that_comes_after_the_next_request_is_left_alone() {
    let script = Script::new();
    let mut engine = script.engine();
    script.then(paused(0, done));
    give_up(engine.change(&Change::AddService(service())));
    script.delay();
    script.then(refused(Errno::SRCH));
    assert!(drive(engine.change(&Change::DeleteService(service().id))).unwrap_err().is_not_found());
    works(&script, &mut engine);
}

#[test]
fn a_read_given_up_leaves_the_client_usable() {
    let script = Script::new();
    let mut engine = script.engine();
    script.then(paused(0, reported(info_report())));
    give_up(engine.read::<crate::model::Info>(Request::Info));
    script.unblock();
    works(&script, &mut engine);
}

#[test]
fn a_dump_given_up_at_any_datagram_is_emptied_before_the_next() {
    for pause in 0..=2 {
        let script = Script::new();
        let mut engine = script.engine();
        script.then(paused(pause, dumped(two_destinations())));
        give_up(engine.destinations(service().id));
        script.unblock();
        works(&script, &mut engine);
    }
}

#[test]
fn a_batch_given_up_leaves_the_client_usable() {
    let changes = vec![Change::AddService(service()); 100];
    let script = Script::new();
    let mut engine = script.engine();
    script.then(done);
    script.then(paused(0, done));
    give_up(engine.submit(&changes));
    script.unblock();
    works(&script, &mut engine);
}

#[test]
fn a_change_given_up_while_the_family_is_looked_up_leaves_the_client_usable() {
    let script = Script::new();
    let mut engine = script.engine();
    script.then(refused(Errno::NOENT));
    script.then(paused(0, found(FAMILY)));
    let change = Change::DeleteDestination(service().id, server().id);
    give_up(engine.change(&change));
    script.unblock();
    works(&script, &mut engine);
}

#[test]
fn a_snapshot_given_up_anywhere_leaves_the_client_usable() {
    for pause in 0..2 {
        let script = Script::new();
        let mut engine = script.engine();
        script.then(dumped(vec![vec![AnyReport::Service(service_entry())]]));
        script.then(paused(pause, dumped(two_destinations())));
        give_up(engine.snapshot());
        script.unblock();
        works(&script, &mut engine);
    }
}

/// Each request of a batch is refused.
fn all_refused(sent: &[Raw]) -> Vec<Event> {
    let errno = Errno::EXIST.raw_os_error();
    sent.iter().map(|request| one(Reply::refused(request.sequence, errno))).collect()
}

#[test]
fn a_batch_given_up_while_others_run_leaves_the_client_usable() {
    let changes = vec![Change::AddService(service()); 100];
    for polls in 1.. {
        let script = Script::new();
        let mut engine = Shared::engine(&script);
        script.then(all_refused);
        script.then(all_refused);
        if !give_up_after(polls, engine.submit(&changes)) {
            assert!(polls > 3, "others run while 100 answers are read");
            break;
        }
        script.give_up();
        works(&script, &mut engine);
    }
}

#[test]
fn a_dump_given_up_while_others_run_leaves_the_client_usable() {
    for polls in 1.. {
        let script = Script::new();
        let mut engine = Shared::engine(&script);
        script.then(dumped(vec![vec![AnyReport::Service(service_entry())]; 100]));
        if !give_up_after(polls, engine.collect::<ServiceEntry>(Request::Services)) {
            assert!(polls > 3, "others run while 100 datagrams are read");
            break;
        }
        works(&script, &mut engine);
    }
}

#[test]
fn answers_to_batches_given_up_do_not_add_up() {
    let changes = vec![Change::AddService(service()); 64];
    let script = Script::new();
    let mut engine = Shared::engine(&script);
    for _ in 0..10 {
        script.forget();
        script.then(all_refused);
        // Once while the rest of the one before is thrown away, once while answers are read.
        while !script.calls().contains(&Call::Send) {
            assert!(give_up_after(1, engine.submit(&changes)));
        }
        assert!(script.waiting() <= changes.len(), "{} answers wait", script.waiting());
    }
    works(&script, &mut engine);
}

#[test]
fn others_run_while_the_rest_of_a_long_dump_is_thrown_away() {
    let script = Script::new();
    let mut engine = Shared::engine(&script);
    script.then(dumped(vec![vec![AnyReport::Service(service_entry())]; 300]));
    assert!(give_up_after(1, engine.collect::<ServiceEntry>(Request::Services)));
    assert!(give_up_after(8, engine.change(&Change::Flush)), "it is not even sent yet");
    works(&script, &mut engine);
}
