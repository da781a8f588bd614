//! Lines of a file, in bounded memory.

use std::io::{self, BufRead, ErrorKind, Read};
use std::ops::Range;
use std::time::Instant;

/// The longest line that is read, without its end. The kernel's longest line has about 450 bytes.
const LONGEST: usize = 1024;

/// The kernel fills at most a page for each read.
const BUFFER: usize = 16 * 1024;

/// Reads lines. Keeps no more than [`BUFFER`] bytes of the file.
#[derive(Debug)]
pub(super) struct Lines<R> {
    source: R,
    buffer: Box<[u8]>,
    unread: Range<usize>,
    source_ended: bool,
    /// Whether what comes until the next end of a line belongs to a line that was too long.
    skipping: bool,
    /// The number of the last line.
    number: u64,
    /// No read of the source begins after this time.
    pub(super) deadline: Option<Instant>,
}

/// What comes next. The ranges are for [`Lines::text`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Line(Range<usize>),
    /// A line is longer than [`LONGEST`]: its beginning.
    TooLong(Range<usize>),
    End,
    /// The deadline has passed.
    TimeUp,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            source,
            buffer: vec![0; BUFFER].into(),
            unread: 0..0,
            source_ended: false,
            skipping: false,
            number: 0,
            deadline: None,
        }
    }

    /// Returns the number of the last line. The first line is 1.
    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// Returns the text of a line, until the next line is read.
    pub(super) fn text(&self, line: Range<usize>) -> &[u8] {
        self.buffer.get(line).unwrap_or_default()
    }

    pub(super) fn next(&mut self) -> io::Result<Next> {
        loop {
            let mut unread = self.text(self.unread.clone());
            let whole = unread.len();
            // The standard library's search for a byte.
            let taken = unread.skip_until(b'\n')?;
            let start = self.unread.start;
            let ends = taken > 0 && self.text(start + taken - 1..start + taken) == b"\n";
            if self.skipping {
                self.unread.start += taken;
                self.skipping = !ends;
                if ends {
                    continue;
                }
            } else if ends || (self.source_ended && whole > 0) || whole > LONGEST {
                let length = if ends { taken - 1 } else { taken };
                self.unread.start += taken;
                self.number += 1;
                self.skipping = !ends;
                return Ok(match length {
                    0..=LONGEST => Next::Line(start..start + length),
                    _ => Next::TooLong(start..start + length),
                });
            }
            if self.source_ended {
                return Ok(Next::End);
            }
            if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Ok(Next::TimeUp);
            }
            self.fill()?;
        }
    }

    /// Reads once, behind what is unread.
    fn fill(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.unread.clone(), 0);
        self.unread = 0..self.unread.len();
        let free = self.buffer.get_mut(self.unread.end..).unwrap_or_default();
        loop {
            match self.source.read(free) {
                Ok(0) => self.source_ended = true,
                Ok(length) => self.unread.end += length,
                Err(cause) if cause.kind() == ErrorKind::Interrupted => continue,
                Err(cause) => return Err(cause),
            }
            return Ok(());
        }
    }
}
