//! What is known of one target, and who wants to know.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use crate::health::monitor::targets::CheckId;
use crate::health::{Share, Tracker};
use crate::model::{DestinationId, ServiceId};

/// The longest reason of a failure that is kept, in bytes.
const LONGEST_REASON: usize = 256;

/// A destination, and what is checked there.
#[derive(Debug)]
pub(super) struct Target<C> {
    pub(super) destination: DestinationId,
    /// The number of the check.
    pub(super) number: CheckId,
    pub(super) check: Arc<C>,
    pub(super) tracker: Tracker,
    pub(super) share: Share,
    /// Why the last check failed; empty if it passed.
    pub(super) reason: String,
    /// When the last check ended, also if it was not done.
    pub(super) ended: Option<Instant>,
    /// The services that have this target.
    pub(super) services: BTreeSet<ServiceId>,
    pub(super) phase: Phase,
}

/// Where a target is between two checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The next check is due at this time.
    Waits(Instant),
    /// A check runs that began at this time, as far as the pace counts.
    Runs(Instant),
}

impl<C> Target<C> {
    /// A target of which nothing is known. The first check is due when the tracker says.
    pub(super) fn new(
        destination: DestinationId,
        number: CheckId,
        check: Arc<C>,
        tracker: Tracker,
    ) -> Self {
        let phase = Phase::Waits(tracker.next());
        Self {
            destination,
            number,
            check,
            tracker,
            share: Share::FULL,
            reason: String::new(),
            ended: None,
            services: BTreeSet::new(),
            phase,
        }
    }

    /// Keeps the reason of a failure, cut off if it is too long.
    pub(super) fn set_reason(&mut self, mut reason: String) {
        let mut end = reason.len().min(LONGEST_REASON);
        while !reason.is_char_boundary(end) {
            end -= 1;
        }
        reason.truncate(end);
        // Thousands of targets may fail for a long time.
        reason.shrink_to_fit();
        self.reason = reason;
    }
}
