//! Answers that an overflow swallowed: what can be read tells the outcome.

use std::time::Duration;

use rustix::io::Errno;

use crate::client::tests::changes::{server, service};
use crate::client::tests::script::{
    Call, Event, Script, done, dumped, one, ready, refused, reported,
};
use crate::error::{Certainty, ErrorKind};
use crate::model::{
    Change, Connections, Destination, DestinationEntry, Netmask, Role, Service, ServiceEntry,
    Stats, SyncDaemon, Timeouts,
};
use crate::proto::tests::reply::Reply;
use crate::wire::tests::any_report::AnyReport;
use crate::wire::tests::raw::Raw;

type Answers = Box<dyn FnOnce(&[Raw]) -> Vec<Event> + Send>;

fn lost(script: &Script) {
    script.then(|sent| {
        let stale = Reply::refused(sent[0].sequence - 1, 1);
        vec![Event::Failure(Errno::NOBUFS), one(stale)]
    });
}

fn service_is(service: Service) -> Vec<Answers> {
    let entry = ServiceEntry { service, stats: Stats::default() };
    vec![Box::new(reported(AnyReport::Service(entry)))]
}

fn destinations_are(all: &[Destination]) -> Vec<Answers> {
    let entry = |destination: &Destination| {
        let (connections, stats) = (Connections::default(), Stats::default());
        let destination = destination.clone();
        AnyReport::Destination(DestinationEntry { destination, connections, stats })
    };
    let mut answers: Vec<Answers> = vec![Box::new(dumped(vec![all.iter().map(entry).collect()]))];
    if all.is_empty() {
        // Then the service is looked for.
        answers.extend(service_is(service()));
    }
    answers
}

/// Changes, what is read when they were done, and what when they were not.
fn cases() -> Vec<(Change, Vec<Answers>, Vec<Answers>)> {
    let (id, other) = (service().id, server().weight(7));
    let minute = Duration::from_secs(60);
    let timeouts = Timeouts::default().tcp(minute);
    let are = |timeouts: Timeouts| -> Vec<Answers> {
        vec![Box::new(reported(AnyReport::Timeouts(timeouts)))]
    };
    let services = |all: Vec<AnyReport>| -> Vec<Answers> { vec![Box::new(dumped(vec![all]))] };
    let left = AnyReport::Service(ServiceEntry { service: service(), stats: Stats::default() });
    // The mask of a whole address is no mask when it is read.
    let persistent = service().persistent(minute);
    let mut asked = persistent.clone();
    asked.persistence.as_mut().unwrap().netmask = Some(Netmask::Ipv4([255; 4].into()));
    vec![
        (Change::UpdateService(asked), service_is(persistent), service_is(service().one_packet())),
        (
            Change::UpdateDestination(id, server()),
            destinations_are(&[server()]),
            destinations_are(&[other]),
        ),
        (
            Change::SetTimeouts(timeouts),
            are(timeouts.udp(minute).tcp_fin(minute)),
            are(timeouts.tcp(minute * 2).udp(minute)),
        ),
        (Change::Flush, services(vec![]), services(vec![left])),
    ]
}

#[test]
fn what_is_as_it_was_asked_is_done_and_else_it_is_unknown() {
    for (change, after, before) in cases() {
        let script = Script::new();
        let mut engine = script.engine();
        lost(&script);
        after.into_iter().for_each(|answers| script.then(answers));
        assert!(ready(engine.change(&change)).is_ok(), "{change:?}");
        script.assert_finished();

        lost(&script);
        before.into_iter().for_each(|answers| script.then(answers));
        let error = ready(engine.change(&change)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ReceiveOverflow, "{change:?}");
        assert_eq!(error.certainty(), Some(Certainty::Unknown));
        assert_eq!(error.errno(), Some(Errno::NOBUFS.raw_os_error()));
        assert_eq!((error.operation(), error.object()), (change.operation(), change.object()));
        script.assert_finished();
        assert!(!script.calls().contains(&Call::Wait), "the answer is lost, not late");

        script.then(done);
        ready(engine.change(&Change::Flush)).unwrap();
    }
}

#[test]
fn what_reading_cannot_tell_is_not_guessed() {
    let daemon = SyncDaemon::new(Role::Backup, "eth0".parse().unwrap());
    for change in [
        Change::AddService(service()),
        Change::DeleteService(service().id),
        Change::AddDestination(service().id, server()),
        Change::DeleteDestination(service().id, server().id),
        Change::StartDaemon(daemon),
        Change::StopDaemon(Role::Backup),
        Change::ZeroAll,
        Change::ZeroService(service().id),
    ] {
        let script = Script::new();
        let mut engine = script.engine();
        lost(&script);
        let error = ready(engine.change(&change)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ReceiveOverflow, "{change:?}");
        assert_eq!(error.certainty(), Some(Certainty::Unknown));
        assert_eq!(script.sends(), 1);
    }
}

#[test]
fn where_reading_fails_too_the_outcome_is_unknown() {
    for errno in [Errno::PERM, Errno::INVAL] {
        let script = Script::new();
        let mut engine = script.engine();
        for change in [Change::UpdateService(service()), Change::Flush] {
            lost(&script);
            script.then(refused(errno));
            let error = ready(engine.change(&change)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ReceiveOverflow, "{change:?}");
            assert_eq!(error.certainty(), Some(Certainty::Unknown));
            script.assert_finished();
        }
    }
}
