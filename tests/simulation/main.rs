//! A deterministic simulation of controllers: a user, other programs, connections and faults act
//! on controllers and a fake kernel in simulated time, all from one seed. Judges check every step.
//!
//! | promise | judge |
//! | --- | --- |
//! | A service that had a usable destination, and is to have one, never passes through none by our doing. | `judge/serving.rs` |
//! | Nothing outside the scope is ever written. | `judge/scope.rs` |
//! | When all fall silent, the table is as wished within a stated time and number of tasks, and then only resynchronizations happen. | `judge/convergence.rs` |
//! | No connection that a drain waits for is cut before the deadline. Without faults nothing drains longer than its deadline and one interval. | `judge/drains.rs` |
//! | Every wish's fate is told by an event, and no event says done what is not there. | `judge/told.rs` |
//! | What pools decide of checks, an operator and their policies: never the last usable destination against the policy, nothing faster than rise and fall allow, the dead leave in time, a restart changes nothing, and all weights come back. | `health/judge.rs` |
//! | Between two writes no service is without a usable destination whose wishes have one. | `health/witness.rs` |
//! | The number of tasks in a second and in a minute is bounded by what there is to do. | `judge/pace.rs` |
//!
//! In half of the runs a program with a `Monitor` watches half of the services: their servers die and
//! come back, an operator stops them, new tables come, and the program starts again.
//!
//! The judges know what a controller knows, its readings and answers, and not the kernel's table:
//! what others do between a reading and a writing is nobody's fault. `broken.rs` shows for each
//! judge that a controller which is broken on purpose is caught.
//!
//! `cargo test --test simulation` makes the short run. The long run has ten million requests:
//!
//! ```sh
//! cargo test --release --test simulation -- --ignored --nocapture long_run
//! ```
//!
//! A failure names its seed. To see what happened, run that seed alone:
//!
//! ```sh
//! SEED=42 WITHOUT=foreign,latency cargo test --test simulation -- --ignored --nocapture replay
//! ```
//!
//! To look for more failures, and not stop at the first, run many seeds:
//!
//! ```sh
//! SEED=10001 SEEDS=1000 cargo test --release --test simulation -- --ignored --nocapture survey
//! ```
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

mod broken;
mod bug;
mod connections;
mod faults;
mod foreign;
mod health;
mod judge;
mod keeper;
mod kernel;
mod lockstep;
mod profile;
mod random;
mod runs;
mod statistics;
mod text;
mod trace;
mod universe;
mod user;
mod wishes;
mod world;

use crate::profile::Profile;
use crate::runs::{many, report};

/// The first seed. Others begin elsewhere to look for more.
const FIRST: u64 = 1;

#[test]
fn short_run() {
    let statistics = many(FIRST, 300_000);
    eprintln!("{statistics}");
}

#[test]
#[ignore = "takes minutes: see the documentation of this file"]
fn long_run() {
    let statistics = many(FIRST, 10_000_000);
    eprintln!("{statistics}");
    statistics.assert_everything_occurred(1000);
}

#[test]
#[ignore = "for a seed that failed"]
fn replay() {
    let seed = std::env::var("SEED").expect("SEED").parse().expect("a number");
    let mut profile = Profile::new(seed);
    let without = std::env::var("WITHOUT").unwrap_or_default();
    without.split(',').for_each(|actor| profile.actors.leave_out(actor));
    match world::run(&profile, None, 4000) {
        Ok(statistics) => eprintln!("{statistics}"),
        Err(failure) => panic!("{}", report(&failure)),
    }
}

/// Tells how many of the next seeds fail, and how, without stopping at the first.
#[test]
#[ignore = "to look for failures"]
fn survey() {
    let number = |name: &str, otherwise: u64| {
        std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
    };
    eprintln!("{}", runs::survey(number("SEED", FIRST), number("SEEDS", 100)));
}
