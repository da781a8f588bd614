//! The fake kernel as its users see it: clients over it, its clock, its faults and its controls.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod faults;
mod waiting;
