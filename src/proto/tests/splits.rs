//! However the kernel cuts its messages into datagrams, and whatever of others
//! comes in between, the outcome is the same.

use std::iter;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::proto::tests::PORT;
use crate::proto::tests::batch::batch_from;
use crate::proto::tests::dump::read_all;
use crate::proto::tests::reply::{Reply, datagram};
use crate::proto::{Dump, Refusal, Verdict};

/// A message for somebody else: from any time but ours, or to another socket.
#[derive(Clone, Debug)]
struct Stale {
    place: Index,
    distance: u32,
    other_port: bool,
    kind: u8,
}

fn stale() -> impl Strategy<Value = Vec<Stale>> {
    // Numbers just before and just after ours, and any others.
    let distance = prop_oneof![1_000..1_010_u32, (u32::MAX - 5)..=u32::MAX, 1_000..=u32::MAX];
    let stale = (any::<Index>(), distance, prop::bool::weighted(0.3), 0..6_u8);
    vec(stale, 0..12).prop_map(|all| {
        let stale =
            |(place, distance, other_port, kind)| Stale { place, distance, other_port, kind };
        all.into_iter().map(stale).collect()
    })
}

impl Stale {
    /// `first` begins fewer than a thousand numbers of ours.
    fn reply(&self, first: u32) -> Reply {
        let sequence = if self.other_port { first } else { first.wrapping_add(self.distance) };
        let reply = match self.kind {
            0 => Reply::data(sequence, 1, &[0xee; 8]),
            1 => Reply::refused(sequence, 1),
            2 => Reply::ack(sequence),
            3 => Reply::done(sequence),
            4 => Reply::overrun(sequence),
            _ => Reply::noop(sequence),
        };
        if self.other_port { reply.for_port(PORT ^ self.distance) } else { reply }
    }
}

/// Puts the stale messages among ours, which keep their order.
fn mixed(mut replies: Vec<Reply>, stale: &[Stale], first: u32) -> Vec<Reply> {
    for stale in stale {
        replies.insert(stale.place.index(replies.len() + 1), stale.reply(first));
    }
    replies
}

/// Cuts messages into datagrams of these counts, which come round again.
fn cut(mut replies: &[Reply], counts: &[usize]) -> Vec<Vec<u8>> {
    let mut datagrams = Vec::new();
    for count in counts.iter().cycle() {
        if replies.is_empty() {
            break;
        }
        let (taken, rest) = replies.split_at((*count).min(replies.len()));
        datagrams.push(datagram(taken));
        replies = rest;
    }
    datagrams
}

fn counts() -> impl Strategy<Value = Vec<usize>> {
    vec(1..6_usize, 1..6)
}

/// Any number, often one before which or after which the numbers wrap.
fn start() -> impl Strategy<Value = u32> {
    prop_oneof![1..=u32::MAX, 1..4_u32, (u32::MAX - 8)..=u32::MAX]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_dump_has_the_same_entries(
        own in start(),
        entries in vec(vec(any::<u8>(), 0..40), 0..30),
        stale in stale(),
        counts in counts(),
        fails in proptest::option::weighted(0.2, 1..200_i32),
    ) {
        let data = entries.iter().map(|entry| Reply::data(own, 5, entry));
        let code = fails.map_or(0, |errno| -errno);
        let end = Reply::done_with(own, &code.to_ne_bytes());
        let replies = mixed(data.chain(iter::once(end)).collect(), &stale, own);
        let (read, end) = read_all(&mut Dump::new(PORT, own), &cut(&replies, &counts));
        let expected: Vec<_> = entries.into_iter().map(|entry| (5, entry)).collect();
        prop_assert_eq!(read, expected);
        prop_assert_eq!(end, Some(fails.map(|errno| Refusal { errno, extack: None })));
    }

    #[test]
    fn a_batch_has_the_same_verdict(
        first in start(),
        errnos in vec(proptest::option::weighted(0.3, 1..200_i32), 1..20),
        fence in any::<bool>(),
        stale in stale(),
        counts in counts(),
    ) {
        let (mut batch, numbers) = batch_from(first, errnos.len(), fence);
        let refusals = numbers.iter().zip(&errnos);
        let mut replies: Vec<Reply> = refusals
            .filter_map(|(number, errno)| errno.map(|errno| Reply::refused(*number, errno)))
            .collect();
        let last = *numbers.last().unwrap();
        if replies.last().is_none_or(|reply| reply.sequence != last) {
            replies.push(Reply::ack(last));
        }
        let mut ended = 0;
        for datagram in cut(&mixed(replies, &stale, first), &counts) {
            ended += u32::from(batch.read(&datagram) == Ok(Verdict::Complete));
        }
        prop_assert_eq!(ended, 1);
        for (index, errno) in (0..).zip(&errnos) {
            prop_assert_eq!(batch.refusal(index).map(|it| it.errno), *errno, "{}", index);
        }
    }
}
