//! Commands that change something.

use ipvs_netlink::{Change, Command, SystemNames, Unsaid};

use crate::command_line::{Part, Parts};
use crate::failure::Failure;

/// Parses a command. Refuses what the original refuses, even where the kernel would accept it.
pub(crate) fn parse(words: &[String], names: &SystemNames) -> Result<Change, Failure> {
    // A syntax error has an exit code of its own, so the syntax is checked first.
    for part in Parts::of(words).collect::<Result<Vec<_>, _>>()? {
        if matches!(part, Part::Option { option, .. } if option.name() == "numeric") {
            return Err(Failure::usage("-n: this command prints nothing"));
        }
    }
    let command = Command::parse(words, names).map_err(|error| {
        // The message shows the word, unless the error already shows all of it.
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

/// The failure of a change that the kernel did not make.
pub(crate) fn refusal(error: &ipvs_netlink::Error) -> Failure {
    Failure::unusable(error).unwrap_or_else(|| Failure::refused(error.to_string()))
}
