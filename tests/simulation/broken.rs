//! Every judge can find something: controllers that are broken on purpose are caught.

use std::time::Duration;

use crate::bug::Bug;
use crate::judge::Promise;
use crate::profile::{Actors, Profile};
use crate::world::run;

/// The seeds that may be needed until a bug shows.
const SEEDS: u64 = 60;

/// Runs seeds until a bug is caught, and checks that it breaks this promise. The same seeds
/// without the bug break none.
#[track_caller]
fn caught(bug: Bug, promise: Promise, words: &str, change: fn(&mut Profile)) {
    for seed in 1..=SEEDS {
        let mut profile = Profile::new(seed);
        profile.large = false;
        change(&mut profile);
        let Err(failure) = run(&profile, Some(bug), 0) else { continue };
        // Most bugs break several promises. Another judge may have been first.
        if failure.broken.promise != promise || !failure.broken.how.contains(words) {
            continue;
        }
        if let Err(failure) = run(&profile, None, 0) {
            panic!("without the bug, too: {}", failure.broken);
        }
        return;
    }
    panic!("{bug:?} was not caught as breaking {promise:?} with {SEEDS} seeds");
}

/// Nobody but the user and the clients' connections.
const CALM: Actors = Actors {
    foreign: false,
    connections: true,
    faults: false,
    crashes: false,
    latency: false,
    health: false,
};

fn calm(profile: &mut Profile) {
    profile.actors = CALM;
    profile.taste.impossible = false;
}

fn faulty(profile: &mut Profile) {
    calm(profile);
    profile.actors.faults = true;
    profile.fault_pause = 1_000;
}

#[test]
fn destinations_that_go_before_others_have_come() {
    caught(Bug::NoBarrier, Promise::Serving, "has none after", calm);
}

#[test]
fn a_service_of_somebody_else() {
    let others = |profile: &mut Profile| {
        calm(profile);
        profile.actors.foreign = true;
    };
    caught(Bug::Unscoped, Promise::Scope, "is outside the scope", others);
}

#[test]
fn a_wish_that_is_never_carried_out() {
    caught(Bug::Deaf, Promise::Convergence, "is wished, and", calm);
}

#[test]
fn readings_when_nothing_is_left_to_do() {
    let slowly = |profile: &mut Profile| {
        calm(profile);
        profile.actors.latency = true;
    };
    caught(Bug::Nosy, Promise::Convergence, "in stillness", slowly);
}

#[test]
fn a_connection_that_is_cut_before_the_deadline() {
    caught(Bug::Impatient, Promise::Drains, "before its time", calm);
}

#[test]
fn a_drain_that_lasts_too_long() {
    caught(Bug::Slow, Promise::Drains, "drains for", calm);
}

#[test]
fn a_wish_whose_fate_is_not_told() {
    caught(Bug::Silent, Promise::Told, "nobody was told", calm);
}

#[test]
fn a_change_that_is_said_to_be_done_and_was_refused() {
    caught(Bug::Credulous, Promise::Told, "said done, and not there", faulty);
}

#[test]
fn an_unknown_outcome_that_is_guessed() {
    caught(Bug::Guessing, Promise::Told, "said done, and not there", faulty);
}

#[test]
fn a_loop_that_never_waits() {
    caught(Bug::Restless, Promise::Pace, "tasks in", calm);
}

fn checked(profile: &mut Profile) {
    calm(profile);
    profile.actors.health = true;
    // Much happens to few, so that few seeds are needed.
    profile.controllers = 1;
    (profile.storm, profile.storms) = (Duration::from_secs(60), 1);
    profile.health_pause = 300;
}

#[test]
fn a_pool_that_takes_the_last_destination_out() {
    caught(Bug::Cruel, Promise::Health, "was taken out", checked);
}

#[test]
fn a_pool_that_has_no_sorry_server() {
    caught(Bug::Cruel, Promise::Health, "the sorry server does not serve", checked);
}

#[test]
fn a_check_that_decides_too_fast() {
    caught(Bug::Hasty, Promise::Health, "failures of", checked);
}

#[test]
fn a_restart_that_takes_destinations_out() {
    let restarts = |profile: &mut Profile| {
        checked(profile);
        profile.actors.crashes = true;
    };
    caught(Bug::Forgetful, Promise::Health, "a restart changes", restarts);
}
