//! Writes the log.

use std::io;
use std::time::Instant;

use clap::ValueEnum;
use tracing::Level;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt;

use crate::event::{Event, Severity};
use crate::log::queue::MOST_WAITING;
use crate::log::{Limit, Losses, Queue};

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    #[default]
    Text,
    /// One JSON object a line
    Json,
}

/// The least grave lines that the log has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    /// What the daemon cannot do
    Error,
    /// What does not work as it should, too
    Warn,
    /// What changes, too
    #[default]
    Info,
    /// Details, too
    Debug,
}

impl LogLevel {
    const fn filter(self) -> LevelFilter {
        match self {
            Self::Error => LevelFilter::ERROR,
            Self::Warn => LevelFilter::WARN,
            Self::Info => LevelFilter::INFO,
            Self::Debug => LevelFilter::DEBUG,
        }
    }
}

/// Begins to write the log to standard error, on a thread of its own.
#[must_use]
pub fn begin(format: LogFormat, level: LogLevel) -> Queue {
    let queue = Queue::start(io::stderr(), MOST_WAITING);
    let log = fmt().with_max_level(level.filter()).with_writer(queue.lines()).with_target(false);
    // Fails if a test has begun a log already.
    let _ = match format {
        LogFormat::Text => log.with_ansi(false).try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
    queue
}

/// The log of events.
#[derive(Debug, Default)]
pub struct Log {
    limit: Limit,
    losses: Losses,
}

impl Log {
    /// Creates a log that tells how many lines were lost.
    #[must_use]
    pub fn new(losses: Losses) -> Self {
        Self { limit: Limit::default(), losses }
    }

    /// Writes an event, unless too many were written in this second.
    pub fn write(&mut self, event: &Event, now: Instant) {
        self.pass(now);
        if LevelFilter::current() < level(event.severity) {
            return;
        }
        if self.limit.admits(event, now) {
            write(event);
        }
    }

    /// Lets time pass: tells how many lines were left out, and how many were lost. Call it at least once
    /// a second.
    pub fn pass(&mut self, now: Instant) {
        let wall = std::time::SystemTime::now();
        if let Some((severity, text)) = self.limit.summary(now) {
            write(&Event::new(wall, severity, "left-out", &text));
        }
        self.losses.tell(now, |lost| {
            let s = if lost == 1 { "" } else { "s" };
            let text = format!("the log has lost {lost} line{s}, because nobody read it");
            // An error, so that the log of each level has it.
            write(&Event::new(wall, Severity::Error, "log-lost", &text));
        });
    }

    /// Returns when [`pass`](Self::pass) has something to do.
    #[must_use]
    pub fn next(&self) -> Option<Instant> {
        self.limit.next()
    }
}

const fn level(severity: Severity) -> Level {
    match severity {
        Severity::Detail => Level::DEBUG,
        Severity::Note => Level::INFO,
        Severity::Warning => Level::WARN,
        Severity::Error => Level::ERROR,
    }
}

fn write(event: &Event) {
    let Event { severity, kind, service, destination, text, .. } = event;
    let service = service.map(tracing::field::display);
    let destination = destination.map(tracing::field::display);
    macro_rules! log {
        ($level:expr) => {
            tracing::event!($level, kind = %kind, service, destination, "{text}")
        };
    }
    // The level of a place in the code is constant.
    match severity {
        Severity::Detail => log!(Level::DEBUG),
        Severity::Note => log!(Level::INFO),
        Severity::Warning => log!(Level::WARN),
        Severity::Error => log!(Level::ERROR),
    }
}
