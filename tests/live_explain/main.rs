//! Predictions of `explain` against real connections on a real kernel.
//!
//! Cargo's runner `tests/kernel/run` starts them on a kernel with IPVS. The long run, once on each
//! kernel:
//!
//!     FUZZ_COUNT=400 cargo test --test live_explain -- --ignored
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

mod counting;
mod datagrams;
#[path = "../live/examples.rs"]
mod examples;
mod explain_program;
#[path = "../fuzz/harness.rs"]
#[allow(clippy::print_stderr, dead_code, reason = "the fuzz targets use all of it")]
mod harness;
mod hashing;
mod kept;
mod locality;
#[path = "../live/namespace.rs"]
#[allow(dead_code, reason = "the other tests use all of it")]
mod namespace;
mod sctp;
mod standing;
mod thresholds;
mod traffic;

mod client {
    pub(crate) use ipvs_netlink::Client;
}

use std::io::{self, Write};
use std::net::SocketAddr;

use ipvs_netlink::explain::{Answer, Explanation};

/// How predictions and connections agreed.
#[derive(Debug, Default)]
pub(crate) struct Score {
    exact: usize,
    refused: usize,
    /// The prediction was several destinations, and the connection went to one of them.
    among: usize,
    wrong: Vec<String>,
}

impl Score {
    /// Compares a prediction with the server that took the connection, or with the refusal.
    pub(crate) fn count(&mut self, told: &Explanation, server: Option<SocketAddr>) {
        let is_possible = |server| told.possible().iter().any(|id| id.address == server);
        match (&told.answer, server) {
            (Answer::Destination { id, .. }, Some(server)) if id.address == server => {
                self.exact += 1;
            }
            (Answer::Nowhere(_), None) => self.refused += 1,
            (Answer::OneOf { .. }, Some(server)) if is_possible(server) => self.among += 1,
            (Answer::Undetermined { refusal: true, .. }, None) => self.among += 1,
            (Answer::Undetermined { .. }, Some(server)) if is_possible(server) => self.among += 1,
            _ => self.wrong.push(format!("{server:?} instead of {told}")),
        }
    }

    /// Fails unless every prediction was right. Says the numbers past the test harness.
    pub(crate) fn pass(&self, what: &str) {
        let Self { exact, refused, among, wrong } = self;
        let first = wrong.first();
        assert_eq!(wrong.len(), 0, "{what}: {exact} exact, {refused} refused, first: {first:?}");
        let mut stderr = io::stderr();
        writeln!(
            stderr,
            "{what}: {exact} destinations and {refused} refusals as predicted, {among} among \
             several, 0 wrong"
        )
        .unwrap();
    }
}
