//! Wishes are carried out, each at its own cost.

use std::time::Duration;

use crate::model::{Service, ServiceId};
use crate::table::controller::tests::world::{World, id_of, numbered, options, plan, web_with};
use crate::table::controller::{ControllerOptions, Next, Wish, Work};
use crate::table::tests::planning::web;
use crate::table::{Actions, Scope, TableService};

#[test]
fn the_first_wish_makes_a_service_and_reads_it_back() {
    let mut world = World::new(options());
    world.controller.wish(web_with(&[1, 2]));
    assert!(!world.controller.is_settled());
    world.work();
    let expected = ["list", "-A web -s rr", "-a web 1 -w 1", "-a web 2 -w 1", "read 1"];
    assert_eq!(world.take_log(), expected);
    let expected = [
        "done: -A web -s rr",
        "done: -a web -r 10.0.0.1:8080 -m -w 1",
        "done: -a web -r 10.0.0.2:8080 -m -w 1",
        "web serves",
        "web is as wished",
        "0 services read, 1 differed",
    ];
    assert_eq!(world.take_events(), expected);
    assert!(world.controller.is_settled() && world.controller.is_serving(web().id));
}

#[test]
fn one_destination_replaced_is_three_readings_and_three_changes() {
    let mut world = World::new(options());
    world.controller.wish(web_with(&[1, 2]));
    world.controller.wish_all([web_with(&[1, 2])]);
    world.work();
    world.take_log();
    world.take_events();
    world.controller.wish(web_with(&[1, 3]));
    world.work();
    let expected =
        ["read 1", "-a web 3 -w 1", "-e web 2 -w 0", "read 1", "-d web 2:8080", "read 1"];
    assert_eq!(world.take_log(), expected);
    assert_eq!(world.weights(), [(1, 1), (3, 1)]);
    assert!(world.controller.is_settled());
}

#[test]
fn a_wish_that_is_the_same_costs_nothing() {
    let mut world = World::new(options());
    world.controller.wish(web_with(&[1]));
    world.work();
    world.take_log();
    world.take_events();
    world.controller.wish(web_with(&[1]));
    world.controller.wish_all([web_with(&[1])]);
    world.work();
    assert!(world.take_log().is_empty() && world.take_events().is_empty());
}

#[test]
fn a_wish_is_unsettled_until_its_fate_is_known() {
    let mut world = World::new(options());
    let id = web().id;
    assert!(!world.controller.is_unsettled(id));
    world.controller.wish(web_with(&[1]));
    assert!(world.controller.is_unsettled(id));
    world.work();
    assert!(!world.controller.is_unsettled(id));
    // The same wish has its fate already, and destinations that drain are none of the wish.
    world.controller.wish(web_with(&[1]));
    assert!(!world.controller.is_unsettled(id));
    world.connect(1, 1, 0);
    world.controller.wish(web_with(&[2]));
    assert!(world.controller.is_unsettled(id));
    world.work();
    assert!(!world.controller.is_settled() && !world.controller.is_unsettled(id));
    // A service that leaves has no wish.
    world.controller.forget(id);
    assert!(!world.controller.is_unsettled(id));
}

#[test]
fn a_wish_is_the_same_whatever_former_wishes_marked() {
    let mut world = World::new(options());
    world.controller.wish(Wish::new(web_with(&[1, 2])).at_once(id_of(2)));
    world.work();
    world.connect(2, 1, 0);
    world.controller.wish(web_with(&[1]));
    world.take_events();
    // Said again before the mark of the former wish has done its work.
    world.controller.wish(web_with(&[1]));
    assert!(world.take_events().is_empty());
    world.work();
    assert_eq!(world.weights(), [(1, 1)]);
}

