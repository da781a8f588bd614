//! Changing one setting and keeping the others.

use std::time::Duration;

use rustix::io::Errno;

use crate::engine::tests::changes::service;
use crate::engine::tests::reads::service_entry;
use crate::engine::tests::script::{Event, Script, done, dumped, ready, refused, reported};
use crate::error::{Certainty, Error, ErrorKind};
use crate::model::{
    Change, Connections, Destination, DestinationEntry, GueChecksum, Object, Operation,
    Persistence, PersistenceEngine, Scheduler, Service, ServiceEntry, ServiceFlags, Stats,
    Thresholds, Tunnel,
};
use crate::wire::Request;
use crate::wire::tests::any_report::AnyReport;
use crate::wire::tests::raw::Raw;
use crate::wire::tests::request_bytes;

fn tunnelled() -> Destination {
    let gue = Tunnel::Gue { port: 6080, checksum: GueChecksum::RemoteOffload };
    Destination::tunnel("10.0.0.7:80".parse().unwrap(), gue).weight(3).thresholds(200, 100)
}

fn entry(destination: Destination) -> AnyReport {
    let (connections, stats) = (Connections::default(), Stats::default());
    AnyReport::Destination(DestinationEntry { destination, connections, stats })
}

fn rich() -> Service {
    service().flags(ServiceFlags::SCHED_1).persistent(Duration::from_secs(60))
}

fn rich_entry() -> AnyReport {
    AnyReport::Service(ServiceEntry { service: rich(), ..service_entry() })
}

fn assert_written(sent: &Raw, change: &Change) {
    let request = Request::Change(change);
    assert_eq!(
        (sent.command(), sent.attributes()),
        (request.command(), &request_bytes(&request)[..])
    );
}

fn assert_unwritten(error: &Error, kind: ErrorKind, operation: Operation, object: Object) {
    assert_eq!((error.kind(), error.certainty()), (kind, Some(Certainty::NotSent)), "{error}");
    assert_eq!((error.operation(), error.object()), (operation, Some(object)));
}

#[test]
fn a_destination_keeps_its_tunnel_and_thresholds() {
    let script = Script::new();
    let mut engine = script.engine();
    script.then(dumped(vec![vec![entry(tunnelled())]]));
    script.then(done);
    let id = service().id;
    ready(engine.modify_destination(id, tunnelled().id, |it| it.weight = 0)).unwrap();
    let [_, written] = &script.forget()[..] else { panic!("not a reading and a writing") };
    assert_written(written, &Change::UpdateDestination(id, tunnelled().weight(0)));
    script.assert_finished();
}

#[test]
fn a_weight_is_set_from_an_entry_with_one_request() {
    let script = Script::new();
    let mut engine = script.engine();
    let (connections, stats) = (Connections::default(), Stats::default());
    let id = service().id;
    let mut entry = DestinationEntry { destination: tunnelled(), connections, stats };
    script.then(done);
    ready(engine.set_weight_of(id, &entry, 0)).unwrap();
    let [written] = &script.forget()[..] else { panic!("not one writing") };
    assert_written(written, &Change::UpdateDestination(id, tunnelled().weight(0)));

    let error = ready(engine.set_weight_of(id, &entry, u32::MAX)).unwrap_err();
    let object = Object::Destination(id, entry.destination.id);
    assert_unwritten(&error, ErrorKind::InvalidValue, Operation::UpdateDestination, object);

    // What the kernel holds against the rules stays as it is.
    entry.destination.thresholds = Thresholds { upper: 1, lower: 2 };
    script.then(done);
    ready(engine.set_weight_of(id, &entry, 5)).unwrap();
    let [written] = &script.forget()[..] else { panic!("not one writing") };
    assert_written(written, &Change::UpdateDestination(id, entry.destination.weight(5)));
}

#[test]
fn a_service_keeps_its_flags_and_persistence() {
    let script = Script::new();
    let mut engine = script.engine();
    script.then(reported(rich_entry()));
    script.then(done);
    let edit = |it: &mut Service| it.scheduler = Scheduler::SOURCE_HASHING;
    ready(engine.modify_service(service().id, edit)).unwrap();
    let [_, written] = &script.forget()[..] else { panic!("not a reading and a writing") };
    let expected = rich().scheduler(Scheduler::SOURCE_HASHING);
    assert_written(written, &Change::UpdateService(expected));
    script.assert_finished();
}

