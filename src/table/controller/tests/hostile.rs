//! Kernels, drivers and programs that do what they should not.

use std::time::Duration;

use crate::engine::{Outcome, Report};
use crate::error::{Error, ErrorKind};
use crate::model::{Change, Operation, Service};
use crate::table::controller::tests::world::{World, id_of, numbered, options, plan, web_with};
use crate::table::controller::{Answer, ControllerOptions, Next, Reading, RetryPolicy, Wish, Work};
use crate::table::tests::planning::{server, web};
use crate::table::{DrainPolicy, DrainUntil, TableDestination, TableService};

const SECOND: Duration = Duration::from_secs(1);

/// Does one task. Returns `false` if none is due.
fn once(world: &mut World) -> bool {
    let Next::Do(task) = world.controller.next(world.now) else { return false };
    let answer = world.perform(&task);
    world.controller.answer(task.number(), answer, world.now)
}

fn count(lines: &[String], text: &str) -> usize {
    lines.iter().filter(|line| line.contains(text)).count()
}

#[test]
fn a_deletion_without_effect_is_no_busy_loop() {
    fn nothing(change: &Change) -> Option<Outcome> {
        let deletes = matches!(change, Change::DeleteDestination(..) | Change::DeleteService(_));
        deletes.then_some(Outcome::Done)
    }
    for wishes in [vec![], vec![web_with(&[1])]] {
        let mut world = World::new(options());
        world.put(&web_with(&[1, 2]));
        world.refuse = Some(nothing);
        world.controller.wish_all(wishes);
        world.pass(60 * SECOND);
        assert!(world.take_log().len() < 200);
        assert!(count(&world.take_events(), "undone") >= 3);
    }
}

#[test]
fn a_deletion_of_what_is_not_there_and_still_read_is_no_busy_loop() {
    fn gone(change: &Change) -> Option<Outcome> {
        let error = Error::for_test(ErrorKind::NoSuchDestination, Operation::DeleteDestination);
        matches!(change, Change::DeleteDestination(..)).then_some(Outcome::Refused(error))
    }
    let mut world = World::new(options());
    world.put(&web_with(&[1, 2]));
    world.refuse = Some(gone);
    world.controller.wish(web_with(&[1]));
    world.pass(60 * SECOND);
    assert!(world.take_log().len() < 200);
}

#[test]
fn what_is_never_sent_is_no_busy_loop() {
    fn not_sent(change: &Change) -> Option<Outcome> {
        let error = Error::for_test(ErrorKind::NotAttempted, change.operation());
        Some(Outcome::NotSent(error))
    }
    let mut world = World::new(options());
    world.refuse = Some(not_sent);
    world.controller.wish(web_with(&[1, 2]));
    world.pass(60 * SECOND);
    assert!(world.take_log().len() < 100);
    world.refuse = None;
    world.pass(60 * SECOND);
    assert_eq!(world.weights(), [(1, 1), (2, 1)]);
}

#[test]
fn a_reading_that_lacks_what_was_asked_is_no_busy_loop() {
    let mut world = World::new(options());
    world.controller.wish(web_with(&[1]));
    world.work();
    world.controller.wish(web_with(&[1, 2]));
    let mut readings = 0;
    let end = world.now + 60 * SECOND;
    while readings < 1000 {
        match world.controller.next(world.now) {
            Next::Do(task) => {
                let mut answer = world.perform(&task);
                if let Answer::Readings(list) = &mut answer {
                    list.clear();
                    readings += 1;
                }
                assert!(world.controller.answer(task.number(), answer, world.now));
            }
            Next::Wait(Some(until)) if until < end => world.now = until,
            Next::Wait(_) => break,
        }
    }
    assert!(readings < 20, "{readings}");
}

#[test]
fn a_service_that_cannot_be_read_is_told() {
    let mut world = World::new(options());
    world.controller.wish(web_with(&[1]));
    world.work();
    world.take_events();
    world.controller.wish(web_with(&[1, 2]));
    let Next::Do(task) = world.controller.next(world.now) else { panic!("a reading is due") };
    let error = Error::for_test(ErrorKind::Rejected, Operation::ReadServices);
    let reading = Reading::failed(web().id, error);
    world.controller.answer(task.number(), Answer::Readings(vec![reading]), world.now);
    assert_eq!(world.take_events().len(), 1);
}

