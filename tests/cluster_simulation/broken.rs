//! The judges can find something: agents that are broken on purpose are caught.

use crate::world;

/// What is wrong with an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bug {
    /// Does not delete what a list after an outage does not have.
    Additive,
    /// Keeps what leaves the conversion.
    Hoarder,
    /// Does not know after a restart what it made before.
    Forgetful,
    /// Owns the whole table.
    Greedy,
}

/// The seeds that may be needed until a bug shows.
const SEEDS: u64 = 40;

#[track_caller]
fn caught(bug: Bug, words: &str) {
    for seed in 1..=SEEDS {
        let Err(how) = world::run(seed, Some(bug)) else { continue };
        assert!(how.contains(words), "{how}");
        return;
    }
    panic!("{bug:?} was not caught with {SEEDS} seeds");
}

#[test]
fn a_list_that_deletes_nothing() {
    caught(Bug::Additive, "than `convert` makes");
}

#[test]
fn what_leaves_the_conversion_and_stays_in_the_table() {
    caught(Bug::Hoarder, "is there: ");
}

#[test]
fn a_restart_that_forgets_what_was_made() {
    caught(Bug::Forgetful, "is there: ");
}

#[test]
fn services_of_another_program_that_are_deleted() {
    caught(Bug::Greedy, "writes a service of another program");
}
