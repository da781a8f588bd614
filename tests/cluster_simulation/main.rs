//! A deterministic simulation of a node's agent: random events of a cluster go through a `Converter`
//! and a `Controller` to a fake kernel with faults, in simulated time, all from one seed.
//!
//! Events come one by one and in batches. Watches break, and what was missed comes with the next
//! list. The agent starts again. The kernel refuses requests, loses answers, drops them because
//! the receive buffer is full, and unloads its module. Another program changes the agent's
//! services and has some of its own.
//!
//! After each storm everybody falls silent. Then all of this holds:
//!
//! | promise | where |
//! | --- | --- |
//! | Within the time that [`agent::longest`] states, the kernel's table is what `convert` makes of all objects, and the other program's services are as it left them. | `judge.rs` |
//! | The sum of all changes of the converter is what `convert` makes: addresses, facts, and what was left out. | `judge.rs` |
//! | Later nothing is written. | `world.rs` |
//!
//! During the storm no request writes a service of the other program (`kernel.rs`). `broken.rs`
//! shows that an agent which is broken on purpose is caught.
//!
//! `cargo test --test cluster_simulation` runs 60 seeds. To run more, with all processors:
//!
//! ```sh
//! FUZZ_COUNT=10000 cargo test --release --test cluster_simulation -- --nocapture seeds
//! ```
//!
//! A failure names its seed. To run that seed alone:
//!
//! ```sh
//! FUZZ_SEED=42 FUZZ_COUNT=1 cargo test --test cluster_simulation seeds
//! ```
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

mod agent;
mod broken;
mod cluster;
mod judge;
mod kernel;
mod objects;
#[allow(dead_code, reason = "what only the simulation of controllers needs")]
#[path = "../simulation/random.rs"]
mod random;
mod statistics;
mod world;

use std::num::NonZero;
use std::panic;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use crate::statistics::Statistics;

/// How many seeds run if nobody asks for more.
const SEEDS: u64 = 60;

#[test]
fn seeds() {
    let number = |name: &str, otherwise: u64| {
        std::env::var(name).map_or(otherwise, |text| text.parse().expect(name))
    };
    let first = number("FUZZ_SEED", 1);
    let end = first + number("FUZZ_COUNT", SEEDS);
    let (next, failed) = (AtomicU64::new(first), AtomicBool::new(false));
    let sum = Mutex::new(Statistics::default());
    let work = || {
        while !failed.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                return;
            }
            match panic::catch_unwind(|| world::run(seed, None)) {
                Ok(Ok(statistics)) => sum.lock().expect("no panic").add(&statistics),
                Ok(Err(broken)) => {
                    failed.store(true, Ordering::Relaxed);
                    panic!("FUZZ_SEED={seed}: {broken}");
                }
                Err(cause) => {
                    failed.store(true, Ordering::Relaxed);
                    eprintln!("FUZZ_SEED={seed} panics");
                    panic::resume_unwind(cause);
                }
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for thread in threads {
            if let Err(cause) = thread.join() {
                panic::resume_unwind(cause);
            }
        }
    });
    let statistics = sum.into_inner().expect("no panic");
    eprintln!("{statistics}");
    if end - first >= SEEDS {
        statistics.assert_everything_occurred();
    }
}
