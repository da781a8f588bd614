use std::collections::BTreeSet;
use std::{fmt, slice};

use crate::error::ErrorKind;
use crate::model::{
    Change, Connections, Destination, DestinationId, InvalidValue, Object, Service, ServiceId,
};
use crate::table::{Actions, DrainPolicy, OnFailure, PlanOptions};

/// Changes in an order that loses no traffic, with what was there before them.
///
/// It is made from what is there and what is wanted by [`Plan::new`], printed, and done by
/// `apply` of a client. It prints as a list of differences by service;
/// [`commands`](Self::commands) prints as commands of `ipvsadm`.
///
/// The steps of one [`Phase`] are sent together, those of the next one when the outcomes
/// are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "a plan does nothing until it is applied"]
pub struct Plan {
    steps: Vec<Step>,
    drain: Option<DrainPolicy>,
    pub(crate) on_failure: OnFailure,
    /// What may be done where somebody else has been quicker.
    pub(crate) allowed: Actions,
    /// The services that lose destinations and are to have usable ones in the end.
    pub(crate) usable: BTreeSet<ServiceId>,
}

impl Plan {
    pub(crate) const fn of(
        steps: Vec<Step>,
        options: &PlanOptions,
        usable: BTreeSet<ServiceId>,
    ) -> Self {
        let &PlanOptions { drain, on_failure, allowed, .. } = options;
        Self { steps, drain, on_failure, allowed, usable }
    }

    /// How destinations leave.
    #[must_use]
    pub const fn drain(&self) -> Option<DrainPolicy> {
        self.drain
    }

    /// The steps in their order.
    pub fn steps(&self) -> slice::Iter<'_, Step> {
        self.steps.iter()
    }

    /// The step at `index`, if there are that many.
    #[must_use]
    pub fn step(&self, index: usize) -> Option<&Step> {
        self.steps.get(index)
    }

    /// How many steps there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The steps that clients will notice.
    pub fn disruptive(&self) -> impl Iterator<Item = (&Step, Disruption)> {
        self.steps.iter().filter_map(|step| Some((step, step.disruption()?)))
    }
}

impl<'p> IntoIterator for &'p Plan {
    type Item = &'p Step;
    type IntoIter = slice::Iter<'p, Step>;

    fn into_iter(self) -> Self::IntoIter {
        self.steps()
    }
}

/// One change of a [`Plan`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// What is to be written.
    pub change: Change,
    /// When.
    pub phase: Phase,
    /// In a box, since a table that is made from nothing has no use for it.
    before: Option<Box<Before>>,
    pub(crate) purpose: Purpose,
}

/// What a change is for, where the change itself does not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To have the table so.
    Desired,
    /// To have a destination, of whatever weight.
    OfAnyWeight,
    /// To let a destination drain.
    Drain,
}

impl fmt::Display for Step {
    /// The command of `ipvsadm` that does the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.change.fmt(f)
    }
}

impl Step {
    pub(crate) fn new(
        change: Change,
        phase: Phase,
        before: Option<Before>,
        purpose: Purpose,
    ) -> Self {
        Self { change, phase, before: before.map(Box::new), purpose }
    }

    /// What was there, when something was.
    #[must_use]
    pub fn before(&self) -> Option<&Before> {
        self.before.as_deref()
    }

    /// The service that it is about.
    #[must_use]
    pub const fn service(&self) -> Option<ServiceId> {
        match self.change.object() {
            Some(Object::Service(id) | Object::Destination(id, _)) => Some(id),
            _ => None,
        }
    }

    /// The destination that it is about.
    #[must_use]
    pub const fn destination(&self) -> Option<DestinationId> {
        match self.change.object() {
            Some(Object::Destination(_, id)) => Some(id),
            _ => None,
        }
    }

    /// What clients will notice of it.
    #[must_use]
    pub fn disruption(&self) -> Option<Disruption> {
        match (&self.change, self.before()) {
            (Change::UpdateService(after), Some(Before::Service { service, .. }))
                if after.scheduler != service.scheduler =>
            {
                Some(Disruption::SchedulerChange)
            }
            (Change::DeleteService(_) | Change::DeleteDestination(..), _)
                if self.phase != Phase::Drained =>
            {
                Some(Disruption::ConnectionsBreak)
            }
            _ => None,
        }
    }
}

/// What was there before a step.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Before {
    /// A service.
    #[non_exhaustive]
    Service {
        /// Its settings.
        service: Service,
        /// How many destinations it had.
        destinations: usize,
        /// The connections of all of them.
        connections: Connections,
    },
    /// A destination.
    #[non_exhaustive]
    Destination {
        /// Its settings.
        destination: Destination,
        /// Its connections.
        connections: Connections,
    },
}

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

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// A service or destination that the kernel would refuse.
    #[error("{object}: {invalid}")]
    #[non_exhaustive]
    Invalid {
        /// Which one.
        object: Object,
        /// What is wrong with it.
        invalid: InvalidValue,
    },
    /// A service is desired that is outside a [`Scope::only`](crate::table::Scope::only), or
    /// that the scope excludes.
    #[error("{0}: desired, but outside the scope of what is ours")]
    OutOfScope(ServiceId),
    /// Steps are needed that are not allowed.
    #[error("{missing} is not allowed, but needed: {}", list(.changes))]
    #[non_exhaustive]
    NotAllowed {
        /// What would have to be allowed, too.
        missing: Actions,
        /// The steps that need it.
        changes: Vec<Change>,
    },
}

impl PlanError {
    /// The kind: [`ErrorKind::InvalidValue`], [`ErrorKind::OutOfScope`] or
    /// [`ErrorKind::NotAllowed`].
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid { .. } => ErrorKind::InvalidValue,
            Self::OutOfScope(_) => ErrorKind::OutOfScope,
            Self::NotAllowed { .. } => ErrorKind::NotAllowed,
        }
    }
}

/// The first few changes.
fn list(changes: &[Change]) -> String {
    const SHOWN: usize = 3;
    let mut text = changes.iter().take(SHOWN).map(Change::to_string).collect::<Vec<_>>().join("; ");
    if changes.len() > SHOWN {
        text += &format!("; and {} more", changes.len() - SHOWN);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::StepOutcome;

    /// A plan that makes a table from nothing has as many as the table has objects.
    #[test]
    fn steps_and_outcomes_are_small() {
        assert!(size_of::<Step>() <= 128, "{}", size_of::<Step>());
        assert!(size_of::<Option<StepOutcome>>() <= 24, "{}", size_of::<Option<StepOutcome>>());
    }
}