#[test]
fn a_change_that_the_answer_does_not_mention_is_unknown() {
    let mut world = World::new(options());
    world.controller.wish(web_with(&[1]));
    assert!(once(&mut world));
    let Next::Do(task) = world.controller.next(world.now) else { panic!("a writing is due") };
    assert!(matches!(task.work(), Work::Write(_)));
    world.perform(&task);
    let short: Report = [Outcome::Done].into_iter().collect();
    world.controller.answer(task.number(), Answer::Written(short), world.now);
    assert_eq!(count(&world.take_events(), "unknown"), 1);
    world.pass(2 * SECOND);
    assert!(world.controller.is_settled());
}

#[test]
fn refused_writes_of_a_kernel_that_can_be_read_are_tried_ever_later() {
    fn no_memory(change: &Change) -> Option<Outcome> {
        let error = Error::for_test(ErrorKind::OutOfMemory, change.operation());
        Some(Outcome::Refused(error))
    }
    let mut world = World::new(options());
    world.refuse = Some(no_memory);
    world.controller.wish(web_with(&[1]));
    world.pass(300 * SECOND);
    let events = world.take_events();
    assert!((8..=16).contains(&count(&events, "backing off")), "{events:?}");
    assert_eq!(count(&events, "recovered"), 0);
    world.refuse = None;
    world.pass(70 * SECOND);
    assert_eq!(world.weights(), [(1, 1)]);
    assert_eq!(count(&world.take_events(), "recovered"), 1);
    assert!(world.controller.is_settled());
}

#[test]
fn a_failure_of_writes_is_over_when_nothing_is_left_to_be_written() {
    fn no_memory(change: &Change) -> Option<Outcome> {
        let error = Error::for_test(ErrorKind::OutOfMemory, change.operation());
        Some(Outcome::Refused(error))
    }
    let mut world = World::new(options());
    world.controller.wish(web_with(&[1]));
    world.work();
    world.refuse = Some(no_memory);
    world.controller.wish(web_with(&[1, 2]));
    world.pass(10 * SECOND);
    world.controller.wish(web_with(&[1]));
    world.pass(60 * SECOND);
    assert!(world.controller.is_settled());
}

fn any(hosts: &[u8]) -> TableService {
    hosts.iter().fold(TableService::new(web()), |service, host| {
        service.with(TableDestination::of_any_weight(server(*host)))
    })
}

/// A world whose server 2 of any weight has weight 7 and a connection.
fn heavy() -> World {
    let mut world = World::new(ControllerOptions::new().plan(plan().keep_weights(true)));
    world.controller.wish(any(&[1, 2]));
    world.work();
    world.write(&Change::UpdateDestination(web().id, server(2).weight(7))).unwrap();
    world.connect(2, 1, 0);
    world
}

#[test]
fn a_weight_is_given_back_though_the_answer_to_the_drain_was_lost() {
    // The answer says that the outcome is unknown, or the task is never answered.
    for answered in [true, false] {
        let mut world = heavy();
        world.controller.wish(any(&[1]));
        assert!(once(&mut world));
        let Next::Do(task) = world.controller.next(world.now) else { panic!("a writing is due") };
        let Answer::Written(report) = world.perform(&task) else { panic!("it is a writing") };
        assert!(report.is_done());
        if answered {
            let error = Error::for_test(ErrorKind::DeadlineExceeded, Operation::UpdateDestination);
            let report: Report = [Outcome::Unknown(error)].into_iter().collect();
            world.controller.answer(task.number(), Answer::Written(report), world.now);
        }
        world.pass(2 * SECOND);
        assert_eq!(world.weights(), [(1, 1), (2, 0)]);
        world.controller.wish(any(&[1, 2]));
        world.pass(2 * SECOND);
        assert_eq!(world.weights(), [(1, 1), (2, 7)]);
    }
}

