//! A module that comes and goes: its id is not what it was, or it has none.

use rustix::io::Errno;

use crate::engine::tests::changes::{server, service};
use crate::engine::tests::dumps::entry;
use crate::engine::tests::reads::{info, info_report, service_entry};
use crate::engine::tests::script::{Event, Script, done, dumped, found, ready, refused, reported};
use crate::error::{Certainty, ErrorKind};
use crate::model::{Change, Info, Object, Operation, ServiceEntry};
use crate::proto::tests::reply::FAMILY;
use crate::wire::Request;
use crate::wire::tests::any_report::AnyReport;

const MOVED: u16 = FAMILY + 1;
const CONTROLLER: u16 = 16;

fn moves(script: &Script) {
    script.then(refused(Errno::NOENT));
    script.then(found(MOVED));
}

fn kinds(script: &Script) -> Vec<u16> {
    script.forget().iter().map(|raw| raw.kind).collect()
}

#[test]
fn a_change_goes_to_the_new_id_and_so_does_the_next() {
    let script = Script::new();
    let mut engine = script.engine();
    moves(&script);
    script.then(done);
    ready(engine.change(&Change::Flush)).unwrap();
    assert_eq!(kinds(&script), [FAMILY, CONTROLLER, MOVED]);
    script.then(done);
    ready(engine.change(&Change::Flush)).unwrap();
    assert_eq!(kinds(&script), [MOVED]);
}

#[test]
fn what_the_new_module_says_counts() {
    let script = Script::new();
    let mut engine = script.engine();
    moves(&script);
    script.then(refused(Errno::SRCH));
    let error = ready(engine.change(&Change::DeleteService(service().id))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoSuchService);
    script.assert_finished();
}

#[test]
fn a_refusal_by_the_new_module_means_what_it_says() {
    let script = Script::new();
    let mut engine = script.engine();
    moves(&script);
    script.then(refused(Errno::NOENT));
    script.then(found(MOVED));
    let error = ready(engine.change(&Change::AddService(service()))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownScheduler);
    assert_eq!(script.sends(), 4);
    script.assert_finished();
}

#[test]
fn a_module_that_is_loaded_anew_again_and_again_is_said_to_be() {
    let script = Script::new();
    let mut engine = script.engine();
    moves(&script);
    script.then(refused(Errno::NOENT));
    script.then(found(MOVED + 1));
    let error = ready(engine.change(&Change::AddService(service()))).unwrap_err();
    assert_eq!(
        (error.kind(), error.certainty()),
        (ErrorKind::FamilyMoved, Some(Certainty::Refused))
    );
    script.assert_finished();
}

#[test]
fn reads_and_dumps_say_so_too() {
    let script = Script::new();
    let mut engine = script.engine();
    moves(&script);
    script.then(refused(Errno::NOENT));
    script.then(found(MOVED + 1));
    let error = ready(engine.read::<Info>(Request::Info)).unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::FamilyMoved, Operation::ReadInfo));

    moves(&script);
    script.then(refused(Errno::NOENT));
    script.then(found(MOVED + 1));
    let error = ready(engine.collect::<ServiceEntry>(Request::Services)).unwrap_err();
    assert_eq!(
        (error.kind(), error.operation()),
        (ErrorKind::FamilyMoved, Operation::ReadServices)
    );

    // The module is gone when the request comes again.
    script.then(refused(Errno::NOENT));
    script.then(found(MOVED));
    script.then(refused(Errno::NOENT));
    script.then(refused(Errno::NOENT));
    let error = ready(engine.collect::<ServiceEntry>(Request::Services)).unwrap_err();
    assert_eq!(
        (error.kind(), error.operation()),
        (ErrorKind::Unavailable, Operation::ReadServices)
    );
    script.assert_finished();
}

#[test]
fn reads_and_dumps_go_to_the_new_id() {
    let script = Script::new();
    let mut engine = script.engine();
    moves(&script);
    script.then(reported(info_report()));
    assert_eq!(ready(engine.read::<Info>(Request::Info)).unwrap(), info());
    assert_eq!(kinds(&script), [FAMILY, CONTROLLER, MOVED]);

    script.then(refused(Errno::NOENT));
    script.then(found(FAMILY));
    script.then(dumped(vec![vec![AnyReport::Service(service_entry())]]));
    let read: Vec<ServiceEntry> = ready(engine.collect(Request::Services)).unwrap();
    assert_eq!(read, [service_entry()]);
    assert_eq!(kinds(&script), [MOVED, CONTROLLER, FAMILY]);
    script.assert_finished();
}

