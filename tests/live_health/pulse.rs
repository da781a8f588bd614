//! How much a busy machine delays everything.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// How long the thread sleeps each time.
const BEAT: Duration = Duration::from_millis(10);

/// A thread that sleeps again and again, and notes how much too long each sleep was.
#[derive(Debug)]
pub(crate) struct Pulse {
    ends: Arc<AtomicBool>,
    late: Arc<Mutex<Vec<(Instant, Duration)>>>,
}

impl Pulse {
    pub(crate) fn start() -> Self {
        let pulse = Self { ends: Arc::default(), late: Arc::default() };
        let (end, late) = (Arc::clone(&pulse.ends), Arc::clone(&pulse.late));
        thread::spawn(move || {
            while !end.load(Ordering::SeqCst) {
                let begin = Instant::now();
                thread::sleep(BEAT);
                let now = Instant::now();
                late.lock().unwrap().push((now, now - begin - BEAT));
            }
        });
        pulse
    }

    /// Returns how much too long the sleeps between two times were, in all.
    pub(crate) fn delay(&self, from: Instant, to: Instant) -> Duration {
        let late = self.late.lock().unwrap();
        let ended = late.iter().filter(|(at, _)| *at >= from);
        // The sleep that goes on at the end counts, too.
        let next = late.iter().find(|(at, _)| *at > to).map(|(at, _)| *at);
        ended.filter(|(at, _)| *at <= next.unwrap_or(*at)).map(|(_, late)| *late).sum()
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
    }
}
