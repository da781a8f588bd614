//! Many runs, and what is told of one that fails.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use crate::profile::{Actors, Profile};
use crate::statistics::Statistics;
use crate::world::{Failure, run};

/// The lines of the trace of a failure.
const LINES: usize = 60;

/// Runs seeds, one after the other, until the kernels have received this number of requests.
/// Panics if a run fails.
pub(crate) fn many(first: u64, requests: u64) -> Statistics {
    let next = AtomicU64::new(first);
    let failed = AtomicBool::new(false);
    let sum = Mutex::new(Statistics::default());
    let work = || {
        while !failed.load(Ordering::Relaxed) {
            if sum.lock().expect("no panic").requests >= requests {
                return;
            }
            let seed = next.fetch_add(1, Ordering::Relaxed);
            match run(&Profile::new(seed), None, 0) {
                Ok(statistics) => sum.lock().expect("no panic").add(&statistics),
                Err(failure) => {
                    failed.store(true, Ordering::Relaxed);
                    let failure = again(*failure);
                    panic!("{}", report(&failure));
                }
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for thread in threads {
            if let Err(panic) = thread.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
    sum.into_inner().expect("no panic")
}

/// Repeats a run that failed with fewer and fewer actors, as long as it fails, and with a trace.
fn again(failure: Failure) -> Failure {
    let mut profile = failure.profile.clone();
    let mut smallest = None;
    for name in Actors::NAMES {
        let mut fewer = profile.clone();
        fewer.actors.leave_out(name);
        if fewer.actors == profile.actors {
            continue;
        }
        if let Err(failure) = run(&fewer, None, LINES) {
            profile = fewer;
            smallest = Some(*failure);
        }
    }
    smallest.or_else(|| run(&profile, None, LINES).err().map(|failure| *failure)).unwrap_or(failure)
}

/// What a person needs to find the cause.
pub(crate) fn report(failure: &Failure) -> String {
    let Failure { profile, broken, after, trace } = failure;
    format!(
        "seed {}, after {:.3} s: {broken}\n{:?}, {} controllers\nthe last steps:\n{trace}",
        profile.seed,
        after.as_secs_f64(),
        profile.actors,
        profile.controllers,
    )
}

/// Runs this number of seeds, and lists the failures.
pub(crate) fn survey(first: u64, seeds: u64) -> String {
    let mut sum = Statistics::default();
    let mut failures = Vec::new();
    for seed in first..first + seeds {
        let result = std::panic::catch_unwind(|| run(&Profile::new(seed), None, 0));
        match result {
            Ok(Ok(statistics)) => sum.add(&statistics),
            Ok(Err(failure)) => {
                let after = failure.after.as_secs_f64();
                failures.push(format!("seed {seed} at {after:.1} s: {}", failure.broken));
            }
            Err(_) => failures.push(format!("seed {seed}: panic")),
        }
    }
    format!("{}\n{} of {seeds} failed\n{sum}", failures.join("\n"), failures.len())
}
