//! A daemon that keeps an IPVS table, checks its servers, takes orders and announces addresses.
//!
//! The program is in `main.rs`; the library is for the program's tests.

pub mod announcement;
pub mod arguments;
pub mod check;
pub mod configuration;
pub mod control;
pub mod convert;
pub mod daemon;
#[cfg(feature = "demo")]
pub mod demo;
pub mod desk;
pub mod event;
pub mod exit;
pub mod log;
pub mod moment;
pub mod state;
pub mod status;
pub mod systemd;
