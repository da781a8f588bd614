use std::time::Duration;

use rustix::io::Errno;

use crate::engine::tests::script::{Call, Event, Script, done, found, number, one, ready, refused};
use crate::error::{Certainty, ErrorKind};
use crate::model::{
    AddressFamily, Change, Destination, DestinationId, Operation, Persistence, PersistenceEngine,
    Role, Scheduler, Service, ServiceId, SyncDaemon, Timeouts,
};
use crate::proto::tests::reply::{FAMILY, MSG, OFFS, Reply, datagram};
use crate::wire::Request;
use crate::wire::tests::request_bytes;

pub(crate) fn service() -> Service {
    Service::tcp("192.0.2.10:80".parse().unwrap())
}

pub(crate) fn server() -> Destination {
    Destination::masquerade("10.0.0.2:8080".parse().unwrap())
}

fn daemon() -> SyncDaemon {
    SyncDaemon::new(Role::Master, "eth0".parse().unwrap())
}

fn every_change() -> [Change; 11] {
    let (id, server) = (service().id, server());
    [
        Change::AddService(service()),
        Change::UpdateService(service()),
        Change::DeleteService(id),
        Change::ZeroService(id),
        Change::AddDestination(id, server.clone()),
        Change::UpdateDestination(id, server.clone()),
        Change::DeleteDestination(id, server.id),
        Change::SetTimeouts(Timeouts::default()),
        Change::StartDaemon(daemon()),
        Change::ZeroAll,
        Change::Flush,
    ]
}

#[test]
fn a_change_takes_one_send_and_one_receive() {
    let script = Script::new();
    let mut engine = script.engine();
    for change in every_change() {
        script.then(done);
        ready(engine.change(&change)).unwrap();
        assert_eq!(script.calls(), [Call::Send, Call::Receive], "{change:?}");
        let [sent] = &script.forget()[..] else { panic!("not one message") };
        assert_eq!((sent.kind, sent.flags), (FAMILY, 0x5), "{change:?}");
        let request = Request::Change(&change);
        assert_eq!(sent.command(), request.command());
        assert_eq!(sent.attributes(), request_bytes(&request));
    }
    script.assert_finished();
}

#[test]
fn an_answer_that_is_not_there_at_once_is_waited_for() {
    let script = Script::new();
    let mut engine = script.engine();
    script.then(|sent| vec![Event::Late, one(Reply::ack(number(sent)))]);
    ready(engine.change(&Change::Flush)).unwrap();
    let calls = [Call::Send, Call::Receive, Call::Wait, Call::Receive];
    assert_eq!(script.calls(), calls);
}

#[test]
fn what_is_anothers_is_skipped() {
    let script = Script::new();
    let mut engine = script.engine();
    script.then(|sent| {
        let own = number(sent);
        let stale = [Reply::refused(own - 1, 1), Reply::refused(own, 1).for_port(1), Reply::ack(0)];
        vec![Event::Datagram(datagram(&stale)), one(Reply::ack(own))]
    });
    ready(engine.change(&Change::Flush)).unwrap();
    script.assert_finished();
}

