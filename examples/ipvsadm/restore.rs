//! `-R`: commands from standard input.

use std::io::Read;

use ipvs_netlink::{Change, Client, SystemNames};

use crate::edit;
use crate::failure::Failure;
use crate::words::{Line, Meaning, Piece, Pieces};

/// Reads the options after `-R`, which takes none.
pub(crate) fn parse(pieces: Pieces) -> Result<(), Failure> {
    let mut wrong = None;
    for piece in pieces {
        wrong = Some(match piece? {
            Piece::Option { spelling, .. } => Failure::usage(format!("{spelling}: not with -R")),
            Piece::Argument(word) => Failure::usage(format!("unexpected argument {word:?}")),
        });
    }
    wrong.map_or(Ok(()), Err)
}

/// Commands and the numbers of their lines.
#[derive(Debug, Default)]
pub(crate) struct Script {
    changes: Vec<Change>,
    lines: Vec<usize>,
}

impl Script {
    /// Reads commands, one in each line, all of which must be right.
    pub(crate) fn read(mut input: impl Read) -> Result<Self, Failure> {
        let mut text = Vec::new();
        let unread = |error| Failure::usage(format!("standard input: {error}"));
        input.read_to_end(&mut text).map_err(unread)?;
        let names = SystemNames::new();
        let mut script = Self::default();
        for (number, line) in (1..).zip(text.split(|byte| *byte == b'\n')) {
            let at_line = |failure: Failure| failure.prefixed(&format!("line {number}"));
            let line = std::str::from_utf8(line).map_err(|error| Failure::usage(error.to_string()));
            let line = line.map_err(at_line)?;
            if let Some(change) = command(line, &names).map_err(at_line)? {
                script.changes.push(change);
                script.lines.push(number);
            }
        }
        Ok(script)
    }

    /// Executes the commands in their order. Those after one that the kernel refuses are
    /// executed all the same.
    pub(crate) fn execute(self, ipvs: &mut Client) -> Result<(), Failure> {
        let report = ipvs.submit(&self.changes);
        let (mut code, mut messages) = (None, Vec::new());
        for (index, outcome) in report.failures() {
            let (Some(line), Some(error)) = (self.lines.get(index), outcome.error()) else {
                continue;
            };
            let failure = edit::refusal(error);
            code.get_or_insert(failure.code);
            messages.push(format!("line {line}: {}", failure.message));
        }
        code.map_or(Ok(()), |code| Err(Failure { code, message: messages.join("\n") }))
    }
}

/// The command in a line, if there is one.
fn command(line: &str, names: &SystemNames) -> Result<Option<Change>, Failure> {
    let mut words: Vec<_> = line.split_ascii_whitespace().map(str::to_owned).collect();
    if words.first().is_some_and(|word| word == "ipvsadm") {
        words.remove(0);
    }
    if words.first().is_none_or(|word| word.starts_with('#')) {
        return Ok(None);
    }
    match Line::of(&words)?.command {
        Meaning::Command => {}
        Meaning::Restore => return Err(Failure::syntax("-R: reads itself")),
        _ => return Err(Failure::usage("not a command that changes something")),
    }
    let change = edit::parse(&words, names)?;
    change.validate().map_err(|error| Failure::refused(error.to_string()))?;
    Ok(Some(change))
}
