//! A daemon that keeps an IPVS table, checks its servers, takes orders and announces addresses.
//!
//! The program is in `main.rs`; the library is for the program's tests.
//!
//! # Where a change goes
//!
//! | to change | see |
//! | --- | --- |
//! | what a file may say | [`configuration`], in `document/`; the keys of a service, a check and a policy are those of [`ipvs_netlink::table::document`] and [`ipvs_netlink::health::document`] |
//! | what a reload refuses and what it does | [`desk`], in `reload.rs`; [`daemon`] reads the file for it, in `keeper/orders.rs` |
//! | a kind of check | [`ProbeKind`](ipvs_netlink::health::probe::ProbeKind) and its key in [`ipvs_netlink::health::document`]; here the name that `status` shows (`desk/reporting.rs`) and, if keepalived has it, `convert/checkers/` |
//! | what an order does | [`desk`], in `orders.rs`; its text on the socket is in [`control`] |
//! | what survives a restart | [`state`], whose `document.rs` has the version of the file |
//! | what metrics say | `metrics/counts.rs`, which counts; the samples are those of [`ipvs_netlink::metrics`], and the server is that of the member `exporter` |
//! | when a service is announced | [`announcement`], in `deciding.rs` |
//!
//! # From a failed check to weight 0
//!
//! 1. The library's [`Runner`](ipvs_netlink::health::probe::Runner), a thread of its own, checks, decides,
//!    and sends an [`Update`](ipvs_netlink::health::probe::Update).
//! 2. `Keeper::take_in_updates` in [`daemon`] gives the update to the [`desk`], which tells it, and to the
//!    commands that announce; the request in it goes to the library's
//!    [`Controller`](ipvs_netlink::table::controller::Controller).
//! 3. `Keeper::round` has that controller write the table, and tells the runner what has come of it.

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
pub mod metrics;
pub mod moment;
pub mod state;
pub mod status;
pub mod systemd;
