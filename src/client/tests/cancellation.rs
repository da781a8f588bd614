//! Futures that are dropped while they wait: what comes late for them is known for
//! what it is, and the next operation is right.

use rustix::io::Errno;

use crate::client::Engine;
use crate::client::tests::changes::{server, service};
use crate::client::tests::dumps::entry;
use crate::client::tests::reads::{info, info_report, service_entry};
use crate::client::tests::script::{
    Event, Script, done, dumped, found, give_up, ready, refused, reported,
};
use crate::model::{Change, DestinationEntry, ServiceEntry};
use crate::proto::tests::reply::FAMILY;
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
fn works(script: &Script, engine: &mut Engine<Script>) {
    script.then(refused(Errno::EXIST));
    assert!(ready(engine.change(&Change::AddService(service()))).unwrap_err().is_already_exists());
    script.then(done);
    ready(engine.change(&Change::Flush)).unwrap();
    script.then(reported(info_report()));
    assert_eq!(ready(engine.read::<crate::model::Info>(Request::Info)).unwrap(), info());
    script.then(dumped(two_destinations()));
    let read: Vec<DestinationEntry> = ready(engine.destinations(service().id)).unwrap();
    assert_eq!(read, [entry(1), entry(2)]);
    script.then(dumped(vec![vec![AnyReport::Service(service_entry())]]));
    let read: Vec<ServiceEntry> = ready(engine.collect(Request::Services)).unwrap();
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
    assert!(ready(engine.change(&Change::DeleteService(service().id))).unwrap_err().is_not_found());
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