#[test]
fn the_newest_wish_counts_while_an_earlier_one_is_written() {
    let mut world = World::new(options());
    world.controller.wish(web_with(&[1]));
    world.work();
    world.take_events();
    world.controller.wish(web_with(&[1, 2, 3]));
    // The reading, and then the writing, of which no answer comes before the next wish.
    for _ in 0..2 {
        let Next::Do(task) = world.controller.next(world.now) else {
            panic!("a task is due");
        };
        let answer = world.perform(&task);
        if matches!(task.work(), Work::Write(_)) {
            world.controller.wish(web_with(&[4]));
        }
        assert!(world.controller.answer(task.number(), answer, world.now));
    }
    world.work();
    world.pass(Duration::from_secs(1));
    assert_eq!(world.weights(), [(4, 1)]);
    assert!(world.take_events().contains(&"web has a newer wish".to_owned()));
}

#[test]
fn many_services_are_confirmed_by_one_reading_of_all() {
    let mut world = World::new(options());
    let all = || (1..=3000).map(numbered);
    world.controller.wish_all(all());
    world.work();
    assert_eq!(world.table.len(), 3000);
    let log = world.take_log();
    let (reads, writes): (Vec<_>, Vec<_>) = log.iter().partition(|line| !line.starts_with("write"));
    assert_eq!(
        reads,
        ["list", "list", "destinations 1024", "destinations 1024", "destinations 952"]
    );
    assert!(writes.len() <= 8, "{writes:?}");
    let settled = world.take_events().iter().filter(|line| line.ends_with("is as wished")).count();
    assert_eq!(settled, 3000);
    // All of them leave.
    world.controller.wish_all::<TableService>([]);
    world.pass(Duration::from_secs(1));
    assert!(world.table.is_empty() && world.controller.is_settled());
    let left = world.take_events().iter().filter(|line| line.ends_with("has left")).count();
    assert_eq!(left, 3000);
}

#[test]
fn what_is_in_scope_and_not_wished_leaves() {
    let mut world = World::new(options());
    world.put(&web_with(&[1]));
    world.put(&numbered(7));
    world.controller.wish(numbered(7));
    world.pass(Duration::from_secs(1));
    assert_eq!(world.table.keys().copied().collect::<Vec<_>>(), [numbered(7).id()]);
    let events = world.take_events();
    assert!(events.contains(&"web is about to leave".to_owned()), "{events:?}");
    assert!(events.contains(&"web has left".to_owned()));
}

#[test]
fn nothing_outside_the_scope_is_written() {
    let scope = Scope::only(Scope::new().service(numbered(1).id()));
    let mut world = World::new(ControllerOptions::new().plan(plan().scope(scope)));
    world.put(&web_with(&[1]));
    world.controller.wish(web_with(&[2]));
    world.controller.wish(numbered(1));
    world.pass(Duration::from_secs(600));
    assert_eq!(world.weights(), [(1, 1)]);
    let events = world.take_events();
    let refused = events.iter().filter(|line| line.starts_with("web cannot be kept"));
    assert_eq!(refused.count(), 1, "{events:?}");
    assert!(world.controller.owned().eq([numbered(1).id()]));
}

#[test]
fn what_was_wished_leaves_though_the_scope_does_not_name_it() {
    let mut world = World::new(ControllerOptions::new().plan(plan().scope(Scope::new())));
    world.put(&numbered(1));
    world.controller.wish(web_with(&[1]));
    world.work();
    assert!(world.controller.owned().eq([web().id]));
    world.controller.forget(web().id);
    assert!(world.controller.owned().eq([web().id]), "it is still there");
    world.pass(Duration::from_secs(1));
    assert_eq!(world.table.keys().copied().collect::<Vec<_>>(), [numbered(1).id()]);
    assert_eq!(world.controller.owned().count(), 0);
    // Another run takes it over.
    world.put(&web_with(&[1]));
    let mut again = World::new(ControllerOptions::new());
    again.table = world.table;
    again.controller.wish(numbered(1));
    again.controller.formerly([web().id, numbered(1).id()]);
    again.pass(Duration::from_secs(1));
    assert_eq!(again.table.keys().copied().collect::<Vec<_>>(), [numbered(1).id()]);
}

