//! Reads the configuration again, beside the loop.

use std::path::Path;

use tokio::task::{JoinHandle, spawn_blocking};

use crate::configuration::{self, Configuration};
use crate::control::call::Call;

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
    pub(super) fn ask(&mut self, file: &Path, call: Option<Call>) {
        if self.reading.is_some() {
            self.next.get_or_insert_default().extend(call);
            return;
        }
        self.waiting.extend(call);
        let file = file.to_owned();
        self.reading = Some(spawn_blocking(move || configuration::load(&file)));
    }

    /// Waits for the end of the reading; for ever if there is none. Dropping the future loses nothing.
    pub(super) async fn read(&mut self) -> Result<Configuration, Vec<String>> {
        let Some(reading) = &mut self.reading else { return std::future::pending().await };
        let read = reading.await;
        self.reading = None;
        read.unwrap_or_else(|_| Err(vec!["the reading of the file has panicked".to_owned()]))
    }

    /// Takes out who waits for what was read, and begins the next reading if somebody has asked for it.
    pub(super) fn taken_over(&mut self, file: &Path) -> Vec<Call> {
        let waiting = std::mem::take(&mut self.waiting);
        if let Some(next) = self.next.take() {
            self.ask(file, None);
            self.waiting = next;
        }
        waiting
    }
}
