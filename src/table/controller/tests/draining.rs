//! Drains go on while everything else does.

use std::time::Duration;

use crate::engine::Outcome;
use crate::error::{Error, ErrorKind};
use crate::model::{Change, Operation};
use crate::table::controller::tests::world::{World, id_of, numbered, options, plan, web_with};
use crate::table::controller::{ControllerOptions, Wish};
use crate::table::tests::planning::{server, web};
use crate::table::{Actions, DrainPolicy, DrainUntil, TableDestination, TableService};

const SECOND: Duration = Duration::from_secs(1);

fn drained(events: &[String]) -> Vec<&str> {
    let about = |line: &&String| {
        line.contains("drains") || line.contains("deleted") || line.contains("wished again")
    };
    events
        .iter()
        .filter(about)
        .filter(|line| !line.starts_with("done"))
        .map(String::as_str)
        .collect()
}

/// A world in which server 2 has connections and begins to drain.
fn draining() -> World {
    let mut world = World::new(options());
    world.controller.wish(web_with(&[1, 2]));
    world.work();
    world.connect(2, 3, 0);
    world.controller.wish(web_with(&[1]));
    world.work();
    world.take_log();
    assert_eq!(drained(&world.take_events()), ["web -> 10.0.0.2:8080 drains"]);
    assert_eq!(world.weights(), [(1, 1), (2, 0)]);
    world
}

#[test]
fn a_destination_is_deleted_when_its_connections_have_ended() {
    let mut world = draining();
    world.pass(10 * SECOND);
    // A look each half second, at this service alone.
    let log = world.take_log();
    assert!((18..=20).contains(&log.len()) && log.iter().all(|line| line == "read 1"), "{log:?}");
    world.connect(2, 0, 0);
    world.pass(SECOND);
    assert_eq!(world.weights(), [(1, 1)]);
    let expected = ["web -> 10.0.0.2:8080 deleted: its connections had ended"];
    assert_eq!(drained(&world.take_events()), expected);
    world.take_log();
    world.pass(20 * SECOND);
    assert!(world.take_log().is_empty());
}

#[test]
fn a_policy_that_is_set_later_counts_for_drains_that_begin_later() {
    let mut world = draining();
    world.connect(1, 3, 0);
    world.controller.set_drain(Some(DrainPolicy::new().deadline(Some(SECOND))));
    world.controller.wish(web_with(&[3]));
    world.pass(3 * SECOND);
    assert_eq!(world.weights(), [(2, 0), (3, 1)]);
    world.controller.set_drain(None);
    world.pass(SECOND);
    assert_eq!(world.weights(), [(3, 1)]);
}

#[test]
fn the_deadline_runs_on_across_wishes_and_cuts() {
    let mut world = draining();
    for second in 1..30 {
        world.pass(SECOND);
        world.controller.wish(web_with(&[1, 3 + second]));
    }
    assert!(world.weights().contains(&(2, 0)));
    world.pass(2 * SECOND);
    assert!(!world.weights().iter().any(|(host, _)| *host == 2));
    let events = world.take_events();
    let cut = "web -> 10.0.0.2:8080 deleted, and cut connections that carried data: active 3 inactive 0 persistent 0";
    assert!(drained(&events).contains(&cut), "{events:?}");
}

#[test]
fn a_destination_that_is_wished_again_gets_its_weight_back() {
    let mut world = draining();
    world.pass(10 * SECOND);
    world.controller.wish(web_with(&[1, 2]));
    world.work();
    assert_eq!(world.weights(), [(1, 1), (2, 1)]);
    assert_eq!(drained(&world.take_events()), ["web -> 10.0.0.2:8080 wished again"]);
    // A new drain has a new deadline.
    world.controller.wish(web_with(&[1]));
    world.pass(25 * SECOND);
    assert_eq!(world.weights(), [(1, 1), (2, 0)]);
}

#[test]
fn a_destination_of_any_weight_gets_back_the_weight_that_it_had() {
    let mut world = World::new(ControllerOptions::new().plan(plan().keep_weights(true)));
    let any = |hosts: &[u8]| {
        hosts.iter().fold(TableService::new(web()), |service, host| {
            service.with(TableDestination::of_any_weight(server(*host)))
        })
    };
    world.controller.wish(any(&[1, 2]));
    world.work();
    let heavy = Change::UpdateDestination(web().id, server(2).weight(7));
    world.write(&heavy).unwrap();
    world.connect(2, 1, 0);
    world.controller.wish(any(&[1]));
    world.pass(SECOND);
    assert_eq!(world.weights(), [(1, 1), (2, 0)]);
    world.controller.wish(any(&[1, 2]));
    world.pass(SECOND);
    assert_eq!(world.weights(), [(1, 1), (2, 7)]);
}

