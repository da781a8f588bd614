//! One service.

use crate::announcement::tests::world::{SECOND, SETTLES, World, commands, id};
use crate::announcement::{Outcome, Reason, State, hold};
use crate::configuration::SharedAddress;

fn world() -> World {
    let mut world = World::new();
    world.watch(id(80), commands(SharedAddress::Any));
    world
}

fn announced() -> World {
    let mut world = world();
    world.up(id(80));
    assert_eq!(world.settle(), ["80 up"]);
    world
}

fn failed() -> Outcome {
    Outcome::Failed("exit code 1".to_owned())
}

#[test]
fn a_service_is_announced_once_its_pool_is_available_and_the_table_serves_it() {
    let mut world = world();
    assert!(world.begin().is_empty());
    world.machine.available(id(80), world.now);
    assert!(world.begin().is_empty(), "the table has it not yet");
    world.machine.serving(id(80), world.now);
    assert_eq!(world.begin(), ["80 up"]);
    assert!(world.status(id(80)).starts_with("being announced"));
    world.succeed();
    assert!(world.pass(1000 * SECOND).is_empty());
    assert_eq!(world.status(id(80)), "announced");
}

#[test]
fn a_dead_service_is_withdrawn_at_once() {
    let mut world = announced();
    world.dies(id(80));
    assert_eq!(world.begin(), ["80 down"]);
    assert_eq!(world.running[0].reason, Reason::Dead);
    world.succeed();
    assert_eq!(world.status(id(80)), "withdrawn");
}

#[test]
fn a_service_is_withdrawn_before_the_hold_time_of_its_pool_is_over() {
    let mut world = announced();
    let hold = hold(Some(&commands(SharedAddress::Any)));
    assert!(hold > commands(SharedAddress::Any).timeout);
    world.machine.unavailable(id(80), world.now + hold, world.now);
    assert_eq!(world.begin(), ["80 down"]);
    assert_eq!(world.running[0].reason, Reason::Maintenance);
    assert!(world.running[0].timeout < hold);
}

#[test]
fn a_service_that_leaves_is_withdrawn_and_then_forgotten() {
    let mut world = announced();
    world.machine.forget(id(80), world.now);
    assert_eq!(world.begin(), ["80 down"]);
    assert_eq!(world.running[0].reason, Reason::Leaves);
    assert_eq!(world.machine.forgotten().count(), 1);
    world.succeed();
    assert!(world.begin().is_empty());
    assert!(world.machine.forgotten().next().is_none() && world.status(id(80)).is_empty());
}

#[test]
fn leaving_withdraws_also_by_the_word_of_the_controller() {
    let mut world = announced();
    world.machine.leaving(id(80), world.now);
    assert_eq!(world.settle(), ["80 down"]);
    world.machine.left(id(80), world.now);
    assert!(world.settle().is_empty());
    world.machine.serving(id(80), world.now);
    assert_eq!(world.settle(), ["80 up"]);
}

#[test]
fn a_service_that_comes_back_in_a_reload_is_announced_again() {
    let mut world = announced();
    world.machine.forget(id(80), world.now);
    assert_eq!(world.begin(), ["80 down"]);
    // Before the command has ended, and before the controller has taken anything out.
    world.watch_with(id(80), Some(commands(SharedAddress::Any)), true);
    world.machine.pool_ended(id(80), world.now);
    world.succeed();
    assert!(world.begin().is_empty(), "the new pool has said nothing");
    world.machine.available(id(80), world.now);
    assert_eq!(world.settle(), ["80 up"]);
}

#[test]
fn what_an_old_pool_said_does_not_count_for_the_new_one() {
    let mut world = announced();
    world.machine.forget(id(80), world.now);
    assert_eq!(world.settle(), ["80 down"]);
    world.watch_with(id(80), Some(commands(SharedAddress::Any)), true);
    // These were in the queue.
    world.machine.available(id(80), world.now);
    world.machine.pool_ended(id(80), world.now);
    assert!(world.begin().is_empty());
}

#[test]
fn the_table_may_lose_its_destinations_for_a_moment() {
    let mut world = announced();
    world.machine.not_serving(id(80), world.now);
    assert!(world.pass(SECOND / 2).is_empty());
    world.machine.serving(id(80), world.now);
    assert!(world.pass(9 * SECOND).is_empty(), "another program took them for a moment");
    world.machine.not_serving(id(80), world.now);
    assert_eq!(world.pass(2 * SECOND), ["80 down"]);
    assert_eq!(world.running[0].reason, Reason::NotServing);
}

