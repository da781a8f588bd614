//! The log: lines on standard error.

use std::fmt;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

/// The most lines that wait for the thread that writes. More are lost.
const MOST_WAITING: usize = 4096;

/// How long the end of the program waits for a reader of the log.
const LONGEST_END: Duration = Duration::from_secs(2);

static QUEUE: OnceLock<Queue> = OnceLock::new();

/// Writes a line. After [`begin`] it never waits for a reader, and a log that nobody reads any more does not end
/// the program.
pub(crate) fn line(text: impl fmt::Display) {
    match QUEUE.get() {
        Some(queue) => queue.push(text.to_string()),
        None => {
            let _ = writeln!(io::stderr(), "{text}");
        }
    }
}

/// Lets a thread write the lines from now on, until the program ends.
pub(crate) fn begin() {
    // Without a thread lines are written where they are told.
    if let Some(queue) = Queue::start(io::stderr(), MOST_WAITING) {
        let _ = QUEUE.set(queue);
    }
}

/// Waits until all lines are written, for two seconds at most.
pub(crate) fn end() {
    if let Some(queue) = QUEUE.get() {
        queue.flush(LONGEST_END);
    }
}

enum Entry {
    Line(String),
    /// All lines before are written when this is dropped.
    Flush(#[allow(dead_code, reason = "its end is what counts")] Sender<()>),
}

/// The lines that wait to be written.
struct Queue {
    entries: SyncSender<Entry>,
    /// How many lines did not fit since the last one that did.
    lost: Arc<AtomicU64>,
}

impl Queue {
    /// Starts the thread that writes. Returns `None` if the system has no thread for it.
    fn start(writer: impl Write + Send + 'static, most_waiting: usize) -> Option<Self> {
        let (entries, waiting) = sync_channel(most_waiting);
        let lost = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&lost);
        let work = move || write(writer, &waiting, &counted);
        thread::Builder::new().name("log".to_owned()).spawn(work).ok()?;
        Some(Self { entries, lost })
    }

    fn push(&self, line: String) {
        if self.entries.try_send(Entry::Line(line)).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn flush(&self, longest: Duration) {
        let (done, is_done) = channel();
        let mut entry = Entry::Flush(done);
        let step = Duration::from_millis(10);
        let mut left = longest;
        // A full queue may get room.
        while let Err(TrySendError::Full(again)) = self.entries.try_send(entry) {
            if left.is_zero() {
                return;
            }
            thread::sleep(step);
            left = left.saturating_sub(step);
            entry = again;
        }
        let _ = is_done.recv_timeout(left);
    }
}

fn write(mut writer: impl Write, waiting: &Receiver<Entry>, lost: &AtomicU64) {
    while let Ok(entry) = waiting.recv() {
        let missing = lost.swap(0, Ordering::Relaxed);
        if missing > 0 {
            let _ = writeln!(writer, "{missing} lines of the log were lost: nobody read it");
        }
        if let Entry::Line(line) = entry {
            let _ = writeln!(writer, "{line}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader};

    use super::*;

    #[test]
    fn what_does_not_fit_is_counted_and_told_when_somebody_reads() {
        let (reader, writer) = io::pipe().unwrap();
        let queue = Queue::start(writer, 10).unwrap();
        let long = "x".repeat(999);
        for _ in 0..1000 {
            queue.push(long.clone());
        }
        drop(queue);
        let lines = BufReader::new(reader).lines().map(Result::unwrap);
        let (written, told): (Vec<_>, Vec<_>) = lines.partition(|line| *line == long);
        // The pipe has 65 lines and a part of the next, and the queue 10.
        assert!(written.len() <= 65 + 1 + 10 + 1, "{}", written.len());
        let lost = told.iter().map(|line| match line.split_once(" lines of the log were lost") {
            Some((count, _)) => count.parse::<usize>().unwrap(),
            None => panic!("{line}"),
        });
        assert_eq!(lost.sum::<usize>(), 1000 - written.len());
    }

    #[test]
    fn the_end_waits_for_lines_but_not_for_a_reader_who_stands_still() {
        let (reader, writer) = io::pipe().unwrap();
        let queue = Queue::start(writer, 10).unwrap();
        queue.push("last".to_owned());
        queue.flush(LONGEST_END);
        let mut lines = BufReader::new(reader);
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        assert_eq!(line, "last\n");
        for _ in 0..1000 {
            queue.push("x".repeat(1000));
        }
        // It would never return.
        queue.flush(Duration::from_millis(50));
    }
}