#[test]
fn an_identity_cannot_be_edited() {
    let script = Script::new();
    let mut engine = script.engine();
    let (id, at) = (service().id, tunnelled().id);
    script.then(reported(rich_entry()));
    let edit = |it: &mut Service| it.id = Service::udp("192.0.2.10:80".parse().unwrap()).id;
    let error = ready(engine.modify_service(id, edit)).unwrap_err();
    let object = Object::Service(id);
    assert_unwritten(&error, ErrorKind::InvalidValue, Operation::UpdateService, object);

    script.then(dumped(vec![vec![entry(tunnelled())]]));
    let edit = |it: &mut Destination| it.id.address.set_port(81);
    let error = ready(engine.modify_destination(id, at, edit)).unwrap_err();
    let object = Object::Destination(id, at);
    assert_unwritten(&error, ErrorKind::InvalidValue, Operation::UpdateDestination, object);
    assert_eq!(error.invalid_value().unwrap().field(), "id");
    script.assert_finished();
}

#[test]
fn an_edit_to_an_invalid_value_is_not_sent() {
    let script = Script::new();
    let mut engine = script.engine();
    script.then(dumped(vec![vec![entry(tunnelled())]]));
    let edit = |it: &mut Destination| it.weight = u32::MAX;
    let error = ready(engine.modify_destination(service().id, tunnelled().id, edit)).unwrap_err();
    assert_eq!(error.invalid_value().unwrap().field(), "weight");
    script.assert_finished();
}

#[test]
fn an_edit_to_an_invalid_value_is_not_hidden_by_one_that_was_read() {
    let script = Script::new();
    let mut engine = script.engine();
    let long = beyond_the_limit();
    let odd = rich().scheduler(Scheduler::reported(b"my.own").unwrap());
    let persist = |it: &mut Service, persistence| it.persistence = Some(persistence);
    for (read, field) in [
        (&long, "persistence prefix"),
        (&odd, "persistence prefix"),
        (&odd, "persistence timeout"),
        (&odd, "flags"),
    ] {
        let edit = |it: &mut Service| match (field, it.persistence.unwrap()) {
            ("persistence prefix", persistence) => persist(it, persistence.prefix(24)),
            ("flags", _) => it.flags = ServiceFlags::from_bits_retain(2),
            _ => persist(it, Persistence::new(Duration::from_millis(1500))),
        };
        script.then(reported(AnyReport::Service(ServiceEntry {
            service: read.clone(),
            ..service_entry()
        })));
        let error = ready(engine.modify_service(service().id, edit)).unwrap_err();
        assert_eq!(error.invalid_value().unwrap().field(), field);
        script.assert_finished();
    }
}

/// Values that only a kernel reports, which breaks a rule of ours.
fn beyond_the_limit() -> Service {
    service().persistent(Duration::from_secs(u32::MAX.into()))
}

#[test]
fn names_are_checked_whatever_a_reported_service_breaks() {
    let script = Script::new();
    let mut engine = script.engine();
    let odd = beyond_the_limit().scheduler(Scheduler::reported(b"../../x y").unwrap());
    let engine_name = PersistenceEngine::reported(b"$(id)/..").unwrap();
    let persistence = beyond_the_limit().persistence.unwrap().engine(engine_name);
    let engineered = service().persistence(persistence);
    for (field, edited) in [("scheduler", odd), ("persistence engine", engineered)] {
        let entry = ServiceEntry { service: beyond_the_limit(), ..service_entry() };
        script.then(reported(AnyReport::Service(entry)));
        let edit = |it: &mut Service| *it = edited;
        let error = ready(engine.modify_service(service().id, edit)).unwrap_err();
        assert_eq!(error.invalid_value().unwrap().field(), field);
        assert_eq!(error.certainty(), Some(Certainty::NotSent));
        script.assert_finished();
    }
}