#[test]
fn a_weight_that_was_given_back_by_others_is_not_given_back_later() {
    let mut world = heavy();
    world.controller.wish(any(&[1]));
    world.pass(SECOND);
    // Somebody gives it a weight, it is wished again, and then a health check stops it.
    world.write(&Change::UpdateDestination(web().id, server(2).weight(3))).unwrap();
    world.controller.wish(any(&[1, 2]));
    world.pass(SECOND);
    assert_eq!(world.weights(), [(1, 1), (2, 3)]);
    world.write(&Change::UpdateDestination(web().id, server(2).weight(0))).unwrap();
    world.pass(70 * SECOND);
    assert_eq!(world.weights(), [(1, 1), (2, 0)]);
}

#[test]
fn a_wish_that_no_kernel_can_have_is_not_read_in_a_long_table() {
    let mut world = World::new(options());
    let odd = Service::fwmark(0, crate::model::AddressFamily::Ipv4);
    world.controller.wish_all((1..=100).map(numbered).chain([TableService::new(odd.clone())]));
    let end = world.now + 200 * SECOND;
    loop {
        match world.controller.next(world.now) {
            Next::Do(task) => {
                if let Work::ReadServices(ids) = task.work() {
                    assert!(!ids.contains(&odd.id));
                }
                let answer = world.perform(&task);
                world.controller.answer(task.number(), answer, world.now);
            }
            Next::Wait(Some(until)) if until < end => world.now = until,
            Next::Wait(_) => break,
        }
    }
    assert!(world.controller.is_settled());
}

#[test]
fn a_hold_time_that_no_clock_can_express_is_very_long() {
    let options = options().hold(Duration::MAX).resync(Duration::MAX);
    let retry = RetryPolicy::new().first(Duration::MAX).most(Duration::MAX);
    let mut world = World::new(options.retry(retry));
    world.controller.wish(web_with(&[1]));
    world.work();
    world.controller.forget(web().id);
    world.pass(30 * 24 * 3600 * SECOND);
    assert_eq!(world.weights(), [(1, 1)]);
}

#[test]
fn extreme_options_and_clocks_are_no_panic() {
    for time in [Duration::ZERO, Duration::MAX, Duration::from_nanos(u64::MAX)] {
        let policy = DrainPolicy::new().deadline(Some(time)).interval(time).quiet(time);
        let retry = RetryPolicy::new().first(time).most(time);
        let options = ControllerOptions::new().plan(plan().drain(Some(policy)));
        let mut world = World::new(options.hold(time).resync(time).retry(retry));
        world.controller.wish(web_with(&[1, 2]));
        world.work();
        world.connect(2, 1, 0);
        world.controller.wish(web_with(&[1]));
        for _ in 0..20 {
            once(&mut world);
        }
        world.now += 1_000_000 * SECOND;
        world.controller.forget(web().id);
        for _ in 0..20 {
            once(&mut world);
        }
        // Back in time.
        world.now = world.begin;
        world.controller.wish(web_with(&[3]));
        for _ in 0..20 {
            once(&mut world);
        }
    }
}

#[test]
fn a_reading_of_the_whole_table_goes_on_after_tasks_without_answers() {
    let mut world = World::new(options());
    world.controller.wish_all((1..=5_000).map(numbered));
    world.work();
    world.take_events();
    world.controller.resynchronize();
    // Every third task is dropped.
    for turn in 1..60 {
        let Next::Do(task) = world.controller.next(world.now) else { break };
        let answer = world.perform(&task);
        if turn % 3 > 0 {
            assert!(world.controller.answer(task.number(), answer, world.now));
        }
    }
    assert_eq!(count(&world.take_events(), "services read"), 1);
}

#[test]
fn wishes_for_ever_do_not_keep_the_whole_table_from_being_read() {
    let mut world = World::new(options().resync(2 * SECOND));
    world.controller.wish_all((1..=3000).map(numbered));
    world.controller.wish(web_with(&[1]));
    world.work();
    world.write(&Change::DeleteService(numbered(2999).id())).unwrap();
    world.take_events();
    for turn in 0..1_000_u32 {
        world.controller.wish(web_with(if turn % 2 == 0 { &[1, 2] } else { &[1] }));
        assert!(once(&mut world));
        world.now += SECOND / 100;
    }
    assert!(world.table.contains_key(&numbered(2999).id()));
    assert!(count(&world.take_events(), "services read") >= 1);
}

