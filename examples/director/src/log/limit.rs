//! Bounds how many lines a second the log has when everything dies at once.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::event::{Event, Severity};

/// The most lines a second about destinations, and about services. What concerns all of the daemon is
/// never left out.
const MOST: [u32; 2] = [50, 100];

/// The time for which lines are counted.
const SECOND: Duration = Duration::from_secs(1);

/// Decides which events the log leaves out. Clients that follow events get all of them.
#[derive(Debug, Default)]
pub struct Limit {
    begun: Option<Instant>,
    written: [u32; 2],
    left_out: BTreeMap<(Severity, Cow<'static, str>), u64>,
}

impl Limit {
    /// Returns whether an event is to be written. Call [`summary`](Self::summary) before.
    pub fn admits(&mut self, event: &Event, now: Instant) -> bool {
        let about = match (event.service, event.destination) {
            (_, Some(_)) => 0,
            (Some(_), None) => 1,
            (None, None) => return true,
        };
        self.begun.get_or_insert(now);
        let (Some(written), Some(most)) = (self.written.get_mut(about), MOST.get(about)) else {
            return true;
        };
        if *written < *most {
            *written += 1;
            return true;
        }
        *self.left_out.entry((event.severity, event.kind.clone())).or_default() += 1;
        false
    }

    /// Returns when a summary may be due.
    #[must_use]
    pub fn next(&self) -> Option<Instant> {
        let begun = self.begun.filter(|_| !self.left_out.is_empty())?;
        begun.checked_add(SECOND)
    }

    /// Ends the second if it is over. Returns what was left out in it, if anything was, with the
    /// gravest severity of that.
    pub fn summary(&mut self, now: Instant) -> Option<(Severity, String)> {
        let begun = self.begun?;
        if now.saturating_duration_since(begun) < SECOND {
            return None;
        }
        let Self { left_out, .. } = std::mem::take(self);
        let gravest = left_out.keys().map(|(severity, _)| *severity).max()?;
        let count: u64 = left_out.values().sum();
        let mut kinds = BTreeMap::<_, u64>::new();
        for ((_, kind), count) in left_out {
            *kinds.entry(kind).or_default() += count;
        }
        let kinds: Vec<_> = kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        let kinds = kinds.join(", ");
        Some((
            gravest,
            format!(
                "{count} lines were left out ({kinds}): see `director status`, or follow `director events`"
            ),
        ))
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    fn event(kind: &'static str, port: Option<u16>) -> Event {
        let event = Event::new(SystemTime::UNIX_EPOCH, Severity::Warning, kind, "dead");
        let event = event.of("TCP 192.0.2.10:80".parse().unwrap());
        match port {
            Some(port) => event.at(std::net::SocketAddr::from(([10, 0, 0, 1], port)).into()),
            None => event,
        }
    }

    #[test]
    fn what_is_left_out_is_counted_and_a_quiet_second_has_all() {
        let mut limit = Limit::default();
        let begin = Instant::now();
        let admitted = (0..10_000).filter(|port| limit.admits(&event("down", Some(*port)), begin));
        assert_eq!(admitted.count(), 50);
        let left = (0..9_000).filter(|port| !limit.admits(&event("taken-out", Some(*port)), begin));
        assert_eq!(left.count(), 9_000);
        // What concerns services is not crowded out by destinations.
        assert!(limit.admits(&event("unavailable", None), begin));
        let all = Event::new(SystemTime::UNIX_EPOCH, Severity::Error, "trouble", "no kernel");
        assert!((0..1000).all(|_| limit.admits(&all, begin)));
        assert_eq!(limit.summary(begin + SECOND / 2), None);
        assert_eq!(limit.next(), Some(begin + SECOND));
        let (severity, text) = limit.summary(begin + SECOND).unwrap();
        assert_eq!(severity, Severity::Warning);
        assert!(
            text.starts_with("18950 lines were left out (9950 down, 9000 taken-out)"),
            "{text}"
        );
        assert_eq!((limit.next(), limit.summary(begin + 2 * SECOND)), (None, None));
        let later = begin + SECOND;
        assert!((0..50).all(|port| limit.admits(&event("up", Some(port)), later)));
        assert_eq!((limit.next(), limit.summary(later + SECOND)), (None, None));
    }
}
