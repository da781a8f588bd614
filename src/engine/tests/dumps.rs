use rustix::io::Errno;

use crate::engine::Engine;
use crate::engine::dumps::Way;
use crate::engine::tests::changes::{server, service};
use crate::engine::tests::reads::{info, info_report, service_entry};
use crate::engine::tests::script::{
    Call, Event, Script, done, dumped, number, one, ready, refused, reported,
};
use crate::error::{Error, ErrorKind};
use crate::model::{
    Change, Connections, DestinationEntry, Info, Object, Operation, ServiceEntry, Stats,
};
use crate::proto::tests::reply::{Reply, datagram};
use crate::wire::Request;
use crate::wire::tests::any_report::AnyReport;

pub(crate) fn entry(number: u8) -> DestinationEntry {
    let mut destination = server().weight(number.into());
    destination.id.address.set_port(number.into());
    let connections = Connections { active: 3, ..Connections::default() };
    DestinationEntry { destination, connections, stats: Stats::default() }
}

/// 240 bytes each.
fn reports(numbers: impl IntoIterator<Item = u8>) -> Vec<AnyReport> {
    numbers.into_iter().map(|number| AnyReport::Destination(entry(number))).collect()
}

fn entries(numbers: impl IntoIterator<Item = u8>) -> Vec<DestinationEntry> {
    numbers.into_iter().map(entry).collect()
}

fn destinations(engine: &mut Engine<Script>) -> Result<Vec<DestinationEntry>, Error> {
    ready(engine.destinations(service().id)).map(Into::into)
}

/// Both sockets, and the engine over them.
fn two() -> (Script, Script, Engine<Script>) {
    let (commands, dumps) = (Script::new(), Script::new());
    let engine = commands.engine_with(Some(&dumps));
    (commands, dumps, engine)
}

#[test]
fn destinations_are_read_over_their_own_socket_to_the_end() {
    let (commands, dumps, mut engine) = two();
    dumps.then(dumped(vec![reports([1, 2]), reports([3])]));
    assert_eq!(destinations(&mut engine).unwrap(), entries([1, 2, 3]));
    assert_eq!(dumps.calls(), [Call::Send, Call::Receive, Call::Receive, Call::Receive]);
    assert_eq!(dumps.forget()[0].flags, 0x301);
    assert_eq!(commands.calls(), []);
    dumps.assert_finished();
}

#[test]
fn a_listing_is_complete_where_one_datagram_had_room_for_more() {
    let (_, dumps, mut engine) = two();
    let mut is_complete = |datagrams: Vec<Vec<AnyReport>>| {
        dumps.then(dumped(datagrams));
        ready(engine.destinations(service().id)).unwrap().is_complete()
    };
    assert!(is_complete(vec![reports([1, 2])]));
    assert!(!is_complete(vec![reports([1]), reports([2])]));
    assert!(is_complete(vec![reports(1..=31)]));
    assert!(!is_complete(vec![reports(1..=32)]), "a full datagram");
}

#[test]
fn without_a_second_socket_one_does_everything() {
    let script = Script::new();
    let mut engine = script.engine();
    script.then(dumped(vec![reports([1])]));
    assert_eq!(destinations(&mut engine).unwrap(), entries([1]));
    script.then(dumped(vec![vec![AnyReport::Service(service_entry())]]));
    let services: Vec<ServiceEntry> = ready(engine.collect(Request::Services)).unwrap();
    assert_eq!(services, [service_entry()]);
    script.assert_finished();
}

#[test]
fn an_empty_dump_is_no_destinations_where_there_is_the_service() {
    let (commands, dumps, mut engine) = two();
    dumps.then(dumped(vec![]));
    commands.then(reported(AnyReport::Service(service_entry())));
    assert_eq!(destinations(&mut engine).unwrap(), []);
    dumps.then(dumped(vec![]));
    commands.then(refused(Errno::SRCH));
    let error = destinations(&mut engine).unwrap_err();
    assert_eq!((error.kind(), error.certainty()), (ErrorKind::NoSuchService, None));
    assert_eq!(error.operation(), Operation::ReadDestinations);
    assert_eq!(error.object(), Some(Object::Service(service().id)));
}

#[test]
fn one_destination_is_found_among_its_siblings() {
    let (_, dumps, mut engine) = two();
    let (id, at) = (service().id, entry(2).destination.id);
    dumps.then(dumped(vec![reports([1, 2, 3])]));
    assert_eq!(ready(engine.destination(id, at)).unwrap(), entry(2));
    dumps.then(dumped(vec![reports([1, 3])]));
    let error = ready(engine.destination(id, at)).unwrap_err();
    assert_eq!((error.kind(), error.certainty()), (ErrorKind::NoSuchDestination, None));
    assert_eq!(error.object(), Some(Object::Destination(id, at)));
}

