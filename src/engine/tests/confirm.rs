//! Answers that an overflow swallowed: what can be read tells the outcome.

use std::time::Duration;

use rustix::io::Errno;

use crate::engine::tests::changes::{server, service};
use crate::engine::tests::script::{
    Call, Event, Script, done, dumped, one, ready, refused, reported,
};
use crate::engine::{Outcome, Report};
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

/// A chunk of which the answer to the first change is there, a refusal, and those to the
/// others are lost; then the kernel reports `read`.
fn overflowed(changes: &[Change], read: Vec<Answers>) -> (Report, Script) {
    let script = Script::new();
    let mut engine = script.engine();
    script.then(|sent| {
        let refusal = Reply::refused(sent[0].sequence, Errno::SRCH.raw_os_error());
        let last = Reply::ack(sent.last().unwrap().sequence);
        vec![Event::Failure(Errno::NOBUFS), one(refusal), one(last)]
    });
    read.into_iter().for_each(|answers| script.then(answers));
    let report = ready(engine.submit(changes));
    (report, script)
}

#[test]
fn what_another_change_of_the_chunk_can_explain_is_unknown() {
    let (id, minute) = (service().id, Duration::from_secs(60));
    let missing = Change::DeleteService(Service::tcp(([192, 0, 2, 99], 1).into()).id);
    let update = Change::UpdateService(service());
    let update_server = Change::UpdateDestination(id, server());
    let (tcp, udp) = (Timeouts::default().tcp(minute), Timeouts::default().udp(minute));
    let both = tcp.udp(minute);
    type Read = Box<dyn Fn() -> Vec<Answers>>;
    let service_is_there = || -> Read { Box::new(|| service_is(service())) };
    let server_is_there = || -> Read { Box::new(|| destinations_are(&[server()])) };
    let nothing_is_there = || -> Read { Box::new(|| vec![Box::new(dumped(vec![]))]) };
    let timeouts: Read = Box::new(move || vec![Box::new(reported(AnyReport::Timeouts(both)))]);
    for (update, other, read) in [
        // Refused, since there was none yet.
        (update.clone(), Change::AddService(service()), service_is_there()),
        (update.clone(), update.clone(), service_is_there()),
        (update_server.clone(), Change::AddDestination(id, server()), server_is_there()),
        (update_server.clone(), update_server.clone(), server_is_there()),
        // What the other one does not set may have been so before.
        (Change::SetTimeouts(both), Change::SetTimeouts(udp), timeouts),
        (Change::Flush, Change::DeleteService(id), nothing_is_there()),
        (Change::Flush, Change::Flush, nothing_is_there()),
    ] {
        for chunk in [[&missing, &update, &other], [&missing, &other, &update]] {
            let chunk = chunk.map(Clone::clone);
            let (report, _) = overflowed(&chunk, [read(), read()].into_iter().flatten().collect());
            assert!(matches!(report.outcome(0), Some(Outcome::Refused(_))));
            let at = chunk.iter().position(|change| *change == update).unwrap();
            let outcome = report.outcome(at);
            assert!(matches!(outcome, Some(Outcome::Unknown(_))), "{chunk:?}: {report}");
        }
    }
}

#[test]
fn what_no_other_change_can_explain_is_done_in_a_chunk_too() {
    let (id, minute) = (service().id, Duration::from_secs(60));
    let refused = Change::AddService(service());
    let (tcp, udp) = (Timeouts::default().tcp(minute), Timeouts::default().udp(minute));
    let timeouts = vec![Box::new(reported(AnyReport::Timeouts(tcp))) as Answers];
    let elsewhere = Service::tcp(([192, 0, 2, 99], 1).into());
    for (update, other, read) in [
        // The one that could explain it was refused.
        (Change::UpdateService(service()), Change::ZeroAll, service_is(service())),
        (
            Change::UpdateService(service()),
            Change::AddService(service().one_packet()),
            service_is(service()),
        ),
        (
            Change::UpdateDestination(id, server()),
            Change::AddDestination(elsewhere.id, server()),
            destinations_are(&[server()]),
        ),
        (Change::SetTimeouts(tcp), Change::SetTimeouts(udp.tcp(minute * 2)), timeouts),
    ] {
        let chunk = [refused.clone(), update, other];
        let mut read = read;
        if matches!(chunk[2], Change::SetTimeouts(_)) {
            // It is looked for, too.
            read.push(Box::new(reported(AnyReport::Timeouts(tcp))));
        }
        let (report, script) = overflowed(&chunk, read);
        assert!(report.outcome(1).unwrap().is_done(), "{chunk:?}: {report}");
        assert!(!report.outcome(2).unwrap().is_done(), "{chunk:?}: {report}");
        script.assert_finished();
    }
}
