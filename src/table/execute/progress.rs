use std::fmt;
use std::ops::ControlFlow;
use std::time::Duration;

use crate::model::{Change, Connections, Object, ServiceId};
use crate::table::execute::applied::StepOutcome;
use crate::table::execute::outcomes::Outcomes;
use crate::table::plan::{Phase, Plan};

/// Who is told of the progress, and may end the work.
pub(crate) type Observer<'o> = &'o mut (dyn for<'p> FnMut(&Progress<'p>) -> ControlFlow<()> + Send);

/// What [`Client::apply_with`](crate::Client::apply_with) tells while it works.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// A phase begins. Each does, in their order, one without steps, too. When the observer
    /// breaks here, nothing more is done.
    Phase(NextPhase<'a>),
    /// Connections are waited for. When the observer breaks here, what drains is left with
    /// weight 0.
    Draining(DrainProgress<'a>),
}

/// A [`Phase`] that is about to begin, and what has become of the steps before it.
#[derive(Clone, Copy, Debug)]
pub struct NextPhase<'a> {
    plan: &'a Plan,
    phase: Phase,
    outcomes: &'a Outcomes,
}

impl<'a> NextPhase<'a> {
    pub(crate) const fn new(plan: &'a Plan, phase: Phase, outcomes: &'a Outcomes) -> Self {
        Self { plan, phase, outcomes }
    }

    /// The phase.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// The plan that is being done.
    pub const fn plan(&self) -> &'a Plan {
        self.plan
    }

    /// The outcome of the step at `index`, if it is known.
    #[must_use]
    pub fn outcome(&self, index: usize) -> Option<&'a StepOutcome> {
        self.outcomes.get(index)
    }

    /// The services that the plan has added so far. When [`Phase::Extend`] begins all of
    /// them are there with their destinations: that is the time to bind or announce their
    /// addresses.
    pub fn added(&self) -> impl Iterator<Item = ServiceId> + use<'a> {
        self.services(|change, outcome| {
            matches!(change, Change::AddService(_)) && outcome.is_some_and(StepOutcome::is_done)
        })
    }

    /// The services that the plan is going to delete. Until [`Phase::Reduce`] begins they
    /// take connections: that is the time to withdraw their addresses.
    pub fn leaving(&self) -> impl Iterator<Item = ServiceId> + use<'a> {
        self.services(|change, outcome| {
            matches!(change, Change::DeleteService(_)) && outcome.is_none()
        })
    }

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

/// How far draining has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DrainProgress<'a> {
    /// How many destinations, or services that leave as a whole, are waited for; 1 in
    /// `drain_with`.
    pub waiting: usize,
    /// What connections they have, all together.
    pub connections: Connections,
    /// How long they have been waited for.
    pub elapsed: Duration,
    /// How long they will be waited for at most; `None` without a deadline.
    pub left: Option<Duration>,
    /// Each of them, in the order of the plan.
    pub draining: &'a [Draining],
}

/// A destination, or a service that leaves as a whole, of which connections are waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Draining {
    /// Which one.
    pub object: Object,
    /// The connections that it had when it was last looked at.
    pub connections: Connections,
    /// For how long nothing has come for connections that are not active. Zero while some are
    /// active.
    pub quiet: Duration,
}

impl fmt::Display for Draining {
    /// `TCP 192.0.2.10:80 -> 10.0.0.2:8080 active 3 inactive 1 persistent 0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.object, self.connections)
    }
}

impl fmt::Display for DrainProgress<'_> {
    /// `2 draining, active 3 inactive 1 persistent 0, 5 s, 25 s left; most has TCP 192.0.2.10:80
    /// -> 10.0.0.2:8080 active 3 inactive 0 persistent 0`. A single one is named first.
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