#[test]
fn a_dump_that_does_not_fit_is_read_again_with_a_larger_buffer() {
    let (_, dumps, mut engine) = two();
    let many = || dumped(vec![reports(1..=60)]);
    dumps.then(many());
    dumps.then(many());
    assert_eq!(destinations(&mut engine).unwrap(), entries(1..=60));
    assert_eq!(dumps.sends(), 2);
    dumps.assert_finished();
    dumps.forget();
    dumps.then(many());
    assert_eq!(destinations(&mut engine).unwrap().len(), 60);
    assert_eq!(dumps.sends(), 1, "the buffer stays large");
}

#[test]
fn a_second_cut_is_an_error() {
    let (_, dumps, mut engine) = two();
    let oversized = || {
        |sent: &[_]| {
            vec![one(Reply::data(number(sent), 5, &[0; 40_000])), Event::Failure(Errno::NOBUFS)]
        }
    };
    dumps.then(oversized());
    dumps.then(|sent| vec![one(Reply::data(number(sent), 5, &[0; 50_000]))]);
    let error = destinations(&mut engine).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MalformedReply);
    dumps.assert_finished();
}

#[test]
fn the_socket_of_large_datagrams_is_for_those_after_many() {
    let (commands, dumps, mut engine) = two();
    let few = || dumped(vec![reports(1..=2)]);
    let many = || dumped(vec![reports(1..=60), reports(61..=120)]);
    dumps.then(dumped((1..=120).step_by(20).map(|n| reports(n..n + 20)).collect()));
    assert_eq!(destinations(&mut engine).unwrap(), entries(1..=120));
    commands.then(many());
    assert_eq!(destinations(&mut engine).unwrap(), entries(1..=120));
    commands.then(few());
    assert_eq!(destinations(&mut engine).unwrap(), entries(1..=2));
    dumps.then(few());
    assert_eq!(destinations(&mut engine).unwrap(), entries(1..=2));
    assert_eq!((commands.sends(), dumps.sends()), (2, 2));
}

#[test]
fn a_buffer_that_has_grown_never_shrinks() {
    let (_, dumps, mut engine) = two();
    let large = || dumped(vec![reports(1..=60)]);
    dumps.then(large());
    dumps.then(large());
    assert_eq!(destinations(&mut engine).unwrap().len(), 60);
    dumps.then(dumped(vec![reports([1])]));
    assert_eq!(destinations(&mut engine).unwrap().len(), 1);
    dumps.then(large());
    assert_eq!(destinations(&mut engine).unwrap().len(), 60);
    assert_eq!(dumps.sends(), 4);
}

#[test]
fn a_destination_that_may_have_been_left_out_is_looked_for_again() {
    let (commands, dumps, mut engine) = two();
    let (id, at) = (service().id, entry(3).destination.id);
    dumps.then(dumped(vec![reports([1]), reports([2])]));
    dumps.then(dumped(vec![reports([1]), reports([2])]));
    commands.then(dumped(vec![reports([1, 2, 3])]));
    assert_eq!(ready(engine.destination(id, at)).unwrap(), entry(3));

    let at = entry(4).destination.id;
    dumps.then(dumped(vec![reports([1]), reports([2, 3])]));
    dumps.then(dumped(vec![reports([1]), reports([2, 3])]));
    commands.then(dumped(vec![reports([1, 2]), reports([3])]));
    let error = ready(engine.destination(id, at)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoSuchDestination);
    dumps.assert_finished();
    commands.assert_finished();
}

#[test]
fn a_full_datagram_may_have_left_a_destination_out_too() {
    let (commands, dumps, mut engine) = two();
    let id = service().id;
    dumps.then(dumped(vec![reports(1..=10)]));
    assert_eq!(destinations(&mut engine).unwrap().len(), 10);
    let at = entry(33).destination.id;
    dumps.then(dumped(vec![reports(1..=32)]));
    commands.then(dumped(vec![reports(1..=33)]));
    assert_eq!(ready(engine.destination(id, at)).unwrap(), entry(33));
    dumps.then(dumped(vec![reports(1..=31)]));
    let error = ready(engine.destination(id, at)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoSuchDestination);
    dumps.assert_finished();
    commands.assert_finished();
}

/// Up to Linux 4.8 the kernel fills 16 KiB of a large buffer, then nearly 32.
#[test]
fn how_much_the_kernel_fills_shows_in_what_it_has_filled() {
    let (commands, _dumps, mut engine) = two();
    for (count, complete) in
        [(67, true), (68, false), (90, false), (90, true), (131, true), (132, false), (68, true)]
    {
        commands.then(dumped(vec![reports(1..=count)]));
        let request = Request::Destinations(service().id);
        let read = ready(engine.list_over::<DestinationEntry>(Way::Commands, request)).unwrap();
        assert_eq!((read.len(), read.is_complete()), (count.into(), complete));
    }
}

