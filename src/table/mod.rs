//! The table that is wanted, beside the one that is there.
//!
//! A [`Table`] says which services and destinations there are to be. It is put together in
//! code, taken from a kernel, or read from the text of `ipvsadm -S`
//! ([`Table::from_ipvsadm`]), as which it prints; with the feature `serde` also from YAML,
//! TOML or JSON (module `document`). A [`Scope`] says which services are ours.
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

mod desired;
#[cfg(feature = "serde")]
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
pub mod document;
mod drained_weights;
mod execute;
mod network;
mod options;
mod plan;
mod reconcile;
mod saved_text;
mod scope;
mod validation;

#[cfg(test)]
mod tests;

/// The former name of [`document`].
#[cfg(feature = "serde")]
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
#[deprecated(note = "renamed to `table::document`")]
pub use self::document as shape;
pub use crate::ipvsadm::SystemNames;
pub use desired::{Table, TableDestination, TableService};
pub use drained_weights::DrainedWeights;
pub use execute::{
    Applied, DrainProgress, Drained, Draining, Incomplete, NextPhase, Progress, StepOutcome,
};
pub(crate) use execute::{apply, apply_from, drain};
pub use network::Network;
pub use options::{Actions, DrainPolicy, DrainUntil, OnFailure, PlanOptions};
pub use plan::{Before, DiffLine, Disruption, Phase, Plan, PlanError, Sign, Step};
pub(crate) use reconcile::reconcile;
pub use reconcile::{ReconcileError, Reconciled};
pub use scope::Scope;
pub use validation::InvalidEntry;
