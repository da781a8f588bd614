//! A manager of services like systemd, as the daemon sees it.

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Instant;

/// All messages that have come, and when.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told(Arc<Mutex<Vec<(Instant, String)>>>);

impl Told {
    /// Receives what the daemon says at a path, for as long as the test runs.
    pub(crate) fn listen(path: &Path) -> Self {
        let socket = UnixDatagram::bind(path).unwrap();
        let told = Self::default();
        let all = Arc::clone(&told.0);
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length) = socket.recv(&mut buffer) {
                let text = String::from_utf8(buffer[..length].to_vec()).unwrap();
                all.lock().unwrap().push((Instant::now(), text));
            }
        });
        told
    }

    pub(crate) fn all(&self) -> MutexGuard<'_, Vec<(Instant, String)>> {
        self.0.lock().unwrap()
    }
}
