//! Commands that change something.

use ipvs_netlink::{Change, Command, SystemNames, Unsaid};

use crate::failure::Failure;
use crate::words::{Meaning, Piece, Pieces};

/// Reads a command. What the original refuses is refused, though the kernel would take it.
pub(crate) fn parse(words: &[String], names: &SystemNames) -> Result<Change, Failure> {
    // Words that are none have an exit code of their own, so look for them first.
    for piece in Pieces::of(words).collect::<Result<Vec<_>, _>>()? {
        if matches!(piece, Piece::Option { meaning: Meaning::Numeric, .. }) {
            return Err(Failure::usage("-n: this command prints nothing"));
        }
    }
    let command = Command::parse(words, names).map_err(|error| {
        // A word that is wrong as a whole is in the error.
        let word = words.get(error.word()).filter(|word| error.found() != Some(word.as_str()));
        let word = word.map_or_else(String::new, |word| format!("{word:?}: "));
        Failure::usage(format!("{word}{error}"))
    })?;
    let change = command.change;
    change.check_command().map_err(|unsaid| {
        let object = change.object().map_or_else(String::new, |object| format!("{object}: "));
        Failure::usage(match unsaid {
            Unsaid::Refused(what) => format!("{object}{what} is refused, as by the original"),
            unsaid => format!("{object}{unsaid}"),
        })
    })?;
    Ok(change)
}

/// The end that a change came to which was not done.
pub(crate) fn refusal(error: &ipvs_netlink::Error) -> Failure {
    Failure::unusable(error).unwrap_or_else(|| Failure::refused(error.to_string()))
}
