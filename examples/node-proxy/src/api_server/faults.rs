//! What the server does to its clients.

use super::Begun;

/// How a watch ends before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    BetweenEvents,
    WithinEvent,
    /// With an event of the kind `ERROR` and the code 410.
    Gone,
}

/// What the server does to its clients.
#[derive(Debug, Default)]
pub(super) struct Faults {
    pub(super) held: bool,
    pub(super) broken_lists: usize,
    /// The status of refused requests, and how many are still to be refused.
    pub(super) refused: (u16, usize),
    pub(super) begun: Begun,
    /// How often watches have been ended, and how the last time.
    ended: (u64, Option<Ending>),
}

impl Faults {
    pub(super) fn cut_watches(&mut self, within_event: bool) {
        self.end(if within_event { Ending::WithinEvent } else { Ending::BetweenEvents });
    }

    pub(super) fn expire_watches(&mut self) {
        self.end(Ending::Gone);
    }

    fn end(&mut self, ending: Ending) {
        self.ended = (self.ended.0 + 1, Some(ending));
    }

    /// Returns a number that grows whenever watches are ended.
    pub(super) const fn endings(&self) -> u64 {
        self.ended.0
    }

    /// Returns whether watches are held, and how a watch that began at this number of endings is to
    /// end now.
    pub(super) fn of_watch(&self, endings: u64) -> (bool, Option<Ending>) {
        (self.held, self.ended.1.filter(|_| self.ended.0 != endings))
    }

    /// Returns the status with which a request is to be refused.
    pub(super) fn take_refusal(&mut self) -> Option<u16> {
        self.refused.1 = self.refused.1.checked_sub(1)?;
        Some(self.refused.0)
    }

    /// Returns `true` if a list is to be broken off.
    pub(super) fn take_broken_list(&mut self) -> bool {
        let some = self.broken_lists > 0;
        self.broken_lists = self.broken_lists.saturating_sub(1);
        some
    }
}
