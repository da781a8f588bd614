//! Which sockets are open, and when one that could not be opened is tried again.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ipvs_netlink::kubernetes::ObjectName;

/// The pause after the first failure. Each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What is served at a socket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Page {
    /// `/healthz` and `/livez`.
    Health,
    /// `/metrics`.
    Metrics,
    /// The health of a service, at its health check node port.
    Service(ObjectName),
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Health => f.write_str("/healthz"),
            Self::Metrics => f.write_str("/metrics"),
            Self::Service(name) => write!(f, "the health check node port of Service {name}"),
        }
    }
}

/// A page, and where it is served.
pub(crate) type Place = (Page, SocketAddr);

/// The sockets that are wanted.
#[derive(Debug, Default)]
pub(crate) struct Sockets {
    places: BTreeMap<Place, State>,
}

#[derive(Debug, Default)]
enum State {
    /// It has not been tried yet.
    #[default]
    New,
    Open,
    Failed {
        times: u32,
        retry: Instant,
        why: String,
    },
}

impl Sockets {
    /// Replaces what is wanted. Returns the open sockets that are to be closed, before others are opened.
    pub(crate) fn want(&mut self, wanted: BTreeSet<Place>) -> Vec<Place> {
        let kept = |place: &Place| wanted.contains(place);
        let open = self.places.iter().filter(|(_, state)| matches!(state, State::Open));
        let closed = open.map(|(place, _)| place).filter(|place| !kept(place)).cloned().collect();
        self.places.retain(|place, _| kept(place));
        for place in wanted {
            self.places.entry(place).or_default();
        }
        closed
    }

    /// Returns the sockets that are to be opened now, in their order.
    pub(crate) fn due(&self, now: Instant) -> Vec<Place> {
        let is_due = |state: &State| match state {
            State::New => true,
            State::Open => false,
            State::Failed { retry, .. } => *retry <= now,
        };
        let due = self.places.iter().filter(|(_, state)| is_due(state));
        due.map(|(place, _)| place.clone()).collect()
    }

    /// Notes that a socket is open. Returns `true` if an earlier attempt had failed.
    pub(crate) fn opened(&mut self, place: &Place) -> bool {
        let state = self.places.get_mut(place).map(|state| std::mem::replace(state, State::Open));
        matches!(state, Some(State::Failed { .. }))
    }

    /// Notes that a socket could not be opened, or does not serve any more. Returns `true` if the reason is a
    /// new one, which the log is to have.
    pub(crate) fn failed(&mut self, place: &Place, why: &str, now: Instant) -> bool {
        let Some(state) = self.places.get_mut(place) else { return false };
        let (times, is_new) = match state {
            State::Failed { times, why: former, .. } => (*times, former != why),
            State::New | State::Open => (0, true),
        };
        let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(times)).min(LONGEST_PAUSE);
        let times = times.saturating_add(1);
        *state = State::Failed { times, retry: now + pause, why: why.to_owned() };
        is_new
    }

    /// Returns when the next attempt is due, if one has failed.
    pub(crate) fn next_attempt(&self) -> Option<Instant> {
        let retry = |state: &State| match state {
            State::Failed { retry, .. } => Some(*retry),
            State::New | State::Open => None,
        };
        self.places.values().filter_map(retry).min()
    }

    /// Returns how many sockets of services are open, and how many could not be opened.
    pub(crate) fn service_counts(&self) -> (usize, usize) {
        let of_services =
            self.places.iter().filter(|((page, _), _)| matches!(page, Page::Service(_)));
        of_services.fold((0, 0), |(open, failed), (_, state)| match state {
            State::Open => (open + 1, failed),
            State::Failed { .. } => (open, failed + 1),
            State::New => (open, failed),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str, port: u16) -> Place {
        (Page::Service(ObjectName::new("shop", name)), ([192, 0, 2, 1], port).into())
    }

    #[test]
    fn sockets_open_and_close_as_wanted() {
        let (mut sockets, now) = (Sockets::default(), Instant::now());
        let (web, other) = (place("web", 32000), place("other", 32001));
        assert!(sockets.want([web.clone(), other.clone()].into()).is_empty());
        assert_eq!(sockets.due(now), [other.clone(), web.clone()]);
        assert!(!sockets.opened(&web));
        assert!(!sockets.opened(&other));
        assert_eq!(sockets.due(now), []);
        assert_eq!(sockets.service_counts(), (2, 0));
        // Another port, and the port of the other service.
        let moved = place("other", 32000);
        assert_eq!(sockets.want([moved.clone()].into()), [other, web]);
        assert_eq!(sockets.due(now), [moved]);
    }

    #[test]
    fn what_failed_is_tried_again_after_longer_pauses() {
        let (mut sockets, mut now) = (Sockets::default(), Instant::now());
        let web = place("web", 32000);
        sockets.want([web.clone()].into());
        assert!(sockets.failed(&web, "in use", now));
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
            let retry = sockets.next_attempt().unwrap();
            assert_eq!(retry - now, Duration::from_secs(seconds));
            assert!(sockets.due(retry - Duration::from_millis(1)).is_empty());
            assert_eq!(sockets.due(retry), std::slice::from_ref(&web));
            now = retry;
            // It is told once.
            assert!(!sockets.failed(&web, "in use", now));
        }
        assert!(sockets.failed(&web, "no such address", now));
        assert_eq!(sockets.service_counts(), (0, 1));
        assert!(sockets.opened(&web));
        assert_eq!(sockets.next_attempt(), None);
    }

    #[test]
    fn what_is_not_wanted_any_more_is_not_tried() {
        let (mut sockets, now) = (Sockets::default(), Instant::now());
        let web = place("web", 32000);
        sockets.want([web.clone()].into());
        sockets.failed(&web, "in use", now);
        assert!(sockets.want([].into()).is_empty());
        assert_eq!(sockets.next_attempt(), None);
        assert!(!sockets.failed(&web, "in use", now));
        assert!(sockets.due(now + LONGEST_PAUSE).is_empty());
    }
}
