use std::path::PathBuf;

use crate::convert::files::FileError;
use crate::convert::limits::{
    DEEPEST_BLOCK, DEEPEST_INCLUDE, LONGEST_DEFINITION, LONGEST_LINE, MOST_BYTES, MOST_DEFINITIONS,
    MOST_DESTINATIONS, MOST_LINES, MOST_REPLACEMENTS, MOST_SERVICES,
};
use crate::convert::unsaid::Place;

/// Why a file is not converted at all.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    /// The file is not read.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: FileError,
    },
    /// What is at a line cannot be read.
    #[error("{place}: {reason}")]
    Syntax {
        /// The line.
        place: Place,
        /// Why.
        reason: SyntaxError,
    },
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum SyntaxError {
    #[error("a double quote has no end")]
    OpenQuote,
    #[error("\"}}\" closes a block that is not open")]
    NotOpen,
    #[error("\"{{\" opens a block without a keyword before it")]
    NoKeyword,
    #[error("the block that begins here is not closed")]
    NotClosed,
    #[error("the file includes itself")]
    Cycle,
    #[error("files include one another more than {DEEPEST_INCLUDE} deep")]
    DeepInclude,
    #[error("blocks hold one another more than {DEEPEST_BLOCK} deep")]
    DeepBlock,
    #[error("the line is longer than {LONGEST_LINE} bytes when its parameters are replaced")]
    LongLine,
    #[error(
        "the line has more than {MOST_REPLACEMENTS} parameters to replace; does one hold itself?"
    )]
    ManyReplacements,
    #[error("the definition is longer than {} KiB", LONGEST_DEFINITION >> 10)]
    LongDefinition,
    #[error("there are more than {MOST_DEFINITIONS} definitions")]
    ManyDefinitions,
    #[error("there are more than {MOST_LINES} lines when definitions and sequences are expanded")]
    ManyLines,
    #[error("there are more than {} MiB when definitions and sequences are expanded", MOST_BYTES >> 20)]
    ManyBytes,
    #[error(
        "there are more than {MOST_SERVICES} services, or {MOST_DESTINATIONS} destinations of all"
    )]
    ManyServices,
}

impl SyntaxError {
    pub(super) fn at(self, place: &Place) -> ConvertError {
        ConvertError::Syntax { place: place.clone(), reason: self }
    }
}
