//! Reads the configuration again, beside the loop.

use tokio::task::{JoinHandle, spawn_blocking};

use crate::configuration::{self, Configuration};
use crate::control::call::Call;
use crate::daemon::RunArguments;

/// Reads the configuration. Logs its warnings.
pub(super) fn read_file(arguments: &RunArguments) -> Result<Configuration, Vec<String>> {
    let loaded = configuration::load(&arguments.file, arguments.format);
    let loaded = loaded.map_err(|error| error.lines())?;
    for warning in loaded.warnings.to_string().lines() {
        tracing::warn!("{warning}");
    }
    Ok(loaded.configuration)
}

/// A reload that is under way: the file is being read on a thread of its own.
#[derive(Debug, Default)]
pub(super) struct Reloading {
    reading: Option<JoinHandle<Result<Configuration, Vec<String>>>>,
    /// Who waits for what is being read.
    waiting: Vec<Call>,
    /// Who asked after the reading began, and so waits for the next one.
    next: Option<Vec<Call>>,
}

impl Reloading {
    /// Begins to read the file; after the reading that is under way if there is one.
    pub(super) fn ask(&mut self, arguments: &RunArguments, call: Option<Call>) {
        if self.reading.is_some() {
            self.next.get_or_insert_default().extend(call);
            return;
        }
        self.waiting.extend(call);
        let arguments = arguments.clone();
        self.reading = Some(spawn_blocking(move || read_file(&arguments)));
    }

    /// Waits for the end of the reading; for ever if there is none. Dropping the future loses nothing.
    pub(super) async fn read(&mut self) -> Result<Configuration, Vec<String>> {
        let Some(reading) = &mut self.reading else { return std::future::pending().await };
        let read = reading.await;
        self.reading = None;
        read.unwrap_or_else(|_| Err(vec!["the reading of the file has panicked".to_owned()]))
    }

    /// Takes out who waits for what was read, and begins the next reading if somebody has asked for it.
    pub(super) fn taken_over(&mut self, arguments: &RunArguments) -> Vec<Call> {
        let waiting = std::mem::take(&mut self.waiting);
        if let Some(next) = self.next.take() {
            self.ask(arguments, None);
            self.waiting = next;
        }
        waiting
    }
}
