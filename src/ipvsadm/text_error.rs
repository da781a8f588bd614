use std::fmt;

use super::command_error::CommandError;
use super::shell_words::Unfinished;
use crate::model::{Object, ServiceId};

/// Where and why a text of `ipvsadm` commands could not be read.
///
/// ```
/// use ipvs_netlink::table::Table;
///
/// let text = "-A -t 192.0.2.10:80 -s rr\n-a -t 192.0.2.10:80 -r 10.0.0.2:8080 -w 5x\n";
/// let error = text.parse::<Table>().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "line 2, column 41: expected a weight of 0 to 2147483647, found \"5x\""
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct TextError {
    line: usize,
    column: usize,
    problem: TextProblem,
}

impl TextError {
    pub(crate) const fn new(line: usize, column: usize, problem: TextProblem) -> Self {
        Self { line, column, problem }
    }

    /// The number of the line, from 1.
    #[must_use]
    pub const fn line(&self) -> usize {
        self.line
    }

    /// The column in the line, in characters from 1. If the line ends too early, the column is
    /// one past its end.
    #[must_use]
    pub const fn column(&self) -> usize {
        self.column
    }

    /// The error of the command in the line. `None` if the text is wrong in another way, such
    /// as a quote without an end.
    #[must_use]
    pub const fn command_error(&self) -> Option<&CommandError> {
        match &self.problem {
            TextProblem::Command(error) => Some(error),
            _ => None,
        }
    }
}

/// The length of the longest line that is read, in bytes.
pub(crate) const LINE_LIMIT: usize = 4096;

/// What is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TextProblem {
    LongLine,
    /// A byte that is not UTF-8.
    Byte(u8),
    Unfinished(Unfinished),
    /// A comment that stands for something `ipvsadm` has no command for.
    Unsaid,
    Command(CommandError),
    NoCommand,
    SecondCommand,
    /// A command that adds nothing to a table.
    NotOfTable,
    NoSuchService(ServiceId),
    /// The object was added before, in this line.
    Repeated {
        object: Object,
        line: usize,
    },
}

impl fmt::Display for TextProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LongLine => write!(f, "the line is longer than {LINE_LIMIT} bytes"),
            Self::Byte(byte) => write!(f, "expected UTF-8, found byte {byte:#04x}"),
            Self::Unfinished(Unfinished::Quote) => f.write_str("the quote is not closed"),
            Self::Unfinished(Unfinished::Backslash) => {
                f.write_str("the backslash is the last character")
            }
            Self::Unsaid => f.write_str(
                "expected a command, found a comment in place of one that ipvsadm does not have",
            ),
            Self::Command(error) => error.fmt(f),
            Self::NoCommand => f.write_str("expected a command, found none"),
            Self::SecondCommand => f.write_str("expected one command, found a second one"),
            Self::NotOfTable => f.write_str("expected -A or -a; a table has no other commands"),
            Self::NoSuchService(service) => {
                write!(f, "no line before this one adds the service {service}")
            }
            Self::Repeated { object, line } => write!(f, "line {line} already adds {object}"),
        }
    }
}
