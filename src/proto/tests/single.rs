use crate::proto::tests::PORT;
use crate::proto::tests::reply::{Reply, datagram};
use crate::proto::{Answer, Refusal, Single};

const OWN: u32 = 100;

fn read(replies: &[Reply]) -> Result<Option<(u8, Vec<u8>)>, Refusal> {
    match Single::new(PORT, OWN).read(&datagram(replies)).unwrap() {
        None => Ok(None),
        Some(Answer::Data { command, attributes }) => Ok(Some((command, attributes.to_vec()))),
        Some(Answer::Refused(refusal)) => Err(refusal),
    }
}

fn stale() -> [Reply; 8] {
    [
        Reply::data(OWN - 1, 9, &[9; 8]),
        Reply::data(OWN, 9, &[9; 8]).for_port(PORT + 1),
        Reply::refused(OWN + 1, 1),
        Reply::refused(0, 1),
        Reply::ack(OWN - 1),
        Reply::done(OWN - 1),
        Reply::overrun(OWN - 1),
        Reply::noop(OWN),
    ]
}

#[test]
fn the_answer_is_found_among_what_is_anothers() {
    assert_eq!(read(&stale()), Ok(None));
    for place in 0..=stale().len() {
        let mut replies = stale().to_vec();
        replies.insert(place, Reply::data(OWN, 14, &[1; 8]));
        assert_eq!(read(&replies), Ok(Some((14, vec![1; 8]))), "{place}");
        replies[place] = Reply::refused(OWN, 3);
        assert_eq!(read(&replies), Err(Refusal { errno: 3, extack: None }), "{place}");
    }
}

#[test]
fn an_answer_without_attributes_is_one() {
    assert_eq!(read(&[Reply::data(OWN, 14, &[])]), Ok(Some((14, vec![]))));
}

#[test]
fn an_end_with_a_code_is_a_refusal() {
    let end = Reply::done_with(OWN, &(-22_i32).to_ne_bytes());
    assert_eq!(read(&[end]), Err(Refusal { errno: 22, extack: None }));
}

#[test]
fn what_does_not_answer_is_an_error() {
    let odd = [
        Reply::ack(OWN),
        Reply::done(OWN),
        Reply::overrun(OWN),
        Reply { payload: vec![1, 1, 0], ..Reply::data(OWN, 1, &[]) },
        Reply { payload: vec![0; 3], ..Reply::refused(OWN, 1) },
    ];
    for reply in odd {
        assert!(
            Single::new(PORT, OWN).read(&datagram(std::slice::from_ref(&reply))).is_err(),
            "{reply:?}"
        );
    }
}

#[test]
fn a_lying_length_is_an_error() {
    for length in [0_u32, 1, 15, 25, u32::MAX] {
        let mut datagram = datagram(&[Reply::data(OWN, 14, &[1; 4])]);
        datagram[..4].copy_from_slice(&length.to_ne_bytes());
        assert!(Single::new(PORT, OWN).read(&datagram).is_err(), "{length}");
    }
    assert!(Single::new(PORT, OWN).read(&[1; 15]).is_err());
    assert_eq!(Single::new(PORT, OWN).read(&[]), Ok(None));
}
