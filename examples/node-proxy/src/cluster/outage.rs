//! What the log says of an API server that is away.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::{Notice, Source};

/// The shortest time from one line about the same trouble to the next.
const PAUSE: Duration = Duration::from_secs(60);

/// Why a watch failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WatchFailure {
    /// The server cannot be reached, or cannot answer: not an answer about this watch.
    pub(crate) is_away: bool,
    /// What happened, in one line.
    pub(crate) text: String,
}

/// Decides what the log says while watches fail: one line when the API server goes, one a minute while it is away, and
/// one when all watches go on. It has no clock.
#[derive(Debug)]
pub(crate) struct Outage {
    server: String,
    /// The watches that have failed, and do not go on yet.
    failing: BTreeSet<Source>,
    /// Since when one has failed.
    begun: Option<Instant>,
    /// When the log has said so last.
    told: Option<Instant>,
    /// What the server has answered to a watch, and when the log has said so.
    answers: BTreeMap<Source, (String, Instant)>,
}

impl Outage {
    /// Begins with a server that is not away. `server` is its URL.
    pub(crate) fn new(server: String) -> Self {
        Self { server, failing: BTreeSet::new(), begun: None, told: None, answers: BTreeMap::new() }
    }

    /// Returns the URL of the server.
    pub(crate) fn server(&self) -> &str {
        &self.server
    }

    /// Takes in what a watch tells. Returns the lines for the log.
    pub(crate) fn take(&mut self, source: Source, notice: &Notice, now: Instant) -> Vec<String> {
        let lines = match notice {
            Notice::Failed(WatchFailure { is_away: true, text }) => {
                [self.away(source, text, now), None]
            }
            // A server that refuses one watch is not away.
            Notice::Failed(WatchFailure { is_away: false, text }) => {
                [self.back(source, now), self.answered(source, text, now)]
            }
            Notice::Watching => {
                self.answers.remove(&source);
                [self.back(source, now), None]
            }
            _ => return Vec::new(),
        };
        lines.into_iter().flatten().collect()
    }

    fn away(&mut self, source: Source, text: &str, now: Instant) -> Option<String> {
        self.failing.insert(source);
        let is_new = self.begun.is_none();
        let begun = *self.begun.get_or_insert(now);
        if !is_new && is_recent(self.told, now) {
            return None;
        }
        self.told = Some(now);
        let server = &self.server;
        Some(match is_new {
            true => {
                format!("API server {server}: away: {text}; the table stays, and it is tried again")
            }
            false => format!("API server {server}: still away after {}: {text}", span(begun, now)),
        })
    }

    fn answered(&mut self, source: Source, text: &str, now: Instant) -> Option<String> {
        let known = self.answers.get(&source).filter(|(known, _)| known == text);
        if is_recent(known.map(|(_, at)| *at), now) {
            return None;
        }
        self.answers.insert(source, (text.to_owned(), now));
        Some(format!("watch of {source}: {text}"))
    }

    fn back(&mut self, source: Source, now: Instant) -> Option<String> {
        self.failing.remove(&source);
        let begun = self.begun.take_if(|_| self.failing.is_empty())?;
        Some(format!("API server {}: back after {}", self.server, span(begun, now)))
    }
}

fn is_recent(told: Option<Instant>, now: Instant) -> bool {
    told.is_some_and(|at| now.saturating_duration_since(at) < PAUSE)
}

fn span(from: Instant, to: Instant) -> String {
    format!("{:.1} s", to.saturating_duration_since(from).as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn failed(is_away: bool, text: &str) -> Notice {
        Notice::Failed(WatchFailure { is_away, text: text.to_owned() })
    }

    #[test]
    fn an_outage_is_told_once_a_minute_and_ends_with_the_last_watch() {
        let mut outage = Outage::new("http://192.0.2.1".to_owned());
        let begin = Instant::now();
        let refused = failed(true, "connection refused");
        let mut said = Vec::new();
        for second in 0..=130 {
            for source in [Source::Services, Source::Slices, Source::Node] {
                let lines = outage.take(source, &refused, begin + second * SECOND);
                said.extend(lines.into_iter().map(|line| (second, line)));
            }
        }
        let line = |rest| format!("API server http://192.0.2.1: {rest}");
        let first = "away: connection refused; the table stays, and it is tried again";
        assert_eq!(
            said,
            [
                (0, line(first)),
                (60, line("still away after 60.0 s: connection refused")),
                (120, line("still away after 120.0 s: connection refused")),
            ]
        );
        let mut back = |source, at| outage.take(source, &Notice::Watching, begin + at * SECOND);
        assert!(back(Source::Node, 131).is_empty());
        assert!(back(Source::Node, 132).is_empty());
        assert!(back(Source::Slices, 133).is_empty());
        assert_eq!(back(Source::Services, 134), [line("back after 134.0 s")]);
        assert!(back(Source::Services, 135).is_empty());
        // The next one is told at once, and a server that comes back without rights is back.
        assert_eq!(outage.take(Source::Node, &refused, begin + 136 * SECOND), [line(first)]);
        let said = outage.take(Source::Node, &failed(false, "answered 403"), begin + 137 * SECOND);
        assert_eq!(said, [line("back after 1.0 s"), "watch of the node: answered 403".to_owned()]);
    }

    #[test]
    fn a_server_that_refuses_a_watch_is_not_away() {
        let mut outage = Outage::new("http://192.0.2.1".to_owned());
        let begin = Instant::now();
        let mut said = |source, text, at| {
            !outage.take(source, &failed(false, text), begin + at * SECOND).is_empty()
        };
        assert!(said(Source::Pods, "answered 403", 0));
        assert!(!said(Source::Pods, "answered 403", 59));
        assert!(said(Source::Services, "answered 403", 59));
        assert!(said(Source::Pods, "answered 401", 59));
        assert!(said(Source::Services, "answered 403", 119));
        assert!(outage.take(Source::Pods, &Notice::Watching, begin).is_empty());
    }
}
