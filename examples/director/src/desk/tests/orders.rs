//! Orders.

use std::time::Duration;

use ipvs_netlink::health::MaintenanceKind;

use crate::control::protocol::{Answer, Order};
use crate::desk::tests::{SECOND, begin, begun, later, server, service};
use crate::state::Saved;

fn drain(host: u8, lasts: Option<u32>) -> Order {
    Order::Maintain {
        service: None,
        destination: server(host),
        kind: MaintenanceKind::Drain,
        by: "alice\x1b[2J".to_owned(),
        lasts: lasts.map(|seconds| seconds * SECOND),
    }
}

fn refused(answer: Answer) -> Vec<String> {
    match answer {
        Answer::Refused(lines) => lines,
        other => panic!("{other:?}"),
    }
}

fn done(answer: Answer) -> Vec<String> {
    match answer {
        Answer::Done { lines, not_saved: None } => lines,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_maintenance_begins_in_all_services_and_ends_by_itself() {
    let now = begin();
    let (mut desk, mut told) = begun(&[(80, &[(1, 1)]), (443, &[(1, 1)])], Saved::default(), now);
    let lines = done(desk.order(drain(1, Some(60)), "bob", now));
    let expected = "TCP 192.0.2.10:80 -> 10.0.0.1:8080 is in maintenance (drain) until 2026-11-18T11:07:40.000Z";
    assert_eq!(lines[0], expected);
    assert_eq!(lines.len(), 2);
    let maintained = "maintain 10.0.0.1:8080: drain, by alice\\u{1b}[2J, ends by itself";
    assert_eq!(told.take(&mut desk, now), [maintained, maintained]);
    assert_eq!(desk.saved().0.maintenances.len(), 2);
    assert_eq!(desk.next(), Some(now.instant + 60 * SECOND));
    let end = later(now, 60 * SECOND);
    desk.pass(end);
    assert!(told.take(&mut desk, end).is_empty() && told.maintained.is_empty());
    assert!(desk.saved().0.maintenances.is_empty());
}

#[test]
fn a_maintenance_is_replaced_and_ended_by_an_order() {
    let now = begin();
    let (mut desk, mut told) = begun(&[(80, &[(1, 1)])], Saved::default(), now);
    done(desk.order(drain(1, Some(60)), "bob", now));
    done(desk.order(drain(1, None), "bob", now));
    desk.pass(later(now, 61 * SECOND));
    assert_eq!(desk.saved().0.maintenances.len(), 1);
    let end = || Order::EndMaintenance { service: Some(service(80)), destination: server(1) };
    done(desk.order(end(), "bob", now));
    assert_eq!(told.take(&mut desk, now).last().unwrap(), "end 10.0.0.1:8080");
    assert_eq!(refused(desk.order(end(), "bob", now)), ["10.0.0.1:8080 is not in maintenance"]);
    assert!(told.take(&mut desk, now).is_empty());
}

#[test]
fn a_weight_of_an_order_counts_more_than_that_of_the_file() {
    let now = begin();
    let (mut desk, mut told) = begun(&[(80, &[(1, 5), (2, 5)])], Saved::default(), now);
    let weigh = |weight| Order::Weight { service: None, destination: server(1), weight };
    let lines = done(desk.order(weigh(Some(0)), "bob", now));
    assert_eq!(lines, ["TCP 192.0.2.10:80 -> 10.0.0.1:8080 has weight 0"]);
    assert_eq!(told.take(&mut desk, now), ["watch 80"]);
    let weight =
        |told: &super::Told| told.watched[&service(80)].destination(server(1)).unwrap().weight();
    assert_eq!(weight(&told), Some(0));
    // The same again touches nothing.
    done(desk.order(weigh(Some(0)), "bob", now));
    assert!(told.take(&mut desk, now).is_empty());
    done(desk.order(weigh(None), "bob", now));
    told.take(&mut desk, now);
    assert_eq!(weight(&told), Some(5));
    let lines = refused(desk.order(weigh(Some(u32::MAX)), "bob", now));
    assert_eq!(lines, ["the weight is 4294967295, and the greatest is 2147483647"]);
}

#[test]
fn who_asks_for_the_wrong_one_is_told_what_there_is() {
    let now = begin();
    let (mut desk, _) = begun(&[(80, &[(1, 1)]), (443, &[(2, 1)])], Saved::default(), now);
    let weigh = |service, destination| Order::Weight { service, destination, weight: Some(1) };
    let other_port = std::net::SocketAddr::from(([10, 0, 0, 1], 9)).into();
    for (order, expected) in [
        (weigh(None, server(3)), vec!["no service has a destination 10.0.0.3:8080"]),
        (
            weigh(None, other_port),
            vec![
                "no service has a destination 10.0.0.1:9",
                "of this address there are: 10.0.0.1:8080",
            ],
        ),
        (
            weigh(Some(service(80)), server(2)),
            vec![
                "TCP 192.0.2.10:80 has no destination 10.0.0.2:8080",
                "these services have it: TCP 192.0.2.10:443",
            ],
        ),
        (
            weigh(Some(service(8)), server(1)),
            vec![
                "the file has no service TCP 192.0.2.10:8",
                "the file has: TCP 192.0.2.10:80, TCP 192.0.2.10:443",
            ],
        ),
        (Order::CheckNow(server(9)), vec!["no service has a destination 10.0.0.9:8080"]),
    ] {
        assert_eq!(refused(desk.order(order, "bob", now)), expected);
    }
    let before = desk.saved().1;
    let for_ever = Order::Maintain {
        service: None,
        destination: server(1),
        kind: MaintenanceKind::Out,
        by: "alice".to_owned(),
        lasts: Some(Duration::MAX),
    };
    let expected = ["no clock can show the end of the maintenance"];
    assert_eq!(refused(desk.order(for_ever, "bob", now)), expected);
    assert_eq!(desk.saved().1, before);
    assert_eq!(done(desk.order(Order::CheckNow(server(1)), "bob", now)).len(), 1);
}
