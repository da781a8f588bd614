//! Random requests that the fake kernel must answer as the real one does, byte by byte.
//!
//!     FUZZ_COUNT=100000 cargo test --test live_lockstep fake
//!     FUZZ_COUNT=100000 IPVS_KERNEL=qemu cargo test --test live_lockstep fake
//!
//! compare 100,000 requests; `FUZZ_SEED` chooses the first sequence. Nothing is left out of the
//! comparison but the sockets' ports, which every kernel chooses anew, and whether the stop of a
//! daemon is acknowledged. The kernel, compared with itself, shows that nothing else depends on
//! the run.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

mod fake;
#[path = "../fuzz/harness.rs"]
#[allow(clippy::print_stderr, dead_code, reason = "the fuzz targets use all of it")]
mod harness;
mod kernel;
mod lockstep;
mod message;
mod operation;
mod requests;
mod sequence;
mod shorter;
mod universe;

use std::collections::HashMap;
use std::io::Write;
use std::thread;

use rustix::io::Errno;

use crate::harness::Budget;
use crate::kernel::Namespaces;
use crate::lockstep::{Transcript, transcript};
use crate::operation::{Answer, NAMESPACES, Operation};

/// What a fake kernel needs to be the same: the id of the family, and what the namespaces add to
/// the hashes of services.
type Identity = (u16, Vec<u8>);

/// Runs a sequence in fresh namespaces.
fn on_the_kernel(operations: &[Operation]) -> (Identity, Transcript) {
    thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let namespaces = Namespaces::fresh(NAMESPACES);
            let salts = namespaces.salts();
            let answers = transcript(&namespaces, operations);
            namespaces.empty();
            ((namespaces.family, salts), answers)
        });
        thread.join().unwrap()
    })
}

/// Runs a sequence in namespaces until two hash services to the same places. Nothing is in the
/// other namespaces.
fn on_the_kernel_twice(operations: &[Operation]) -> (Transcript, Transcript) {
    let mut earlier = HashMap::new();
    loop {
        let ((_, salts), answers) = on_the_kernel(operations);
        if let Some(first) = earlier.remove(&salts[0]) {
            return (first, answers);
        }
        earlier.insert(salts[0], answers);
    }
}

/// Compares as much as the environment asks for and tells how much that was.
///
/// # Panics
///
/// Panics at the first difference.
fn compare(
    count: usize,
    sockets: usize,
    run: impl FnMut(&[Operation]) -> (Transcript, Transcript),
) {
    let budget = Budget::new(count);
    let compared = lockstep::compare(budget.seed, budget.count, sockets, run);
    let compared = compared.unwrap_or_else(|difference| panic!("{difference}"));
    // Write to standard error directly: the harness hides the output of tests that pass.
    let mut stderr = std::io::stderr();
    writeln!(stderr, "{compared:?}").unwrap();
}

#[test]
fn the_fake_kernel_answers_as_the_kernel_does() {
    compare(5000, 3, |operations| {
        let ((family, salts), answers) = on_the_kernel(operations);
        (answers, transcript(fake::Namespaces::new(family, &salts), operations))
    });
}

#[test]
fn the_kernel_answers_twice_the_same() {
    compare(1000, 2, on_the_kernel_twice);
}

/// The other side says once more that a service is gone.
#[test]
fn a_difference_is_found_and_told_in_few_requests() {
    let mut runs = 0;
    let broken = |operations: &[Operation]| {
        runs += 1;
        let (_, right) = on_the_kernel(operations);
        let mut wrong = right.clone();
        for (operation, answers) in operations.iter().zip(&mut wrong) {
            let text = operation.to_string();
            if text.contains("DEL_SERVICE")
                && !text.contains("length")
                && answers[0] == Answer::Done
            {
                answers[0] = Answer::Failed(Errno::NOSR);
            }
        }
        (right, wrong)
    };
    let difference = lockstep::compare(1, 1000, 1, broken).unwrap_err();
    assert_eq!(difference.operations().len(), 1, "{difference}");
    assert_eq!(difference.operations()[0].requests(), 1, "{difference}");
    assert!(difference.to_string().contains("DEL_SERVICE flags"), "{difference}");
    assert!(runs < 500, "{runs}");
}
