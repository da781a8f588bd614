//! A controller under connections: drains go on while other wishes are carried out.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use ipvs_netlink::table::controller::{Controller, ControllerOptions, DrainEnd, Event};
use ipvs_netlink::table::{DrainPolicy, DrainUntil, PlanOptions, TableService};
use ipvs_netlink::{Destination, Scheduler, Service};

use super::plans::web;
use super::{Lab, PATIENCE, WEB, answered, id, is_refused, server};

/// The wish for a service with these servers.
fn wish(service: &Service, servers: &[u16]) -> TableService {
    let servers = servers.iter().map(|n| Destination::masquerade(server(*n)));
    servers.fold(TableService::new(service.clone()), TableService::with)
}

fn controller(deadline: Option<Duration>) -> Controller {
    let policy = DrainPolicy::new()
        .until(DrainUntil::NoActive)
        .interval(Duration::from_millis(20))
        .deadline(deadline);
    Controller::new(ControllerOptions::new().plan(PlanOptions::new().drain(Some(policy))))
}

/// Keeps the table until `is_over`, which gets the lab and each event.
#[track_caller]
fn until(
    lab: &mut Lab,
    controller: &mut Controller,
    mut is_over: impl FnMut(&Event) -> bool,
) -> Vec<Event> {
    let begin = Instant::now();
    let mut events = Vec::new();
    let over = lab.ipvs.keep(controller, Duration::from_millis(100), |_, event| {
        let over = event.as_ref().is_some_and(&mut is_over);
        events.extend(event);
        match (over, begin.elapsed() < PATIENCE) {
            (true, _) => ControlFlow::Break(true),
            (false, false) => ControlFlow::Break(false),
            (false, true) => ControlFlow::Continue(()),
        }
    });
    assert!(over, "never over: {events:?}");
    events
}

#[test]
fn a_drain_waits_for_its_connections_while_other_wishes_are_carried_out() {
    let mut lab = Lab::with_servers(3);
    let service = web(Scheduler::ROUND_ROBIN);
    let mut controller = controller(None);
    controller.wish(wish(&service, &[0, 1]));
    let settled = Event::Settled(service.id);
    until(&mut lab, &mut controller, |event| *event == settled);
    let mut held = lab.hold(4, WEB);

    // Server 2 replaces server 0, whose connections go on.
    controller.wish(wish(&service, &[1, 2]));
    until(&mut lab, &mut controller, |event| matches!(event, Event::DrainBegun { .. }));
    assert_eq!(lab.entry(service.id, 0).destination.weight, 0);
    assert!(!lab.visit(6, WEB).contains(&0));
    for connection in &mut held {
        assert_eq!(connection.ask().unwrap(), connection.server);
    }

    // Other wishes do not wait for it.
    let other = Service::tcp("127.0.0.81:80".parse().unwrap());
    controller.wish(wish(&other, &[2]));
    let other_settled = Event::Settled(other.id);
    until(&mut lab, &mut controller, |event| *event == other_settled);
    assert_eq!(controller.drains().count(), 1);
    controller.forget(other.id);
    let other_left = Event::Left(other.id);
    until(&mut lab, &mut controller, |event| *event == other_left);

    // Wanted again, it gets its weight back, and no connection has broken.
    controller.wish(wish(&service, &[0, 1, 2]));
    let events = until(&mut lab, &mut controller, |event| *event == settled);
    let back =
        |event: &Event| matches!(event, Event::DrainEnded { end: DrainEnd::WantedAgain, .. });
    assert!(events.iter().any(back), "{events:?}");
    assert_eq!(lab.entry(service.id, 0).destination.weight, 1);
    for connection in &mut held {
        assert_eq!(connection.ask().unwrap(), connection.server);
    }

    // It ends with its last connection.
    controller.wish(wish(&service, &[1, 2]));
    until(&mut lab, &mut controller, |event| matches!(event, Event::DrainBegun { .. }));
    let gone = |connection: &&mut _| answered(connection) == 0;
    held.iter_mut().filter(gone).for_each(|connection| connection.close().unwrap());
    let events =
        until(&mut lab, &mut controller, |event| matches!(event, Event::DrainEnded { .. }));
    let emptied = |event: &Event| matches!(event, Event::DrainEnded { end: DrainEnd::Emptied, destination, .. } if *destination == id(0));
    assert!(events.iter().any(emptied), "{events:?}");
    for connection in held.iter_mut().filter(|connection| answered(connection) != 0) {
        assert_eq!(connection.ask().unwrap(), connection.server);
    }
}

#[test]
fn a_service_takes_connections_until_it_leaves_and_the_deadline_cuts_the_rest() {
    let mut lab = Lab::with_servers(2);
    let service = web(Scheduler::ROUND_ROBIN);
    let mut controller = controller(Some(Duration::from_secs(1)));
    controller.wish(wish(&service, &[0, 1]));
    until(&mut lab, &mut controller, |event| matches!(event, Event::Settled(_)));
    let held = lab.hold(2, WEB);
    controller.forget(service.id);
    until(&mut lab, &mut controller, |event| matches!(event, Event::Leaving { .. }));
    // It was told before anything is taken away.
    assert_eq!(lab.visit(2, WEB).len(), 2);
    let events = until(&mut lab, &mut controller, |event| matches!(event, Event::Left(_)));
    let cut: u32 = events
        .iter()
        .filter_map(|event| match event {
            Event::DrainEnded { end: DrainEnd::Cut(connections), .. } => Some(connections.active),
            _ => None,
        })
        .sum();
    assert_eq!(cut, 2, "{events:?}");
    assert!(is_refused(&lab.open(WEB)));
    drop(held);
}
