//! Where in a refusal the kernel's words are.

use crate::error::Extack;
use crate::proto::Refusal;
use crate::proto::extack::{read_done, read_error};
use crate::proto::tests::reply::{CAPPED, HAS_ATTRIBUTES, MSG, OFFS, Reply};

fn refusal(reply: &Reply) -> Refusal {
    read_error(reply.flags, &reply.payload).unwrap().unwrap()
}

fn words(message: Option<&str>, offset: Option<u32>) -> Option<Box<Extack>> {
    Some(Box::new(Extack { message: message.map(str::to_owned), offset }))
}

#[test]
fn they_follow_the_header_where_the_request_is_capped() {
    let plain = Reply::refused(1, 34);
    assert_eq!(refusal(&plain), Refusal { errno: 34, extack: None });
    let explained = plain.with(&[(MSG, b"odd\0"), (OFFS, &20_u32.to_ne_bytes())]);
    assert_eq!(refusal(&explained).extack, words(Some("odd"), Some(20)));
}

#[test]
fn they_follow_the_whole_padded_request_where_it_is_not() {
    for length in 0..9 {
        let plain = Reply::refused_uncapped(1, 34, &vec![0xff; length]);
        assert_eq!(refusal(&plain), Refusal { errno: 34, extack: None });
        let explained = plain.with(&[(MSG, b"odd\0"), (OFFS, &20_u32.to_ne_bytes())]);
        assert_eq!(refusal(&explained).extack, words(Some("odd"), Some(20)), "{length}");
    }
}

#[test]
fn either_of_text_and_offset_may_be_missing() {
    let plain = Reply::refused(1, 22);
    assert_eq!(refusal(&plain.clone().with(&[(MSG, b"odd\0")])).extack, words(Some("odd"), None));
    let offset = plain.clone().with(&[(OFFS, &4_u32.to_ne_bytes())]);
    assert_eq!(refusal(&offset).extack, words(None, Some(4)));
    assert_eq!(refusal(&plain.with(&[(3, b"cookie")])).extack, None);
}

#[test]
fn what_cannot_be_read_of_them_is_left_out() {
    let plain = Reply::refused(1, 22);
    let odd_text = plain.clone().with(&[(MSG, b"a\xffb")]);
    assert_eq!(refusal(&odd_text).extack, words(Some("a\u{fffd}b"), None));
    let short_offset = plain.clone().with(&[(OFFS, &[1])]);
    assert_eq!(refusal(&short_offset).extack, None);
    let mut cut = plain.clone().with(&[(MSG, b"odd\0"), (OFFS, &20_u32.to_ne_bytes())]);
    cut.payload.truncate(cut.payload.len() - 1);
    assert_eq!(refusal(&cut).extack, words(Some("odd"), None));
    let flagged_only = Reply { flags: CAPPED | HAS_ATTRIBUTES, ..plain };
    assert_eq!(refusal(&flagged_only), Refusal { errno: 22, extack: None });
}

#[test]
fn a_lying_length_of_the_request_hides_them_but_not_the_errno() {
    for length in [0_u32, 15, 10_000, u32::MAX - 2, u32::MAX] {
        let mut reply = Reply::refused_uncapped(1, 34, &[0; 8]).with(&[(OFFS, &[1, 0, 0, 0])]);
        reply.payload[4..8].copy_from_slice(&length.to_ne_bytes());
        assert_eq!(refusal(&reply).errno, 34, "{length}");
    }
}

#[test]
fn an_errno_alone_is_a_refusal_and_less_is_nothing() {
    assert_eq!(read_error(0, &(-1_i32).to_ne_bytes()).unwrap().unwrap().errno, 1);
    for flags in [0, CAPPED, HAS_ATTRIBUTES, CAPPED | HAS_ATTRIBUTES] {
        assert!(read_error(flags, &[0; 3]).is_err());
        assert_eq!(read_error(flags, &[0; 4]), Ok(None));
    }
}

#[test]
fn the_smallest_number_is_no_overflow() {
    for read in [read_error, read_done] {
        let refusal = read(0, &i32::MIN.to_ne_bytes()).unwrap().unwrap();
        assert_eq!(refusal.errno, i32::MAX);
    }
}
