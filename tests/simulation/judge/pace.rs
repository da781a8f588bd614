//! The sixth promise: no busy loop. The number of readings and writings per simulated second is
//! bounded.

use std::time::{Duration, Instant};

use crate::judge::{Case, Verdict};

/// Counts tasks and inputs in one span of time after the other.
#[derive(Debug)]
struct Window {
    span: Duration,
    begin: Option<Instant>,
    tasks: u64,
    inputs: u64,
    /// The inputs of the span before, whose work may not be done yet.
    inputs_before: u64,
}

impl Window {
    const fn new(span: Duration) -> Self {
        Self { span, begin: None, tasks: 0, inputs: 0, inputs_before: 0 }
    }

    fn turn(&mut self, now: Instant) {
        let begin = *self.begin.get_or_insert(now);
        if now >= begin + self.span {
            let next = now < begin + self.span * 2;
            self.inputs_before = if next { self.inputs } else { 0 };
            (self.begin, self.tasks, self.inputs) = (Some(now), 0, 0);
        }
    }
}

/// Judges how often a controller reads and writes.
#[derive(Debug)]
pub(crate) struct Pace {
    second: Window,
    minute: Window,
}

impl Default for Pace {
    fn default() -> Self {
        let second = Window::new(Duration::from_secs(1));
        let minute = Window::new(Duration::from_secs(60));
        Self { second, minute }
    }
}

impl Pace {
    /// Takes in something that gives the controller work.
    pub(crate) fn input(&mut self, now: Instant) {
        for window in [&mut self.second, &mut self.minute] {
            window.turn(now);
            window.inputs += 1;
        }
    }

    /// Takes in a task. `services` is how many services there may be.
    ///
    /// An input costs at most a reading, seven phases and a reading, and what it finds can cost as
    /// much again. An attempt that was delayed costs the same, and each service waits for its own. A
    /// drain is looked at once in an interval. A resynchronization takes its chunks.
    pub(crate) fn task(&mut self, case: &Case<'_>, services: usize, drains: bool) -> Verdict {
        let chunks = (services / 1024 + 1) as u64;
        let interval = case.options.plan.drain.map(|drain| drain.interval);
        for window in [&mut self.second, &mut self.minute] {
            window.turn(case.now);
            window.tasks += 1;
            let spans = |pause: Duration| {
                let count = window.span.as_millis() / pause.as_millis().max(1);
                u64::try_from(count).unwrap_or(u64::MAX) + 1
            };
            let looks = if drains { interval.map_or(0, spans) * 4 } else { 0 };
            let syncs = spans(case.options.resync) * 2 * (2 + chunks * 2);
            let retries = spans(case.options.retry.first.max(Duration::from_millis(500)))
                * services as u64
                * 2;
            let inputs = (window.inputs + window.inputs_before) * (18 + 2 * chunks);
            let most = 10 * chunks + looks + syncs + retries + inputs;
            if window.tasks > most {
                return Err(format!(
                    "{} tasks in {:?}, after {} inputs; {most} would be many",
                    window.tasks, window.span, window.inputs
                ));
            }
        }
        Ok(())
    }
}
