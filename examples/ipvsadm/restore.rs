//! The command `-R`, which runs commands from standard input.

use std::io::{Read, Write};
use std::ops::Range;

use ipvs_netlink::{Change, Client, Command, InvalidValue, SystemNames, TextError};

use crate::command_line::{CommandLine, Part, Parts};
use crate::failure::Failure;
use crate::list::List;
use crate::{changes, help, save};

/// Largest input, in bytes. 10,000 services with 10 destinations each need 5 MB and 110,000 lines.
const LONGEST: u64 = 32 << 20;

/// Largest number of lines. So many lines need at most 200 MB of memory: that much if the kernel
/// refuses all of them.
const MOST: usize = 250_000;

/// Parses the options after `-R`, which takes none.
pub(crate) fn parse(parts: Parts) -> Result<(), Failure> {
    let mut wrong = None;
    for part in parts {
        wrong = Some(match part? {
            Part::Option { spelling, .. } => Failure::usage(format!("{spelling}: not with -R")),
            Part::Argument(word) => Failure::usage(format!("unexpected argument {word:?}")),
        });
    }
    wrong.map_or(Ok(()), Err)
}

/// The commands of an input.
#[derive(Debug, Default)]
pub(crate) struct Script {
    changes: Vec<Change>,
    /// For each change the number of its line.
    lines: Vec<usize>,
    questions: Vec<Question>,
}

/// A command that prints something.
#[derive(Debug)]
struct Question {
    /// The number of changes that come before the command.
    after: usize,
    line: usize,
    what: What,
}

#[derive(Debug)]
enum What {
    List(List),
    Save { numeric: bool },
    Version,
}

impl Script {
    /// Reads commands, one a line. All of them must be right.
    pub(crate) fn read(mut input: impl Read) -> Result<Self, Failure> {
        let mut text = Vec::new();
        let not_read = |error| Failure::usage(format!("standard input: {error}"));
        input.by_ref().take(LONGEST + 1).read_to_end(&mut text).map_err(not_read)?;
        if text.len() as u64 > LONGEST {
            let mebibytes = LONGEST >> 20;
            return Err(Failure::usage(format!("standard input: longer than {mebibytes} MiB")));
        }
        if text.iter().filter(|byte| **byte == b'\n').count() > MOST {
            return Err(Failure::usage(format!("standard input: more than {MOST} lines")));
        }
        let mut script = Self::default();
        for command in Command::parse_lines(&text, &SystemNames::new()) {
            let (line, change) = match command {
                Ok((line, command)) => (line, command.change),
                Err(error) => {
                    let (after, line) = (script.changes.len(), error.line());
                    let what = question(&text, &error)?;
                    script.questions.push(Question { after, line, what });
                    continue;
                }
            };
            let wrong = |error: InvalidValue| at_line(line, Failure::usage(error.to_string()));
            change.validate().map_err(wrong)?;
            script.changes.push(change);
            script.lines.push(line);
        }
        Ok(script)
    }

    /// Runs the commands in their order. Goes on after a command that fails.
    pub(crate) fn execute(self, ipvs: &mut Client, out: &mut impl Write) -> Result<(), Failure> {
        let mut failures = Vec::new();
        let mut done = 0;
        for question in &self.questions {
            self.submit(done..question.after, ipvs, &mut failures);
            done = question.after;
            let answered = match &question.what {
                What::List(list) => list.print(ipvs, out),
                What::Save { numeric } => save::print(ipvs, *numeric, out),
                What::Version => write!(out, "{}", help::VERSION).map_err(Failure::from),
            };
            failures.extend(answered.map_err(|failure| at_line(question.line, failure)).err());
        }
        self.submit(done..self.changes.len(), ipvs, &mut failures);
        let Some(code) = failures.first().map(|failure| failure.code) else { return Ok(()) };
        let messages: Vec<_> = failures.into_iter().map(|failure| failure.message).collect();
        Err(Failure { code, message: messages.join("\n") })
    }

    fn submit(&self, range: Range<usize>, ipvs: &mut Client, failures: &mut Vec<Failure>) {
        let lines = self.lines.get(range.clone()).unwrap_or_default();
        let report = ipvs.submit(self.changes.get(range).unwrap_or_default());
        for failed in report.failures() {
            if let (Some(line), Some(error)) = (lines.get(failed.index), failed.outcome.error()) {
                failures.push(at_line(*line, changes::refusal(error)));
            }
        }
    }
}

/// Parses a line that the library did not read, because its command prints something.
fn question(text: &[u8], error: &TextError) -> Result<What, Failure> {
    let wrong = || Failure::usage(error.to_string());
    if error.command_error().is_none() {
        return Err(wrong());
    }
    let line = text.split(|byte| *byte == b'\n').nth(error.line() - 1).unwrap_or_default();
    let words = Command::words(&String::from_utf8_lossy(line)).map_err(|_| wrong())?;
    let Ok(CommandLine { command, rest, argument: None }) = CommandLine::parse(&words) else {
        return Err(wrong());
    };
    let what = match command.name() {
        "list" => List::parse(command, rest).map(What::List),
        "save" => save::parse(command, rest).map(|numeric| What::Save { numeric }),
        "version" => Ok(What::Version),
        // `-R` would read the input that is being read. The original ends after `-h`.
        _ => return Err(wrong()),
    };
    // A wrong line of the input has exit code 2, whatever is wrong with it.
    what.map_err(|failure| at_line(error.line(), Failure::usage(failure.message)))
}

fn at_line(line: usize, failure: Failure) -> Failure {
    failure.prefixed(&format!("line {line}"))
}
