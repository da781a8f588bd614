//! What the converted file does not say as keepalived's did.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// The most remarks that are kept. The others are counted.
const MOST: usize = 10_000;

/// The longest part of a text of the file that a remark quotes, in characters.
const LONGEST_QUOTE: usize = 120;

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, as its path was written.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", Quoted(&self.file), self.line)
    }
}

/// What became of a keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// The converted file does not say it.
    LeftOut,
    /// The converted file says something else that comes near.
    Changed,
    /// It has no effect, or the director does so anyway.
    NotNeeded,
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::LeftOut => "left out",
            Self::Changed => "changed",
            Self::NotNeeded => "not needed",
        })
    }
}

/// One keyword that the converted file does not say, or not as it was.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Remark {
    /// Where the keyword is.
    pub place: Place,
    /// The keyword.
    pub keyword: String,
    /// What became of it.
    pub fate: Fate,
    /// Why, and what to do instead.
    pub reason: String,
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, keyword, fate, reason } = self;
        write!(f, "{place}: {}: {fate}: {reason}", Quoted(keyword))
    }
}

/// The remarks about a conversion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remarks {
    kept: BTreeSet<Remark>,
    more: usize,
    unsaid: bool,
}

impl Remarks {
    /// Adds a remark.
    pub(super) fn add(
        &mut self,
        place: &Place,
        keyword: impl Into<String>,
        fate: Fate,
        reason: impl Into<String>,
    ) {
        self.unsaid |= fate != Fate::NotNeeded;
        let (place, keyword, reason) = (place.clone(), keyword.into(), reason.into());
        let remark = Remark { place, keyword, fate, reason };
        if self.kept.len() < MOST {
            self.kept.insert(remark);
        } else if !self.kept.contains(&remark) {
            self.more += 1;
        }
    }

    /// Returns the remarks by file and line, at most 10,000.
    pub fn list(&self) -> impl Iterator<Item = &Remark> {
        self.kept.iter()
    }

    /// Returns how many more there are. Equal ones may count several times.
    #[must_use]
    pub const fn more(&self) -> usize {
        self.more
    }

    /// Returns `true` if something was left out or changed.
    #[must_use]
    pub const fn has_unsaid(&self) -> bool {
        self.unsaid
    }
}

/// Text of a file as messages show it: control characters are escaped, and long text is cut.
pub(super) struct Quoted<'t>(pub(super) &'t str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, character) in self.0.chars().enumerate() {
            if at == LONGEST_QUOTE {
                return f.write_str("...");
            }
            match character.is_control() || ('\u{202a}'..='\u{202e}').contains(&character) {
                true => write!(f, "{}", character.escape_default())?,
                false => write!(f, "{character}")?,
            }
        }
        Ok(())
    }
}
