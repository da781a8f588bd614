//! Failures delay what they concern, and nothing is guessed.

use std::time::Duration;

use crate::engine::Outcome;
use crate::error::{Error, ErrorKind};
use crate::model::{Change, Operation, Scheduler};
use crate::table::OnFailure;
use crate::table::controller::tests::world::{World, id_of, numbered, options, plan, web_with};
use crate::table::controller::{ControllerOptions, Next, Wish};
use crate::table::tests::planning::{server, web};

const SECOND: Duration = Duration::from_secs(1);

fn refuse_third(change: &Change) -> Option<Outcome> {
    let third = matches!(change, Change::AddDestination(_, server) if server.id.to_string().starts_with("10.0.0.3"));
    let error = Error::for_test(ErrorKind::Rejected, Operation::AddDestination);
    third.then_some(Outcome::Refused(error))
}

#[test]
fn a_refused_change_is_tried_again_ever_later_and_takes_nothing_away() {
    let mut world = World::new(options());
    world.controller.wish_all([web_with(&[1]), numbered(1)]);
    world.work();
    world.take_events();
    world.refuse = Some(refuse_third);
    // Server 3 is to replace server 1.
    world.controller.wish_all([web_with(&[3]), numbered(1), numbered(2)]);
    world.pass(300 * SECOND);
    assert_eq!(world.weights(), [(1, 1)], "the replacement is missing");
    assert!(world.table.contains_key(&numbered(2).id()));
    let events = world.take_events();
    let failed = events.iter().filter(|line| line.starts_with("failed")).count();
    // 1 + 2 + 4 + .. + 32 + 60 + 60 .. seconds, each up to a half shorter.
    assert!((8..=16).contains(&failed), "{failed}");
    world.refuse = None;
    world.pass(90 * SECOND);
    assert_eq!(world.weights(), [(3, 1)]);
    assert!(world.controller.is_settled());
}

/// Server 3 is refused, and server 1 is to go. Returns the weights after some attempts.
fn beside_a_refused_one(before: &[u8], wish: Wish) -> Vec<(u8, u32)> {
    let mut world = World::new(options());
    world.controller.wish(web_with(before));
    world.work();
    world.refuse = Some(refuse_third);
    world.controller.wish(wish);
    world.work();
    let at_once = world.weights();
    world.take_log();
    world.pass(100 * SECOND);
    assert_eq!(world.weights(), at_once);
    let log = world.take_log();
    assert!(log.len() < 60, "{log:?}");
    let events = world.take_events();
    assert!(!events.iter().any(|line| line.contains("undone")), "{events:?}");
    world.refuse = None;
    world.pass(70 * SECOND);
    assert!(world.controller.is_settled());
    at_once
}

fn refuse_updates_of_the_service(change: &Change) -> Option<Outcome> {
    let error = Error::for_test(ErrorKind::UnknownScheduler, Operation::UpdateService);
    matches!(change, Change::UpdateService(_)).then_some(Outcome::Refused(error))
}

#[test]
fn no_weight_becomes_0_before_a_scheduler_goes_that_would_refuse_clients() {
    let mut world = World::new(options());
    let mut hashed = web_with(&[1, 2]);
    hashed.update(|service| service.scheduler = Scheduler::SOURCE_HASHING);
    world.controller.wish(hashed);
    world.work();
    world.refuse = Some(refuse_updates_of_the_service);
    world.controller.wish(web_with(&[2]).with(server(1).weight(0)));
    world.pass(100 * SECOND);
    assert_eq!(world.weights(), [(1, 1), (2, 1)]);
    world.refuse = None;
    world.pass(70 * SECOND);
    assert_eq!(world.weights(), [(1, 0), (2, 1)]);
}

