//! What happened last, for people who look for the cause of a failure.

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

/// The last lines of a run. Lines are only made if somebody will read them: a run that fails is
/// run again with the same seed.
#[derive(Debug)]
pub(crate) struct Trace {
    begin: Instant,
    lines: VecDeque<(Duration, String)>,
    /// The number of lines to keep.
    most: usize,
}

impl Trace {
    pub(crate) const fn new(begin: Instant, most: usize) -> Self {
        Self { begin, lines: VecDeque::new(), most }
    }

    /// Adds what `line` returns.
    pub(crate) fn note(&mut self, now: Instant, line: impl FnOnce() -> String) {
        if self.most == 0 {
            return;
        }
        if self.lines.len() == self.most {
            self.lines.pop_front();
        }
        self.lines.push_back((now - self.begin, line()));
    }

    /// Returns the time in a run.
    pub(crate) fn time(&self, now: Instant) -> Duration {
        now - self.begin
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (time, line) in &self.lines {
            writeln!(f, "{:9.3} {line}", time.as_secs_f64())?;
        }
        Ok(())
    }
}
