//! Tells systemd how the daemon is, and that it lives.

use std::time::{Duration, Instant};

use sd_notify::NotifyState;

/// The thread of the checks works at least once a second. After this time it stands still.
const STANDSTILL: Duration = Duration::from_secs(5);

/// The same where the watchdog is impatient.
const SHORTEST_STANDSTILL: Duration = Duration::from_secs(2);

/// The least time between two lines for people.
const PAUSE: Duration = Duration::from_secs(1);

/// Tells systemd how the daemon is. Without systemd it tells nobody.
#[derive(Debug)]
pub struct Systemd {
    heartbeat: Option<Heartbeat>,
    /// `None` if nobody listens.
    line: Option<Line>,
}

/// The line for people, and when it may be told again.
#[derive(Debug)]
struct Line {
    text: String,
    next: Instant,
}

impl Line {
    /// Returns the line if it is news, at most once a second: it takes a look at all services.
    fn news(&mut self, text: impl FnOnce() -> String, now: Instant) -> Option<&str> {
        if now < self.next {
            return None;
        }
        self.next = now + PAUSE;
        let text = text();
        let is_news = text != self.text;
        self.text = text;
        is_news.then_some(&self.text)
    }
}

/// When systemd is to be told that the daemon lives.
#[derive(Debug)]
pub struct Heartbeat {
    interval: Duration,
    next: Instant,
}

impl Heartbeat {
    /// Creates the heartbeat for a watchdog that waits so long: twice in that time.
    #[must_use]
    pub fn new(watchdog: Duration, now: Instant) -> Self {
        Self { interval: watchdog / 2, next: now }
    }

    /// Returns whether systemd is to be told now. The thread of the checks has been silent for this
    /// time: if that is too long, systemd is not told, and restarts the daemon.
    pub fn beats(&mut self, silent: Duration, now: Instant) -> bool {
        let standstill = self.interval.clamp(SHORTEST_STANDSTILL, STANDSTILL);
        if now < self.next || silent >= standstill {
            return false;
        }
        self.next = now + self.interval;
        true
    }
}

/// Returns whether the thread of the checks stands still if it has been silent for this time.
#[must_use]
pub fn stands_still(silent: Duration) -> bool {
    silent >= STANDSTILL
}

impl Systemd {
    /// Finds out whether systemd listens, and whether it wants to know that the daemon lives.
    #[must_use]
    pub fn find(now: Instant) -> Self {
        let [micros, process] = ["WATCHDOG_USEC", "WATCHDOG_PID"].map(|it| std::env::var(it).ok());
        let watchdog = watchdog(micros.as_deref(), process.as_deref(), std::process::id());
        let heartbeat = watchdog.map(|watchdog| Heartbeat::new(watchdog, now));
        let listens = std::env::var_os("NOTIFY_SOCKET").is_some();
        let line = listens.then(|| Line { text: String::new(), next: now });
        Self { heartbeat, line }
    }

    /// Tells that the daemon keeps the table.
    pub fn ready(&self) {
        tell(&[NotifyState::Ready]);
    }

    /// Tells that the configuration is being read again. [`ready`](Self::ready) tells the end.
    pub fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(time) => tell(&[NotifyState::Reloading, time]),
            Err(_) => tell(&[NotifyState::Reloading]),
        }
    }

    /// Tells that the daemon ends, and that this may take so long.
    pub fn stopping(&self, longest: Duration) {
        let micros = u32::try_from(longest.as_micros()).unwrap_or(u32::MAX);
        tell(&[NotifyState::Stopping, NotifyState::ExtendTimeoutUsec(micros)]);
    }

    /// Tells one line for people, if it is news. Call it at least once a second.
    pub fn status(&mut self, status: impl FnOnce() -> String, now: Instant) {
        if let Some(news) = self.line.as_mut().and_then(|line| line.news(status, now)) {
            tell(&[NotifyState::Status(news)]);
        }
    }

    /// Tells that the daemon lives, if that is due and the thread of the checks does not stand still.
    /// Call it at least once a second.
    pub fn beat(&mut self, silent: Duration, now: Instant) {
        if self.heartbeat.as_mut().is_some_and(|heartbeat| heartbeat.beats(silent, now)) {
            tell(&[NotifyState::Watchdog]);
        }
    }
}

/// Returns how long the watchdog waits, by the variables that systemd sets for the process. Others than
/// systemd set the first one alone.
fn watchdog(micros: Option<&str>, process: Option<&str>, own: u32) -> Option<Duration> {
    let is_ours = process.is_none_or(|process| process.parse() == Ok(own));
    let micros = micros?.parse().ok().filter(|micros| is_ours && *micros > 0)?;
    Some(Duration::from_micros(micros))
}

fn tell(states: &[NotifyState<'_>]) {
    // Fails if systemd does not listen, which is nothing that this program could mend.
    let _ = sd_notify::notify(false, states);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watchdog_of_another_process_is_none_of_ours() {
        let second = Some(Duration::from_secs(1));
        let micros = Some("1000000");
        assert_eq!(watchdog(micros, None, 7), second);
        assert_eq!(watchdog(micros, Some("7"), 7), second);
        for (micros, process) in [(micros, "8"), (micros, "x"), (Some("0"), "7"), (None, "7")] {
            assert_eq!(watchdog(micros, Some(process), 7), None);
        }
    }

    #[test]
    fn the_line_for_people_is_made_once_a_second() {
        let begin = Instant::now();
        let mut line = Line { text: String::new(), next: begin };
        let mut made = 0;
        let mut at = |ms: u64, text: &str| {
            let make = || {
                made += 1;
                text.to_owned()
            };
            line.news(make, begin + Duration::from_millis(ms)).map(str::to_owned)
        };
        assert_eq!(at(0, "0 of 2").as_deref(), Some("0 of 2"));
        assert!((1..100).all(|ms| at(ms * 10, "1 of 2").is_none()));
        assert_eq!(at(1000, "2 of 2").as_deref(), Some("2 of 2"));
        assert_eq!(at(2000, "2 of 2"), None);
        assert_eq!(made, 3);
    }

    #[test]
    fn a_heart_beats_twice_in_the_time_of_the_watchdog_while_the_checks_move() {
        let begin = Instant::now();
        let second = Duration::from_secs(1);
        let mut heartbeat = Heartbeat::new(10 * second, begin);
        let beats: Vec<_> =
            (0..30).filter(|at| heartbeat.beats(second / 2, begin + *at * second)).collect();
        assert_eq!(beats, [0, 5, 10, 15, 20, 25]);
        // The thread of the checks stood still from the 26th second to the 40th.
        let silent = |at: u32| if at < 40 { (at - 26) * second } else { second };
        let beats: Vec<_> =
            (30..50).filter(|at| heartbeat.beats(silent(*at), begin + *at * second)).collect();
        assert_eq!(beats, [30, 40, 45]);
    }
}