#[test]
fn nothing_is_withdrawn_at_a_start_until_the_checks_have_had_their_time() {
    let mut world = world();
    assert!(world.pass(SETTLES - SECOND).is_empty());
    assert_eq!(world.pass(2 * SECOND), ["80 down"]);
    assert_eq!(world.running[0].reason, Reason::NeverAvailable);
    world.succeed();
    assert!(world.pass(1000 * SECOND).is_empty());
}

#[test]
fn the_newest_state_wins_over_a_command_that_runs() {
    let mut world = announced();
    world.dies(id(80));
    assert_eq!(world.begin(), ["80 down"]);
    world.up(id(80));
    world.dies(id(80));
    world.up(id(80));
    assert!(world.begin().is_empty(), "one at a time");
    world.succeed();
    assert_eq!(world.settle(), ["80 up"]);
}

#[test]
fn an_available_command_is_stopped_when_its_service_goes_down() {
    let mut world = world();
    world.up(id(80));
    assert_eq!(world.begin(), ["80 up"]);
    world.dies(id(80));
    assert_eq!(world.begin(), ["stop 80"]);
    world.end(Outcome::Stopped);
    // It may have announced before it was stopped.
    assert_eq!(world.settle(), ["80 down"]);
    assert_eq!(world.status(id(80)), "withdrawn");
}

#[test]
fn a_failure_is_told_and_tried_again_with_growing_delays() {
    let mut world = world();
    world.up(id(80));
    for (attempt, delay) in [(1, 5), (2, 10), (3, 20), (4, 40), (5, 60), (6, 60)] {
        assert_eq!(world.begin(), ["80 up"], "attempt {attempt}");
        assert_eq!(world.running[0].attempt, attempt);
        world.end(failed());
        assert!(world.pass(delay * SECOND - SECOND / 10).is_empty());
        world.now += SECOND / 10;
    }
    assert_eq!(
        world.status(id(80)),
        "announcement unknown; available command failed 6 times, next attempt in 0 s: exit code 1"
    );
    let told = world.told();
    let expected = "the available command failed (attempt 6), next attempt in 60.0 s: exit code 1";
    assert_eq!(told.last().map(String::as_str), Some(expected));
    assert_eq!(world.settle(), ["80 up"]);
    assert_eq!(world.status(id(80)), "announced");
    // The next failure begins anew.
    world.dies(id(80));
    world.begin();
    world.end(failed());
    assert!(world.status(id(80)).contains("failed 1 time, next attempt in 5 s"));
}

#[test]
fn a_new_state_does_not_wait_for_the_attempt_of_the_old_one() {
    let mut world = world();
    world.up(id(80));
    world.begin();
    world.end(failed());
    world.dies(id(80));
    assert_eq!(world.settle(), ["80 down"], "the failed command may have announced");
    assert!(world.pass(1000 * SECOND).is_empty());
}

#[test]
fn a_reload_with_the_same_commands_runs_none() {
    let mut world = announced();
    world.watch(id(80), commands(SharedAddress::Any));
    let mut others = commands(SharedAddress::Any);
    (others.timeout, others.unavailable) = (SECOND, vec!["other".to_owned()]);
    world.watch(id(80), others);
    assert!(world.settle().is_empty());
    world.dies(id(80));
    assert_eq!(world.settle(), ["80 other"]);
}

#[test]
fn another_available_command_runs_once() {
    let mut world = announced();
    let mut others = commands(SharedAddress::Any);
    others.available = vec!["other".to_owned()];
    world.watch(id(80), others);
    assert_eq!(world.settle(), ["80 other"]);
}

#[test]
fn commands_that_leave_the_file_run_no_more() {
    let mut world = announced();
    world.watch_with(id(80), None, true);
    world.dies(id(80));
    assert!(world.settle().is_empty() && world.status(id(80)).is_empty());
    world.up(id(80));
    world.watch(id(80), commands(SharedAddress::Any));
    assert_eq!(world.settle(), ["80 up"]);
}

#[test]
fn a_state_without_a_command_needs_none() {
    let mut world = World::new();
    let mut only_up = commands(SharedAddress::Any);
    only_up.unavailable = Vec::new();
    world.watch(id(80), only_up);
    world.up(id(80));
    assert_eq!(world.settle(), ["80 up"]);
    world.dies(id(80));
    assert!(world.settle().is_empty());
    assert!(world.is_told(id(80), State::Unavailable));
    world.up(id(80));
    assert_eq!(world.settle(), ["80 up"]);
}

