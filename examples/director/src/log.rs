//! The log on standard error.

use std::io;

use clap::ValueEnum;
use tracing::Level;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt;

use crate::event::{Event, Severity};

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// What the log leaves out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    /// All but errors.
    Error,
    /// All but errors and warnings.
    Warn,
    /// Details.
    #[default]
    Info,
    /// Nothing that the daemon tells.
    Debug,
}

/// Begins to write the log.
pub fn begin(format: LogFormat, level: LogLevel) {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    let log = fmt().with_max_level(level).with_writer(io::stderr).with_target(false);
    let begun = match format {
        LogFormat::Text => log.with_ansi(false).try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
    // A test may have begun one already.
    drop(begun);
}

/// Writes an event.
pub fn write(event: &Event) {
    let Event { severity, kind, service, destination, text, .. } = event;
    let service = service.map(tracing::field::display);
    let destination = destination.map(tracing::field::display);
    macro_rules! log {
        ($level:expr) => {
            tracing::event!($level, kind = %kind, service, destination, "{text}")
        };
    }
    match severity {
        Severity::Detail => log!(Level::DEBUG),
        Severity::Note => log!(Level::INFO),
        Severity::Warning => log!(Level::WARN),
        Severity::Error => log!(Level::ERROR),
    }
}
