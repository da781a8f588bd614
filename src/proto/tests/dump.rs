use crate::error::Extack;
use crate::proto::tests::PORT;
use crate::proto::tests::reply::{MSG, OFFS, Reply, datagram};
use crate::proto::{Dump, Refusal, Step};

const OWN: u32 = 100;

/// Command and attributes of each message of a dump.
pub(crate) type Entries = Vec<(u8, Vec<u8>)>;

/// Reads datagrams until the dump ends: its entries, and the refusal if it is one.
/// No end is no `Some`.
pub(crate) fn read_all(
    dump: &mut Dump,
    datagrams: &[Vec<u8>],
) -> (Entries, Option<Option<Refusal>>) {
    let mut entries = Vec::new();
    for datagram in datagrams {
        loop {
            match dump.next(datagram).unwrap() {
                Step::Data { command, attributes } => entries.push((command, attributes.to_vec())),
                Step::NeedsDatagram => break,
                Step::End => return (entries, Some(None)),
                Step::Refused(refusal) => return (entries, Some(Some(refusal))),
            }
        }
    }
    (entries, None)
}

fn own() -> Dump {
    Dump::new(PORT, OWN)
}

fn entry(number: u8) -> Reply {
    Reply::data(OWN, 1, &[number; 4])
}

fn assert_dumped(datagrams: &[&[Reply]], entries: &[u8], end: Option<Option<Refusal>>) {
    let datagrams: Vec<_> = datagrams.iter().map(|replies| datagram(replies)).collect();
    let entries: Entries = entries.iter().map(|number| (1, vec![*number; 4])).collect();
    assert_eq!(read_all(&mut own(), &datagrams), (entries, end));
}

#[test]
fn the_end_may_share_a_datagram_with_entries() {
    assert_dumped(&[&[entry(1), entry(2), Reply::done(OWN)]], &[1, 2], Some(None));
    assert_dumped(&[&[entry(1)], &[entry(2), Reply::done(OWN)]], &[1, 2], Some(None));
    assert_dumped(&[&[Reply::done(OWN)]], &[], Some(None));
}

#[test]
fn without_an_end_it_goes_on() {
    assert_dumped(&[&[entry(1)], &[entry(2)], &[]], &[1, 2], None);
}

#[test]
fn nothing_behind_the_end_is_read() {
    let behind = [entry(1), Reply::done(OWN), entry(2)];
    assert_dumped(&[&behind], &[1], Some(None));
}

#[test]
fn what_is_anothers_is_skipped() {
    let stale = [
        Reply::data(OWN - 1, 1, &[9; 4]),
        Reply::data(OWN, 1, &[9; 4]).for_port(PORT + 1),
        Reply::done(OWN + 1),
        Reply::done(OWN).for_port(0),
        Reply::refused(OWN - 1, 16),
        Reply::ack(0),
        Reply::overrun(0),
        Reply::noop(OWN),
    ];
    let mut all = stale.to_vec();
    all.extend([entry(1), Reply::noop(OWN), entry(2)]);
    all.extend(stale.clone());
    assert_dumped(&[&stale, &all, &[Reply::done(OWN)]], &[1, 2], Some(None));
}

#[test]
fn a_last_message_of_odd_length_is_whole() {
    let odd = Reply::data(OWN, 1, &[7; 5]);
    let datagrams = [datagram(&[entry(1), odd.clone()]), datagram(&[odd, Reply::done(OWN)])];
    let (entries, end) = read_all(&mut own(), &datagrams);
    assert_eq!(entries, [(1, vec![1; 4]), (1, vec![7; 5]), (1, vec![7; 5])]);
    assert_eq!(end, Some(None));
}

#[test]
fn an_error_or_an_end_with_a_code_is_a_refusal() {
    let refusal = |errno, extack| Some(Some(Refusal { errno, extack }));
    assert_dumped(&[&[entry(1)], &[Reply::refused(OWN, 16)]], &[1], refusal(16, None));
    let code = Reply::done_with(OWN, &(-105_i32).to_ne_bytes());
    assert_dumped(&[&[entry(1), code.clone()]], &[1], refusal(105, None));
    let explained = code.with(&[(MSG, b"no\0"), (OFFS, &7_u32.to_ne_bytes())]);
    let extack = Extack { message: Some("no".to_owned()), offset: Some(7) };
    assert_dumped(&[&[explained]], &[], refusal(105, Some(Box::new(extack))));
}

#[test]
fn an_end_that_only_warns_is_an_end() {
    assert_dumped(&[&[Reply::done(OWN).with(&[(MSG, b"odd\0")])]], &[], Some(None));
}

#[test]
fn an_end_without_a_code_is_an_end_but_not_one_cut_short() {
    assert_dumped(&[&[Reply::done_with(OWN, &[])]], &[], Some(None));
    for payload in [&[0][..], &[0; 2], &[0; 3]] {
        let end = datagram(&[Reply::done_with(OWN, payload)]);
        assert!(own().next(&end).is_err(), "{payload:?}");
    }
}

#[test]
fn what_no_dump_has_is_an_error_and_the_rest_is_readable() {
    for odd in [Reply::ack(OWN), Reply::overrun(OWN)] {
        let datagram = datagram(&[odd, entry(2), Reply::done(OWN)]);
        let mut dump = own();
        assert!(dump.next(&datagram).is_err());
        assert_eq!(dump.next(&datagram), Ok(Step::Data { command: 1, attributes: &[2; 4] }));
        assert_eq!(dump.next(&datagram), Ok(Step::End));
    }
}

#[test]
fn a_malformed_message_ends_its_datagram_only() {
    let mut broken = datagram(&[entry(1), entry(2)]);
    let second = broken.len() / 2;
    for length in [0_u32, 15, 1000] {
        broken[second..second + 4].copy_from_slice(&length.to_ne_bytes());
        let mut dump = own();
        assert!(matches!(dump.next(&broken), Ok(Step::Data { .. })));
        assert!(dump.next(&broken).is_err(), "{length}");
        assert_eq!(dump.next(&broken), Ok(Step::NeedsDatagram));
        let next = datagram(&[entry(3), Reply::done(OWN)]);
        assert_eq!(dump.next(&next), Ok(Step::Data { command: 1, attributes: &[3; 4] }));
        assert_eq!(dump.next(&next), Ok(Step::End));
    }
}
