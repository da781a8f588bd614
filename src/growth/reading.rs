use std::time::Instant;

use crate::model::Snapshot;

/// A snapshot with the time at which it was read.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'s> {
    pub(super) snapshot: &'s Snapshot,
    pub(super) at: Instant,
    pub(super) estimates: Option<bool>,
}

impl<'s> Reading<'s> {
    /// Takes a snapshot that a client has read, with its [time](Snapshot::read_at). Returns `None` if the
    /// snapshot has none, because a program built it.
    #[must_use]
    pub fn of(snapshot: &'s Snapshot) -> Option<Self> {
        snapshot.read_at().map(|at| Self::at(snapshot, at))
    }

    /// Takes a snapshot and the time at which it was read.
    #[must_use]
    pub const fn at(snapshot: &'s Snapshot, at: Instant) -> Self {
        Self { snapshot, at, estimates: None }
    }

    /// Says whether the kernel kept the counters up to date when the snapshot was read: what
    /// [`Settings::counters_run`](crate::Settings::counters_run) returns of the settings of the namespace.
    /// Without this the growth says [`Estimation::Unknown`]. Linux before 5.15 does not have the settings
    /// and always keeps the counters up to date.
    #[must_use]
    pub fn estimation_enabled(mut self, enabled: impl Into<Option<bool>>) -> Self {
        self.estimates = enabled.into();
        self
    }
}

/// Whether the kernel kept the counters up to date between two readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Estimation {
    /// The kernel kept the counters up to date at both readings.
    Running,
    /// The counters stood still at one reading or at both. Growth of 0 does not mean that there was no
    /// traffic, and other growth may be the traffic of an earlier time.
    Stopped,
    /// Nobody said of both readings whether the kernel kept the counters up to date.
    Unknown,
}

impl Estimation {
    pub(super) const fn between(before: Option<bool>, after: Option<bool>) -> Self {
        match (before, after) {
            (Some(true), Some(true)) => Self::Running,
            (Some(false), _) | (_, Some(false)) => Self::Stopped,
            _ => Self::Unknown,
        }
    }
}
