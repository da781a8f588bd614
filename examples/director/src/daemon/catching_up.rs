//! What to do after updates of the runner were lost.

use std::collections::BTreeSet;

use ipvs_netlink::ServiceId;
use ipvs_netlink::health::PoolEvent;
use ipvs_netlink::health::probe::Update;

/// Notices that updates were lost, and which services the runner's state is newer about than the updates.
///
/// The runner keeps the newest updates only. What a lost one said of a service is known from the runner's
/// state, which the daemon asks for after each loss. While it waits for the answer, newer updates may
/// come: what these say of a service counts then.
#[derive(Debug, Default)]
pub(super) struct CatchingUp {
    lost: u64,
    /// The services of which something newer than the answer may be known.
    newer: BTreeSet<ServiceId>,
}

impl CatchingUp {
    /// Takes in how many updates were lost until now. Returns how many of them are news: then the state is
    /// to be asked for.
    pub(super) const fn lost(&mut self, lost: u64) -> Option<u64> {
        let more = lost.saturating_sub(self.lost);
        self.lost = lost;
        if more == 0 { None } else { Some(more) }
    }

    /// Notes that the state is asked for.
    pub(super) fn asks(&mut self) {
        self.newer.clear();
    }

    /// Notes what an update says.
    pub(super) fn update(&mut self, update: &Update) {
        if let Update::Event(id, PoolEvent::Available | PoolEvent::Unavailable { .. }) = update {
            self.newer.insert(*id);
        }
    }

    /// Notes that the runner is to forget a service, of which the answer may tell still.
    pub(super) fn forgets(&mut self, id: ServiceId) {
        self.newer.insert(id);
    }

    /// Returns whether the answer is newer than what is known of a service.
    pub(super) fn is_news(&self, id: ServiceId) -> bool {
        !self.newer.contains(&id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_came_since_the_question_is_newer_than_the_answer() {
        let [first, second] = [80, 81].map(|port| ServiceId::tcp(([192, 0, 2, 10], port).into()));
        let mut catching_up = CatchingUp::default();
        assert_eq!(catching_up.lost(0), None);
        catching_up.update(&Update::Event(first, PoolEvent::Available));
        assert_eq!((catching_up.lost(7), catching_up.lost(7)), (Some(7), None));
        catching_up.asks();
        assert!(catching_up.is_news(first) && catching_up.is_news(second));
        catching_up.update(&Update::Event(first, PoolEvent::Available));
        catching_up.update(&Update::Event(second, PoolEvent::SorryServerIn));
        assert!(!catching_up.is_news(first) && catching_up.is_news(second));
        catching_up.forgets(second);
        assert!(!catching_up.is_news(second));
        assert_eq!(catching_up.lost(9), Some(2));
        catching_up.asks();
        assert!(catching_up.is_news(first) && catching_up.is_news(second));
    }
}
