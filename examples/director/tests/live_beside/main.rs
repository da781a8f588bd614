//! The daemon beside Debian's keepalived: the same file, the same servers, the same faults, at the same
//! time.
//!
//! The tests that run by default have few faults, and assert what the daemon promises. The long
//! versions measure both daemons, and print a table in Markdown:
//!
//! ```text
//! KEEPALIVED=$(examples/director/tests/live_beside/fetch) \
//!     cargo test -p director --test live_beside -- --ignored --nocapture
//! ```
//!
//! Without `KEEPALIVED` the daemon is measured alone. `COLUMN`, 1 to 4, chooses one column of
//! `many_faults`.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

mod columns;
mod keepalived;
mod known_failures;
mod large;
mod scene;
mod sides;
#[path = "../stage/mod.rs"]
#[allow(dead_code, unused_imports, reason = "what other tests need")]
mod stage;
mod table;

use std::time::Duration;

use columns::{Column, brief, columns};
use scene::{Measured, Scene};
use sides::sides;

/// Puts both daemons through everything.
fn measure(column: &Column, deaths: u64, silences: u64, trials: u64) -> Vec<Measured> {
    let mut scene = Scene::build(column.unit);
    let mut sides = sides(&scene.stage, column);
    let mut all: Vec<_> =
        sides.iter().map(|side| Measured { name: side.name(), ..Measured::default() }).collect();
    scene.begin(&sides);
    scene.deaths(&sides, &mut all, deaths);
    scene.silence(&sides, &mut all, silences);
    scene.reload(&mut sides, &mut all);
    scene.restart(&mut sides, &mut all);
    scene.all_die(&sides, &mut all, trials);
    scene.end(&sides, &mut all);
    all
}

/// Asserts what the daemon promises of any pace and policy.
#[track_caller]
fn assert_promises(column: &Column, measured: &Measured) {
    let name = column.name;
    let within = |what: &str, times: &[Duration], bound: Duration| {
        let most = times.iter().max().copied().unwrap_or_default();
        // A busy machine delays checks.
        assert!(most < 2 * bound + Duration::from_secs(2), "{name}: {what}: {most:?} of {bound:?}");
    };
    within("out", &measured.out, column.to_down(Duration::ZERO));
    within("back", &measured.back, column.to_up());
    within("silent", &measured.silent, column.to_down(column.unit));
    within("sorry", &measured.sorry, column.to_down(Duration::ZERO));
    let nothing = vec![Duration::ZERO; measured.empty_at_death.len()];
    assert_eq!(measured.empty_at_death, nothing, "{name}");
    assert_eq!(measured.empty_at_recovery, nothing, "{name}");
    assert!(measured.failed_at_recovery.iter().all(|failed| *failed == 0), "{name}: {measured:?}");
    let failed = [measured.failed_at_reload, measured.failed_at_restart, measured.failed_at_kill];
    assert_eq!(failed, [0; 3], "{name}");
}

#[test]
fn few_faults() {
    let column = &brief();
    let all = measure(column, 2, 0, 1);
    println!("{}", table::markdown(&[(column.name, all.clone())]));
    assert_promises(column, all.last().unwrap());
}

#[test]
#[ignore = "takes minutes, and is for its numbers"]
fn many_faults() {
    let wanted = std::env::var("COLUMN").ok().map(|text| text.parse::<usize>().unwrap());
    let columns = columns();
    let numbered = (1..).zip(&columns).filter(|(n, _)| wanted.is_none_or(|wanted| wanted == *n));
    let (mut measured, mut promised) = (Vec::new(), Vec::new());
    for (_, column) in numbered {
        let all = measure(column, 9, 3, 9);
        promised.push((*column, all.last().unwrap().clone()));
        measured.push((column.name, all));
        println!("{}", table::markdown(&measured));
    }
    for (column, measured) in promised {
        assert_promises(&column, &measured);
    }
}
