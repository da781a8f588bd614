//! Damaged files: an error shows the line, and nothing panics.

use proptest::prelude::*;

use super::fixtures::{CONNECTIONS, OTHERS};
use super::rows::HEADING;
use crate::procfs::applications::read_applications;
use crate::procfs::status::read_status;
use crate::procfs::totals::{read_per_processor, read_totals};
use crate::procfs::{Connection, ConnectionReader, Ending, ProcfsError};

/// The items that a reader makes of a file with these rows.
fn items(rows: &str) -> Vec<Result<Connection, ProcfsError>> {
    ConnectionReader::new(format!("{HEADING}{rows}").as_bytes()).collect()
}

const GOOD: &str = "TCP 0A010002 E460 0A640001 0050 0A020002 1F90 ESTABLISHED     899\n";

#[test]
fn a_malformed_line_is_shown_and_the_next_one_is_read() {
    let items = items(&format!("TCP 0A010002 E460\x1b[2J\n{GOOD}"));
    let [Err(error), Ok(_)] = items.as_slice() else { panic!("{items:?}") };
    assert_eq!(
        error.to_string(),
        r#"connections: line 2: the line has too few words: "TCP 0A010002 E460\x1b[2J""#
    );
}

#[test]
fn each_word_must_be_what_it_stands_for() {
    for (good, bad, reason) in [
        ("TCP ", "TCQ ", "the protocol has no known name"),
        ("TCP ", "IP_x ", "the protocol has no known name"),
        ("TCP ", "IP_65536 ", "the protocol has no known name"),
        ("0A010002", "0A01000G", "the client is not an address and a port"),
        ("0A010002", "0A0100020", "the client is not an address and a port"),
        ("E460", "+460", "the client is not an address and a port"),
        ("0050", "50", "the virtual address is not an address and a port"),
        ("0050", "00050", "the virtual address is not an address and a port"),
        (
            "0A640001",
            "fd99:0000:0000:0000:0000:0000:0000:0001",
            "the client and the virtual address differ in family",
        ),
        (
            "0A020002",
            "fd99:0000:0000:0000:0000:0000:0000:001",
            "the destination is not an address and a port",
        ),
        (
            "0A020002",
            "fd99:0000:0000:0000:0000:0000:0000.0001",
            "the destination is not an address and a port",
        ),
        ("ESTABLISHED", "ESTABLISHED-OR-NOT", "the state is not a name"),
        ("899", "-1", "the time of expiry is not a number of seconds"),
        ("899", "4294967296", "the time of expiry is not a number of seconds"),
        ("899", "", "the time of expiry is not a number of seconds"),
        ("899", "899 a-name-that-is-too-long x", "the persistence engine is not a name"),
    ] {
        let items = items(&GOOD.replace(good, bad));
        let [Err(ProcfsError::Malformed { number: 2, reason: said, .. })] = items.as_slice() else {
            panic!("{bad}: {items:?}")
        };
        assert_eq!(*said, reason, "{bad}");
    }
}

#[test]
fn a_state_that_is_not_known_is_kept() {
    let items = items(&GOOD.replace("ESTABLISHED", "NEW_IN_9.9"));
    assert_eq!(items[0].as_ref().unwrap().state.as_str(), Some("NEW_IN_9.9"));
}

#[test]
fn a_file_of_something_else_is_refused() {
    for heading in ["prot port    usecnt name\n", "\n", "Pro FromIP\n", "\u{7f}"] {
        let mut reader = ConnectionReader::new(heading.as_bytes());
        let Some(Err(ProcfsError::Malformed { number: 1, .. })) = reader.next() else {
            panic!("{heading}")
        };
        assert!(reader.next().is_none());
        assert_eq!(reader.ending(), Some(Ending::Failed));
    }
    assert!(read_totals("stats", &b""[..]).is_err());
    assert!(read_per_processor("stats", &b"a\nb\n"[..]).is_err());
    assert!(read_applications("app", &b"x\n"[..]).is_err());
    assert!(read_status("status", &b"x\n"[..]).is_err());
}

#[test]
fn counters_must_be_five_hexadecimal_numbers() {
    let good = String::from_utf8(OTHERS[0].to_vec()).unwrap();
    for (from, to) in [("69B", "69G"), ("69B", ""), ("69B", "1 69B"), ("69B", &"F".repeat(17))] {
        let error = read_totals("stats", good.replacen(from, to, 1).as_bytes()).unwrap_err();
        let ProcfsError::Malformed { number: 3, line, .. } = &error else { panic!("{error}") };
        assert!(line.contains("304"), "{error}");
    }
    let most = good.replacen("             69B", "FFFFFFFFFFFFFFFF", 1);
    assert_eq!(read_totals("stats", most.as_bytes()).unwrap().incoming_bytes, u64::MAX);
}

/// Reads `text` as every file.
fn read_all(text: &[u8]) {
    let lines = text.split(|byte| *byte == b'\n').count();
    let mut reader = ConnectionReader::new(text);
    let items = reader.by_ref().count();
    assert!(items <= lines, "{items} items of {lines} lines");
    assert!(reader.ending().is_some());
    let _ = read_totals("stats", text);
    let _ = read_per_processor("stats", text);
    let _ = read_applications("app", text);
    let _ = read_status("status", text);
}

proptest! {
    #[test]
    fn damaged_files_never_panic(
        file in prop::sample::select([CONNECTIONS.as_slice(), &OTHERS].concat()),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 1..20),
    ) {
        let mut text = file.to_vec();
        for (at, byte, kind) in damage {
            if text.is_empty() {
                break;
            }
            let at = at.index(text.len());
            match kind {
                0 => text[at] = byte,
                1 => text.insert(at, byte),
                2 => drop(text.remove(at)),
                _ => text.truncate(at),
            }
        }
        read_all(&text);
    }

    #[test]
    fn arbitrary_bytes_never_panic(text in prop::collection::vec(any::<u8>(), 0..3000)) {
        read_all(&text);
        read_all(&[HEADING.as_bytes(), &text].concat());
    }
}
