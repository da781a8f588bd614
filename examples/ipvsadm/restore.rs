//! `-R`: commands from standard input.

use std::io::Read;

use ipvs_netlink::{Change, Client, Command, InvalidValue, SystemNames};

use crate::edit;
use crate::failure::Failure;
use crate::words::{Piece, Pieces};

/// 10,000 services with 10 destinations each are 5 MB and 110,000 lines.
const LONGEST: u64 = 32 << 20;

/// With these it takes up to 200 MB of memory, most of it where the kernel refuses them all.
const MOST: usize = 250_000;

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
        input.by_ref().take(LONGEST + 1).read_to_end(&mut text).map_err(unread)?;
        if text.len() as u64 > LONGEST {
            let mebibytes = LONGEST >> 20;
            return Err(Failure::usage(format!("standard input: longer than {mebibytes} MiB")));
        }
        if text.iter().filter(|byte| **byte == b'\n').count() > MOST {
            return Err(Failure::usage(format!("standard input: more than {MOST} lines")));
        }
        let mut script = Self::default();
        for command in Command::parse_lines(&text, &SystemNames::new()) {
            let (line, command) = command.map_err(|error| Failure::usage(error.to_string()))?;
            let at_line = |failure: Failure| failure.prefixed(&format!("line {line}"));
            let change = edit::checked(command.change).map_err(at_line)?;
            let wrong = |error: InvalidValue| Failure::usage(error.to_string());
            change.validate().map_err(wrong).map_err(at_line)?;
            script.changes.push(change);
            script.lines.push(line);
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
