//! Serves metrics over HTTP: what the exporter serves of the table, and what the daemon counts.

mod arguments;
mod counts;
mod server;

pub use arguments::{Kind, MetricsArguments};
pub(crate) use counts::SharedCounts;
pub(crate) use server::{Server, listen};
