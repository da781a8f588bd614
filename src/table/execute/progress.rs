use std::fmt;
use std::ops::ControlFlow;
use std::time::Duration;

use crate::model::{Change, Connections, Object, ServiceId};
use crate::table::execute::applied::StepOutcome;
use crate::table::execute::outcomes::StepOutcomes;
use crate::table::plan::{Phase, Plan};

/// A callback that gets the progress. The work or the wait ends if it breaks.
pub(crate) type Observer<'o> = &'o mut (dyn for<'p> FnMut(&Progress<'p>) -> ControlFlow<()> + Send);

/// The progress that [`Client::apply_with`](crate::Client::apply_with) reports to its observer.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// A phase is about to begin. Every phase is reported, in order, also one without steps. If the
    /// observer breaks here, no further step is executed.
    Phase(NextPhase<'a>),
    /// The plan waits for connections to end. If the observer breaks here, draining destinations
    /// keep weight 0.
    Draining(DrainProgress<'a>),
}

/// A [`Phase`] that is about to begin, with the outcomes of the steps before it.
#[derive(Clone, Copy, Debug)]
pub struct NextPhase<'a> {
    plan: &'a Plan,
    phase: Phase,
    outcomes: &'a StepOutcomes,
}

impl<'a> NextPhase<'a> {
    pub(crate) const fn new(plan: &'a Plan, phase: Phase, outcomes: &'a StepOutcomes) -> Self {
        Self { plan, phase, outcomes }
    }

    /// The phase.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// Returns the plan that is being applied.
    pub const fn plan(&self) -> &'a Plan {
        self.plan
    }

    /// Returns the outcome of the step at `index`, if it is known already.
    #[must_use]
    pub fn outcome(&self, index: usize) -> Option<&'a StepOutcome> {
        self.outcomes.get(index)
    }

    /// Returns the services that the plan has added so far. When [`Phase::Extend`] begins, all new
    /// services exist with their destinations: bind or announce their addresses then.
    pub fn added(&self) -> impl Iterator<Item = ServiceId> + use<'a> {
        self.services(|change, outcome| {
            matches!(change, Change::AddService(_)) && outcome.is_some_and(StepOutcome::is_done)
        })
    }

    /// Returns the services that the plan is going to delete. They take connections until
    /// [`Phase::Reduce`]: withdraw their addresses when it is about to begin.
    pub fn leaving(&self) -> impl Iterator<Item = ServiceId> + use<'a> {
        self.services(|change, outcome| {
            matches!(change, Change::DeleteService(_)) && outcome.is_none()
        })
    }

    /// Returns the service of every step that `are` accepts by its change and outcome.
    fn services(
        self,
        are: impl Fn(&Change, Option<&StepOutcome>) -> bool,
    ) -> impl Iterator<Item = ServiceId> {
        let steps = self.plan.steps().enumerate();
        steps
            .filter(move |(index, step)| are(&step.change, self.outcomes.get(*index)))
            .filter_map(|(_, step)| step.service())
    }
}

/// The progress of draining.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DrainProgress<'a> {
    /// The number of destinations, and of services that leave as a whole, that still drain; 1 in
    /// `drain_with`.
    pub waiting: usize,
    /// The connections of all of them together.
    pub connections: Connections,
    /// The time since the wait began.
    pub elapsed: Duration,
    /// The time until the deadline; `None` without a deadline.
    pub left: Option<Duration>,
    /// Every destination or service that still drains, in the order of the plan.
    pub draining: &'a [Draining],
}

/// A destination that drains, or a service that leaves as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Draining {
    /// The destination or service.
    pub object: Object,
    /// Its connections at the last look.
    pub connections: Connections,
    /// The time since the last packet, if no connection is active; otherwise zero.
    pub quiet: Duration,
}

impl fmt::Display for Draining {
    /// Prints the object and its connections, such as
    /// `TCP 192.0.2.10:80 -> 10.0.0.2:8080 active 3 inactive 1 persistent 0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.object, self.connections)
    }
}

impl fmt::Display for DrainProgress<'_> {
    /// Prints a line such as `2 draining, active 3 inactive 1 persistent 0, 5 s, 25 s left; most
    /// has TCP 192.0.2.10:80 -> 10.0.0.2:8080 active 3 inactive 0 persistent 0`. If only one object
    /// drains, the line begins with its name instead of the number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let single = if let [one] = self.draining { Some(one) } else { None };
        match single {
            Some(one) => write!(f, "{} draining", one.object)?,
            None => write!(f, "{} draining", self.waiting)?,
        }
        write!(f, ", {}, {} s", self.connections, self.elapsed.as_secs())?;
        match self.left {
            Some(left) => write!(f, ", {} s left", left.as_secs())?,
            None => f.write_str(", no deadline")?,
        }
        let most = |one: &&Draining| (one.connections.active, one.connections.inactive);
        match self.draining.iter().rev().max_by_key(most) {
            Some(one) if single.is_none() => write!(f, "; most has {one}"),
            _ => Ok(()),
        }
    }
}
