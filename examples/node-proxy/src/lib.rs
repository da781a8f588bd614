//! Keeps the IPVS table of a Kubernetes node: the library of the program `node-proxy`, for its tests.
//!
//! - [`agent`] is the command `run`, which keeps the table of a node.
//! - [`arguments`] is the command line.
//! - [`checks`] checks endpoints, as annotations of services say.
//! - [`cluster`] watches the API, and gathers and converts what it tells.
//! - `demo` is the command of that name, which rolls a deployment under traffic.
//! - [`firewall`] masquerades and filters, by nftables.
//! - [`host`] sets up addresses and sysctls, and deletes stale flows.
//! - [`manifests`] reads objects of the API from files.
//! - [`offline`] converts them without a cluster, and prints the table, a plan or an explanation.
//! - [`serving`] answers for health and metrics over HTTP.
//! - [`api_server`] is a small API server, for tests.

pub mod agent;
pub mod api_server;
pub mod arguments;
pub mod checks;
pub mod cluster;
#[cfg(feature = "demo")]
pub mod demo;
pub mod exit;
mod explanation;
pub mod firewall;
pub mod host;
mod kind;
mod log;
pub mod manifests;
mod metrics;
pub mod offline;
pub mod planned;
pub mod serving;
