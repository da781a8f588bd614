//! What went wrong with other health checkers does not go wrong with the daemon.
//!
//! | | the failure | shows in | the test |
//! | --- | --- | --- | --- |
//! | 1 | A reload lost the list of checks that had failed, and the server never came back (keepalived, pull request 381). | keepalived before 1.2.23 (2016) | `state::what_has_failed_comes_back_after_reloads`, and `live_load` under load |
//! | 2 | The checker stood still without dying (keepalived 2523). | reported of keepalived 2.0.10; nothing restarts the stopped checker of 2.2.7 | `watchdog::a_checker_that_stands_still_is_restarted` |
//! | 3 | A server's answer overflowed a buffer (keepalived 2.4.0 release notes). | keepalived before 2.4.0; 2.2.7 dies of the answer `ba` to the expression `bar\|(?<=.{5000})X` | `answers::answers_of_any_length_fail_the_check_and_nothing_else` |
//! | 4 | A reload with 37,205 real servers took 132 s (keepalived 2.3.0 release notes). | keepalived before 2.3.0, so 2.2.7 | `many::a_reload_costs_what_its_length_costs`, and with 37,205 by name: 6.5 s |
//! | 5 | Sockets that were being closed blocked the loop for 5 s (keepalived 2.3.2 release notes). | keepalived before 2.3.2; 2.2.7 checks nothing for 11 s when three servers fall silent | `silence::a_server_that_falls_silent_holds_nothing_up` |
//! | 6 | A 404 with more than 16 kB stopped the check, and the process span (haproxy 991). | reported of haproxy 2.2.4 | `answers::answers_of_any_length_fail_the_check_and_nothing_else` |
//! | 7 | An agent's "up" revived a server whose other check had failed (haproxy 1176). | reported of haproxy 2.2.10 | `state::an_agent_revives_no_server_whose_other_check_fails` |
//! | 8 | Acknowledgements that came late added 200 ms to every check (haproxy 1839). | reported of haproxy from 2.2 on | `answers::an_answer_in_parts_takes_no_longer` |
//! | 9 | Failures were counted over all time, not in a row (loxilb 1087). | loxilb before July 2026 | `state::failures_that_are_not_in_a_row_decide_nothing` |
//! | 10 | Maintenance and health were one state, which stuck after a restart (cilium 48763). | reported of cilium | `state::maintenance_and_health_stay_apart_over_restarts` |
//!
//! `tests/health_failures` of the library has the same table for its checks. `live_beside` shows 2, 3 and
//! 5 of keepalived 2.2.7, and its `long_files` shows 4:
//!
//! ```text
//! KEEPALIVED=$(examples/director/tests/live_beside/fetch) \
//!     cargo test -p director --test live_beside -- --ignored --nocapture known_failures
//! ```
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

mod answers;
mod many;
mod signs;
mod silence;
#[path = "../stage/mod.rs"]
#[allow(dead_code, unused_imports, reason = "what other tests need")]
mod stage;
mod state;
mod watchdog;

use std::net::SocketAddr;

use stage::{at, vip};

const PORT: u16 = 9000;

/// The address of the service of most tests.
fn web() -> SocketAddr {
    vip(0, 80)
}

/// The servers on the first hosts.
fn servers(count: u8) -> Vec<SocketAddr> {
    (0..count).map(|host| at(host, PORT)).collect()
}