#[test]
fn a_restarted_program_continues_a_drain_with_a_new_deadline() {
    let mut world = draining();
    world.pass(20 * SECOND);
    let mut again = World::new(options());
    (again.table, again.now) = (world.table, world.now);
    again.controller.wish(web_with(&[1]));
    again.pass(29 * SECOND);
    assert_eq!(again.weights(), [(1, 1), (2, 0)]);
    again.pass(2 * SECOND);
    assert_eq!(again.weights(), [(1, 1)]);
}

#[test]
fn no_deadline_means_for_ever() {
    let policy = DrainPolicy::new().deadline(None).until(DrainUntil::NoConnections);
    let mut world = World::new(ControllerOptions::new().plan(plan().drain(Some(policy))));
    world.controller.wish(web_with(&[1, 2]));
    world.work();
    world.connect(2, 0, 1);
    world.controller.wish(web_with(&[1]));
    world.pass(3600 * SECOND);
    assert_eq!(world.weights(), [(1, 1), (2, 0)]);
    world.connect(2, 0, 0);
    world.pass(SECOND);
    assert_eq!(world.weights(), [(1, 1)]);
}

#[test]
fn a_look_at_many_drains_reads_their_services_only() {
    let mut world = World::new(options());
    let wish = |number, hosts: &[u8]| {
        let service = TableService::new(numbered(number).service().clone());
        hosts.iter().fold(service, |service, host| service.with(server(*host)))
    };
    world.controller.wish_all((1..=1000).map(|number| wish(number, &[1, 2])));
    world.work();
    for (_, destinations) in world.table.values_mut() {
        destinations.get_mut(&id_of(2)).unwrap().connections.active = 1;
    }
    (1..=100).for_each(|number| world.controller.wish(wish(number, &[1])));
    world.work();
    world.take_log();
    world.pass(Duration::from_millis(600));
    assert_eq!(world.take_log(), ["read 100"]);
}

#[test]
fn a_service_leaves_destination_by_destination_or_at_once() {
    let mut world = draining();
    world.pass(20 * SECOND);
    world.connect(1, 1, 0);
    world.controller.forget(web().id);
    world.pass(9 * SECOND);
    assert_eq!(world.weights(), [(1, 0), (2, 0)]);
    // The deadline of the one that began earlier.
    world.pass(2 * SECOND);
    assert_eq!(world.weights(), [(1, 0)]);
    world.connect(1, 0, 0);
    world.pass(SECOND);
    assert!(world.table.is_empty());
    // One service that leaves with all its idle destinations is one deletion.
    let log = world.take_log();
    assert_eq!(log.iter().filter(|line| line.starts_with("-D")).count(), 1);
    let mut at_once = World::new(options());
    at_once.controller.wish(Wish::new(web_with(&[1, 2])).all_at_once());
    at_once.work();
    at_once.connect(1, 4, 0);
    at_once.take_log();
    at_once.controller.forget(web().id);
    at_once.work();
    assert_eq!(at_once.take_log(), ["read 1", "-D web", "read 1"]);
    assert!(at_once.take_events().iter().any(|line| line.contains("cut: active 4")));
}

#[test]
fn without_a_drain_policy_destinations_leave_at_once() {
    let mut world = World::new(ControllerOptions::new().plan(plan().drain(None)));
    world.controller.wish(web_with(&[1, 2]));
    world.work();
    world.connect(2, 9, 0);
    world.take_log();
    world.controller.wish(web_with(&[1]));
    world.work();
    assert_eq!(world.weights(), [(1, 1)]);
    assert_eq!(world.take_log().len(), 3);
}

