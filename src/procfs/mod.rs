//! What the kernel shows under `/proc`: connections, totals, tables, applications and settings.
//!
//! Netlink shows services and destinations with their counters. Everything else is in files, which
//! a [`Procfs`] reads:
//!
//! | method | file | what |
//! | --- | --- | --- |
//! | [`Procfs::connections`] | `ip_vs_conn` | connections and templates of persistence |
//! | [`Procfs::connections_with_origin`] | `ip_vs_conn_sync` | the same, with who made them |
//! | [`Procfs::totals`] | `ip_vs_stats` | the counters of the network namespace |
//! | [`Procfs::per_processor`] | `ip_vs_stats_percpu` | the counters of each processor |
//! | [`Procfs::applications`] | `ip_vs_app` | application helpers |
//! | [`Procfs::status`] | `ip_vs_status` | the sizes of the kernel's tables, Linux 7.1 |
//! | [`Procfs::settings`], [`Procfs::set_settings`] | `sys/net/ipv4/vs/` | the settings `net.ipv4.vs.*` |
//!
//! A handle belongs to one network namespace: that of the calling thread
//! ([`Procfs::open`]), of a file ([`Procfs::in_namespace`]), or of a client
//! ([`Client::procfs`](crate::Client::procfs)).
//!
//! Nothing here is asynchronous. A file of many connections takes the kernel seconds, so async
//! programs read it on a thread for blocking work, such as that of `tokio::task::spawn_blocking`.
//!
//! The kernel's texts are treated as hostile: lines and files have limits, and a line that the
//! kernel does not write is an [error](ProcfsError::Malformed) that shows the line.

mod applications;
mod connection;
mod connections;
mod error;
mod fields;
mod files;
mod filter;
mod handle;
mod lines;
mod owners;
mod settings;
mod state;
mod status;
mod text;
mod totals;

#[cfg(test)]
mod tests;

pub use applications::Application;
pub use connection::{Connection, EngineData, Origin};
pub use connections::{ConnectionReader, Ending};
pub use error::ProcfsError;
pub use filter::ConnectionFilter;
pub use handle::Procfs;
pub use owners::{Owner, Owners};
pub use settings::SettingError;
pub use state::ConnectionState;
pub use status::{HashTable, TableStatus};
pub use totals::{PerProcessor, ProcessorCounters};
