use std::fs::File;
use std::io::Read;
use std::time::{Duration, Instant};

use crate::procfs::connection::Row;
use crate::procfs::lines::{Lines, Next};
use crate::procfs::{Connection, ConnectionFilter, ProcfsError};

/// The words with which the heading begins.
const HEADING: [&[u8]; 8] =
    [b"Pro", b"FromIP", b"FPrt", b"ToIP", b"TPrt", b"DestIP", b"DPrt", b"State"];

/// Reads connections one by one, in bounded memory.
///
/// [`Procfs::connections`](crate::procfs::Procfs::connections) opens one. [`new`](Self::new) reads
/// the text of such a file from elsewhere.
///
/// The kernel does not stop for the reader: while connections come and go, a connection may be
/// missing or come twice.
///
/// A malformed line is an error, and the iteration goes on with the next line. Every other error
/// ends the iteration.
///
/// # Cost
///
/// The kernel hands out about 50 rows for each read of the file, and for each read it walks through
/// the connections from the beginning. For long files its part therefore grows with the square of
/// their number. Millions of instructions, on Linux 6.12 with a table of 4,096 buckets:
///
/// | connections | the kernel | this reader | with a filter that one in 50 matches |
/// | ---: | ---: | ---: | ---: |
/// | 50,000 | 359 | 75 | 37 |
/// | 200,000 | 2,648 | 300 | about 150 |
///
/// A filter saves a part of the program's work and none of the kernel's. On busy directors set
/// [`most_time`](Self::most_time) or [`most_lines`](Self::most_lines), and do not read often.
///
/// # Whom to trust
///
/// The data of a persistence engine comes from packets of clients or, on a backup, from another host
/// in the messages of the synchronization daemon. Data with the end of a line would begin a row that
/// no connection has.
#[derive(Debug)]
#[must_use = "the reader reads nothing until it is driven"]
pub struct ConnectionReader<R = File> {
    lines: Lines<R>,
    path: Box<str>,
    filter: ConnectionFilter,
    /// Whether rows have the column of the origin. `None` before the heading.
    with_origin: Option<bool>,
    most_lines: u64,
    ending: Option<Ending>,
}

/// Why a reader came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ending {
    /// The file was read to its end.
    Complete,
    /// The most lines were read: see [`ConnectionReader::most_lines`]. There may be more, or none.
    Lines,
    /// The most time has passed: see [`ConnectionReader::most_time`].
    Time,
    /// The file cannot be read further. The last item of the iteration is the error.
    Failed,
}

impl<R: Read> ConnectionReader<R> {
    /// Creates a reader of text in the format of `/proc/net/ip_vs_conn` or
    /// `/proc/net/ip_vs_conn_sync`. The heading tells which one.
    pub fn new(source: R) -> Self {
        Self::at("connections", source)
    }

    pub(super) fn at(path: &str, source: R) -> Self {
        Self {
            lines: Lines::new(source),
            path: path.into(),
            filter: ConnectionFilter::new(),
            with_origin: None,
            most_lines: u64::MAX,
            ending: None,
        }
    }

    /// Returns only connections that match `filter`.
    pub fn matching(mut self, filter: ConnectionFilter) -> Self {
        self.filter = filter;
        self
    }

    /// Ends the iteration after `lines` lines, whether they match the filter or not. By default
    /// the number of lines has no limit. A file with exactly `lines` lines ends with
    /// [`Ending::Lines`], too, because its end is not read.
    pub const fn most_lines(mut self, lines: u64) -> Self {
        self.most_lines = lines;
        self
    }

    /// Ends the iteration when `time` has passed from now on. By default time has no limit.
    ///
    /// The reader looks at the clock before each read, which is about 50 lines. The kernel
    /// finishes a read that has begun.
    pub fn most_time(mut self, time: Duration) -> Self {
        self.lines.deadline = Instant::now().checked_add(time);
        self
    }

    /// Returns why the iteration has ended, or `None` if there may be more.
    #[must_use]
    pub const fn ending(&self) -> Option<Ending> {
        self.ending
    }

    /// Returns the number of connections and malformed lines that were read, whether they match
    /// the filter or not.
    #[must_use]
    pub const fn lines_read(&self) -> u64 {
        self.lines.number().saturating_sub(1)
    }

    fn end(&mut self, ending: Ending) {
        self.ending = Some(ending);
    }

    fn malformed(&self, line: &[u8], reason: &'static str) -> ProcfsError {
        ProcfsError::malformed(&self.path, self.lines.number(), line, reason)
    }
}

impl<R: Read> Iterator for ConnectionReader<R> {
    type Item = Result<Connection, ProcfsError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ending.is_none() {
            if self.lines_read() >= self.most_lines {
                self.end(Ending::Lines);
                break;
            }
            let line = match self.lines.next() {
                Ok(Next::Line(line)) => self.lines.text(line),
                Ok(Next::TooLong(line)) => {
                    let line = self.lines.text(line);
                    return Some(Err(self.malformed(line, "the line is too long")));
                }
                Ok(Next::End) => {
                    self.end(Ending::Complete);
                    break;
                }
                Ok(Next::TimeUp) => {
                    self.end(Ending::Time);
                    break;
                }
                Err(cause) => {
                    let error = ProcfsError::of_reading(&self.path, &cause);
                    self.end(Ending::Failed);
                    return Some(Err(error));
                }
            };
            let Some(with_origin) = self.with_origin else {
                match has_origin(line) {
                    Some(with_origin) => self.with_origin = Some(with_origin),
                    None => {
                        let error = self.malformed(line, "the heading is not that of connections");
                        self.end(Ending::Failed);
                        return Some(Err(error));
                    }
                }
                continue;
            };
            let Some(row) = Row::split(line) else {
                return Some(Err(self.malformed(line, "the line has too few words")));
            };
            if !self.filter.may_match(&row) {
                continue;
            }
            match row.parse(with_origin) {
                Ok(connection) if self.filter.matches(&connection) => return Some(Ok(connection)),
                Ok(_) => {}
                Err(reason) => return Some(Err(self.malformed(line, reason))),
            }
        }
        None
    }
}

/// Returns whether the rows below `heading` have the column of the origin, or `None` if this is no
/// heading.
fn has_origin(heading: &[u8]) -> Option<bool> {
    let mut words = heading.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    if HEADING.iter().any(|expected| words.next() != Some(expected)) {
        return None;
    }
    match words.next()? {
        b"Expires" => Some(false),
        b"Origin" => (words.next()? == b"Expires").then_some(true),
        _ => None,
    }
}
