//! Hands the lines of the log to a thread that writes them, so that a reader who stands still holds up
//! nobody.

use std::io::{self, Write as _};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};

/// The most lines that wait for the thread. More are lost.
pub(super) const MOST_WAITING: usize = 4096;

/// The longest that the end of the program waits for a reader of the log.
const LONGEST_END: Duration = Duration::from_secs(2);

/// The least time between two attempts to tell how many lines were lost.
const PAUSE: Duration = Duration::from_secs(1);

/// The lines that wait to be written to standard error. [`end`](Self::end) writes the last ones.
#[derive(Debug)]
pub struct Queue {
    lines: NonBlocking,
    worker: WorkerGuard,
}

impl Queue {
    /// Starts the thread that writes.
    pub(super) fn start(writer: impl io::Write + Send + 'static, most_waiting: usize) -> Self {
        let builder = NonBlockingBuilder::default().lossy(true).thread_name("log");
        let (lines, worker) = builder.buffered_lines_limit(most_waiting).finish(writer);
        Self { lines, worker }
    }

    /// Returns what takes in lines and never waits.
    pub(super) fn lines(&self) -> NonBlocking {
        self.lines.clone()
    }

    /// Returns the count of the lines that were lost.
    #[must_use]
    pub fn losses(&self) -> Losses {
        Losses { counter: Some(self.lines.error_counter()), ..Losses::default() }
    }

    /// Adds a last line if there is one, and waits until all lines are written, for two seconds at most.
    pub fn end(self, last: Option<&str>) {
        let Self { mut lines, worker } = self;
        if let Some(last) = last {
            // Never fails: a line that does not fit is counted.
            let _ = lines.write_all(format!("{last}\n").as_bytes());
        }
        let (done, is_done) = mpsc::channel();
        // A full queue has the worker complain to standard output, which may have the same reader.
        let ending = thread::Builder::new().spawn(move || {
            drop(worker);
            let _ = done.send(());
        });
        if ending.is_ok() {
            let _ = is_done.recv_timeout(LONGEST_END);
        }
    }
}

/// The number of lines that did not fit into the queue.
#[derive(Debug, Default)]
pub struct Losses {
    /// `None` counts nothing.
    counter: Option<ErrorCounter>,
    /// How many of the counted lines need not be told any more.
    told: usize,
    next: Option<Instant>,
}

impl Losses {
    /// Has `write` tell how many lines were lost since the last time, if any were. That line may be lost,
    /// too: then the next call tells both.
    pub(super) fn tell(&mut self, now: Instant, write: impl FnOnce(usize)) {
        let Some(counter) = &self.counter else { return };
        let lost = counter.dropped_lines();
        if lost == self.told || self.next.is_some_and(|next| next > now) {
            return;
        }
        self.next = Some(now + PAUSE);
        write(lost - self.told);
        // The line itself is none that somebody misses.
        match counter.dropped_lines() - lost {
            0 => self.told = lost,
            more => self.told += more,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader};

    use super::*;

    #[test]
    fn what_does_not_fit_is_counted_and_told_when_writing_goes_on() {
        let (reader, writer) = io::pipe().unwrap();
        let queue = Queue::start(writer, 10);
        let (mut lines, mut losses) = (queue.lines(), queue.losses());
        let long = "x".repeat(999);
        let begin = Instant::now();
        for _ in 0..1000 {
            lines.write_all(format!("{long}\n").as_bytes()).unwrap();
        }
        let lost = queue.lines.error_counter().dropped_lines();
        // The pipe has 65 lines and a part of the next, and the queue 10.
        assert!(lost >= 1000 - 65 - 1 - 10, "{lost}");
        // Nobody reads: the line about it is lost, too.
        let mut told = Vec::new();
        let mut tell = |losses: &mut Losses, seconds| {
            losses.tell(begin + Duration::from_secs(seconds), |lost| {
                told.push(lost);
                lines.write_all(format!("{lost} lost\n").as_bytes()).unwrap();
            });
        };
        tell(&mut losses, 0);
        tell(&mut losses, 0);
        tell(&mut losses, 1);
        let mut reader = BufReader::new(reader).lines();
        for _ in 0..1000 - lost {
            assert_eq!(reader.next().unwrap().unwrap(), long);
        }
        tell(&mut losses, 2);
        tell(&mut losses, 3);
        assert_eq!(told, [lost; 3]);
        assert_eq!(reader.next().unwrap().unwrap(), format!("{lost} lost"));
        queue.end(Some("director: the last line"));
        assert_eq!(reader.next().unwrap().unwrap(), "director: the last line");
    }

    #[test]
    fn the_end_does_not_wait_for_a_reader_who_stands_still() {
        let (reader, writer) = io::pipe().unwrap();
        let queue = Queue::start(writer, 10);
        let mut lines = queue.lines();
        for _ in 0..1000 {
            lines.write_all(&[b'x'; 1000]).unwrap();
        }
        let begin = Instant::now();
        queue.end(Some("director: the last line"));
        assert!(begin.elapsed() < 3 * LONGEST_END, "{:?}", begin.elapsed());
        drop(reader);
    }
}
