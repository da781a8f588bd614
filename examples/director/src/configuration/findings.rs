//! What is wrong with a file, with lines and columns.

use std::fmt;
use std::path::{Path, PathBuf};

use super::document::Findings;

/// The most findings that are shown.
const MOST: usize = 100;

/// Something that is wrong with a file, or that cannot work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What was found, and what was expected.
    pub text: String,
}

/// Everything that is wrong with a file, in the order of the file. `Display` writes one line for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    /// The file.
    pub file: PathBuf,
    /// The first ones.
    pub first: Vec<Problem>,
    /// The number of the others.
    pub others: usize,
    /// Whether so much is wrong that the rest of the file was not looked at.
    pub is_cut: bool,
}

impl Problems {
    /// Finds the lines and columns of findings.
    pub(super) fn new(file: &Path, text: &str, findings: Findings) -> Self {
        let is_cut = findings.is_full();
        let Findings { mut kept, others } = findings;
        kept.sort();
        kept.dedup();
        let lines = Lines::new(text);
        let others = others + kept.len().saturating_sub(MOST);
        let problem = |finding: &super::tree::Finding| {
            let (line, column) = lines.place(finding.at);
            let first =
                finding.first.map(|at| format!("; the first is in line {}", lines.place(at).0));
            Problem { line, column, text: format!("{}{}", finding.text, first.unwrap_or_default()) }
        };
        let first = kept.iter().take(MOST).map(problem).collect();
        Self { file: file.to_owned(), first, others, is_cut }
    }

    /// Creates the problems of a text that cannot be read at all.
    pub(super) fn one(file: &Path, bytes: &[u8], at: usize, text: &str) -> Self {
        let before = bytes.get(..at).unwrap_or(bytes);
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let last = before.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        let column = 1 + String::from_utf8_lossy(last).chars().count();
        let problem = Problem { line, column, text: text.to_owned() };
        Self { file: file.to_owned(), first: vec![problem], others: 0, is_cut: false }
    }

    /// Returns `true` if nothing was found.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    /// Returns the number of problems.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.first.len() + self.others
    }

    /// Returns what writes one line for each, with a word such as `warning: ` before the text.
    pub const fn with_kind<'p>(&'p self, kind: &'p str) -> impl fmt::Display + 'p {
        OfKind { problems: self, kind }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, kind: &str) -> fmt::Result {
        let file = printable(&self.file);
        for (index, Problem { line, column, text }) in self.first.iter().enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            write!(f, "{end}{file}:{line}:{column}: {kind}{text}")?;
        }
        match self.others {
            0 => Ok(()),
            others if self.is_cut => write!(f, "\n{file}: {kind}and at least {others} more"),
            others => write!(f, "\n{file}: {kind}and {others} more"),
        }
    }
}

struct OfKind<'p> {
    problems: &'p Problems,
    kind: &'p str,
}

impl fmt::Display for OfKind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problems.write(f, self.kind)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, "")
    }
}

/// Returns a path as text, with escapes if it has signs that could move a terminal's cursor.
pub(super) fn printable(path: &Path) -> String {
    let text = path.display().to_string();
    match text.chars().any(char::is_control) {
        true => text.escape_debug().to_string(),
        false => text,
    }
}

/// The places of the lines of a text.
struct Lines<'t> {
    text: &'t str,
    begins: Vec<usize>,
}

impl<'t> Lines<'t> {
    fn new(text: &'t str) -> Self {
        let after_ends = text.match_indices('\n').map(|(end, _)| end + 1);
        Self { text, begins: std::iter::once(0).chain(after_ends).collect() }
    }

    /// Returns the line and column of an offset.
    fn place(&self, at: u32) -> (usize, usize) {
        let at = (at as usize).min(self.text.len());
        let line = self.begins.partition_point(|begin| *begin <= at);
        let begin = self.begins.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let before = self.text.as_bytes().get(begin..at).unwrap_or_default();
        // Bytes that do not continue a character.
        let column = 1 + before.iter().filter(|byte| **byte & 0xc0 != 0x80).count();
        (line.max(1), column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_lines_and_characters() {
        let lines = Lines::new("a: ä b\n\nc");
        for (at, expected) in [
            (0, (1, 1)),
            (3, (1, 4)),
            (6, (1, 6)),
            (7, (1, 7)),
            (8, (2, 1)),
            (9, (3, 1)),
            (99, (3, 2)),
        ] {
            assert_eq!(lines.place(at), expected, "{at}");
        }
    }
}