#[test]
fn the_socket_for_destinations_learns_it_from_the_other() {
    let (commands, dumps) = (Script::new(), Script::new());
    let mut engine = commands.engine_with(Some(&dumps));
    dumps.then(refused(Errno::NOENT));
    commands.then(found(MOVED));
    dumps.then(dumped(vec![vec![AnyReport::Destination(entry(1))]]));
    assert_eq!(ready(engine.destinations(service().id)).unwrap(), [entry(1)]);
    assert_eq!((kinds(&commands), kinds(&dumps)), (vec![CONTROLLER], vec![FAMILY, MOVED]));
    commands.assert_finished();
    dumps.assert_finished();
}

#[test]
fn with_the_same_id_the_refusal_was_meant() {
    let script = Script::new();
    let mut engine = script.engine();
    let update = Change::UpdateDestination(service().id, server());
    script.then(refused(Errno::NOENT));
    script.then(found(FAMILY));
    let error = ready(engine.change(&update)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoSuchDestination);
    assert_eq!(error.certainty(), Some(Certainty::Refused));
    assert_eq!(kinds(&script), [FAMILY, CONTROLLER]);

    script.then(refused(Errno::NOENT));
    script.then(found(FAMILY));
    let error = ready(engine.collect::<ServiceEntry>(Request::Services)).unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Other, Operation::ReadServices));
    script.assert_finished();
}

#[test]
fn a_module_that_is_gone_is_unavailable() {
    let script = Script::new();
    let mut engine = script.engine();
    let gone = || {
        script.then(refused(Errno::NOENT));
        script.then(refused(Errno::NOENT));
    };
    gone();
    let change = Change::DeleteService(service().id);
    let error = ready(engine.change(&change)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(error.operation(), Operation::DeleteService);
    assert_eq!(error.object(), Some(Object::Service(service().id)));
    assert!(matches!(error.certainty(), Some(Certainty::NotSent | Certainty::Refused)));
    gone();
    let error = ready(engine.read::<Info>(Request::Info)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    gone();
    let error = ready(engine.collect::<ServiceEntry>(Request::Services)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    script.assert_finished();
}

/// Whether the module is another one by now cannot be known. The kernel has refused, for
/// the reason that its errno stands for.
#[test]
fn a_refusal_keeps_its_kind_when_the_family_cannot_be_looked_up() {
    let script = Script::new();
    let mut engine = script.engine();
    let update = Change::UpdateDestination(service().id, server());
    for change in [&update, &Change::AddService(service())] {
        script.then(refused(Errno::NOENT));
        script.then(|_| vec![Event::Never]);
        let error = ready(engine.change(change)).unwrap_err();
        let kind = match change {
            Change::AddService(_) => ErrorKind::UnknownScheduler,
            _ => ErrorKind::NoSuchDestination,
        };
        assert_eq!((error.kind(), error.certainty()), (kind, Some(Certainty::Refused)));
        assert!(error.to_string().contains("could not be found out"), "{error}");
    }
    // IPVS itself never refuses a flush so: there is nothing to be told but the loss.
    script.then(refused(Errno::NOENT));
    script.then(|_| vec![Event::Never]);
    let error = ready(engine.change(&Change::Flush)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    script.assert_finished();
}

#[test]
fn connecting_without_a_module_says_so() {
    let script = Script::new();
    script.then(refused(Errno::NOENT));
    let error = script.open(None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!((error.operation(), error.certainty()), (Operation::ResolveFamily, None));
}

#[test]
fn nothing_is_ever_sent_to_an_id_of_the_netlink_core() {
    for id in [0, 1, 3, 15] {
        let script = Script::new();
        script.then(found(id));
        let error = script.open(None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MalformedReply);
        assert_eq!(kinds(&script), [CONTROLLER]);

        let mut engine = script.engine();
        script.then(refused(Errno::NOENT));
        script.then(found(id));
        let error = ready(engine.change(&Change::Flush)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MalformedReply);
        assert_eq!(kinds(&script), [FAMILY, CONTROLLER]);
        script.assert_finished();
    }
}
