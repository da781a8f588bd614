//! The state for people.

use ipvs_netlink::health::Pace;
use ipvs_netlink::health::probe::Probe;
use ipvs_netlink::health::{MaintenanceKind, Monitor, Outcome, Watched};
use ipvs_netlink::table::controller::Event as ControllerEvent;
use ipvs_netlink::{Change, Service};

use crate::control::protocol::Order;
use crate::desk::tests::{SECOND, begin, begun, configured, later, server, service};
use crate::desk::{Desk, Effect};
use crate::moment::Moment;
use crate::state::Saved;
use crate::status::DestinationState;

#[test]
fn each_destination_has_a_reason() {
    let begin = begin();
    let (mut desk, _) = begun(&[(80, &[(1, 1), (2, 1)])], Saved::default(), begin);
    let mut monitor = Monitor::new(0);
    let table = configured(80, &[(1, 1), (2, 1)]).table;
    monitor.watch(Watched::new(table).check(Probe::tcp(), Pace::new()), None, begin.instant);
    let reasons = |desk: &Desk, monitor: &Monitor<Probe>, now: Moment| {
        let known = [monitor.service_status(service(80), now.instant).unwrap()];
        let mut status = desk.status(Some(&known), None, |_| String::new(), now);
        let service = status.services.remove(0);
        let of = |it: crate::status::DestinationStatus| (it.state, it.reason);
        (service.reason, service.destinations.into_iter().map(of).collect::<Vec<_>>())
    };
    let mut now = begin;
    let (reason, of) = reasons(&desk, &monitor, now);
    assert_eq!(reason, "0 of 2 live, 1 needed");
    assert_eq!(of[0], (DestinationState::Unknown, "no check has ended yet".to_owned()));
    while now.instant < begin.instant + 20 * SECOND {
        now = later(now, SECOND / 10);
        while let Some(check) = monitor.due(now.instant) {
            let outcome = match check.destination == server(1) {
                true => Outcome::failed("connection\nrefused"),
                false => Outcome::passed(),
            };
            monitor.finished(&check, outcome, now.instant);
        }
        monitor.wishes(now.instant);
    }
    let (reason, of) = reasons(&desk, &monitor, now);
    assert_eq!(reason, "1 of 2 live, 1 needed, not in the table yet");
    assert_eq!(of[0], (DestinationState::Down, "3 of 3 failed, connection\\nrefused".to_owned()));
    assert_eq!(of[1], (DestinationState::Up, String::new()));
    let order = Order::Maintain {
        service: None,
        destination: server(2),
        kind: MaintenanceKind::Drain,
        by: "alice".to_owned(),
        lasts: None,
    };
    desk.order(order, "bob", now);
    let (_, of) = reasons(&desk, &monitor, now);
    assert_eq!(of[1].0, DestinationState::Drained);
    // A thread that stands still is no reason to wait.
    let silent = desk.status(None, None, |_| String::new(), now).services.remove(0);
    assert_eq!(silent.reason, "the thread of the checks does not answer");
    assert_eq!(silent.destinations[0].state, DestinationState::Unknown);
}

#[test]
fn an_event_of_the_table_names_its_kind_once() {
    let now = begin();
    let (mut desk, _) = begun(&[(80, &[(1, 1)])], Saved::default(), now);
    let change = Change::AddService(Service::new(service(80)));
    desk.controller_event(&ControllerEvent::Done(change.clone()), now);
    let [Effect::Tell(event)] = &desk.effects()[..] else { panic!() };
    assert_eq!((event.kind.as_ref(), &event.text), ("done", &change.to_string()));
}
