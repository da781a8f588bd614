//! Errors that a caller gets when the kernel refuses a command.

use std::time::Duration;

use ipvs_netlink::{
    AddressFamily, Certainty, Destination, Error, ErrorKind, Object, Operation, Persistence,
    PersistenceEngine, Reason, Role, Scheduler, Service, ServiceId, SyncDaemon, Tunnel,
};

use super::namespace::{fresh, ip, without_loopback};

fn web() -> Service {
    Service::tcp("192.0.2.10:80".parse().unwrap())
}

fn server() -> Destination {
    Destination::masquerade("10.0.0.2:8080".parse().unwrap())
}

#[track_caller]
fn is_refused(result: Result<(), Error>, kind: ErrorKind, operation: Operation, object: Object) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert_eq!(error.operation(), operation);
    assert_eq!(error.object(), Some(object));
    assert_eq!(error.certainty(), Some(Certainty::Refused));
    assert!(error.errno().is_some());
}

#[test]
fn every_refusal_names_operation_object_and_cause() {
    let mut ipvs = fresh();
    let (web, server) = (web(), server());
    let (service, destination) = (Object::Service(web.id), Object::Destination(web.id, server.id));

    let missing = ErrorKind::NoSuchService;
    is_refused(ipvs.update_service(&web), missing, Operation::UpdateService, service);
    is_refused(ipvs.delete_service(web.id), missing, Operation::DeleteService, service);
    is_refused(ipvs.zero_service(web.id), missing, Operation::ZeroService, service);
    is_refused(
        ipvs.add_destination(web.id, &server),
        missing,
        Operation::AddDestination,
        destination,
    );
    is_refused(
        ipvs.update_destination(web.id, &server),
        missing,
        Operation::UpdateDestination,
        destination,
    );
    is_refused(
        ipvs.delete_destination(web.id, server.id),
        missing,
        Operation::DeleteDestination,
        destination,
    );

    ipvs.add_service(&web).unwrap();
    let missing = ErrorKind::NoSuchDestination;
    is_refused(
        ipvs.update_destination(web.id, &server),
        missing,
        Operation::UpdateDestination,
        destination,
    );
    is_refused(
        ipvs.delete_destination(web.id, server.id),
        missing,
        Operation::DeleteDestination,
        destination,
    );

    ipvs.add_destination(web.id, &server).unwrap();
    is_refused(ipvs.add_service(&web), ErrorKind::ServiceExists, Operation::AddService, service);
    is_refused(
        ipvs.add_destination(web.id, &server),
        ErrorKind::DestinationExists,
        Operation::AddDestination,
        destination,
    );
}

#[test]
fn reading_what_does_not_exist_is_an_error_that_says_so() {
    let mut ipvs = fresh();
    let error = ipvs.service(web().id).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoSuchService);
    assert_eq!(error.certainty(), None);
    assert!(error.is_not_found());
    assert_eq!(
        error.to_string(),
        "read service TCP 192.0.2.10:80: no such service (No such process (os error 3))"
    );
}

#[test]
fn convenient_writes_fail_as_writes_that_were_not_sent() {
    let mut ipvs = fresh();
    let error = ipvs.set_weight(web().id, server().id, 5).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoSuchService);
    assert_eq!(error.operation(), Operation::UpdateDestination);
    assert_eq!(error.certainty(), Some(Certainty::NotSent));
    ipvs.add_service(&web()).unwrap();
    let error = ipvs.set_weight(web().id, server().id, 5).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoSuchDestination);
    ipvs.add_destination(web().id, &server()).unwrap();
    let error = ipvs.set_weight(web().id, server().id, u32::MAX).unwrap_err();
    assert_eq!(error.invalid_value().unwrap().field(), "weight");
    assert_eq!(ipvs.destination(web().id, server().id).unwrap().destination, server());
}