#[test]
fn a_destination_that_leaves_at_once_beside_one_that_has_drained_is_told_as_cut() {
    let mut world = World::new(options());
    let both = TableService::new(web()).with(server(1)).with(server(2).weight(0));
    world.controller.wish(Wish::new(both).at_once(id_of(1)));
    world.work();
    world.connect(1, 4, 0);
    world.take_events();
    world.controller.forget(web().id);
    world.pass(SECOND);
    assert!(world.table.is_empty());
    let events = world.take_events();
    assert_eq!(count(&events, "10.0.0.1:8080 deleted at once, and cut: active 4"), 1, "{events:?}");
}

#[test]
fn readings_that_follow_each_other_at_once_are_one_look_at_a_drain() {
    let policy = DrainPolicy::new().until(DrainUntil::NoActive);
    let mut world = World::new(ControllerOptions::new().plan(plan().drain(Some(policy))));
    world.controller.wish(web_with(&[1, 2]));
    world.work();
    // A connection that is opening.
    world.connect(2, 0, 1);
    world.controller.wish(web_with(&[1]));
    world.work();
    world.controller.wish(web_with(&[1, 3]));
    world.work();
    assert_eq!(world.weights(), [(1, 1), (2, 0), (3, 1)]);
    world.connect(2, 1, 0);
    world.pass(10 * SECOND);
    assert_eq!(world.weights(), [(1, 1), (2, 0), (3, 1)]);
}

#[test]
fn a_service_that_was_read_since_the_list_is_not_taken_for_absent() {
    let mut world = World::new(options());
    world.controller.wish(web_with(&[1]));
    world.work();
    world.write(&Change::DeleteService(web().id)).unwrap();
    world.controller.resynchronize();
    assert!(once(&mut world));
    // Another program has put it back when a new wish makes the controller read it.
    world.put(&web_with(&[1]));
    world.controller.wish(Wish::new(web_with(&[1])).at_once(id_of(1)));
    world.take_events();
    world.take_log();
    world.work();
    let events = world.take_events();
    assert_eq!(count(&events, "no usable"), 0, "{events:?}");
    assert_eq!(count(&events, "is as wished"), 1, "{events:?}");
    assert!(!world.take_log().iter().any(|line| line.starts_with('-')));
}

#[test]
fn a_wish_that_marks_all_marks_also_what_it_removes() {
    for forgotten in [false, true] {
        let mut world = World::new(options());
        let first = Wish::new(web_with(&[1, 2]));
        world.controller.wish(if forgotten { first.all_at_once() } else { first });
        world.work();
        world.connect(2, 3, 0);
        if forgotten {
            world.controller.forget(web().id);
        } else {
            world.controller.wish(Wish::new(web_with(&[1])).all_at_once());
        }
        // The newest wish marks nothing, and comes before the other is carried out.
        world.controller.wish(web_with(&[1, 3]));
        world.work();
        assert_eq!(world.weights(), [(1, 1), (3, 1)], "{forgotten}");
    }
}

#[test]
fn a_drain_is_looked_at_though_another_change_of_its_service_is_refused() {
    fn refuse(change: &Change) -> Option<Outcome> {
        let error = Error::for_test(ErrorKind::Rejected, Operation::UpdateDestination);
        let first = matches!(change, Change::UpdateDestination(_, to) if to.id == id_of(1));
        first.then_some(Outcome::Refused(error))
    }
    let retry = RetryPolicy::new().first(3600 * SECOND).most(3600 * SECOND);
    let mut world = World::new(options().retry(retry).resync(36_000 * SECOND));
    let heavy = |service: TableService| service.with(server(1).weight(9));
    world.controller.wish(heavy(web_with(&[2, 3])));
    world.work();
    world.connect(2, 1, 0);
    world.refuse = Some(refuse);
    // The weight of 1 falls, and 2 leaves, in one phase.
    world.controller.wish(web_with(&[1, 3]));
    world.pass(40 * SECOND);
    assert_eq!(world.weights(), [(1, 9), (3, 1)]);
}
