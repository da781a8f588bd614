//! Orders that the real director carries out: what the screen shows is what the director says and the
//! kernel has.

use director::status::{DestinationState, MaintenanceStatus};
use ipvs_netlink::health::MaintenanceKind;
use ipvs_netlink::{Destination, Scheduler, Service};

use crate::desk::{Desk, row};
use crate::greeting::{Connection, serve};
use crate::scene::{LOCAL, MAIL, WEB, server};
use crate::tmux::PATIENCE;

#[test]
fn the_dead_one_is_shown_with_its_reason() {
    let mut desk = Desk::new();
    let said = desk.daemon.destination(server(8002));
    assert!(said.reason.contains("refused"), "{said:?}");
    let dead = row(&desk.tmux.screen(), 8002);
    assert!(dead.split_whitespace().skip(1).take(2).eq(["dead", "-"]), "{dead}");
    assert_eq!((desk.weight(8002), said.in_table), (None, None));
    // The line has no room for all of it.
    desk.tmux.press("G");
    desk.tmux.wait_text(&format!(": {}", said.reason));
    desk.tmux.press("r");
    desk.tmux.wait_text("no maintenance and no weight is ordered: the checks decide");
}

#[test]
fn one_that_is_dead_and_drained_is_shown_as_both() {
    let mut desk = Desk::new();
    desk.tmux.press("G");
    desk.order("d", "Drain 127.0.0.1:8002");
    let said = desk.daemon.wait_until(8002, "drained", |it| it.state == DestinationState::Drained);
    let by = said.maintenance.unwrap().by;
    assert!(said.reason.contains("refused"), "{}", said.reason);
    let shown = format!("drained, not in the table, by {by}; {}", said.reason);
    let is_out = |screen: &str| {
        let row = row(screen, 8002);
        row.split_whitespace().skip(1).take(2).eq(["out", "-"]) && screen.contains(&shown)
    };
    desk.tmux.wait_for(&shown, is_out);
    assert_eq!((desk.weight(8002), said.in_table), (None, None));

    // It has no connections that a drain in the table would let end.
    let _third = serve(&desk.home, server(8002), "x").unwrap();
    let said = desk.daemon.wait_until(8002, "live", |it| it.reason.is_empty());
    assert_eq!((said.state, said.in_table), (DestinationState::Drained, None));
    let shown = format!("drained, not in the table, by {by}");
    desk.tmux.wait_for(&shown, |screen| row(screen, 8002).ends_with(&shown));
    desk.order("r", "End the maintenance of 127.0.0.1:8002");
    desk.agree(8002, DestinationState::Up, ("up", 3), "");
}

#[test]
fn a_drain_and_its_undos() {
    let mut desk = Desk::new();
    desk.agree(8000, DestinationState::Up, ("up", 3), "");
    let visit = || Connection::open(&desk.home, LOCAL, WEB, PATIENCE).unwrap();
    // One for each server: their weights are the same.
    let _clients = [visit(), visit()];

    desk.order("d", "Drain 127.0.0.1:8000");
    let drains = |desk: &mut Desk| {
        let said = desk.daemon.wait_until(8000, "drain", |it| it.maintenance.is_some());
        let MaintenanceStatus { kind, by, until } = said.maintenance.unwrap();
        assert_eq!((kind, until), (MaintenanceKind::Drain, None));
        let shown = format!("drains, 1 active, by {by}");
        let said = desk.agree(8000, DestinationState::Drained, ("drained", 0), &shown);
        assert_eq!(said.connections.map(|it| it.active), Some(1));
        assert_eq!(desk.weight(8001), Some(3));
    };
    drains(&mut desk);
    desk.tmux.press("d");
    desk.tmux.wait_text("refused: it is drained already");

    desk.order("r", "End the maintenance of 127.0.0.1:8000");
    let said = desk.agree(8000, DestinationState::Up, ("up", 3), "");
    assert_eq!(said.maintenance, None);

    // What was restored is drained again, and then the drain itself is taken back.
    desk.order("u", "Begin it again for 127.0.0.1:8000");
    drains(&mut desk);
    desk.order("u", "End the drain of 127.0.0.1:8000");
    let said = desk.agree(8000, DestinationState::Up, ("up", 3), "");
    assert_eq!(said.maintenance, None);

    desk.tmux.press("u");
    desk.tmux.wait_text("nothing to undo");
}

/// Types a weight for the selected server, which has one of one digit.
fn order_weight(desk: &Desk, from: u32, to: u32) {
    desk.tmux.press("w");
    desk.tmux.wait_text(&format!("weight of 127.0.0.1:8000: {from}"));
    for key in ["BSpace", &to.to_string(), "Enter"] {
        desk.tmux.press(key);
    }
    desk.confirm(&format!("Give weight {to} to 127.0.0.1:8000 (now {from})"));
}

#[test]
fn weights_and_their_undos() {
    let mut desk = Desk::new();
    let up = |desk: &mut Desk, weight, reason: &str| {
        let said = desk.agree(8000, DestinationState::Up, ("up", weight), reason);
        assert_eq!((said.weight, said.is_weight_ordered), (weight, !reason.is_empty()));
    };
    up(&mut desk, 3, "");
    order_weight(&desk, 3, 7);
    up(&mut desk, 7, "weight 7 ordered");
    order_weight(&desk, 7, 0);
    let shown = "drained, none active, weight 0 ordered";
    let said = desk.agree(8000, DestinationState::Up, ("drained", 0), shown);
    assert_eq!((said.weight, said.is_weight_ordered), (0, true));

    desk.order("u", "Take back the weight 0");
    up(&mut desk, 7, "weight 7 ordered");
    desk.order("r", "Give the weight of the director's file to 127.0.0.1:8000");
    up(&mut desk, 3, "");
    desk.order("u", "Order the former weight of 127.0.0.1:8000");
    up(&mut desk, 7, "weight 7 ordered");
    desk.order("u", "Take back the weight 7");
    up(&mut desk, 3, "");
}

#[test]
fn what_the_director_does_not_keep_is_ordered_in_the_kernel() {
    let mut desk = Desk::new();
    let mail = Service::tcp(MAIL).scheduler(Scheduler::ROUND_ROBIN);
    desk.ipvs.add_service(&mail).unwrap();
    desk.ipvs.add_destination(mail.id, &Destination::masquerade(server(8000))).unwrap();
    let weight = |desk: &mut Desk| {
        let snapshot = desk.ipvs.snapshot_of(&[mail.id]).unwrap();
        let service = snapshot.service(mail.id).unwrap();
        service.destination(server(8000).into()).unwrap().destination.weight
    };
    desk.tmux.press("q");
    desk.tmux.wait_text("TCP 127.0.0.80:25");
    for key in ["/", ":", "2", "5", "Enter"] {
        desk.tmux.press(key);
    }
    desk.tmux.wait_text("1 of 2 services");
    desk.tmux.press("Enter");
    desk.tmux.wait_text("127.0.0.1:8000");
    desk.tmux.press("d");
    let asked = desk.tmux.wait_text("y yes");
    assert!(asked.contains("Drain 127.0.0.1:8000 (weight 1 -> 0)"), "{asked}");
    assert!(!asked.contains("The director"), "{asked}");
    desk.tmux.press("y");
    desk.tmux.wait_text("has weight 0 (before: 1)");
    assert_eq!(weight(&mut desk), 0);

    // A director that does not answer may keep it by now.
    desk.daemon.kill();
    desk.tmux.wait_text("no answer from the director");
    desk.tmux.press("r");
    desk.tmux.wait_text("refused: the director steers this table");
    assert_eq!(weight(&mut desk), 0);
}
