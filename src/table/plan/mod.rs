//! Plans: changes in an order that loses no traffic.

mod differences;
mod error;
mod phase;
mod planner;
mod release;
mod settings;
mod settings_change;
mod step;

use std::collections::BTreeSet;

use crate::model::ServiceId;
use crate::model::iter::Iter;
use crate::table::options::{Actions, DrainPolicy, OnFailure, PlanOptions};

pub use differences::{DiffLine, Sign};
pub use error::PlanError;
pub use phase::{Disruption, Phase};
pub(crate) use planner::plan_service;
pub(crate) use release::release_plan;
pub use settings::SettingsPlan;
pub use settings_change::SettingsChange;
pub use step::{Before, Step};
pub(crate) use step::{Purpose, total};

/// The changes from the kernel's table to a desired one, in an order that breaks no connections
/// where the kernel allows that.
///
/// [`Plan::new`] makes a plan, and [`Client::apply`](crate::Client::apply) applies it. A plan
/// prints as a list of differences by service; [`commands`](Self::commands) prints commands of
/// `ipvsadm`.
///
/// The steps of one [`Phase`] are sent together. The next phase begins when their outcomes are
/// known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "a plan does nothing until it is applied"]
pub struct Plan {
    pub(crate) steps: Vec<Step>,
    drain: Option<DrainPolicy>,
    pub(crate) on_failure: OnFailure,
    /// The actions that are allowed if another program has changed an object meanwhile.
    pub(crate) allowed: Actions,
    /// The services that lose destinations and are to have usable ones in the end.
    pub(crate) usable: BTreeSet<ServiceId>,
    /// What differs in timeouts and settings.
    settings: SettingsPlan,
}

impl Plan {
    /// Creates a plan of steps that are sorted by phase.
    pub(crate) fn of(steps: Vec<Step>, options: &PlanOptions, usable: BTreeSet<ServiceId>) -> Self {
        let &PlanOptions { drain, on_failure, allowed, .. } = options;
        Self { steps, drain, on_failure, allowed, usable, settings: SettingsPlan::default() }
    }

    /// Returns how destinations leave; `None` if they are deleted at once.
    #[must_use]
    pub const fn drain(&self) -> Option<DrainPolicy> {
        self.drain
    }

    /// Returns the steps in order.
    pub fn steps(&self) -> Iter<'_, Step> {
        Iter::new(&self.steps)
    }

    /// Returns the step at `index`, or `None` if the plan has fewer steps.
    #[must_use]
    pub fn step(&self, index: usize) -> Option<&Step> {
        self.steps.get(index)
    }

    /// Returns the number of steps.
    #[must_use]
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Returns `true` if there is nothing to change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Returns the steps that clients notice.
    pub fn disruptive(&self) -> impl Iterator<Item = (&Step, Disruption)> {
        self.steps.iter().filter_map(|step| Some((step, step.disruption()?)))
    }
}

impl<'p> IntoIterator for &'p Plan {
    type Item = &'p Step;
    type IntoIter = Iter<'p, Step>;

    fn into_iter(self) -> Self::IntoIter {
        self.steps()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::execute::StepOutcome;

    /// Memory matters: a plan from an empty table has one step and one outcome for every object.
    #[test]
    fn steps_and_outcomes_are_small() {
        assert!(size_of::<Step>() <= 128, "{}", size_of::<Step>());
        assert!(size_of::<Option<StepOutcome>>() <= 24, "{}", size_of::<Option<StepOutcome>>());
    }
}
