//! Other programs write the same table.

use std::time::Duration;

use crate::model::{Change, Service};
use crate::table::controller::tests::world::{World, id_of, numbered, options, web_with};
use crate::table::tests::planning::{server, web};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn what_others_undo_is_done_again_at_the_next_reading_of_the_whole_table() {
    let mut world = World::new(options());
    world.controller.wish_all([web_with(&[1, 2]), numbered(1)]);
    world.work();
    world.take_events();
    world.take_log();
    world.write(&Change::DeleteDestination(web().id, id_of(2))).unwrap();
    world.write(&Change::DeleteService(numbered(1).id())).unwrap();
    world.write(&Change::AddService(Service::udp(([192, 0, 2, 1], 53).into()))).unwrap();
    world.pass(70 * SECOND);
    assert_eq!(world.weights(), [(1, 1), (2, 1)]);
    assert_eq!(world.table.len(), 2);
    let events = world.take_events();
    assert!(events.iter().any(|line| line.ends_with("2 services read, 3 differed")), "{events:?}");
    assert!(!events.iter().any(|line| line.contains("undone")));
}

#[test]
fn a_reading_of_the_whole_table_comes_each_minute_and_writes_nothing() {
    let mut world = World::new(options());
    world.controller.wish_all((1..=200).map(numbered));
    world.work();
    world.take_log();
    world.pass(600 * SECOND);
    let log = world.take_log();
    let lists = log.iter().filter(|line| *line == "list").count();
    assert!((9..=12).contains(&lists), "{lists}");
    assert_eq!(log.len(), 2 * lists, "{log:?}");
}

#[test]
fn a_reload_of_the_module_is_noticed_by_the_next_step() {
    let mut world = World::new(options());
    world.controller.wish_all((1..=200).map(numbered));
    world.work();
    world.table.clear();
    // Any wish meets it.
    world.controller.wish(web_with(&[1]));
    let changed = crate::table::TableService::new(numbered(7).service().clone()).with(server(2));
    world.controller.wish(changed);
    world.pass(2 * SECOND);
    assert!(world.table.contains_key(&numbered(7).id()));
    world.pass(70 * SECOND);
    assert_eq!(world.table.len(), 201);
}

#[test]
fn who_keeps_undoing_is_told_and_slows_the_quarrel_down() {
    let mut world = World::new(options());
    world.controller.wish(web_with(&[1, 2]));
    world.work();
    world.take_events();
    world.take_log();
    // Somebody deletes server 2 ten times a second, for ten minutes.
    for _ in 0..6000 {
        let _ = world.write(&Change::DeleteDestination(web().id, id_of(2)));
        world.pass(SECOND / 10);
    }
    let log = world.take_log();
    let writes = log.iter().filter(|line| line.starts_with('-')).count();
    assert!(writes < 40, "{writes} writes");
    assert!(log.len() < 200, "{} tasks", log.len());
    let events = world.take_events();
    let contested = events.iter().filter(|line| line.contains("undone")).count();
    assert!(contested >= 4, "{events:?}");
    // When it ends, the table is as wished within the longest delay.
    world.pass(70 * SECOND);
    assert_eq!(world.weights(), [(1, 1), (2, 1)]);
    world.pass(200 * SECOND);
    // The quarrel is forgotten: the next time it is done at once.
    world.write(&Change::DeleteDestination(web().id, id_of(2))).unwrap();
    world.take_events();
    world.pass(67 * SECOND);
    assert_eq!(world.weights(), [(1, 1), (2, 1)]);
    assert!(!world.take_events().iter().any(|line| line.contains("undone")));
}

#[test]
fn a_weight_that_somebody_gives_to_a_draining_destination_is_taken_again() {
    let mut world = World::new(options());
    world.controller.wish(web_with(&[1, 2]));
    world.work();
    world.connect(2, 1, 0);
    world.controller.wish(web_with(&[1]));
    world.pass(10 * SECOND);
    world.write(&Change::UpdateDestination(web().id, server(2))).unwrap();
    world.pass(SECOND);
    assert_eq!(world.weights(), [(1, 1), (2, 0)]);
    world.pass(20 * SECOND);
    assert_eq!(world.weights(), [(1, 1)], "the deadline is that of the beginning");
}

#[test]
fn who_asks_for_a_reading_does_not_wait_for_the_quarrel() {
    let mut world = World::new(options());
    world.controller.wish(web_with(&[1, 2]));
    world.work();
    for _ in 0..20 {
        let _ = world.write(&Change::DeleteDestination(web().id, id_of(2)));
        world.pass(10 * SECOND);
    }
    let _ = world.write(&Change::DeleteDestination(web().id, id_of(2)));
    world.controller.resynchronize();
    world.work();
    assert_eq!(world.weights(), [(1, 1), (2, 1)]);
}
