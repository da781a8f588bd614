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
#[error("line {line}, column {column}: {trouble}")]
pub struct TextError {
    line: usize,
    column: usize,
    trouble: Trouble,
}

impl TextError {
    pub(crate) const fn new(line: usize, column: usize, trouble: Trouble) -> Self {
        Self { line, column, trouble }
    }

    /// The line, from 1.
    #[must_use]
    pub const fn line(&self) -> usize {
        self.line
    }

    /// The column, in characters from 1; one past the end where something is missing
    /// there.
    #[must_use]
    pub const fn column(&self) -> usize {
        self.column
    }

    /// What is wrong with the command in the line, if that is the reason.
    #[must_use]
    pub const fn command_error(&self) -> Option<&CommandError> {
        match &self.trouble {
            Trouble::Command(error) => Some(error),
            _ => None,
        }
    }
}

/// The longest line, in bytes.
pub(crate) const LINE_LIMIT: usize = 4096;

/// What may be wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    LongLine,
    Byte(u8),
    Unfinished(Unfinished),
    Unsaid,
    Command(CommandError),
    NoCommand,
    SecondCommand,
    NotOfTable,
    NoSuchService(ServiceId),
    Repeated { object: Object, line: usize },
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LongLine => write!(f, "the line is longer than {LINE_LIMIT} bytes"),
            Self::Byte(byte) => write!(f, "expected UTF-8, found byte {byte:#04x}"),
            Self::Unfinished(Unfinished::Quote) => f.write_str("the quote has no end"),
            Self::Unfinished(Unfinished::Backslash) => f.write_str("nothing follows the backslash"),
            Self::Unsaid => {
                f.write_str("expected a command, found the comment of what ipvsadm cannot say")
            }
            Self::Command(error) => error.fmt(f),
            Self::NoCommand => f.write_str("expected a command, found none"),
            Self::SecondCommand => f.write_str("expected one command, found a second one"),
            Self::NotOfTable => f.write_str("expected -A or -a, of which a table is made"),
            Self::NoSuchService(service) => {
                write!(f, "expected a service that is added before, found {service}")
            }
            Self::Repeated { object, line } => write!(f, "{object} is already in line {line}"),
        }
    }
}