#[test]
fn an_odd_name_is_not_written_back_even_where_it_was_read() {
    let script = Script::new();
    let mut engine = script.engine();
    let odd = rich().scheduler(Scheduler::reported(b"../x").unwrap());
    script.then(reported(AnyReport::Service(ServiceEntry { service: odd, ..service_entry() })));
    let edit = |it: &mut Service| it.flags = ServiceFlags::empty();
    let error = ready(engine.modify_service(service().id, edit)).unwrap_err();
    assert_eq!(error.invalid_value().unwrap().field(), "scheduler");
    script.assert_finished();
}

#[test]
fn what_was_reported_and_stays_is_written_back() {
    let script = Script::new();
    let mut engine = script.engine();
    let entry = ServiceEntry { service: beyond_the_limit(), ..service_entry() };
    script.then(reported(AnyReport::Service(entry)));
    script.then(done);
    let edit = |it: &mut Service| it.scheduler = Scheduler::SOURCE_HASHING;
    ready(engine.modify_service(service().id, edit)).unwrap();
    let [_, written] = &script.forget()[..] else { panic!("not a reading and a writing") };
    let expected = beyond_the_limit().scheduler(Scheduler::SOURCE_HASHING);
    assert_written(written, &Change::UpdateService(expected));
    script.assert_finished();
}

#[test]
fn one_broken_rule_that_was_reported_excuses_no_other_of_a_destination() {
    let script = Script::new();
    let mut engine = script.engine();
    let heavy = tunnelled().weight(u32::MAX);
    script.then(dumped(vec![vec![entry(heavy.clone())]]));
    let edit = |it: &mut Destination| it.thresholds.upper = u32::MAX;
    let error = ready(engine.modify_destination(service().id, heavy.id, edit)).unwrap_err();
    assert_eq!(error.invalid_value().unwrap().field(), "upper threshold");

    script.then(dumped(vec![vec![entry(heavy.clone().thresholds(u32::MAX, 0))]]));
    let edit = |it: &mut Destination| it.thresholds.lower = u32::MAX - 1;
    script.then(done);
    ready(engine.modify_destination(service().id, heavy.id, edit)).unwrap();
    script.assert_finished();
}

#[test]
fn a_failed_reading_has_written_nothing() {
    let script = Script::new();
    let mut engine = script.engine();
    let (id, at) = (service().id, tunnelled().id);
    for (errno, kind) in
        [(Errno::SRCH, ErrorKind::NoSuchService), (Errno::PERM, ErrorKind::PermissionDenied)]
    {
        script.then(refused(errno));
        let error = ready(engine.modify_service(id, |_| {})).unwrap_err();
        assert_unwritten(&error, kind, Operation::UpdateService, Object::Service(id));
    }
    script.then(|_| vec![Event::Never]);
    let error = ready(engine.modify_service(id, |_| {})).unwrap_err();
    let kind = ErrorKind::DeadlineExceeded;
    assert_unwritten(&error, kind, Operation::UpdateService, Object::Service(id));

    let (operation, object) = (Operation::UpdateDestination, Object::Destination(id, at));
    script.then(dumped(vec![]));
    script.then(refused(Errno::SRCH));
    let error = ready(engine.modify_destination(id, at, |_| {})).unwrap_err();
    assert_unwritten(&error, ErrorKind::NoSuchService, operation, object);
    script.then(dumped(vec![]));
    script.then(reported(rich_entry()));
    let error = ready(engine.modify_destination(id, at, |_| {})).unwrap_err();
    assert_unwritten(&error, ErrorKind::NoSuchDestination, operation, object);
    script.then(|_| vec![Event::Never]);
    let error = ready(engine.modify_destination(id, at, |_| {})).unwrap_err();
    assert_unwritten(&error, ErrorKind::DeadlineExceeded, operation, object);
    script.assert_finished();
}

#[test]
fn a_writing_that_is_refused_or_lost_says_so() {
    let script = Script::new();
    let mut engine = script.engine();
    let id = service().id;
    script.then(reported(rich_entry()));
    script.then(refused(Errno::SRCH));
    let error = ready(engine.modify_service(id, |_| {})).unwrap_err();
    assert_eq!(
        (error.kind(), error.certainty()),
        (ErrorKind::NoSuchService, Some(Certainty::Refused))
    );
    script.then(reported(rich_entry()));
    script.then(|_| vec![Event::Never]);
    let error = ready(engine.modify_service(id, |_| {})).unwrap_err();
    assert_eq!(error.certainty(), Some(Certainty::Unknown));
}
