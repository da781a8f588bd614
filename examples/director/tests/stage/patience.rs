//! Waits for what must come.

use std::thread;
use std::time::{Duration, Instant};

/// The time to wait for what must come, long enough for a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// Waits until something is there, and returns it.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, mut wanted: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = wanted() {
            return found;
        }
        assert!(begin.elapsed() < PATIENCE, "{what}: never");
        thread::sleep(Duration::from_millis(5));
    }
}