#[test]
fn a_socket_that_is_busy_is_emptied_and_asked_once_more() {
    let script = Script::new();
    let mut engine = script.engine();
    // The rest of a dump that somebody began before us.
    script.then(|sent| {
        let foreign = [Reply::report(900, &AnyReport::Destination(entry(9))), Reply::done(900)];
        let busy = Reply::refused(number(sent), Errno::BUSY.raw_os_error());
        vec![one(busy), Event::Datagram(datagram(&foreign)), Event::Failure(Errno::NOBUFS)]
    });
    script.then(dumped(vec![reports([1])]));
    assert_eq!(destinations(&mut engine).unwrap(), entries([1]));
    assert_eq!(script.sends(), 2);
    script.assert_finished();

    script.forget();
    script.then(refused(Errno::BUSY));
    script.then(refused(Errno::BUSY));
    let error = destinations(&mut engine).unwrap_err();
    assert_eq!((error.kind(), error.errno()), (ErrorKind::Other, Some(Errno::BUSY.raw_os_error())));
    assert_eq!(script.sends(), 2);

    script.forget();
    script.then(dumped(vec![reports([2])]));
    assert_eq!(destinations(&mut engine).unwrap(), entries([2]));
    assert_eq!(script.calls()[0], Call::Send, "a refused dump leaves nothing to be emptied");
}

#[test]
fn a_refusal_after_the_first_entry_is_not_begun_again() {
    let script = Script::new();
    let mut engine = script.engine();
    script.then(|sent| {
        let busy = Reply::refused(number(sent), Errno::BUSY.raw_os_error());
        let entry = Reply::report(number(sent), &AnyReport::Destination(entry(1)));
        vec![Event::Datagram(datagram(&[entry, busy]))]
    });
    assert_eq!(destinations(&mut engine).unwrap_err().kind(), ErrorKind::Other);
    assert_eq!(script.sends(), 1);
}

#[test]
fn a_dump_that_was_given_up_is_emptied_before_the_next() {
    let script = Script::new();
    let mut engine = script.engine();
    script.then(dumped(vec![reports([1, 2]), reports([3])]));
    let mut run = ready(engine.begin(Request::Destinations(service().id))).unwrap();
    assert_eq!(ready(engine.next(&mut run)).unwrap(), Some(entry(1)));
    assert_eq!(script.calls(), [Call::Send, Call::Receive]);
    script.forget();

    script.then(dumped(vec![reports([4])]));
    assert_eq!(destinations(&mut engine).unwrap(), entries([4]));
    let drained = [Call::Receive, Call::Receive, Call::Receive];
    assert_eq!(
        script.calls(),
        [&drained[..], &[Call::Send, Call::Receive, Call::Receive]].concat()
    );
    script.forget();

    script.then(dumped(vec![reports([5])]));
    assert_eq!(destinations(&mut engine).unwrap(), entries([5]));
    assert_eq!(script.calls()[0], Call::Send, "nothing is left to be emptied");
}

#[test]
fn changes_and_reads_go_on_beside_a_dump_that_was_given_up() {
    let script = Script::new();
    let mut engine = script.engine();
    script.then(dumped(vec![reports([1]), reports([2])]));
    let mut run = ready(engine.begin(Request::Destinations(service().id))).unwrap();
    assert_eq!(ready(engine.next(&mut run)).unwrap(), Some(entry(1)));
    script.then(done);
    ready(engine.change(&Change::Flush)).unwrap();
    script.then(reported(info_report()));
    assert_eq!(ready(engine.read::<Info>(Request::Info)).unwrap(), info());
}

#[test]
fn a_malformed_entry_does_not_end_the_dump() {
    let script = Script::new();
    let mut engine = script.engine();
    script.then(|sent| {
        let own = number(sent);
        let good = |number| Reply::report(own, &AnyReport::Destination(entry(number)));
        let all = [good(1), Reply::data(own, 5, &[]), good(2), Reply::report(own, &info_report())];
        vec![Event::Datagram(datagram(&all)), one(good(3)), one(Reply::done(own))]
    });
    let mut run = ready(engine.begin(Request::Destinations(service().id))).unwrap();
    let mut read = Vec::new();
    while let Some(item) = ready(engine.next::<DestinationEntry>(&mut run)).transpose() {
        read.push(item.map_err(|error| error.kind()));
    }
    let malformed = Err(ErrorKind::MalformedReply);
    assert_eq!(read, [Ok(entry(1)), malformed.clone(), Ok(entry(2)), malformed, Ok(entry(3))]);
    assert_eq!(ready(engine.next::<DestinationEntry>(&mut run)).unwrap(), None);
}

