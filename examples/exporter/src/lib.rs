//! A Prometheus exporter of IPVS: the library of the program `exporter`, for its tests.
//!
//! - [`Target`] names a network namespace, and [`NamespaceReading`] is what was read of it.
//! - [`Readings`] reads at most once at a time, and gives all scrapes that wait the same [`Reading`].
//! - [`server`] answers requests over HTTP.
//! - [`labels`] takes the users' labels from a table file.

pub mod arguments;
#[cfg(feature = "demo")]
pub mod demo;
#[path = "../../table/fault.rs"]
mod fault;
pub mod labels;
mod log;
mod program;
mod reading;
mod readings;
pub mod server;
mod target;
#[path = "../../table/text.rs"]
#[allow(dead_code, reason = "the example also writes tables")]
mod text;
mod values;
#[path = "../../table/yaml_keys.rs"]
mod yaml_keys;

pub use log::log_to;
pub use program::{Failure, run};
pub use reading::{Contents, NamespaceReading, ProgramCounts, Reading};
pub use readings::{Readings, Show};
pub use target::Target;
