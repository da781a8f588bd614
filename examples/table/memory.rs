//! What `apply --watch` remembers from one version of the file to the next.

use ipvs_netlink::Change;
use ipvs_netlink::table::{Applied, DrainedWeights, Plan, StepOutcome, Table};

/// What earlier versions of the file have left in the kernel.
#[derive(Default)]
pub(crate) struct Memory {
    /// The services of these versions. They are deleted when the file no longer names them.
    pub(crate) formerly: Table,
    /// The weights of the destinations that drain. They come back if the file names them again.
    pub(crate) weights: DrainedWeights,
}

impl Memory {
    /// Returns a memory of these services, with the weights of this one.
    pub(crate) fn with(&self, formerly: Table) -> Self {
        Self { formerly, weights: self.weights.clone() }
    }

    /// Notes what a plan has done. Keeps of the former services those that the plan should have
    /// deleted and did not. A service that was deleted and is there again belongs to the program
    /// that added it.
    pub(crate) fn note(&mut self, plan: &Plan, applied: &Applied) {
        self.weights.note(plan, applied);
        let steps = plan.steps().zip(applied.outcomes());
        let left = steps.filter(|(step, outcome)| {
            let gone = outcome.is_done() || matches!(outcome, StepOutcome::Differs);
            matches!(step.change, Change::DeleteService(_)) && !gone
        });
        let left = left.filter_map(|(step, _)| self.formerly.get(step.service()?)).cloned();
        self.formerly = left.collect();
    }
}
