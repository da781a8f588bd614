//! Plans as commands of `ipvsadm`.

use ipvs_netlink::Snapshot;
use ipvs_netlink::table::{Plan, PlanError, PlanOptions, Table};

/// Why there are no commands.
#[derive(Debug, thiserror::Error)]
pub enum PlanFailure {
    /// There is no plan.
    #[error(transparent)]
    NoPlan(Box<PlanError>),
    /// A command would be refused, or do something else.
    #[error("ipvsadm cannot do this plan: {0}")]
    Unsaid(String),
}

/// Returns the commands that turn a table into another one.
pub(crate) fn commands(
    current: &Snapshot,
    desired: &Table,
    options: &PlanOptions,
) -> Result<String, PlanFailure> {
    let plan =
        Plan::new(current, desired, options).map_err(|it| PlanFailure::NoPlan(Box::new(it)))?;
    match plan.unsaid().next() {
        Some((_, unsaid)) => Err(PlanFailure::Unsaid(unsaid.to_string())),
        None => Ok(plan.commands().to_string()),
    }
}
