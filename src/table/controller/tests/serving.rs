//! Programs are told when to announce and withdraw an address.

use std::time::Duration;

use crate::model::Change;
use crate::table::TableService;
use crate::table::controller::Next;
use crate::table::controller::tests::world::{World, id_of, options, web_with};
use crate::table::tests::planning::{server, web};

const SECOND: Duration = Duration::from_secs(1);

fn told(world: &mut World) -> Vec<String> {
    let words = ["serves", "no usable", "about to leave", "has left"];
    let about = |line: &String| words.iter().any(|word| line.contains(word));
    world.take_events().into_iter().filter(about).collect()
}

#[test]
fn a_service_serves_once_it_has_a_usable_destination() {
    let mut world = World::new(options());
    let idle = TableService::new(web()).with(server(1).weight(0));
    world.controller.wish(idle);
    world.work();
    assert!(told(&mut world).is_empty());
    world.controller.wish(web_with(&[1]));
    world.work();
    assert_eq!(told(&mut world), ["web serves"]);
    world.controller.wish(TableService::new(web()));
    world.work();
    assert_eq!(told(&mut world), ["web has no usable destination"]);
}

#[test]
fn whoever_takes_the_last_destination_it_is_told() {
    let mut world = World::new(options());
    world.controller.wish(web_with(&[1]));
    world.work();
    world.take_events();
    world.write(&Change::DeleteDestination(web().id, id_of(1))).unwrap();
    world.pass(70 * SECOND);
    assert_eq!(told(&mut world), ["web has no usable destination", "web serves"]);
}

#[test]
fn a_hold_time_that_is_set_later_counts_for_services_that_leave_later() {
    let mut world = World::new(options());
    world.controller.wish(web_with(&[1]));
    world.work();
    world.controller.set_hold(5 * SECOND);
    world.controller.forget(web().id);
    world.pass(4 * SECOND);
    world.controller.set_hold(Duration::ZERO);
    world.pass(SECOND / 2);
    assert_eq!(world.weights(), [(1, 1)]);
    world.pass(SECOND);
    assert!(world.table.is_empty());
}

#[test]
fn nothing_is_taken_from_a_service_before_its_hold_time_has_passed() {
    let mut world = World::new(options().hold(5 * SECOND));
    world.controller.wish(web_with(&[1]));
    world.work();
    world.take_events();
    world.controller.forget(web().id);
    world.pass(4 * SECOND);
    assert_eq!(told(&mut world), ["web is about to leave"]);
    assert_eq!(world.weights(), [(1, 1)]);
    world.pass(2 * SECOND);
    assert_eq!(told(&mut world), ["web has left"]);
    assert!(world.table.is_empty());
}

#[test]
fn a_service_that_is_wished_again_while_held_serves_again() {
    let mut world = World::new(options().hold(5 * SECOND));
    world.controller.wish(web_with(&[1]));
    world.work();
    world.controller.forget(web().id);
    world.pass(SECOND);
    world.take_events();
    world.controller.wish(web_with(&[1]));
    world.pass(60 * SECOND);
    assert_eq!(told(&mut world), ["web serves"]);
    assert_eq!(world.weights(), [(1, 1)]);
    // Its next leave has a hold time of its own.
    world.controller.forget(web().id);
    world.pass(4 * SECOND);
    assert_eq!(world.weights(), [(1, 1)]);
}

#[test]
fn leaving_is_told_before_the_first_write_even_without_a_hold_time() {
    let mut world = World::new(options());
    world.controller.wish(web_with(&[1]));
    world.work();
    world.take_events();
    world.controller.forget(web().id);
    let Next::Do(task) = world.controller.next(world.now) else { panic!("a reading is due") };
    let answer = world.perform(&task);
    world.controller.answer(task.number(), answer, world.now);
    // No write has been handed out yet.
    assert_eq!(told(&mut world), ["web is about to leave"]);
    assert_eq!(world.weights(), [(1, 1)]);
}