#[test]
fn what_needs_no_replacement_leaves_beside_a_refused_addition() {
    let weight_0 = web_with(&[2, 3]).with(server(1).weight(0));
    let stopped = beside_a_refused_one(&[1, 2], weight_0.into());
    assert_eq!(stopped, [(1, 0), (2, 1)]);
    let dead = Wish::new(web_with(&[2, 3])).at_once(id_of(1));
    assert_eq!(beside_a_refused_one(&[1, 2], dead), [(2, 1)]);
    // The refused one may be the replacement of a destination that drains.
    assert_eq!(beside_a_refused_one(&[1, 2], web_with(&[2, 3]).into()), [(1, 1), (2, 1)]);
    // Nothing else would be left.
    let last = Wish::new(web_with(&[3])).at_once(id_of(1));
    assert_eq!(beside_a_refused_one(&[1], last), [(1, 1)]);
}

#[test]
fn a_drain_ends_beside_a_refused_addition_and_is_no_quarrel() {
    let mut world = World::new(options());
    world.controller.wish(web_with(&[1, 2]));
    world.work();
    world.connect(1, 1, 0);
    world.controller.wish(web_with(&[2]));
    world.work();
    world.refuse = Some(refuse_third);
    world.controller.wish(web_with(&[2, 3]));
    world.pass(40 * SECOND);
    assert_eq!(world.weights(), [(2, 1)]);
    let events = world.take_events();
    assert!(!events.iter().any(|line| line.contains("undone")), "{events:?}");
}

#[test]
fn a_new_wish_does_not_wait_for_the_next_attempt() {
    let mut world = World::new(options());
    world.refuse = Some(refuse_third);
    world.controller.wish(web_with(&[1, 3]));
    world.pass(100 * SECOND);
    world.controller.wish(web_with(&[1, 4]));
    world.work();
    assert_eq!(world.weights(), [(1, 1), (4, 1)]);
}

#[test]
fn a_new_service_that_no_destination_could_be_added_to_is_taken_back() {
    let mut world = World::new(options());
    world.refuse = Some(refuse_third);
    world.controller.wish(web_with(&[3]));
    world.work();
    assert!(world.table.is_empty());
    world.refuse = None;
    world.pass(2 * SECOND);
    assert_eq!(world.weights(), [(3, 1)]);
    let events = world.take_events();
    assert!(!events.iter().any(|line| line.contains("undone")), "{events:?}");
}

#[test]
fn a_scheduler_that_the_kernel_has_not_is_no_quarrel() {
    fn unknown(change: &Change) -> Option<Outcome> {
        let error = Error::for_test(ErrorKind::UnknownScheduler, Operation::AddService);
        matches!(change, Change::AddService(_)).then_some(Outcome::Refused(error))
    }
    let mut world = World::new(options());
    world.refuse = Some(unknown);
    world.controller.wish(web_with(&[1, 2]));
    world.pass(20 * SECOND);
    let events = world.take_events();
    assert!(!events.iter().any(|line| line.contains("undone")), "{events:?}");
    assert!(events.iter().filter(|line| line.starts_with("failed")).count() >= 4, "{events:?}");
    let lists = world.take_log().iter().filter(|line| *line == "list").count();
    assert_eq!(lists, 1);
}

#[test]
fn a_change_that_was_not_sent_because_of_another_service_is_made_at_once() {
    fn lost(change: &Change) -> Option<Outcome> {
        let kind = match change.service() {
            Some(id) if id == web().id => ErrorKind::DeadlineExceeded,
            _ => ErrorKind::NotAttempted,
        };
        let error = Error::for_test(kind, change.operation());
        Some(match kind {
            ErrorKind::NotAttempted => Outcome::NotSent(error),
            _ => Outcome::Unknown(error),
        })
    }
    let mut world = World::new(options());
    world.refuse = Some(lost);
    world.controller.wish_all([web_with(&[1]), numbered(1)]);
    while !world.log.iter().any(|line| line.starts_with('-')) {
        let Next::Do(task) = world.controller.next(world.now) else { panic!("tasks are due") };
        let answer = world.perform(&task);
        world.controller.answer(task.number(), answer, world.now);
    }
    world.refuse = None;
    world.work();
    assert!(world.table.contains_key(&numbered(1).id()) && !world.table.contains_key(&web().id));
    world.pass(2 * SECOND);
    assert!(world.table.contains_key(&web().id));
}

