use crate::proto::tests::reply::FAMILY;
use crate::proto::{FamilyId, Session, read_lookup};
use crate::wire::tests::raw::{Raw, attribute, join, split};

const NEWFAMILY: u8 = 1;
const GETFAMILY: u8 = 3;
const FAMILY_ID: u16 = 1;
const FAMILY_NAME: u16 = 2;

#[test]
fn an_id_of_the_netlink_core_is_never_made() {
    for id in 0..16 {
        assert!(FamilyId::new(id).is_err(), "{id}");
        let answer = attribute(FAMILY_ID, &id.to_ne_bytes());
        assert!(read_lookup(NEWFAMILY, &answer).is_err(), "{id}");
    }
    for id in [16, 0x1c, u16::MAX] {
        assert_eq!(FamilyId::new(id).unwrap().number(), id);
    }
}

#[test]
fn the_question_is_by_name_so_that_the_module_is_loaded() {
    let mut buffer = vec![0xa5; 3];
    let _ = Session::new(1).lookup(&mut buffer);
    let [question] = &Raw::all(&buffer)[..] else { panic!("not one message") };
    assert_eq!((question.kind, question.flags, question.sequence, question.port), (16, 1, 1, 0));
    assert_eq!(question.command(), GETFAMILY);
    assert_eq!(split(question.attributes()), [(FAMILY_NAME, b"IPVS\0".to_vec())]);
}

#[test]
fn the_answer_is_the_id_wherever_it_stands() {
    let id = (FAMILY_ID, FAMILY.to_ne_bytes().to_vec());
    let name = (FAMILY_NAME, b"IPVS\0".to_vec());
    for attributes in [vec![id.clone()], vec![name.clone(), id.clone()], vec![id, name]] {
        assert_eq!(read_lookup(NEWFAMILY, &join(&attributes)).unwrap().number(), FAMILY);
    }
}

#[test]
fn what_has_no_id_is_no_answer() {
    let id = attribute(FAMILY_ID, &FAMILY.to_ne_bytes());
    assert!(read_lookup(GETFAMILY, &id).is_err());
    assert!(read_lookup(NEWFAMILY, &[]).is_err());
    assert!(read_lookup(NEWFAMILY, &attribute(FAMILY_NAME, b"IPVS\0")).is_err());
    assert!(read_lookup(NEWFAMILY, &attribute(FAMILY_ID, &[0x22])).is_err());
    assert!(read_lookup(NEWFAMILY, &id[..5]).is_err());
}
