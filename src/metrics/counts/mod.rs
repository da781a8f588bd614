//! Plain counts that programs fill from the events of a controller and of health checks.

mod apply;
mod health;
mod histogram;

pub use apply::ApplyCounts;
pub use health::{CheckResult, HealthCounts};
pub use histogram::Histogram;