#[test]
fn what_concerns_the_whole_kernel_delays_everything_and_is_told() {
    let mut world = World::new(options());
    world.controller.wish(web_with(&[1]));
    world.work();
    world.take_events();
    world.broken = Some(ErrorKind::Unavailable);
    world.controller.wish(web_with(&[1, 2]));
    world.pass(300 * SECOND);
    let events = world.take_events();
    let backing_off = events.iter().filter(|line| line.starts_with("backing off")).count();
    assert!((8..=16).contains(&backing_off), "{events:?}");
    // The module is back, and its table is empty.
    world.broken = None;
    world.table.clear();
    world.pass(70 * SECOND);
    assert_eq!(world.weights(), [(1, 1), (2, 1)]);
    assert!(world.take_events().contains(&"recovered".to_owned()));
}

#[test]
fn an_unknown_outcome_is_found_out_by_reading() {
    fn unknown(change: &Change) -> Option<Outcome> {
        let error = Error::for_test(ErrorKind::DeadlineExceeded, Operation::UpdateService);
        matches!(change, Change::DeleteDestination(..)).then_some(Outcome::Unknown(error))
    }
    let mut world = World::new(options());
    world.controller.wish(web_with(&[1, 2]));
    world.work();
    world.take_events();
    world.refuse = Some(unknown);
    world.controller.wish(web_with(&[1]));
    world.work();
    let events = world.take_events();
    assert!(events.iter().any(|line| line.starts_with("unknown")), "{events:?}");
    // It was not done: it is tried again, later.
    assert_eq!(world.weights(), [(1, 1), (2, 0)]);
    world.refuse = None;
    world.pass(2 * SECOND);
    assert_eq!(world.weights(), [(1, 1)]);
    assert!(world.controller.is_settled());
}

#[test]
fn a_task_that_was_never_answered_is_found_out_by_reading() {
    let mut world = World::new(options());
    world.controller.wish(web_with(&[1]));
    let mut numbers = Vec::new();
    // Every task is done, and every second one is not answered.
    for turn in 0..40 {
        let Next::Do(task) = world.controller.next(world.now) else {
            break;
        };
        let answer = world.perform(&task);
        if turn % 2 == 1 {
            assert!(world.controller.answer(task.number(), answer, world.now));
        } else {
            numbers.push((task.number(), answer));
        }
    }
    world.pass(5 * SECOND);
    assert_eq!(world.weights(), [(1, 1)]);
    assert!(world.controller.is_settled());
    for (number, answer) in numbers {
        assert!(!world.controller.answer(number, answer, world.now), "it is late");
    }
    assert!(world.controller.is_settled());
}

#[test]
fn with_stop_a_failure_delays_all_services() {
    let mut world = World::new(ControllerOptions::new().plan(plan().on_failure(OnFailure::Stop)));
    world.refuse = Some(refuse_third);
    world.controller.wish(web_with(&[1, 3]));
    world.work();
    let events = world.take_events();
    assert!(events.iter().any(|line| line.starts_with("backing off")), "{events:?}");
    world.controller.wish(numbered(1));
    world.work();
    assert!(!world.table.contains_key(&numbered(1).id()));
    world.pass(2 * SECOND);
    assert!(world.table.contains_key(&numbered(1).id()));
}

#[test]
fn with_stop_nothing_is_taken_away_before_everything_was_added() {
    let mut world = World::new(ControllerOptions::new().plan(plan().on_failure(OnFailure::Stop)));
    world.controller.wish_all([web_with(&[1, 2]), numbered(1), numbered(2)]);
    world.work();
    world.take_log();
    world.refuse = Some(refuse_third);
    // One comes before the service whose change is refused, and one after it.
    world.controller.wish_all([web_with(&[1]), numbered(2).with(server(3))]);
    world.work();
    let log = world.take_log();
    assert_eq!(log.iter().filter(|line| line.starts_with('-')).count(), 1, "{log:?}");
    assert_eq!(world.weights(), [(1, 1), (2, 1)]);
    world.refuse = None;
    world.pass(100 * SECOND);
    assert_eq!(world.weights(), [(1, 1)]);
    assert!(!world.table.contains_key(&numbered(1).id()) && world.controller.is_settled());
}
