//! What commands print.

use std::io::{self, IsTerminal, Write};

use rustix::termios::tcgetwinsize;

use crate::event::one_line;
use crate::exit::Exit;
use crate::status::text::Clock;

/// Standard output and standard error.
#[derive(Debug, Default)]
pub(super) struct Screen {
    /// Whether the last line of the terminal shows progress.
    has_progress: bool,
}

impl Screen {
    pub(super) const fn new() -> Self {
        Self { has_progress: false }
    }

    /// Prints to standard output. A reader that has gone is no failure.
    pub(super) fn print(&self, text: &str) -> Exit {
        match self.try_print(text) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => self.failed(&error),
            _ => Exit::Done,
        }
    }

    /// Tells that standard output does not take what is printed.
    pub(super) fn failed(&self, error: &io::Error) -> Exit {
        self.note(&format!("standard output: {error}"));
        Exit::Failed
    }

    /// Prints to standard output at once.
    pub(super) fn try_print(&self, text: &str) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush())
    }

    pub(super) fn print_lines(&self, lines: &[String]) -> Exit {
        let clock = Clock::here();
        let line = |line: &String| clock.localized(&one_line(line)) + "\n";
        let text: String = lines.iter().map(line).collect();
        self.print(&text)
    }

    /// Prints a note on standard error.
    pub(super) fn note(&self, text: &str) {
        let clock = Clock::here();
        let line = |line| format!("director: {}\n", clock.localized(&one_line(line)));
        let lines: String = text.lines().map(line).collect();
        // There is no other place to report that standard error is closed.
        io::stderr().write_all(lines.as_bytes()).ok();
    }

    /// Shows the progress of a wait, on a terminal in one line that changes. An empty text ends it.
    pub(super) fn progress(&mut self, text: &str) {
        let mut stderr = io::stderr().lock();
        if stderr.is_terminal() {
            if !text.is_empty() || self.has_progress {
                // Without wrapping, because a line that wraps could not be replaced.
                write!(stderr, "\r\x1b[K\x1b[?7l{text}\x1b[?7h").and_then(|()| stderr.flush()).ok();
            }
            self.has_progress = !text.is_empty();
        }
    }

    /// Returns the columns of the terminal, or `None` if standard output is none.
    pub(super) fn width() -> Option<usize> {
        let size = tcgetwinsize(io::stdout()).ok()?;
        // A terminal without a size, such as a serial line.
        Some(if size.ws_col == 0 { 80 } else { usize::from(size.ws_col) })
    }

    /// Returns `true` if standard output shows colours. See <https://no-color.org>.
    pub(super) fn is_coloured() -> bool {
        let is_off = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let is_dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        io::stdout().is_terminal() && !is_off && !is_dumb
    }
}
