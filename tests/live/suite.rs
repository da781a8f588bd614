//! The tests that run on every kernel, a real one or the fake one, and with every client.
//!
//! They need nothing of the system but a network namespace with interfaces: no programs, no
//! files. The program that includes this file says in its modules `client` and
//! `namespace` with which client the tests run, and on which kernel.

mod batches;
mod clients;
pub(crate) mod controllers;
mod daemons;
mod destinations;
mod errors;
pub(crate) mod meanwhile;
mod model;
#[cfg(feature = "packet")]
mod names;
mod random;
pub(crate) mod raw;
mod refusals;
mod returning;
mod services;
mod settings;
mod snapshots;
mod table_conflicts;
mod table_failures;
mod tables;

use super::{client, harness, namespace};
