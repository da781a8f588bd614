//! Maintenances of the real director that others have ordered, with and without an end.

use std::time::{Duration, SystemTime};

use director::control::protocol::Order;
use director::status::{DestinationState, MaintenanceStatus};
use ipvs_netlink::ServiceId;
use ipvs_netlink::health::MaintenanceKind;

use crate::desk::{Desk, row};
use crate::scene::{WEB, server};

/// When a maintenance ends by itself, as the screen says: `..., 59 min 58 s left, by alice`.
fn shown_end(row: &str) -> SystemTime {
    let now = SystemTime::now();
    let left = row.split(" left").next().unwrap().rsplit(", ").next().unwrap();
    let words: Vec<_> = left.split(' ').collect();
    let ["min", "s"] = [words[1], words[3]] else { panic!("{row}") };
    let [minutes, seconds] = [words[0], words[2]].map(|number| number.parse::<u64>().unwrap());
    now + Duration::from_secs(60 * minutes + seconds)
}

fn is_near(one: SystemTime, other: SystemTime, tolerance: Duration) -> bool {
    let distance = one.duration_since(other).or_else(|_| other.duration_since(one));
    distance.unwrap() < tolerance
}

/// Longer than the screen takes to be drawn, and much shorter than a maintenance.
const DRAWN: Duration = Duration::from_secs(20);
/// An order has whole seconds, and takes some time to be carried out.
const WHOLE: Duration = Duration::from_secs(5);

/// Orders a maintenance of an hour for the first server, as another user does.
fn maintain_for_an_hour(desk: &Desk, kind: MaintenanceKind) {
    let answer = desk.daemon.ask(&Order::Maintain {
        service: Some(ServiceId::tcp(WEB)),
        destination: server(8000).into(),
        kind,
        by: "alice".to_owned(),
        lasts: Some(Duration::from_secs(3600)),
    });
    assert_eq!(answer["answer"], "done", "{answer}");
}

/// Asserts that the first server is in a timed drain of alice, and returns its end.
#[track_caller]
fn is_alices(desk: &mut Desk) -> SystemTime {
    let said = desk.agree(8000, DestinationState::Drained, ("drained", 0), " left, by alice");
    let row = row(&desk.tmux.screen(), 8000);
    let MaintenanceStatus { kind, by, until } = said.maintenance.unwrap();
    assert_eq!((kind, by.as_str()), (MaintenanceKind::Drain, "alice"));
    let until = until.unwrap();
    assert!(is_near(shown_end(&row), until, DRAWN), "{row}: {until:?}");
    until
}

#[test]
fn a_timed_maintenance_is_given_back_with_its_end() {
    let mut desk = Desk::new();
    maintain_for_an_hour(&desk, MaintenanceKind::Drain);
    let until = is_alices(&mut desk);

    desk.order("r", "End the maintenance of 127.0.0.1:8000");
    let said = desk.agree(8000, DestinationState::Up, ("up", 3), "");
    assert_eq!(said.maintenance, None);
    desk.order("u", "Begin it again for 127.0.0.1:8000");
    let again = is_alices(&mut desk);
    assert!(is_near(again, until, WHOLE), "{again:?}: {until:?}");

    // One without an end replaces it.
    desk.order("d", "It drains by order of alice: this replaces that order.");
    let maintenance = desk.daemon.destination(server(8000)).maintenance.unwrap();
    assert_eq!(maintenance.until, None);
    let shown = format!("drained, none active, by {}", maintenance.by);
    desk.agree(8000, DestinationState::Drained, ("drained", 0), &shown);
    desk.order("u", "Give the former maintenance back to 127.0.0.1:8000");
    let again = is_alices(&mut desk);
    assert!(is_near(again, until, WHOLE), "{again:?}: {until:?}");
}

#[test]
fn what_is_out_comes_back_and_goes_again() {
    let mut desk = Desk::new();
    let is_out = |desk: &mut Desk| {
        let said = desk.daemon.wait_until(8000, "out", |it| {
            it.state == DestinationState::Out && it.in_table.is_none()
        });
        let maintenance = said.maintenance.unwrap();
        assert_eq!((maintenance.kind, maintenance.by.as_str()), (MaintenanceKind::Out, "alice"));
        assert_eq!(desk.weight(8000), None);
        let is_so = |screen: &str| {
            let row = row(screen, 8000);
            let is_out = row.split_whitespace().skip(1).take(2).eq(["out", "-"]);
            is_out && row.contains("out of the table") && row.ends_with(" left, by alice")
        };
        let screen = desk.tmux.wait_for("one that is out", is_so);
        let until = maintenance.until.unwrap();
        assert!(is_near(shown_end(&row(&screen, 8000)), until, DRAWN), "{until:?}: {screen}");
        until
    };
    maintain_for_an_hour(&desk, MaintenanceKind::Out);
    let until = is_out(&mut desk);
    desk.order("r", "End the maintenance of 127.0.0.1:8000");
    desk.agree(8000, DestinationState::Up, ("up", 3), "");
    desk.order("u", "Begin it again for 127.0.0.1:8000");
    let again = is_out(&mut desk);
    assert!(is_near(again, until, WHOLE), "{again:?}: {until:?}");
}

#[test]
fn an_order_of_somebody_else_meanwhile_stays() {
    let mut desk = Desk::new();
    desk.tmux.press("d");
    let asked = desk.tmux.wait_text("y yes");
    assert!(asked.contains("Drain 127.0.0.1:8000"), "{asked}");
    maintain_for_an_hour(&desk, MaintenanceKind::Drain);
    desk.tmux.press("y");
    desk.tmux.wait_text("somebody else has given an order for 127.0.0.1:8000 meanwhile");
    is_alices(&mut desk);
}

#[test]
fn a_director_that_was_started_again_takes_the_orders_of_before() {
    let mut desk = Desk::new();
    maintain_for_an_hour(&desk, MaintenanceKind::Drain);
    is_alices(&mut desk);
    desk.tmux.press("r");
    desk.tmux.wait_text("y yes");

    desk.daemon.kill();
    desk.tmux.wait_text("no answer from the director");
    desk.tmux.press("y");
    desk.tmux.wait_text("refused: the director steers this table");
    assert_eq!(desk.weight(8000), Some(0));
    desk.daemon.start_again(&desk.home);
    desk.tmux.wait_for("director", |screen| !screen.contains("no answer from the director"));
    let until = is_alices(&mut desk);

    // The end is the same to the last digit: nobody has given an order meanwhile.
    desk.tmux.press("r");
    desk.tmux.wait_text("y yes");
    desk.daemon.kill();
    desk.tmux.wait_text("no answer from the director");
    desk.daemon.start_again(&desk.home);
    desk.tmux.wait_for("director", |screen| !screen.contains("no answer from the director"));
    desk.confirm("End the maintenance of 127.0.0.1:8000");
    desk.agree(8000, DestinationState::Up, ("up", 3), "");
    desk.order("u", "Begin it again for 127.0.0.1:8000");
    let again = is_alices(&mut desk);
    assert!(is_near(again, until, WHOLE), "{again:?}: {until:?}");
}