#[test]
fn a_refusal_names_its_cause_operation_and_object() {
    use ErrorKind as Kind;

    let (id, at) = (service().id, server().id);
    let with_engine = {
        let minute = Duration::from_secs(60);
        service().persistence(Persistence::new(minute).engine(PersistenceEngine::SIP))
    };
    let unscheduled = with_engine.clone().scheduler(Scheduler::NONE);
    let cases = [
        (Change::AddService(service()), Errno::EXIST, Kind::ServiceExists),
        (Change::AddService(service()), Errno::NOENT, Kind::UnknownScheduler),
        (Change::AddService(with_engine.clone()), Errno::NOENT, Kind::UnknownSchedulerOrEngine),
        (Change::UpdateService(unscheduled), Errno::NOENT, Kind::UnknownPersistenceEngine),
        (Change::UpdateService(service()), Errno::SRCH, Kind::NoSuchService),
        (Change::UpdateService(service()), Errno::INVAL, Kind::Rejected),
        (Change::DeleteService(id), Errno::SRCH, Kind::NoSuchService),
        (Change::ZeroService(id), Errno::SRCH, Kind::NoSuchService),
        (Change::AddDestination(id, server()), Errno::EXIST, Kind::DestinationExists),
        (Change::AddDestination(id, server()), Errno::SRCH, Kind::NoSuchService),
        (Change::AddDestination(id, server()), Errno::RANGE, Kind::Rejected),
        (Change::UpdateDestination(id, server()), Errno::NOENT, Kind::NoSuchDestination),
        (Change::DeleteDestination(id, at), Errno::NOENT, Kind::NoSuchDestination),
        (Change::DeleteDestination(id, at), Errno::SRCH, Kind::NoSuchService),
        (Change::StartDaemon(daemon()), Errno::EXIST, Kind::DaemonExists),
        (Change::StartDaemon(daemon()), Errno::NODEV, Kind::NoSuchInterface),
        (Change::StartDaemon(daemon()), Errno::NETUNREACH, Kind::NetworkUnavailable),
        (Change::StartDaemon(daemon()), Errno::ADDRINUSE, Kind::NetworkUnavailable),
        (Change::SetTimeouts(Timeouts::default()), Errno::INVAL, Kind::Rejected),
        (Change::ZeroAll, Errno::PERM, Kind::PermissionDenied),
        (Change::Flush, Errno::OPNOTSUPP, Kind::NotSupported),
        (Change::Flush, Errno::NOMEM, Kind::OutOfMemory),
        (Change::Flush, Errno::IO, Kind::Other),
        (Change::AddService(service()), Errno::AFNOSUPPORT, Kind::FamilyNotSupported),
        (Change::AddService(service()), Errno::NOPROTOOPT, Kind::Unavailable),
    ];
    for (change, errno, kind) in cases {
        let script = Script::new();
        let mut engine = script.engine();
        script.then(refused(errno));
        if errno == Errno::NOENT {
            script.then(found(FAMILY));
        }
        let error = ready(engine.change(&change)).unwrap_err();
        assert_eq!(error.kind(), kind, "{change:?} {errno}");
        assert_eq!(error.operation(), change.operation());
        assert_eq!(error.object(), change.object());
        assert_eq!(error.certainty(), Some(Certainty::Refused));
        assert_eq!(error.errno(), Some(errno.raw_os_error()));
        script.assert_finished();
    }
}

#[test]
fn the_kernels_words_come_with_the_refusal() {
    let script = Script::new();
    let mut engine = script.engine();
    script.then(|sent| {
        let words = [(MSG, &b"odd\0"[..]), (OFFS, &20_u32.to_ne_bytes())];
        vec![one(Reply::refused(number(sent), 34).with(&words))]
    });
    let error = ready(engine.change(&Change::ZeroAll)).unwrap_err();
    let extack = error.extack().unwrap();
    assert_eq!((extack.message(), extack.offset()), (Some("odd"), Some(20)));
    assert_eq!((error.operation(), error.object()), (Operation::ZeroAll, None));
}

#[test]
fn an_invalid_value_is_never_sent() {
    let script = Script::new();
    let mut engine = script.engine();
    let (id, at) = (service().id, server().id);
    let nameless = ServiceId::fwmark(0, AddressFamily::Ipv4);
    let scoped = DestinationId { address: "[fe80::1%2]:80".parse().unwrap() };
    let unsent = [
        (Change::AddService(Service::new(nameless)), "fwmark"),
        (Change::DeleteService(nameless), "fwmark"),
        (Change::ZeroService(nameless), "fwmark"),
        (Change::AddDestination(nameless, server()), "fwmark"),
        (Change::DeleteDestination(nameless, at), "fwmark"),
        (Change::DeleteDestination(id, scoped), "destination address"),
        (Change::UpdateDestination(id, server().weight(u32::MAX)), "weight"),
        (Change::StartDaemon(daemon().sync_id(256)), "sync id"),
        (Change::SetTimeouts(Timeouts::default().tcp(Duration::ZERO)), "tcp timeout"),
    ];
    for (change, field) in unsent {
        let error = ready(engine.change(&change)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidValue, "{change:?}");
        assert_eq!(error.invalid_value().unwrap().field(), field);
        assert_eq!(error.certainty(), Some(Certainty::NotSent));
        assert_eq!((error.operation(), error.object()), (change.operation(), change.object()));
    }
    assert_eq!(script.calls(), []);
}

#[test]
fn an_update_of_what_may_not_be_added_is_sent() {
    let script = Script::new();
    let mut engine = script.engine();
    // A kernel may have it already: its rules for new ones do not matter.
    let multicast = Destination::masquerade("224.0.0.1:80".parse().unwrap());
    let update = Change::UpdateDestination(service().id, multicast.clone());
    script.then(done);
    ready(engine.change(&update)).unwrap();
    let add = Change::AddDestination(service().id, multicast);
    assert_eq!(ready(engine.change(&add)).unwrap_err().kind(), ErrorKind::InvalidValue);
    script.assert_finished();
}
