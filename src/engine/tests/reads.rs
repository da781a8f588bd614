use std::time::Duration;

use rustix::io::Errno;

use crate::engine::tests::changes::service;
use crate::engine::tests::script::{
    Call, Event, Script, found, number, one, ready, refused, reported,
};
use crate::error::{Error, ErrorKind};
use crate::model::{
    AddressFamily, Info, Object, Operation, ServiceEntry, ServiceId, Stats, Timeouts, Version,
};
use crate::proto::tests::reply::{FAMILY, Reply};
use crate::wire::Request;
use crate::wire::tests::any_report::AnyReport;

pub(crate) fn info() -> Info {
    let version = Version { major: 1, minor: 2, patch: 1 };
    Info { version, connection_table_size: 4096 }
}

pub(crate) fn info_report() -> AnyReport {
    AnyReport::Info(info())
}

pub(crate) fn service_entry() -> ServiceEntry {
    let stats = Stats { connections: 5, incoming_bytes: u64::MAX, ..Stats::default() };
    ServiceEntry { service: service(), stats }
}

fn read_service(engine: &mut crate::engine::Engine<Script>) -> Result<ServiceEntry, Error> {
    ready(engine.read(Request::Service(service().id)))
}

#[test]
fn a_read_takes_one_send_and_one_receive() {
    let script = Script::new();
    let mut engine = script.engine();
    script.then(reported(AnyReport::Service(service_entry())));
    assert_eq!(read_service(&mut engine).unwrap(), service_entry());
    assert_eq!(script.calls(), [Call::Send, Call::Receive]);
    let [sent] = &script.forget()[..] else { panic!("not one message") };
    assert_eq!((sent.kind, sent.flags), (FAMILY, 0x1));

    let timeouts = Timeouts::default().udp(Duration::from_secs(300));
    script.then(reported(AnyReport::Timeouts(timeouts)));
    assert_eq!(ready(engine.read::<Timeouts>(Request::Timeouts)).unwrap(), timeouts);
    script.then(reported(info_report()));
    assert_eq!(ready(engine.read::<Info>(Request::Info)).unwrap(), info());
    let once = [Call::Send, Call::Receive];
    assert_eq!(script.calls(), [once, once].concat());
    script.assert_finished();
}

#[test]
fn a_refusal_names_what_was_read() {
    let cases = [
        (Errno::SRCH, ErrorKind::NoSuchService),
        (Errno::PERM, ErrorKind::PermissionDenied),
        (Errno::AFNOSUPPORT, ErrorKind::FamilyNotSupported),
        (Errno::INVAL, ErrorKind::Rejected),
    ];
    let script = Script::new();
    let mut engine = script.engine();
    for (errno, kind) in cases {
        script.then(refused(errno));
        let error = read_service(&mut engine).unwrap_err();
        assert_eq!((error.kind(), error.errno()), (kind, Some(errno.raw_os_error())));
        assert_eq!(error.operation(), Operation::ReadService);
        assert_eq!(error.object(), Some(Object::Service(service().id)));
        assert_eq!(error.certainty(), None);
    }
}

#[test]
fn an_identity_that_no_message_can_carry_is_never_sent() {
    let script = Script::new();
    let mut engine = script.engine();
    let nameless = ServiceId::fwmark(0, AddressFamily::Ipv4);
    let one = ready(engine.read::<ServiceEntry>(Request::Service(nameless))).unwrap_err();
    let all = ready(engine.destinations(nameless)).unwrap_err();
    for error in [one, all] {
        assert_eq!(error.kind(), ErrorKind::InvalidValue);
        assert_eq!(error.object(), Some(Object::Service(nameless)));
    }
    assert_eq!(script.calls(), []);
}

#[test]
fn an_answer_to_another_question_is_malformed() {
    let script = Script::new();
    let mut engine = script.engine();
    // The attributes of info have the numbers of a service's and a destination's.
    script.then(|sent| {
        let bytes = AnyReport::Service(service_entry()).bytes();
        vec![one(Reply::data(number(sent), info_report().command(), &bytes))]
    });
    script.then(reported(info_report()));
    script.then(|sent| vec![one(Reply::data(number(sent), 1, &[]))]);
    script.then(|sent| vec![one(Reply::ack(number(sent)))]);
    for _ in 0..4 {
        let error = read_service(&mut engine).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MalformedReply, "{error}");
    }
    script.then(reported(AnyReport::Service(service_entry())));
    assert_eq!(read_service(&mut engine).unwrap(), service_entry());
}

#[test]
fn a_lost_answer_ends_at_the_deadline() {
    let script = Script::new();
    let mut engine = script.engine();
    script.then(|_| vec![Event::Never]);
    let error = read_service(&mut engine).unwrap_err();
    assert_eq!((error.kind(), error.certainty()), (ErrorKind::DeadlineExceeded, None));
}

#[test]
fn connecting_asks_for_the_family_once() {
    let script = Script::new();
    script.then(found(FAMILY));
    script.open(None).unwrap();
    assert_eq!(script.calls(), [Call::Send, Call::Receive]);
    script.assert_finished();
}