#[test]
fn an_invalid_wish_holds_up_nobody_else() {
    let mut world = World::new(options());
    let odd = Service::fwmark(0, crate::model::AddressFamily::Ipv4);
    world.controller.wish_all([TableService::new(odd.clone()), web_with(&[1])]);
    world.pass(Duration::from_secs(300));
    assert_eq!(world.weights(), [(1, 1)]);
    let refused: Vec<String> =
        world.take_events().into_iter().filter(|line| line.contains("cannot be kept")).collect();
    assert_eq!(refused.len(), 1, "{refused:?}");
    world.controller.forget(odd.id);
    world.pass(Duration::from_secs(1));
    assert!(world.controller.is_settled());
}

#[test]
fn an_action_that_is_not_allowed_is_told_and_not_done() {
    let allowed = Actions::all() - Actions::DELETE_DESTINATION;
    let mut world = World::new(ControllerOptions::new().plan(plan().allowed(allowed)));
    world.put(&web_with(&[1, 2]));
    world.controller.wish(web_with(&[1]));
    world.pass(Duration::from_secs(200));
    assert_eq!(world.weights(), [(1, 1), (2, 1)]);
    let events = world.take_events();
    let refused = events.iter().filter(|line| line.contains("cannot be kept"));
    assert_eq!(refused.count(), 1, "{events:?}");
}

#[test]
fn a_service_that_may_not_be_deleted_is_not_announced_as_leaving() {
    let allowed = Actions::all() - Actions::DELETE_SERVICE;
    let mut world = World::new(ControllerOptions::new().plan(plan().allowed(allowed)));
    world.put(&web_with(&[1]));
    world.pass(200 * Duration::from_secs(1));
    let events = world.take_events();
    assert!(!events.iter().any(|line| line.contains("about to leave")), "{events:?}");
    assert_eq!(world.weights(), [(1, 1)]);
}

#[test]
fn a_wish_that_comes_back_before_it_was_written_is_written_once() {
    let mut world = World::new(options());
    world.controller.wish(web_with(&[1]));
    world.work();
    world.take_log();
    let next = |world: &mut World| {
        let Next::Do(task) = world.controller.next(world.now) else { panic!("a task is due") };
        let answer = world.perform(&task);
        world.controller.answer(task.number(), answer, world.now);
    };
    world.controller.wish(web_with(&[1, 2]));
    next(&mut world);
    // The job is there, and nothing of it is written.
    world.controller.wish(web_with(&[1]));
    world.controller.wish(web_with(&[1, 2]));
    world.work();
    assert_eq!(world.take_log(), ["read 1", "read 1", "-a web 2 -w 1", "read 1"]);
}

#[test]
fn how_a_destination_leaves_is_what_either_wish_says() {
    for newer in [false, true] {
        let mut world = World::new(options());
        let dead = id_of(2);
        let first = Wish::new(web_with(&[1, 2]));
        world.controller.wish(if newer { first } else { first.at_once(dead) });
        world.work();
        world.connect(2, 5, 0);
        world.take_log();
        let next = Wish::new(web_with(&[1]));
        world.controller.wish(if newer { next.at_once(dead) } else { next });
        world.work();
        assert_eq!(world.weights(), [(1, 1)]);
        let events = world.take_events();
        assert!(
            events.iter().any(|line| line.contains("deleted at once, and cut: active 5")),
            "{events:?}"
        );
    }
}

#[test]
fn a_controller_without_wishes_and_scope_does_nothing() {
    let mut world = World::new(ControllerOptions::new());
    world.put(&web_with(&[1]));
    assert_eq!(world.work(), None);
    assert!(world.take_log().is_empty() && world.controller.is_settled());
    let none: [ServiceId; 0] = [];
    world.controller.formerly(none);
    assert_eq!(world.work(), None);
}
