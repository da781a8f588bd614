//! Streams of an async client.

use std::future::{Future, poll_fn};

use rustix::io::Errno;

use crate::engine::streams::{Entries, Submitted};
use crate::engine::tests::changes::{server, service};
use crate::engine::tests::dumps::entry;
use crate::engine::tests::script::{Event, Script, done, drive, give_up, one};
use crate::engine::{Engine, Outcome};
use crate::error::ErrorKind;
use crate::model::{Change, DestinationEntry, DestinationId, ServiceId};
use crate::proto::tests::reply::Reply;
use crate::wire::Request;
use crate::wire::tests::any_report::AnyReport;

fn id(port: u16) -> ServiceId {
    ServiceId::tcp(([192, 0, 2, 10], port).into())
}

fn deletions(count: u16) -> impl Iterator<Item = Change> {
    (1..=count).map(|port| Change::DeleteService(id(port)))
}

type Changes = std::vec::IntoIter<Change>;

fn stream(engine: &mut Engine<Script>, changes: Vec<Change>) -> Submitted<'_, Script, Changes> {
    Submitted::new(engine, changes.into_iter())
}

fn next<'s>(
    stream: &'s mut Submitted<'_, Script, Changes>,
) -> impl Future<Output = Option<(Change, Outcome)>> + 's {
    poll_fn(|context| stream.poll_next(context))
}

#[test]
fn a_new_service_is_not_parted_from_its_first_destination() {
    let first = Change::AddDestination(service().id, server());
    let other = Change::AddDestination(id(1), server());
    for (before, after, lengths) in [
        (63, vec![first.clone(), other.clone()], [65, 1]),
        (63, vec![other.clone(), first.clone()], [64, 2]),
        (62, vec![first.clone(), other], [64, 1]),
    ] {
        let add = [Change::AddService(service())];
        let changes: Vec<_> = deletions(before).chain(add).chain(after).collect();
        let script = Script::new();
        let mut engine = script.engine();
        for length in lengths {
            script.then(move |sent| {
                assert_eq!(sent.len(), length);
                done(sent)
            });
        }
        let mut stream = stream(&mut engine, changes.clone());
        for change in changes {
            let (told, outcome) = drive(next(&mut stream)).unwrap();
            assert_eq!(told, change);
            assert!(outcome.is_done());
        }
        assert!(drive(next(&mut stream)).is_none());
        script.assert_finished();
    }
}

#[test]
fn after_lost_answers_or_a_failed_send_nothing_more_is_sent() {
    for lost in [true, false] {
        let script = Script::new();
        let mut engine = script.engine();
        match lost {
            true => script.then(|_| vec![Event::Never]),
            false => script.then_send_fails(Errno::NOMEM),
        }
        let mut stream = stream(&mut engine, deletions(150).collect());
        let mut kinds = Vec::new();
        while let Some((_, outcome)) = drive(next(&mut stream)) {
            kinds.push(outcome.error().unwrap().kind());
        }
        assert_eq!((kinds.len(), script.sends()), (150, 1));
        let (first, rest) = kinds.split_at(64);
        let kind = if lost { ErrorKind::DeadlineExceeded } else { ErrorKind::Socket };
        assert!(first.iter().all(|first| *first == kind), "{first:?}");
        assert!(rest.iter().all(|rest| *rest == ErrorKind::NotAttempted), "{rest:?}");
    }
}

#[test]
fn a_future_of_the_next_outcome_that_is_dropped_loses_nothing() {
    let script = Script::new();
    let mut engine = script.engine();
    script.then(|sent| {
        let refused = Reply::refused(sent[1].sequence, Errno::SRCH.raw_os_error());
        let mut events = vec![one(refused), Event::Blocked];
        events.extend(done(sent));
        events
    });
    let mut stream = stream(&mut engine, deletions(3).collect());
    give_up(next(&mut stream));
    give_up(next(&mut stream));
    script.unblock();
    let outcomes: Vec<_> = (0..3).map(|_| drive(next(&mut stream)).unwrap().1.is_done()).collect();
    assert_eq!(outcomes, [true, false, true]);
    assert!(drive(next(&mut stream)).is_none());
    assert_eq!(script.sends(), 1);
    script.assert_finished();
}

#[test]
fn a_future_of_the_next_entry_that_is_dropped_loses_nothing() {
    let script = Script::new();
    let mut engine = script.engine();
    script.then(|sent| {
        let number = sent[0].sequence;
        let report = |it| one(Reply::report(number, &AnyReport::Destination(entry(it))));
        vec![report(1), Event::Blocked, report(2), one(Reply::done(number))]
    });
    let run = drive(engine.begin(Request::Destinations(service().id))).unwrap();
    let mut entries: Entries<'_, _, DestinationEntry> = Entries::new(&mut engine, run);
    let mut read: Vec<DestinationId> = Vec::new();
    loop {
        if read.len() == 1 {
            give_up(poll_fn(|context| entries.poll_next(context)));
            give_up(poll_fn(|context| entries.poll_next(context)));
            script.unblock();
        }
        let Some(entry) = drive(poll_fn(|context| entries.poll_next(context))) else { break };
        read.push(entry.unwrap().destination.id);
    }
    assert_eq!(read, [1, 2].map(|number| entry(number).destination.id));
    script.assert_finished();
}