/// The end of the dump may have been in the part that is lost: to wait for it could be for ever.
#[test]
fn a_broken_datagram_ends_the_dump_and_the_next_is_right() {
    let broken: [fn(u32) -> Event; 2] =
        [|_| Event::Datagram(vec![1; 8]), |own| one(Reply::overrun(own))];
    for broken in broken {
        let script = Script::new();
        let mut engine = script.engine();
        script.then(move |sent| {
            let own = number(sent);
            let good = |number| one(Reply::report(own, &AnyReport::Destination(entry(number))));
            vec![good(1), broken(own), good(2)]
        });
        let mut run = ready(engine.begin(Request::Destinations(service().id))).unwrap();
        assert_eq!(ready(engine.next(&mut run)).unwrap(), Some(entry(1)));
        let error = ready(engine.next::<DestinationEntry>(&mut run)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MalformedReply);
        assert_eq!(ready(engine.next::<DestinationEntry>(&mut run)).unwrap(), None);
        script.then(dumped(vec![reports([3])]));
        assert_eq!(destinations(&mut engine).unwrap(), entries([3]));
    }
}

#[test]
fn a_list_with_a_malformed_entry_is_an_error_and_the_next_is_right() {
    let script = Script::new();
    let mut engine = script.engine();
    script.then(|sent| {
        let own = number(sent);
        vec![one(Reply::data(own, 5, &[])), one(Reply::done(own))]
    });
    assert_eq!(destinations(&mut engine).unwrap_err().kind(), ErrorKind::MalformedReply);
    script.then(dumped(vec![reports([1])]));
    assert_eq!(destinations(&mut engine).unwrap(), entries([1]));
    script.assert_finished();
}

#[test]
fn a_dump_whose_end_is_lost_ends_at_the_deadline_and_the_next_is_right() {
    let script = Script::new();
    let mut engine = script.engine();
    script.then(|sent| {
        let entry = Reply::report(number(sent), &AnyReport::Destination(entry(1)));
        vec![one(entry), Event::Never]
    });
    let mut run = ready(engine.begin(Request::Destinations(service().id))).unwrap();
    assert_eq!(ready(engine.next(&mut run)).unwrap(), Some(entry(1)));
    let error = ready(engine.next::<DestinationEntry>(&mut run)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    assert_eq!(ready(engine.next::<DestinationEntry>(&mut run)).unwrap(), None);
    script.then(dumped(vec![reports([2])]));
    assert_eq!(destinations(&mut engine).unwrap(), entries([2]));
}

#[test]
fn what_is_not_of_the_dump_does_not_put_its_deadline_off() {
    let script = Script::new();
    let mut engine = script.engine();
    script.then(|sent| {
        let stale = || one(Reply::ack(number(sent) - 1));
        let entry = one(Reply::report(number(sent), &AnyReport::Destination(entry(1))));
        let late = || Event::Late;
        vec![
            late(),
            stale(),
            late(),
            stale(),
            late(),
            entry,
            late(),
            one(Reply::done(number(sent))),
        ]
    });
    assert_eq!(destinations(&mut engine).unwrap(), entries([1]));
    let deadlines = script.deadlines();
    let [first, second, third, end] = deadlines[..] else { panic!("not four waits") };
    assert_eq!((second, third), (first, first));
    assert!(end > first, "each answer has its own");
    script.assert_finished();
}

#[test]
fn an_overflow_is_not_forgotten_over_what_is_not_of_the_dump() {
    let script = Script::new();
    let mut engine = script.engine();
    script.then(|sent| vec![Event::Failure(Errno::NOBUFS), one(Reply::ack(number(sent) - 1))]);
    assert_eq!(destinations(&mut engine).unwrap_err().kind(), ErrorKind::ReceiveOverflow);
    assert!(!script.calls().contains(&Call::Wait), "the answer is lost, not late");
    script.then(dumped(vec![reports([1])]));
    assert_eq!(destinations(&mut engine).unwrap(), entries([1]));
}

#[test]
fn a_dump_that_cannot_be_sent_is_an_error() {
    let script = Script::new();
    let mut engine = script.engine();
    script.then_send_fails(Errno::NOBUFS);
    let error = ready(engine.begin(Request::Services)).unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Socket, Operation::ReadServices));
    script.then(dumped(vec![]));
    assert_eq!(ready(engine.collect::<ServiceEntry>(Request::Services)).unwrap(), []);
}
