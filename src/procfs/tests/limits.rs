//! Limits of what is read, and of memory.

use std::io::{self, Read};
use std::time::Duration;

use super::rows::HEADING;
use crate::procfs::{ConnectionFilter, ConnectionReader, ConnectionState, Ending, ProcfsError};

const ROW: &[u8] = b"TCP 0A010002 E460 0A640001 0050 0A020002 1F90 ESTABLISHED     899\n";

/// A file of `rows` connections that is never in memory as a whole.
struct Endless {
    heading: &'static [u8],
    row: &'static [u8],
    at: usize,
    rows: u64,
}

impl Endless {
    const fn of(rows: u64) -> Self {
        Self { heading: HEADING.as_bytes(), row: ROW, at: 0, rows }
    }
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.heading.is_empty() {
            return self.heading.read(buffer);
        }
        let mut length = 0;
        while self.rows > 0 && length < buffer.len() {
            let taken = (&self.row[self.at..]).read(&mut buffer[length..])?;
            (length, self.at) = (length + taken, self.at + taken);
            if self.at == self.row.len() {
                (self.at, self.rows) = (0, self.rows - 1);
            }
        }
        Ok(length)
    }
}

/// Reads `rows` connections in at most 32 KiB, whatever their number.
fn in_bounded_memory(rows: u64) {
    let mut read = 0;
    let used = allocation_counter::measure(|| {
        for connection in ConnectionReader::new(Endless::of(rows)) {
            assert_eq!(connection.unwrap().state, ConnectionState::ESTABLISHED);
            read += 1;
        }
    });
    assert_eq!(read, rows);
    assert!(used.bytes_max < 32 * 1024, "{used:?}");
    assert!(used.count_total < 10, "{used:?}");
}

#[test]
fn memory_does_not_grow_with_the_file() {
    in_bounded_memory(40_000);
}

#[test]
#[ignore = "takes half a minute without optimization"]
fn four_million_rows_are_read_in_bounded_memory() {
    in_bounded_memory(4_000_000);
}

#[test]
fn a_line_has_a_limit_and_the_next_one_is_read() {
    for length in [1025, 16 * 1024, 100_000] {
        let long = "x".repeat(length);
        let text = format!("{HEADING}{long}\n{}", String::from_utf8_lossy(ROW));
        let mut reader = ConnectionReader::new(text.as_bytes());
        let Some(Err(ProcfsError::Malformed { number, line, reason, .. })) = reader.next() else {
            panic!("{length}")
        };
        assert_eq!((number, reason), (2, "the line is too long"));
        assert_eq!(&*line, "x".repeat(200));
        assert!(reader.next().unwrap().is_ok());
        assert!(reader.next().is_none());
    }
    // One within the limit is read.
    let data = "x".repeat(1024 - ROW.len() - 4);
    let text = format!("{HEADING}{} sip {data}\n", String::from_utf8_lossy(ROW).trim_end());
    assert!(ConnectionReader::new(text.as_bytes()).next().unwrap().is_ok());
}

#[test]
fn a_line_without_an_end_takes_no_memory() {
    let endless = || io::repeat(b'x').take(50_000_000);
    let used = allocation_counter::measure(|| {
        let source = HEADING.as_bytes().chain(endless());
        assert_eq!(ConnectionReader::new(source).filter(Result::is_err).count(), 1);
    });
    assert!(used.bytes_max < 32 * 1024, "{used:?}");
}

#[test]
fn the_number_of_lines_can_be_limited() {
    let mut reader = ConnectionReader::new(Endless::of(u64::MAX)).most_lines(1000);
    assert_eq!(reader.by_ref().count(), 1000);
    assert_eq!((reader.ending(), reader.lines_read()), (Some(Ending::Lines), 1000));
    // Lines that do not match count.
    let none = ConnectionFilter::new().state(ConnectionState::NONE);
    let reader = ConnectionReader::new(Endless::of(u64::MAX)).most_lines(1000);
    assert_eq!(reader.matching(none).count(), 0);
    assert_eq!(ConnectionReader::new(Endless::of(5)).most_lines(0).count(), 0);
    let mut reader = ConnectionReader::new(Endless::of(5)).most_lines(6);
    assert_eq!(reader.by_ref().count(), 5);
    assert_eq!(reader.ending(), Some(Ending::Complete));
}

#[test]
fn time_can_be_limited() {
    let mut reader = ConnectionReader::new(Endless::of(u64::MAX)).most_time(Duration::ZERO);
    assert_eq!(reader.by_ref().count(), 0);
    assert_eq!(reader.ending(), Some(Ending::Time));
    let soon = Duration::from_millis(20);
    let mut reader = ConnectionReader::new(Endless::of(u64::MAX)).most_time(soon);
    assert!(reader.by_ref().count() > 0);
    assert_eq!(reader.ending(), Some(Ending::Time));
    // Also in a line that has no end.
    let source = HEADING.as_bytes().chain(io::repeat(b'x'));
    let mut reader = ConnectionReader::new(source).most_time(soon);
    assert_eq!(reader.by_ref().filter(Result::is_err).count(), 1);
    assert_eq!(reader.ending(), Some(Ending::Time));
}

#[test]
fn a_failing_read_ends_the_iteration() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::from_raw_os_error(5))
        }
    }
    let source = HEADING.as_bytes().chain(ROW).chain(Failing);
    let mut reader = ConnectionReader::new(source);
    assert!(reader.next().unwrap().is_ok());
    let error = reader.next().unwrap().unwrap_err();
    assert_eq!(error, ProcfsError::System { path: "connections".into(), errno: 5 });
    assert!(reader.next().is_none());
    assert_eq!(reader.ending(), Some(Ending::Failed));
}

/// The kernel may hand out any number of bytes.
#[test]
fn lines_may_come_in_pieces() {
    struct Bytes(Endless);
    impl Read for Bytes {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read(&mut buffer[..1])
        }
    }
    let reader = ConnectionReader::new(Bytes(Endless::of(20)));
    assert_eq!(reader.filter(Result::is_ok).count(), 20);
}
