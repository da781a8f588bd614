//! The table that is wanted, beside the one that is there.
//!
//! A [`Table`] says which services and destinations there are to be. It is put together in
//! code, taken from a kernel, or read from the text of `ipvsadm -S`
//! ([`Table::from_ipvsadm`]), as which it prints; with the feature `serde` also from YAML,
//! TOML or JSON (module `shape`). A [`Scope`] says which services are ours.
//!
//! A [`Plan`] is the way from what is there to what is wanted, in an order that loses no
//! traffic: it can be looked at before it is applied. Clients have the methods
//! [`apply`](crate::Client::apply), [`reconcile`](crate::Client::reconcile), which reads,
//! plans and applies in one, and [`drain`](crate::Client::drain).
//!
//! # Other writers
//!
//! The kernel has neither a lock for the table nor a number that tells whether it has
//! changed: what another program writes between the reading and the last step of a plan is
//! noticed where a step meets it, and by what is read afterwards, but it is not kept out.
//! So let one program have the services of one [`Scope`], and let programs that must share
//! one agree on a lock of their own. The example `table` locks the file of the network
//! namespace.

mod applied;
mod apply;
mod check;
mod diff;
mod drain;
mod entries;
mod incomplete;
mod look;
mod network;
mod options;
mod plan;
mod planner;
mod progress;
mod reconcile;
mod reconsider;
mod run;
mod saved_text;
mod scope;
#[cfg(feature = "serde")]
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
pub mod shape;
mod verify;
mod weights;

#[cfg(test)]
mod tests;

pub use crate::ipvsadm::SystemNames;
pub use applied::{Applied, StepOutcome};
pub use check::InvalidEntry;
pub use diff::{DiffLine, Sign};
pub use drain::Drained;
pub use entries::{Table, TableDestination, TableService};
pub use incomplete::Incomplete;
pub use network::Network;
pub use options::{Actions, DrainPolicy, DrainUntil, OnFailure, PlanOptions};
pub use plan::{Before, Disruption, Phase, Plan, PlanError, Step};
pub use progress::{DrainProgress, Draining, NextPhase, Progress};
pub use reconcile::{ReconcileError, Reconciled};
pub use scope::Scope;
pub use weights::DrainedWeights;
