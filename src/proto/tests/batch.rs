use proptest::prelude::*;

use crate::model::{Change, Role};
use crate::proto::tests::reply::{Reply, datagram};
use crate::proto::tests::{PORT, family};
use crate::proto::{Batch, Refusal, Session, Verdict};
use crate::wire::Request;
use crate::wire::tests::raw::Raw;

/// A batch of `count` requests, and the numbers that it gave them.
pub(crate) fn batch_from(start: u32, count: usize, fence: bool) -> (Batch, Vec<u32>) {
    let mut buffer = Vec::new();
    let change = Change::StopDaemon(Role::Master);
    let requests = vec![Request::Change(&change); count];
    let mut session = Session::starting_at(PORT, start);
    let batch = session.batch(&mut buffer, family(), requests.into_iter(), fence);
    (batch, Raw::all(&buffer).iter().map(|raw| raw.sequence).collect())
}

fn refused_at(batch: &Batch, count: u32) -> Vec<Option<i32>> {
    (0..count).map(|index| batch.refusal(index).map(|refusal| refusal.errno)).collect()
}

#[test]
fn the_answer_to_the_last_request_completes_it() {
    let (mut batch, numbers) = batch_from(7, 3, false);
    assert_eq!(numbers, [7, 8, 9]);
    assert_eq!(batch.read(&datagram(&[Reply::refused(8, 17)])), Ok(Verdict::Open));
    assert_eq!(batch.read(&datagram(&[Reply::ack(9)])), Ok(Verdict::Complete));
    assert_eq!(refused_at(&batch, 3), [None, Some(17), None]);
}

#[test]
fn a_refusal_of_the_last_request_completes_it_too() {
    let (mut batch, _) = batch_from(7, 2, false);
    let both = datagram(&[Reply::refused(7, 3), Reply::refused(8, 2)]);
    assert_eq!(batch.read(&both), Ok(Verdict::Complete));
    assert_eq!(refused_at(&batch, 2), [Some(3), Some(2)]);
}

#[test]
fn only_the_fence_completes_a_fenced_one() {
    let (mut batch, numbers) = batch_from(7, 1, true);
    assert_eq!(numbers, [7, 8]);
    assert_eq!(batch.read(&datagram(&[Reply::refused(7, 3)])), Ok(Verdict::Open));
    assert_eq!(batch.read(&datagram(&[Reply::ack(8)])), Ok(Verdict::Complete));
    assert_eq!(batch.refusal(0), Some(&Refusal { errno: 3, extack: None }));
}

#[test]
fn an_acknowledgement_that_nobody_asked_for_is_no_end() {
    let (mut batch, _) = batch_from(7, 2, false);
    assert_eq!(batch.read(&datagram(&[Reply::ack(7)])), Ok(Verdict::Open));
    assert_eq!(batch.read(&datagram(&[Reply::ack(8)])), Ok(Verdict::Complete));
    assert_eq!(refused_at(&batch, 2), [None, None]);
}

#[test]
fn what_is_anothers_is_skipped() {
    let (mut batch, _) = batch_from(7, 2, false);
    let stale = [
        Reply::refused(6, 1),
        Reply::ack(9),
        Reply::ack(0),
        Reply::ack(8).for_port(PORT + 1),
        Reply::data(6, 1, &[]),
        Reply::overrun(0),
        Reply::done(6),
        Reply::noop(8),
    ];
    assert_eq!(batch.read(&datagram(&stale)), Ok(Verdict::Open));
    assert_eq!(refused_at(&batch, 2), [None, None]);
}

#[test]
fn a_batch_across_the_wrap_of_the_numbers_leaves_out_zero() {
    for fence in [false, true] {
        let (mut batch, numbers) = batch_from(u32::MAX - 1, 4, fence);
        assert_eq!(numbers[..4], [u32::MAX - 1, u32::MAX, 1, 2]);
        let stale = [Reply::refused(0, 1), Reply::ack(u32::MAX - 2), Reply::ack(4)];
        assert_eq!(batch.read(&datagram(&stale)), Ok(Verdict::Open));
        let refusals = [Reply::refused(u32::MAX, 17), Reply::refused(1, 2)];
        assert_eq!(batch.read(&datagram(&refusals)), Ok(Verdict::Open));
        let last = *numbers.last().unwrap();
        assert_eq!(batch.read(&datagram(&[Reply::ack(last)])), Ok(Verdict::Complete));
        assert_eq!(refused_at(&batch, 4), [None, Some(17), Some(2), None]);
    }
}

#[test]
fn what_no_change_is_answered_with_is_an_error() {
    let odd = [Reply::data(7, 1, &[]), Reply::done(7), Reply::overrun(7)];
    for reply in odd {
        let (mut batch, _) = batch_from(7, 1, false);
        assert!(batch.read(&datagram(std::slice::from_ref(&reply))).is_err(), "{reply:?}");
    }
}

#[test]
fn a_lying_length_is_an_error() {
    let (mut batch, _) = batch_from(7, 1, false);
    let mut bytes = datagram(&[Reply::ack(7)]);
    bytes[..4].copy_from_slice(&0_u32.to_ne_bytes());
    assert!(batch.read(&bytes).is_err());
}

proptest! {
    #[test]
    fn the_usual_answer_is_read_as_any_other(
        at in 0..40_usize, byte in any::<u8>(), length in 0..=40_usize, more in any::<bool>(),
        sequence in 6..10_u32,
    ) {
        let mut bytes = datagram(&[Reply::ack(sequence)]);
        if more {
            bytes.extend(datagram(&[Reply::ack(7)]));
        }
        if let Some(changed) = bytes.get_mut(at) {
            *changed = byte;
        }
        bytes.truncate(if more { bytes.len() } else { length });
        let (mut one, mut other) = (batch_from(7, 2, false).0, batch_from(7, 2, false).0);
        prop_assert_eq!(one.read(&bytes), other.walk(&bytes));
        prop_assert_eq!(refused_at(&one, 2), refused_at(&other, 2));
    }
}
