use proptest::prelude::*;

use crate::model::strategies;
use crate::model::{Change, Role, ServiceId};
use crate::proto::Session;
use crate::proto::tests::batch::batch_from;
use crate::proto::tests::reply::FAMILY;
use crate::proto::tests::{PORT, family};
use crate::wire::Request;
use crate::wire::tests::raw::Raw;
use crate::wire::tests::request_bytes;

const REQUEST: u16 = 0x1;
const ACK: u16 = 0x4;
const DUMP: u16 = 0x300;

/// The only message that `write` leaves in a buffer that was not empty.
fn only<T>(write: impl FnOnce(&mut Vec<u8>) -> T) -> Raw {
    let mut buffer = vec![0xa5; 50];
    let _ = write(&mut buffer);
    let mut messages = Raw::all(&buffer);
    assert_eq!(messages.len(), 1);
    messages.remove(0)
}

fn assert_framed(raw: &Raw, request: &Request<'_>, flags: u16, sequence: u32) {
    assert_eq!((raw.kind, raw.flags, raw.sequence), (FAMILY, flags, sequence), "{request:?}");
    assert_eq!(raw.port, 0, "the kernel fills it in");
    assert_eq!(raw.payload[..4], [request.command(), 1, 0, 0]);
    assert_eq!(raw.attributes(), request_bytes(request));
}

#[test]
fn a_read_asks_for_no_acknowledgement_and_a_dump_for_all() {
    let id = ServiceId::tcp("192.0.2.1:80".parse().unwrap());
    let mut session = Session::new(PORT);
    let single = Request::Service(id);
    let read = only(|buffer| session.single(buffer, family(), &single));
    assert_framed(&read, &single, REQUEST, 1);
    let dump = Request::Destinations(id);
    let read = only(|buffer| session.dump(buffer, family(), &dump));
    assert_framed(&read, &dump, REQUEST | DUMP, 2);
}

#[test]
fn a_dump_or_a_batch_is_unread_until_it_is_said_to_be_read() {
    let mut session = Session::new(PORT);
    assert!(!session.has_unread());
    let _ = session.single(&mut Vec::new(), family(), &Request::Info);
    assert!(!session.has_unread());
    let _ = session.dump(&mut Vec::new(), family(), &Request::Services);
    assert!(session.has_unread());
    session.all_read();
    assert!(!session.has_unread());
    let _ = session.batch(&mut Vec::new(), family(), [Request::Info].into_iter(), false);
    assert!(session.has_unread());
}

#[test]
fn numbers_start_at_one_and_wrap_around_zero() {
    let number = |session: &mut Session| {
        only(|buffer| session.single(buffer, family(), &Request::Info)).sequence
    };
    let mut fresh = Session::new(PORT);
    assert_eq!([(); 3].map(|()| number(&mut fresh)), [1, 2, 3]);
    let mut old = Session::starting_at(PORT, u32::MAX - 1);
    assert_eq!([(); 4].map(|()| number(&mut old)), [u32::MAX - 1, u32::MAX, 1, 2]);
    let mut old = Session::starting_at(PORT, u32::MAX);
    assert_eq!(only(|buffer| old.lookup(buffer)).sequence, u32::MAX);
    assert_eq!(number(&mut old), 1);
}

#[test]
fn a_fence_is_an_acknowledged_message_without_a_family() {
    let mut buffer = vec![0xa5; 7];
    let change = Change::StopDaemon(Role::Backup);
    let requests = [Request::Change(&change)].into_iter();
    let _ = Session::new(PORT).batch(&mut buffer, family(), requests, true);
    let [stop, fence] = &Raw::all(&buffer)[..] else { panic!("not two messages") };
    assert_framed(stop, &Request::Change(&change), REQUEST, 1);
    assert_eq!((fence.kind, fence.flags, fence.sequence), (1, REQUEST | ACK, 2));
    assert!(fence.payload.is_empty());
}

proptest! {
    #[test]
    fn of_a_batch_only_the_last_request_asks_for_an_acknowledgement(
        changes in prop::collection::vec(strategies::change(), 1..12),
    ) {
        let mut buffer = Vec::new();
        let requests: Vec<_> = changes.iter().map(Request::Change).collect();
        let _ = Session::new(PORT).batch(&mut buffer, family(), requests.clone().into_iter(), false);
        let messages = Raw::all(&buffer);
        prop_assert_eq!(messages.len(), requests.len());
        for (index, (raw, request)) in messages.iter().zip(&requests).enumerate() {
            let sequence = u32::try_from(index + 1).unwrap();
            let last = index + 1 == requests.len();
            assert_framed(raw, request, if last { REQUEST | ACK } else { REQUEST }, sequence);
        }
    }

    #[test]
    fn no_number_is_zero_or_comes_twice(
        start in prop_oneof![1..=u32::MAX, u32::MAX - 20..=u32::MAX],
        count in 1..40_usize,
        fence in any::<bool>(),
    ) {
        let (_, numbers) = batch_from(start, count, fence);
        let mut sorted = numbers.clone();
        sorted.sort_unstable();
        sorted.dedup();
        prop_assert_eq!(sorted.len(), count + usize::from(fence));
        prop_assert!(!sorted.contains(&0));
    }
}
