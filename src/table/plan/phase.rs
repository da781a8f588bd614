use std::fmt;

#[cfg(doc)]
use crate::table::OnFailure;
#[cfg(doc)]
use crate::table::plan::Plan;

/// The parts of a [`Plan`], in their order. A service in which a step failed is left
/// alone by the later ones, so that nothing is taken away before its replacement is there;
/// with [`OnFailure::Stop`] all are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// New services, each followed by its destinations.
    Add,
    /// New destinations, and changes of destinations in place that lower neither weight nor
    /// threshold, or that make room.
    Extend,
    /// Destinations that drain and because of which the scheduler would refuse clients as
    /// soon as the service has its new settings: they leave at once.
    Clear,
    /// Settings of services.
    Configure,
    /// Lower weights and thresholds, weight 0 for destinations that are to drain, and new
    /// destinations of weight 0.
    Reduce,
    /// Destinations that leave at once, then services that do.
    Delete,
    /// Destinations that have drained, then services of which all have.
    Drained,
}

impl Phase {
    /// All of them, in their order.
    pub const ALL: [Self; 7] = [
        Self::Add,
        Self::Extend,
        Self::Clear,
        Self::Configure,
        Self::Reduce,
        Self::Delete,
        Self::Drained,
    ];
}

impl fmt::Display for Phase {
    /// A word, such as `add`.
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
    /// For a moment between two schedulers the kernel refuses new connections. There is no
    /// way around that for one service.
    SchedulerChange,
    /// What connections there are break: nobody waits for their end.
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
