//! Declared tables: compares a desired table with the kernel's, and changes the kernel's without
//! breaking connections.
//!
//! | type | what it is |
//! | --- | --- |
//! | [`Table`], [`TableService`], [`TableDestination`] | the desired services and destinations |
//! | [`Scope`] | the services that a plan may change and delete |
//! | [`PlanOptions`], [`DrainPolicy`] | how to plan, and how destinations leave |
//! | [`Plan`], [`Step`] | the changes from the kernel's table to the desired one, in a safe order |
//! | [`Applied`], [`Reconciled`] | the outcome of each step |
//! | [`controller::Controller`] | keeps a table as wished, for ever |
//!
//! Build a [`Table`] in code, take one from a [`Snapshot`](crate::Snapshot), or read one from the
//! text of `ipvsadm -S` ([`Table::from_ipvsadm`]) or, with the feature `serde`, from YAML, TOML or
//! JSON (module `document`).
//!
//! [`Client::reconcile`](crate::Client::reconcile) reads, plans and applies in one call. To see the
//! plan first, call [`Plan::new`] and then [`Client::apply`](crate::Client::apply). To take a single
//! destination out, call [`Client::drain`](crate::Client::drain). The
//! [`cookbook`](crate::cookbook) has whole programs.
//!
//! # Other programs that write the table
//!
//! The kernel has no lock for the table, and no number that shows a change. If another program
//! writes the same services while a plan is applied, the plan notices it at the steps that meet the
//! change, and when it reads the services afterwards. It cannot prevent it. Let only one program
//! write the services of one [`Scope`]. Programs that must share services need a lock of their own;
//! the example `table` locks the file of the network namespace.

pub mod controller;
mod desired;
#[cfg(feature = "serde")]
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
pub mod document;
mod drained_weights;
mod drive;
mod execute;
pub mod iter;
mod labels;
mod options;
mod plan;
mod reconcile;
mod saved_text;
mod scope;
#[cfg(feature = "serde")]
mod serialized;
mod validation;

#[cfg(test)]
mod tests;

/// The former name of [`document`].
#[cfg(feature = "serde")]
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
#[deprecated(note = "renamed to `table::document`")]
pub use self::document as shape;
pub use crate::ipvsadm::SystemNames;
pub use crate::model::Network;
pub use desired::{Table, TableDestination, TableService};
pub use drained_weights::DrainedWeights;
#[cfg(any(feature = "tokio", feature = "smol"))]
pub(crate) use drive::run;
pub(crate) use drive::{apply, apply_from, drain, keep, perform, reconcile, settle, step};
pub use execute::{
    Applied, DrainProgress, Drained, Draining, Incomplete, NextPhase, Progress, StepOutcome,
};
pub use labels::Labels;
pub use options::{Actions, DrainPolicy, DrainUntil, OnFailure, PlanOptions};
pub use plan::{
    Before, DiffLine, Disruption, Phase, Plan, PlanError, SettingsChange, SettingsPlan, Sign, Step,
};
pub use reconcile::{ReconcileError, Reconciled, Round};
pub use scope::Scope;
pub use validation::InvalidEntry;
