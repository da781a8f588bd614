//! Turns what was read into samples: names, labels, types, units and values for a monitoring system.
//!
//! A [`Scrape`] takes one snapshot, or one of each namespace, with what else was read, and hands its samples
//! to a [`Visitor`], family by family. It reads nothing itself and copies nothing.

mod counts;
mod families;
mod family;
mod labels;
mod node_exporter;
mod options;
mod sample;
mod scrape;
mod visit;

pub use counts::{ApplyCounts, CheckResult, HealthCounts, Histogram};
pub use family::{Family, Kind, Unit};
pub use labels::{Labels, ServiceLabels};
pub use options::{Destinations, Names, Options};
pub use sample::{Label, LabelValue, Sample, Value};
pub use scrape::{Scrape, Source};
pub use visit::Visitor;
