//! What people see.

use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};

use ipvs_netlink::table::{Plan, Sign, Table};
use ipvs_netlink::{Forwarding, Scheduler, ServiceId};

use crate::exit::{Failure, Status};
use crate::values::Color;

pub(crate) struct Screen {
    coloured: bool,
}

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
        Self { coloured }
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

    /// The differences that a plan makes, in colour on a terminal.
    pub(crate) fn diff(&self, plan: &Plan) -> Result<(), Failure> {
        if !self.coloured || plan.is_empty() {
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

    /// Says something that is not the result.
    pub(crate) fn note(&self, text: &str) {
        let text: String = text.chars().map(visible).collect();
        // Nobody else could be told that it cannot be said.
        writeln!(io::stderr(), "table: {text}").ok();
    }

    /// Says what the kernel may take and nobody is likely to mean.
    pub(crate) fn doubts(&self, desired: &Table) {
        for service in desired {
            let id = service.id();
            // Whether a kernel has a scheduler shows only when it is asked for.
            let scheduler = service.service().scheduler;
            if !Scheduler::ALL.contains(&scheduler) {
                self.note(&format!("{id}: no Linux known here has a scheduler {scheduler}"));
            }
            let ServiceId::Address { address, .. } = id else { continue };
            for destination in service.destinations() {
                let port = destination.id().address.port();
                let rewritten = destination.destination().forwarding == Forwarding::Masquerade;
                if !rewritten && ![0, port].contains(&address.port()) && port != 0 {
                    self.note(&format!(
                        "{id} -> {}: only masquerading changes the port, its connections \
                         arrive at port {}",
                        destination.id(),
                        address.port()
                    ));
                }
            }
        }
    }

    pub(crate) fn failure(&self, failure: &Failure) -> Status {
        self.note(&failure.text);
        failure.status
    }

    /// Replaces the last line on the terminal, while something takes its time.
    pub(crate) fn progress(&self, text: &str) {
        let mut stderr = io::stderr().lock();
        if stderr.is_terminal() {
            // Nothing depends on whether it is seen.
            write!(stderr, "\r\x1b[K{text}").and_then(|()| stderr.flush()).ok();
        }
    }

    /// Asks a person. Without one the answer is an error.
    pub(crate) fn confirm(&self, question: &str) -> Result<(), Failure> {
        if !io::stdin().is_terminal() {
            return Err(Failure::new("nobody is there to confirm; say --yes"));
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

/// Names and lines of files are said as they are, but must neither move the cursor nor turn
/// the writing round or hide something in it.
fn visible(c: char) -> char {
    // The standard library escapes what is not to be seen.
    let hidden = c.escape_debug().len() > 1 && !matches!(c, '\n' | '\'' | '"' | '\\');
    if hidden { char::REPLACEMENT_CHARACTER } else { c }
}
