//! Every fault looks to a client as it does with Linux.

use std::time::Duration;

use ipvs_netlink::fake::{Errno, Fault, Kernel};
use ipvs_netlink::{Certainty, Change, Client, ErrorKind, Operation, Service};

fn service(port: u16) -> Service {
    Service::tcp(([192, 0, 2, 10], port).into())
}

fn additions(ports: std::ops::Range<u16>) -> Vec<Change> {
    ports.map(|port| Change::AddService(service(port))).collect()
}

#[test]
fn a_refusal_changes_nothing() {
    let kernel = Kernel::new();
    let mut ipvs = Client::fake(&kernel).unwrap();
    kernel.fail(3, Fault::Refused(Errno::NOMEM));
    let report = ipvs.submit(&additions(1..6));
    let failed: Vec<_> = report.failures().map(|failed| failed.index).collect();
    assert_eq!(failed, [2]);
    assert_eq!(kernel.initial().table().len(), 4);
    assert!(kernel.initial().service(service(3).id).is_none());
}

#[test]
fn without_privilege_every_command_is_refused() {
    let kernel = Kernel::new();
    kernel.set_privileged(false);
    let mut ipvs = Client::fake(&kernel).unwrap();
    assert_eq!(ipvs.check().unwrap_err().kind(), ErrorKind::PermissionDenied);
    assert_eq!(ipvs.services().unwrap_err().kind(), ErrorKind::PermissionDenied);
    kernel.set_privileged(true);
    ipvs.check().unwrap();
}

#[test]
fn an_overflow_loses_answers_until_the_socket_is_empty() {
    let kernel = Kernel::new();
    let mut ipvs = Client::fake(&kernel).unwrap();
    kernel.fail(1, Fault::Overflow);
    let error = ipvs.add_service(&service(1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReceiveOverflow);
    assert_eq!(error.certainty(), Some(Certainty::Unknown));
    ipvs.add_service(&service(2)).unwrap();
    assert_eq!(ipvs.services().unwrap().len(), 2);
    kernel.fail(1, Fault::Overflow);
    assert!(ipvs.services().is_err());
    assert_eq!(ipvs.services().unwrap().len(), 2);
}

#[test]
fn a_truncated_answer_is_an_error() {
    let kernel = Kernel::new();
    let mut ipvs = Client::fake(&kernel).unwrap();
    ipvs.add_service(&service(1)).unwrap();
    kernel.fail(1, Fault::Truncated);
    let error = ipvs.service(service(1).id).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MalformedReply, "{error}");
    ipvs.service(service(1).id).unwrap();
}

#[test]
fn latency_moves_the_clock_and_is_no_failure() {
    let kernel = Kernel::new();
    let mut ipvs = Client::fake(&kernel).unwrap();
    kernel.fail(1, Fault::Latency(Duration::from_millis(200)));
    ipvs.add_service(&service(1)).unwrap();
    assert_eq!(kernel.elapsed(), Duration::from_millis(200));
}

#[test]
fn a_datagram_that_is_not_sent_does_nothing() {
    let kernel = Kernel::new();
    let mut ipvs = Client::fake(&kernel).unwrap();
    kernel.fail(1, Fault::NotSent(Errno::NOBUFS));
    let error = ipvs.add_service(&service(1)).unwrap_err();
    assert_eq!(error.certainty(), Some(Certainty::NotSent));
    assert!(kernel.initial().table().is_empty());
}

#[test]
fn a_reloaded_module_has_another_family_and_an_empty_table() {
    let kernel = Kernel::new();
    let mut ipvs = Client::fake(&kernel).unwrap();
    ipvs.submit(&additions(1..4)).into_result().unwrap();
    kernel.unload();
    assert!(ipvs.services().unwrap().is_empty());
    ipvs.add_service(&service(1)).unwrap();
    kernel.unload();
    kernel.set_loadable(false);
    assert_eq!(ipvs.services().unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(Client::fake(&kernel).unwrap_err().kind(), ErrorKind::Unavailable);
    kernel.set_loadable(true);
    ipvs.add_service(&service(1)).unwrap();
}

#[test]
fn a_module_is_not_unloaded_within_a_datagram() {
    let kernel = Kernel::new();
    let mut ipvs = Client::fake(&kernel).unwrap();
    kernel.before(2, Kernel::unload);
    ipvs.submit(&additions(1..4)).into_result().unwrap();
    assert!(kernel.initial().table().is_empty());
    kernel.before(1, Kernel::unload);
    ipvs.submit(&additions(1..4)).into_result().unwrap();
    assert_eq!(kernel.initial().table().len(), 3);
}

#[test]
fn a_foreign_writer_comes_between_two_requests() {
    let kernel = Kernel::new();
    let mut ipvs = Client::fake(&kernel).unwrap();
    kernel.before(2, |kernel| kernel.initial().write(&Change::Flush).unwrap());
    ipvs.submit(&additions(1..4)).into_result().unwrap();
    assert_eq!(kernel.initial().table().len(), 2);
}

#[test]
fn an_interceptor_sees_every_request() {
    let kernel = Kernel::new();
    let mut ipvs = Client::fake(&kernel).unwrap();
    let mut seen = 0;
    kernel.intercept(move |kernel, request| {
        seen += 1;
        assert_eq!(request.number(), 1 + 2 * seen - seen);
        if request.operation() == Some(Operation::AddService) {
            kernel.advance(Duration::from_secs(1));
        }
        let third = request.change() == Some(Change::AddService(service(3)));
        third.then_some(Fault::Refused(Errno::PERM))
    });
    let report = ipvs.submit(&additions(1..6));
    assert_eq!(report.failures().count(), 1);
    assert_eq!(kernel.elapsed(), Duration::from_secs(5));
    kernel.clear_faults();
    ipvs.add_service(&service(3)).unwrap();
    assert_eq!(kernel.requests(), 7);
}

#[test]
fn the_log_has_what_was_asked_for() {
    let kernel = Kernel::new();
    let mut ipvs = Client::fake(&kernel).unwrap();
    let changes = additions(1..3);
    ipvs.submit(&changes).into_result().unwrap();
    assert_eq!(ipvs.services().unwrap().len(), 2);
    let log = kernel.log();
    let told: Vec<_> = log.iter().map(ToString::to_string).collect();
    let expected = [
        "look up IPVS",
        "add service TCP 192.0.2.10:1",
        "add service TCP 192.0.2.10:2",
        "read services",
    ];
    assert_eq!(told, expected);
    assert_eq!(log[2].change().as_ref(), changes.get(1));
    kernel.keep_log(1);
    assert_eq!(kernel.log().len(), 1);
    assert_eq!(kernel.log()[0], log[3]);
}

#[test]
fn namespaces_have_tables_of_their_own() {
    let kernel = Kernel::new();
    let (mut here, blue) = (Client::fake(&kernel).unwrap(), kernel.namespace("blue"));
    let mut there = Client::fake_in(&blue).unwrap();
    here.add_service(&service(1)).unwrap();
    there.add_service(&service(1)).unwrap();
    there.add_service(&service(2)).unwrap();
    assert_eq!((here.services().unwrap().len(), there.services().unwrap().len()), (1, 2));
    assert_eq!(kernel.namespace("blue").table().len(), 2);
    assert_eq!(kernel.log().last().unwrap().namespace(), "blue");
    here.flush().unwrap();
    assert_eq!(blue.table().len(), 2);
}
