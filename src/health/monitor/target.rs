//! What is known of one target, and who wants to know.

use std::collections::BTreeSet;
use std::time::Instant;

use crate::health::{Share, Tracker};
use crate::model::ServiceId;

/// The longest reason of a failure that is kept, in bytes.
const LONGEST_REASON: usize = 256;

#[derive(Debug)]
pub(super) struct TargetState {
    pub(super) tracker: Tracker,
    pub(super) share: Share,
    /// Why the last check failed; empty if it passed.
    pub(super) reason: String,
    /// The services that have this target.
    pub(super) services: BTreeSet<ServiceId>,
    /// When the next check is due, or `None` while one runs.
    pub(super) due: Option<Instant>,
    /// When the check that runs began.
    pub(super) began: Option<Instant>,
}

impl TargetState {
    pub(super) fn new(tracker: Tracker, service: ServiceId) -> Self {
        let due = Some(tracker.next());
        Self {
            tracker,
            share: Share::FULL,
            reason: String::new(),
            services: [service].into(),
            due,
            began: None,
        }
    }

    /// Keeps the reason of a failure, cut off if it is too long.
    pub(super) fn set_reason(&mut self, mut reason: String) {
        let mut end = reason.len().min(LONGEST_REASON);
        while !reason.is_char_boundary(end) {
            end -= 1;
        }
        reason.truncate(end);
        self.reason = reason;
    }
}
