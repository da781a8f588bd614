//! Short files, read line by line.

use std::io::Read;

use crate::procfs::ProcfsError;
use crate::procfs::lines::{Lines, Next};

/// The most lines of a short file. Counters have one line for each possible processor.
const MOST_LINES: u64 = 65_536;

/// The lines of a short file that are not blank, one after the other.
#[derive(Debug)]
pub(super) struct Text<'p, R> {
    lines: Lines<R>,
    path: &'p str,
}

impl<'p, R: Read> Text<'p, R> {
    pub(super) fn new(path: &'p str, source: R) -> Self {
        Self { lines: Lines::new(source), path }
    }

    /// Returns what `read` makes of the next line, or `None` at the end. An error of `read` says
    /// what is wrong with the line.
    pub(super) fn next<T>(
        &mut self,
        read: impl FnOnce(&[u8]) -> Result<T, &'static str>,
    ) -> Result<Option<T>, ProcfsError> {
        loop {
            let next = self.lines.next().map_err(|it| ProcfsError::of_reading(self.path, &it))?;
            let (line, is_whole) = match next {
                Next::Line(line) => (self.lines.text(line), true),
                Next::TooLong(line) => (self.lines.text(line), false),
                Next::End | Next::TimeUp => return Ok(None),
            };
            let number = self.lines.number();
            let value = match is_whole {
                false => Err("the line is too long"),
                true if number > MOST_LINES => Err("the file has too many lines"),
                true if line.trim_ascii().is_empty() => continue,
                true => read(line),
            };
            let malformed = |reason| ProcfsError::malformed(self.path, number, line, reason);
            return value.map(Some).map_err(malformed);
        }
    }

    /// Returns what `read` makes of the next line, which must be there.
    pub(super) fn must<T>(
        &mut self,
        read: impl FnOnce(&[u8]) -> Result<T, &'static str>,
    ) -> Result<T, ProcfsError> {
        self.next(read)?.ok_or_else(|| {
            let number = self.lines.number().saturating_add(1);
            ProcfsError::malformed(self.path, number, b"", "the file ends too early")
        })
    }

    /// Skips the next line, which must be a heading that ends with `word`.
    pub(super) fn heading(&mut self, word: &[u8]) -> Result<(), ProcfsError> {
        self.must(|line| match line.trim_ascii_end().ends_with(word) {
            true => Ok(()),
            false => Err("the line is not the expected heading"),
        })
    }
}
