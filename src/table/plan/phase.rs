use std::fmt;

#[cfg(doc)]
use crate::table::OnFailure;
#[cfg(doc)]
use crate::table::plan::Plan;

/// The phases of a [`Plan`], in order.
///
/// If a step fails, later phases skip its service, so nothing is removed before its replacement
/// exists. With [`OnFailure::Stop`] they skip all services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Adds new services, each followed by its destinations.
    Add,
    /// Adds new destinations, and changes destinations without lowering a weight or threshold, or
    /// to make room.
    Extend,
    /// Deletes draining destinations whose clients the scheduler would refuse after the next phase.
    Clear,
    /// Changes the settings of services.
    Configure,
    /// Lowers weights and thresholds, sets weight 0 for destinations that are to drain, and adds
    /// new destinations of weight 0.
    Reduce,
    /// Deletes destinations, and then services, that leave at once.
    Delete,
    /// Deletes destinations that have drained, and then services whose destinations all have.
    Drained,
}

impl Phase {
    /// All phases, in order.
    pub const ALL: [Self; 7] = [
        Self::Add,
        Self::Extend,
        Self::Clear,
        Self::Configure,
        Self::Reduce,
        Self::Delete,
        Self::Drained,
    ];

    /// Returns the phase after this one, or `None` after the last.
    pub(crate) fn next(self) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| *phase > self)
    }
}

impl fmt::Display for Phase {
    /// Prints one word, such as `add`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Add => "add",
            Self::Extend => "extend",
            Self::Clear => "clear",
            Self::Configure => "configure",
            Self::Reduce => "reduce",
            Self::Delete => "delete",
            Self::Drained => "drained",
        })
    }
}

/// What clients notice of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Disruption {
    /// The service has no scheduler for a moment, and the kernel refuses new connections. It offers
    /// no other way to change the scheduler of a service.
    SchedulerChange,
    /// The connections of the object break, because the plan does not wait for their end.
    ConnectionsBreak,
}

impl fmt::Display for Disruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SchedulerChange => "refuses new connections for a moment",
            Self::ConnectionsBreak => "at once",
        })
    }
}