#[test]
fn a_wish_says_how_the_destinations_of_its_service_leave() {
    let mut world = World::new(ControllerOptions::new().plan(plan().drain(None)));
    let policy = DrainPolicy::new().deadline(Some(5 * SECOND));
    let wish = |hosts: &[u8]| Wish::new(web_with(hosts)).drain(policy);
    world.controller.wish(wish(&[1, 2]));
    world.work();
    world.connect(2, 9, 0);
    world.controller.wish(wish(&[1]));
    world.pass(4 * SECOND);
    assert_eq!(world.weights(), [(1, 1), (2, 0)]);
    world.pass(2 * SECOND);
    assert_eq!(world.weights(), [(1, 1)]);
    // It still holds when the service is forgotten.
    world.connect(1, 1, 0);
    world.controller.forget(web().id);
    world.pass(4 * SECOND);
    assert_eq!(world.weights(), [(1, 0)]);
    world.pass(2 * SECOND);
    assert!(world.table.is_empty());
}

#[test]
fn a_later_wish_that_does_not_say_it_leaves_it_to_the_options() {
    let mut world = World::new(options());
    let brief = DrainPolicy::new().deadline(Some(SECOND));
    world.controller.wish(Wish::new(web_with(&[1, 2, 3])).drain(brief));
    world.work();
    world.connect(2, 1, 0);
    world.connect(3, 1, 0);
    world.controller.wish(Wish::new(web_with(&[1, 2])).drain(brief));
    world.pass(2 * SECOND);
    assert_eq!(world.weights(), [(1, 1), (2, 1)]);
    world.controller.wish(web_with(&[1, 2]));
    world.take_events();
    world.work();
    assert_eq!(world.take_events().last().map(String::as_str), Some("web is as wished"));
    world.controller.wish(web_with(&[1]));
    world.pass(20 * SECOND);
    assert_eq!(world.weights(), [(1, 1), (2, 0)]);
}

#[test]
fn what_others_delete_ends_its_drain() {
    let mut world = draining();
    world.write(&Change::DeleteDestination(web().id, id_of(2))).unwrap();
    world.pass(SECOND);
    let events = world.take_events();
    assert_eq!(drained(&events), ["web -> 10.0.0.2:8080 another program deleted it"]);
}

#[test]
fn a_drain_of_a_service_whose_wish_is_refused_is_not_waited_for() {
    let allowed = Actions::all() - Actions::ADD_DESTINATION;
    let mut world = World::new(ControllerOptions::new().plan(plan().allowed(allowed)));
    world.put(&web_with(&[1, 2]));
    world.controller.wish(web_with(&[1, 2]));
    world.work();
    world.connect(2, 1, 0);
    world.controller.wish(web_with(&[1]));
    world.work();
    assert!(!world.controller.is_settled());
    world.controller.wish(web_with(&[1, 3]));
    world.pass(SECOND);
    assert_eq!(world.weights(), [(1, 1), (2, 0)]);
    assert!(world.controller.is_settled());
    // The deadline has run on.
    world.pass(60 * SECOND);
    world.controller.wish(web_with(&[1]));
    world.work();
    assert_eq!(world.weights(), [(1, 1)]);
}

fn refuse_deletions(change: &Change) -> Option<Outcome> {
    let error = Error::for_test(ErrorKind::Rejected, Operation::DeleteDestination);
    matches!(change, Change::DeleteDestination(..)).then_some(Outcome::Refused(error))
}

#[test]
fn what_cannot_be_deleted_at_its_deadline_is_not_looked_at_all_the_time() {
    let policy = DrainPolicy::new().deadline(Some(SECOND));
    let mut world = World::new(ControllerOptions::new().plan(plan().drain(Some(policy))));
    world.put(&web_with(&[1, 2]));
    world.connect(2, 1, 0);
    world.refuse = Some(refuse_deletions);
    world.controller.wish(web_with(&[1]));
    world.pass(20 * SECOND);
    let log = world.take_log();
    assert!(log.len() < 100, "{log:?}");
    world.refuse = None;
    world.pass(20 * SECOND);
    assert_eq!(world.weights(), [(1, 1)]);
}

#[test]
fn a_drain_that_waits_for_active_connections_only_cuts_nothing() {
    let policy = DrainPolicy::new().until(DrainUntil::NoActive);
    let options = ControllerOptions::new().plan(plan().drain(Some(policy)));
    let mut world = World::new(options);
    world.controller.wish(web_with(&[1, 2]));
    world.work();
    world.connect(2, 3, 0);
    world.controller.wish(web_with(&[1]));
    world.work();
    // Closed a moment ago.
    world.connect(2, 0, 3);
    world.pass(2 * SECOND);
    assert_eq!(world.weights(), [(1, 1)]);
    let expected = "web -> 10.0.0.2:8080 deleted: its connections had ended";
    assert_eq!(drained(&world.take_events()).last(), Some(&expected));
}
