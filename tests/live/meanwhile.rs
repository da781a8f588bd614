//! Snapshots during writes of another client.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use ipvs_netlink::{Change, Snapshot};

use super::client::Client;

/// How many snapshots have to be consistent: the others promise nothing.
const CONSISTENT: usize = 10;

/// The number of rounds of changes before a pause.
const BUSY: usize = 20;

/// Takes snapshots while another client does `changes` again and again, with pauses in which
/// one can be consistent, until enough were. Those have `all_that_stays`; none has anything
/// twice.
pub(crate) fn take_snapshots(
    ipvs: &mut Client,
    changes: &[Change],
    all_that_stays: impl Fn(&Snapshot) -> bool,
) {
    let finished = AtomicBool::new(false);
    let start = Instant::now();
    drop(ipvs.snapshot().unwrap());
    let quiet = start.elapsed();
    let (mut taken, mut consistent) = (0, 0);
    let mut writer = Client::connect().unwrap();
    thread::scope(|scope| {
        let _ends = Ends(&finished);
        let writer = scope.spawn(|| {
            while !finished.load(Ordering::Relaxed) {
                for _ in 0..BUSY {
                    writer.submit(changes).into_result().unwrap();
                }
                thread::sleep(2 * quiet);
            }
        });
        while consistent < CONSISTENT {
            let snapshot = ipvs.snapshot().unwrap();
            taken += 1;
            assert_nothing_is_twice(&snapshot);
            if snapshot.is_complete() {
                consistent += 1;
                assert!(all_that_stays(&snapshot), "snapshot {taken}: a silent loss");
            }
            assert!(taken < 200 * CONSISTENT, "only {consistent} of {taken} were consistent");
            assert!(!writer.is_finished(), "the writer failed");
        }
    });
    // Write to standard error directly: the harness hides the output of tests that pass.
    let mut stderr = io::stderr();
    writeln!(stderr, "{consistent} of {taken} snapshots were consistent").unwrap();
}

fn assert_nothing_is_twice(snapshot: &Snapshot) {
    assert!(
        snapshot.services().is_sorted_by(|one, next| one.entry.service.id < next.entry.service.id)
    );
    for service in snapshot {
        let mut ids = service.destinations.iter().map(|entry| entry.destination.id);
        assert!(ids.by_ref().is_sorted_by(|one, next| one < next));
    }
}

/// Ends a loop of another thread when dropped, also if the test fails. Otherwise the scope of that
/// thread would wait for ever.
pub(crate) struct Ends<'f>(pub(crate) &'f AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
