//! The output for people: differences, notes, progress and questions.

use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ipvs_netlink::WarningKind;
use ipvs_netlink::table::controller::DrainStatus;
use ipvs_netlink::table::{DrainProgress, Plan, Sign, Table};

use crate::exit::{Failure, Status};
use crate::values::Color;

pub(crate) struct Screen {
    coloured: bool,
    /// When the last line of progress was printed without a terminal.
    said: Mutex<Option<Instant>>,
}

/// The interval between lines of progress without a terminal.
const PERIOD: Duration = Duration::from_secs(10);

impl Screen {
    pub(crate) fn new(color: Color) -> Self {
        let coloured = match color {
            Color::Always => true,
            Color::Never => false,
            // https://no-color.org
            Color::Auto => {
                io::stdout().is_terminal()
                    && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            }
        };
        Self { coloured, said: Mutex::default() }
    }

    /// Prints to standard output.
    pub(crate) fn print(&self, text: &str) -> Result<(), Failure> {
        self.write(|out| out.write_all(text.as_bytes()))
    }

    /// Writes to standard output. A reader that has gone ends the program quietly.
    pub(crate) fn write(
        &self,
        write: impl FnOnce(&mut BufWriter<StdoutLock<'_>>) -> io::Result<()>,
    ) -> Result<(), Failure> {
        let mut stdout = BufWriter::new(io::stdout().lock());
        match write(&mut stdout).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::new(format!("standard output: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// Prints the differences of a plan, in colour on a terminal.
    pub(crate) fn diff(&self, plan: &Plan) -> Result<(), Failure> {
        if !self.coloured || (plan.is_empty() && plan.settings_plan().is_empty()) {
            return self.print(&plan.to_string());
        }
        let line = |line: ipvs_netlink::table::DiffLine| {
            let colour = match (line.disruption, line.sign) {
                (Some(_), _) => "1;31",
                (None, Sign::Added) => "32",
                (None, Sign::Changed) => "33",
                (None, Sign::Removed) => "31",
                (None, _) => "0",
            };
            format!("\x1b[{colour}m{line}\x1b[0m\n")
        };
        self.print(&plan.diff().map(line).collect::<String>())
    }

    /// Prints a note on standard error.
    pub(crate) fn note(&self, text: &str) {
        let text: String = text.chars().map(visible).collect();
        // There is no other place to report that standard error is closed.
        writeln!(io::stderr(), "table: {text}").ok();
    }

    /// Prints the warnings about a table.
    pub(crate) fn doubts(&self, desired: &Table) -> Doubts {
        let mut doubts = Doubts::default();
        for warning in desired.warnings() {
            self.note(&warning.to_string());
            doubts.some = true;
            doubts.unknown |= matches!(
                warning.kind,
                WarningKind::UnknownScheduler { .. } | WarningKind::UnknownEngine(_)
            );
        }
        doubts
    }

    pub(crate) fn failure(&self, failure: &Failure) -> Status {
        self.note(&failure.text);
        failure.status
    }

    /// Shows the progress of a wait. A terminal shows it in the last line; without a terminal a
    /// line is printed every 10 s. An empty text ends it.
    pub(crate) fn progress(&self, text: &str) {
        let mut stderr = io::stderr().lock();
        if stderr.is_terminal() {
            // Switch off wrapping: a line that wraps could not be replaced. Errors do not matter.
            let line = format!("\r\x1b[K\x1b[?7l{text}\x1b[?7h");
            stderr.write_all(line.as_bytes()).and_then(|()| stderr.flush()).ok();
            return;
        }
        drop(stderr);
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if text.is_empty() {
            *said = None;
        } else if said.is_none_or(|said| said.elapsed() >= PERIOD) {
            self.note(text);
            *said = Some(Instant::now());
        }
    }

    /// Asks a question on the terminal. Returns an error if the answer is not yes, or if standard
    /// input is no terminal.
    pub(crate) fn confirm(&self, question: &str) -> Result<(), Failure> {
        if !io::stdin().is_terminal() {
            return Err(Failure::new(
                "standard input is no terminal, so nobody can confirm: use --yes",
            ));
        }
        write!(io::stderr(), "{question} [y/N] ")
            .map_err(|error| Failure::new(format!("standard error: {error}")))?;
        let mut answer = String::new();
        io::stdin()
            .read_line(&mut answer)
            .map_err(|error| Failure::new(format!("standard input: {error}")))?;
        match answer.trim() {
            "y" | "Y" | "yes" => Ok(()),
            _ => Err(Failure::new("not confirmed; nothing was changed")),
        }
    }
}

/// Returns a line about the progress of draining.
pub(crate) fn draining(progress: &DrainProgress<'_>) -> String {
    let what = match progress.draining {
        [one] => one.to_string(),
        all => {
            let most = all.iter().max_by_key(|one| one.connections.active);
            let most = most.map_or_else(String::new, |most| format!("; most has {most}"));
            format!("{} with {}{most}", progress.waiting, progress.connections)
        }
    };
    draining_line(progress.elapsed, progress.left, &what)
}

/// Returns a line about the drains of a controller.
pub(crate) fn drains(drains: &[DrainStatus], now: Instant) -> String {
    let left = |deadline: Instant| deadline.saturating_duration_since(now);
    let begun = drains.iter().map(|drain| drain.begun).min().unwrap_or(now);
    let what = match drains {
        [one] => one.to_string(),
        all => {
            let active = all.iter().map(|one| u64::from(one.connections.active)).sum::<u64>();
            let most = all.iter().max_by_key(|one| one.connections.active);
            let most = most.map_or_else(String::new, |most| format!("; most has {most}"));
            format!("{} with active {active}{most}", all.len())
        }
    };
    // The time of the last one, if each has a deadline.
    let deadlines: Option<Vec<Instant>> = drains.iter().map(|drain| drain.deadline).collect();
    let last = deadlines.and_then(|all| all.into_iter().max());
    draining_line(now.saturating_duration_since(begun), last.map(left), &what)
}

/// Puts the time first, because a terminal may cut off the end.
fn draining_line(elapsed: Duration, left: Option<Duration>, what: &str) -> String {
    let left = match left {
        Some(left) => format!("{} s left", left.as_secs()),
        None => "no deadline".to_owned(),
    };
    format!("draining for {} s, {left}: {what}", elapsed.as_secs())
}

/// The warnings about a valid table.
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "somebody may have asked for a strict look"]
pub(crate) struct Doubts {
    /// `true` if there was a warning.
    pub(crate) some: bool,
    /// `true` if no known kernel accepts the table.
    pub(crate) unknown: bool,
}

impl Doubts {
    /// Returns an error if there was a warning and `strict` is set.
    pub(crate) fn strictly(self, strict: bool) -> Result<(), Failure> {
        match strict && self.some {
            true => Err(Failure::invalid("refused because of the warnings above (--strict)")),
            false => Ok(()),
        }
    }
}

/// Replaces characters that move the cursor, change the direction of writing or hide text.
fn visible(c: char) -> char {
    // The standard library escapes all characters that are not printable.
    let hidden = c.escape_debug().len() > 1 && !matches!(c, '\n' | '\'' | '"' | '\\');
    if hidden { char::REPLACEMENT_CHARACTER } else { c }
}
