//! The observer of exchanges: each is told, once, with what became of it.

use std::sync::{Arc, Mutex};

use ipvs_netlink::fake::{Errno, Fault, Kernel};
use ipvs_netlink::{Change, Client, Destination, ErrorKind, Exchange, Operation, Service};

/// What an observer was told, in short.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Told {
    operation: Operation,
    object: String,
    together: usize,
    entries: Option<usize>,
    error: Option<ErrorKind>,
    bytes: (usize, usize),
}

type Log = Arc<Mutex<Vec<Told>>>;

fn observed(kernel: &Kernel) -> (Client, Log) {
    let mut ipvs = Client::fake(kernel).unwrap();
    let log = Log::default();
    let to = Arc::clone(&log);
    ipvs.observe(move |exchange: &Exchange<'_>| {
        to.lock().unwrap().push(Told {
            operation: exchange.operation,
            object: exchange.object.map(|object| object.to_string()).unwrap_or_default(),
            together: exchange.together,
            entries: exchange.entries,
            error: exchange.result.err().map(ipvs_netlink::Error::kind),
            bytes: (exchange.sent, exchange.received),
        });
    });
    (ipvs, log)
}

fn taken(log: &Log) -> Vec<Told> {
    std::mem::take(&mut *log.lock().unwrap())
}

fn service(port: u16) -> Service {
    Service::tcp(([192, 0, 2, 10], port).into())
}

fn destination() -> Destination {
    Destination::masquerade(([10, 0, 0, 2], 8080).into())
}

#[test]
fn each_request_is_told_with_its_bytes() {
    let (mut ipvs, log) = observed(&Kernel::new());
    ipvs.info().unwrap();
    ipvs.add_service(&service(80)).unwrap();
    ipvs.service(service(80).id).unwrap();
    let told = taken(&log);
    let operations: Vec<_> = told.iter().map(|told| told.operation).collect();
    assert_eq!(operations, [Operation::ReadInfo, Operation::AddService, Operation::ReadService]);
    assert_eq!(told[1].object, "TCP 192.0.2.10:80");
    for told in told {
        assert!(told.bytes.0 >= 20 && told.bytes.1 >= 20, "{told:?}");
        assert_eq!((told.together, told.error, told.entries), (1, None, None));
    }
}

#[test]
fn changes_of_one_send_are_told_each_and_share_the_bytes() {
    let kernel = Kernel::new();
    let (mut ipvs, log) = observed(&kernel);
    let changes: Vec<_> = (1..=5).map(|port| Change::AddService(service(port))).collect();
    kernel.fail(3, Fault::Refused(Errno::NOMEM));
    let report = ipvs.submit(&changes);
    assert_eq!(report.failures().count(), 1);
    let told = taken(&log);
    assert_eq!(told.len(), 5);
    for (told, port) in told.iter().zip(1..) {
        assert_eq!(told.object, format!("TCP 192.0.2.10:{port}"));
        assert_eq!((told.together, told.bytes), (5, told.bytes));
        assert_eq!(told.error.is_some(), port == 3, "{told:?}");
    }
}

#[test]
fn a_list_is_told_at_its_end_with_its_entries() {
    let kernel = Kernel::new();
    let (mut ipvs, log) = observed(&kernel);
    for port in 1..=300 {
        ipvs.add_service(&service(port)).unwrap();
    }
    ipvs.add_destination(service(1).id, &destination()).unwrap();
    taken(&log);
    assert_eq!(ipvs.services().unwrap().len(), 300);
    assert_eq!(ipvs.destinations(service(1).id).unwrap().len(), 1);
    assert_eq!(ipvs.stream_services().unwrap().count(), 300);
    let entries: Vec<_> = taken(&log).iter().map(|told| told.entries).collect();
    assert_eq!(entries, [Some(300), Some(1), Some(300)]);
    // A stream that is not read to its end is not told, and disturbs nothing.
    assert!(ipvs.stream_services().unwrap().next().is_some());
    assert_eq!(taken(&log), []);
    assert!(ipvs.destinations(service(2).id).unwrap().is_empty());
    let operations: Vec<_> = taken(&log).iter().map(|told| told.operation).collect();
    // An empty list is followed by the question whether the service exists.
    assert_eq!(operations, [Operation::ReadDestinations, Operation::ReadService]);
}

#[test]
fn failures_are_told_with_their_cause() {
    let kernel = Kernel::new();
    let (mut ipvs, log) = observed(&kernel);
    ipvs.service(service(80).id).unwrap_err();
    kernel.fail(1, Fault::Overflow);
    ipvs.services().unwrap_err();
    kernel.set_privileged(false);
    ipvs.services().unwrap_err();
    ipvs.delete_service(service(80).id).unwrap_err();
    kernel.set_privileged(true);
    let errors: Vec<_> = taken(&log).iter().map(|told| (told.operation, told.error)).collect();
    for expected in [
        (Operation::ReadService, Some(ErrorKind::NoSuchService)),
        (Operation::ReadServices, Some(ErrorKind::ReceiveOverflow)),
        (Operation::ReadServices, Some(ErrorKind::PermissionDenied)),
        (Operation::DeleteService, Some(ErrorKind::PermissionDenied)),
    ] {
        let times = errors.iter().filter(|told| **told == expected).count();
        assert_eq!(times, 1, "{expected:?}: {errors:?}");
    }
}

#[test]
fn what_is_refused_before_it_is_sent_is_not_told() {
    let (mut ipvs, log) = observed(&Kernel::new());
    let heavy = destination().weight(u32::MAX);
    ipvs.add_destination(service(80).id, &heavy).unwrap_err();
    assert_eq!(taken(&log), []);
    ipvs.stop_observing();
    ipvs.info().unwrap();
    assert_eq!(taken(&log), []);
}

#[test]
fn a_line_has_request_outcome_time_and_bytes() {
    let kernel = Kernel::new();
    let mut ipvs = Client::fake(&kernel).unwrap();
    let lines = Arc::new(Mutex::new(Vec::new()));
    let to = Arc::clone(&lines);
    ipvs.observe(move |exchange| to.lock().unwrap().push(exchange.to_string()));
    let changes = [Change::AddService(service(1)), Change::AddService(service(2))];
    ipvs.submit(&changes).into_result().unwrap();
    assert_eq!(ipvs.services().unwrap().len(), 2);
    ipvs.add_service(&service(1)).unwrap_err();
    let lines = lines.lock().unwrap();
    let short: Vec<_> = lines
        .iter()
        .map(|line| {
            let (before, rest) = line.split_once(" <").unwrap();
            let (time, bytes) = rest.split_once(" s> ").unwrap();
            assert!(time.parse::<f64>().unwrap() >= 0.0 && bytes.contains(" bytes"), "{line}");
            before
        })
        .collect();
    let expected = [
        "add service TCP 192.0.2.10:1 = ok",
        "add service TCP 192.0.2.10:2 = ok",
        "read services = 2 entries",
        "add service TCP 192.0.2.10:1 = the service exists",
    ];
    assert_eq!(short, expected);
    assert!(lines[0].ends_with(" for 2 together"), "{}", lines[0]);
}