#[test]
fn an_unknown_scheduler_is_told_from_an_unknown_engine_where_that_is_possible() {
    let mut ipvs = fresh();
    let unknown: Scheduler = "nosuch".parse().unwrap();
    let engine: PersistenceEngine = "nosuch".parse().unwrap();
    let persistence = Persistence::new(Duration::from_secs(60)).engine(engine);
    let cases = [
        (web().scheduler(unknown), ErrorKind::UnknownScheduler),
        (web().persistence(persistence), ErrorKind::UnknownSchedulerOrEngine),
        (
            web().scheduler(Scheduler::NONE).persistence(persistence),
            ErrorKind::UnknownPersistenceEngine,
        ),
    ];
    for (service, kind) in &cases {
        assert_eq!(ipvs.add_service(service).unwrap_err().kind(), *kind);
    }
    ipvs.add_service(&web()).unwrap();
    for (service, kind) in &cases {
        assert_eq!(ipvs.update_service(service).unwrap_err().kind(), *kind);
        assert_eq!(ipvs.service(web().id).unwrap().service, web());
    }
}

#[test]
fn what_only_the_host_can_know_is_rejected_by_the_kernel() {
    let mut ipvs = fresh();
    ip("link add d0 type dummy");
    ip("address add 10.9.0.1/24 dev d0");
    ip("link set d0 up");
    ipvs.add_service(&web()).unwrap();
    for address in ["10.9.0.255:80", "127.255.255.255:80"] {
        let broadcast = Destination::masquerade(address.parse().unwrap());
        let error = ipvs.add_destination(web().id, &broadcast).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Rejected);
        assert_eq!(error.likely_reasons().first(), Some(&Reason::BroadcastAddress), "{error}");
    }
}

/// The loopback interface of a new namespace is down, as in a container that starts.
#[test]
fn a_namespace_without_loopback_is_told_as_the_likely_reason() {
    let mut ipvs = without_loopback();
    let service = Service::fwmark(256, AddressFamily::Ipv4);
    ipvs.add_service(&service).unwrap();
    let server = Destination::masquerade("10.255.0.9:0".parse().unwrap());
    let error = ipvs.add_destination(service.id, &server).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected);
    assert_eq!(error.likely_reasons().first(), Some(&Reason::NoLoopback));
    assert!(error.to_string().contains("ip link set lo up"), "{error}");
    ip("link set lo up");
    ipvs.add_destination(service.id, &server).unwrap();
}

#[test]
fn what_excludes_one_another_is_told() {
    let mut ipvs = fresh();
    ip("link add d0 type dummy");
    ip("link set d0 up");
    ipvs.add_service(&web()).unwrap();
    let other = Destination::tunnel("[2001:db8::2]:80".parse().unwrap(), Tunnel::Ipip);
    let daemon = SyncDaemon::new(Role::Master, "d0".parse().unwrap());
    ipvs.start_daemon(&daemon).unwrap();
    let error = ipvs.add_destination(web().id, &other).unwrap_err();
    assert_eq!(error.likely_reasons(), [Reason::SyncDaemonRuns], "{error}");
    ipvs.stop_daemon(Role::Master).unwrap();
    ipvs.add_destination(web().id, &other).unwrap();
    let error = ipvs.start_daemon(&daemon).unwrap_err();
    assert_eq!(error.likely_reasons(), [Reason::MixedFamilies], "{error}");

    let v6 = Service::tcp("[2001:db8::1]:80".parse().unwrap());
    ipvs.add_service(&v6).unwrap();
    let link_local = Destination::masquerade("[fe80::2]:80".parse().unwrap());
    let error = ipvs.add_destination(v6.id, &link_local).unwrap_err();
    assert_eq!(error.likely_reasons(), [Reason::LinkLocalAddress], "{error}");
}

#[test]
fn what_breaks_a_rule_is_not_sent() {
    let mut ipvs = fresh();
    let scoped = ServiceId::tcp("[fe80::1%1]:80".parse().unwrap());
    let error = ipvs.delete_service(scoped).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidValue);
    assert_eq!(error.certainty(), Some(Certainty::NotSent));
    assert_eq!(ipvs.service(scoped).unwrap_err().kind(), ErrorKind::InvalidValue);
    assert_eq!(ipvs.destinations(scoped).unwrap_err().kind(), ErrorKind::InvalidValue);
    // To the kernel, mark 0 is the service TCP 0.0.0.0:0.
    let unmarked = ServiceId::fwmark(0, AddressFamily::Ipv4);
    ipvs.add_service(&Service::tcp("0.0.0.0:0".parse().unwrap())).unwrap();
    assert_eq!(ipvs.delete_service(unmarked).unwrap_err().kind(), ErrorKind::InvalidValue);
    assert_eq!(ipvs.services().unwrap().len(), 1);
}