#[test]
fn a_daemon_that_withdraws_withdraws_all() {
    let mut world = World::new();
    for port in 80..84 {
        world.watch(id(port), commands(SharedAddress::Ignore));
        world.up(id(port));
    }
    assert_eq!(world.settle().len(), 4);
    assert!(world.machine.is_settled());
    world.machine.forget_all(world.now);
    assert!(!world.machine.is_settled());
    assert_eq!(world.settle(), ["80 down", "81 down", "82 down", "83 down"]);
    assert!(world.machine.is_settled());
}

#[test]
fn the_end_of_a_command_that_does_not_run_changes_nothing() {
    let mut world = announced();
    world.machine.ended(99, failed(), world.now);
    world.machine.stuck(99);
    assert!(world.settle().is_empty());
    assert_eq!(world.status(id(80)), "announced");
}

#[test]
fn at_the_end_withdrawals_that_are_due_begin_and_nothing_else() {
    let mut world = World::new();
    (80..84).for_each(|port| world.watch(id(port), commands(SharedAddress::Ignore)));
    (80..83).for_each(|port| world.up(id(port)));
    world.settle();
    // 80 is dead, 81 is back, 82 has lost its table a moment ago, and nothing is known of 83.
    (80..82).for_each(|port| world.dies(id(port)));
    world.settle();
    world.up(id(80));
    world.settle();
    world.dies(id(80));
    world.up(id(81));
    world.machine.not_serving(id(82), world.now);
    world.machine.conclude(world.now);
    assert_eq!(world.begin(), ["80 down"]);
    assert_eq!(world.machine.not_withdrawn().collect::<Vec<_>>(), [id(80)]);
    world.now += 1000 * SECOND;
    assert!(world.machine.due(world.now).is_none());
    world.succeed();
    assert!(world.machine.due(world.now).is_none());
    assert_eq!(world.machine.not_withdrawn().count(), 0);
    assert!(!world.machine.runs_any());
}

#[test]
fn at_the_end_a_withdrawal_that_failed_is_tried_once_more() {
    let mut world = announced();
    world.dies(id(80));
    world.begin();
    world.end(failed());
    assert!(world.begin().is_empty());
    world.told();
    world.machine.conclude(world.now);
    assert_eq!(world.begin(), ["80 down"]);
    world.end(failed());
    world.now += 1000 * SECOND;
    assert!(world.machine.due(world.now).is_none());
    assert_eq!(world.machine.not_withdrawn().count(), 1);
    assert!(world.told()[1].contains("(attempt 2), not tried again before the next start"));
}

#[test]
fn at_the_end_an_announcement_that_runs_gives_way_to_the_withdrawal() {
    let mut world = world();
    world.up(id(80));
    assert_eq!(world.begin(), ["80 up"]);
    world.dies(id(80));
    world.machine.conclude(world.now);
    assert_eq!(world.begin(), ["stop 80"]);
    world.end(Outcome::Stopped);
    assert_eq!(world.settle(), ["80 down"]);
}

#[test]
fn what_lost_events_have_said_is_known_from_the_state_of_the_pool() {
    let mut world = announced();
    world.machine.pool_is(id(80), true, None, world.now);
    assert!(world.settle().is_empty());
    world.machine.pool_is(id(80), false, None, world.now);
    assert_eq!(world.settle(), ["80 down"]);
    world.machine.pool_is(id(80), true, None, world.now);
    assert_eq!(world.settle(), ["80 up"]);
    world.machine.pool_is(id(80), false, Some(world.now + SECOND), world.now);
    assert_eq!(world.begin(), ["80 down"]);
    assert_eq!(world.running[0].reason, Reason::Maintenance);
    // Of a pool that has not decided yet, the state says nothing.
    world.watch(id(81), commands(SharedAddress::Ignore));
    world.machine.pool_is(id(81), false, None, world.now);
    assert!(world.begin().is_empty());
}

#[test]
fn a_command_that_does_not_end_is_told_and_shown_until_it_ends() {
    let mut world = announced();
    world.dies(id(80));
    assert_eq!(world.begin(), ["80 down"]);
    world.told();
    world.now += 7 * SECOND;
    world.machine.stuck(world.running[0].number);
    assert_eq!(
        world.told(),
        ["the command was killed and runs still; no other one runs before its end"]
    );
    let status = "being withdrawn for 7 s, the command was killed and runs still";
    assert_eq!(world.status(id(80)), status);
    world.up(id(80));
    assert!(world.pass(100 * SECOND).is_empty(), "nothing else runs for the service");
    world.end(failed());
    assert_eq!(world.settle(), ["80 up"]);
    assert_eq!(world.status(id(80)), "announced");
}
