//! Controllers, step by step, with every client.

use std::time::Duration;

use ipvs_netlink::table::controller::{
    Controller, ControllerOptions, Event, Request, RetryPolicy, Stepped,
};
use ipvs_netlink::table::{Scope, Table, TableService};
use ipvs_netlink::{Destination, Service, ServiceId};

use super::client::Client;
use super::namespace::{fresh, now, sleep};

/// The longest time for anything that has to happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// The service at a port with the servers of these addresses, by their last byte.
pub(crate) fn service(port: u16, hosts: &[u8]) -> TableService {
    let servers =
        hosts.iter().map(|host| Destination::masquerade(([10, 0, 0, *host], 8080).into()));
    let service = TableService::new(Service::tcp(([192, 0, 2, 10], port).into()));
    servers.fold(service, TableService::with)
}

pub(crate) fn id(port: u16) -> ServiceId {
    service(port, &[]).id()
}

/// A controller that looks at everything ten times a second.
pub(crate) fn controller() -> Controller {
    let soon = Duration::from_millis(100);
    let retry = RetryPolicy::new().first(soon).most(soon);
    Controller::new(ControllerOptions::new().resync(soon).retry(retry))
}

/// Steps and waits until `is_over`, which gets the controller and each event.
fn until(
    ipvs: &mut Client,
    controller: &mut Controller,
    mut is_over: impl FnMut(&Controller, &Event) -> bool,
) -> Vec<Event> {
    let mut seen = Vec::new();
    let begin = now();
    loop {
        let stepped = ipvs.step(controller);
        let events: Vec<Event> = controller.events().collect();
        let over = events.iter().any(|event| is_over(controller, event));
        seen.extend(events);
        if over {
            return seen;
        }
        assert!((now() - begin) < PATIENCE, "never over: {seen:?}");
        sleep(stepped.pause(now()).min(Duration::from_millis(100)));
    }
}

fn settled(id: ServiceId) -> impl FnMut(&Controller, &Event) -> bool {
    move |_, event| *event == Event::Settled(id)
}

#[test]
fn a_step_does_what_is_wished_and_never_sleeps() {
    let mut ipvs = fresh();
    let mut controller = Controller::new(ControllerOptions::new());
    assert_eq!(ipvs.step(&mut controller), Stepped::Idle, "nothing is wished");
    controller.wish(service(80, &[2, 3]));
    let mut events = Vec::new();
    let begin = now();
    let stepped = loop {
        match ipvs.step(&mut controller) {
            Stepped::Again => events.extend(controller.events()),
            stepped => break stepped,
        }
    };
    // The next reading of the whole table is a minute away.
    let pause = stepped.pause(now());
    assert!(pause > Duration::from_secs(30) && pause < Duration::from_secs(70), "{stepped:?}");
    assert!((now() - begin) < Duration::from_secs(30));
    assert!(controller.is_settled() && controller.is_serving(id(80)));
    let done = events.iter().filter(|event| matches!(event, Event::Done(_))).count();
    assert_eq!(done, 3, "{events:?}");
    for event in [Event::Serving(id(80)), Event::Settled(id(80))] {
        assert!(events.contains(&event), "{event}: {events:?}");
    }
    let wished: Table = [service(80, &[2, 3])].into_iter().collect();
    assert_eq!(Table::from(&ipvs.snapshot().unwrap()), wished);
}

#[test]
fn a_step_does_nothing_while_events_wait() {
    let mut ipvs = fresh();
    let mut controller = controller();
    controller.wish(service(80, &[2]));
    until(&mut ipvs, &mut controller, settled(id(80)));
    controller.forget(id(80));
    // The first event of a service that goes: nothing is taken away before it is seen.
    loop {
        let stepped = ipvs.step(&mut controller);
        if controller.has_events() {
            assert_eq!(stepped, Stepped::Again);
            assert_eq!(ipvs.step(&mut controller), Stepped::Again);
            let events: Vec<Event> = controller.events().collect();
            if events.iter().any(|event| matches!(event, Event::Leaving { .. })) {
                break;
            }
        }
    }
    let there = ipvs.destinations(id(80)).unwrap();
    assert_eq!(there[0].destination.weight, 1);
    until(&mut ipvs, &mut controller, |_, event| *event == Event::Left(id(80)));
    assert!(ipvs.services().unwrap().is_empty());
}

#[test]
fn what_another_program_deletes_is_made_again() {
    let mut ipvs = fresh();
    let mut other = Client::connect().unwrap();
    let mut controller = controller();
    controller.wish_all([service(80, &[2, 3]), service(81, &[2])]);
    let mut settled = 0;
    until(&mut ipvs, &mut controller, |_, event| {
        settled += usize::from(matches!(event, Event::Settled(_)));
        settled == 2
    });
    other.delete_destination(id(80), "10.0.0.3:8080".parse().unwrap()).unwrap();
    other.delete_service(id(81)).unwrap();
    let mut settled = Vec::new();
    let events = until(&mut ipvs, &mut controller, |_, event| {
        settled.extend(event.service().filter(|_| matches!(event, Event::Settled(_))));
        settled.contains(&id(80)) && settled.contains(&id(81))
    });
    assert!(events.contains(&Event::NotServing(id(81))), "{events:?}");
    let wished: Table = [service(80, &[2, 3]), service(81, &[2])].into_iter().collect();
    assert_eq!(Table::from(&other.snapshot().unwrap()), wished);
}

#[test]
fn what_fails_is_tried_again_and_holds_up_nobody_else() {
    let mut ipvs = fresh();
    let mut controller = controller();
    // The kernel does not take a broadcast address.
    let odd = service(80, &[2]).with(Destination::masquerade(([127, 255, 255, 255], 80).into()));
    controller.wish_all([odd, service(81, &[2])]);
    let (mut failed, mut good) = (0, false);
    let events = until(&mut ipvs, &mut controller, |_, event| {
        failed += usize::from(matches!(event, Event::Failed { .. }));
        good |= *event == Event::Settled(id(81));
        failed >= 2 && good
    });
    assert!(!events.contains(&Event::Settled(id(80))), "{events:?}");
    controller.wish(service(80, &[2]));
    until(&mut ipvs, &mut controller, settled(id(80)));
}

#[test]
fn two_controllers_share_a_client() {
    let mut ipvs = fresh();
    let scoped = |network: &str| {
        let scope = Scope::only(Scope::new().network(network.parse().unwrap()));
        let plan = ipvs_netlink::table::PlanOptions::new().scope(scope);
        let soon = Duration::from_millis(100);
        Controller::new(ControllerOptions::new().plan(plan).resync(soon))
    };
    let (mut one, mut two) = (scoped("192.0.2.10/32"), scoped("192.0.2.11/32"));
    let theirs = Service::tcp(([192, 0, 2, 11], 80).into());
    let left = Service::tcp(([192, 0, 2, 10], 99).into());
    ipvs.add_service(&left).unwrap();
    one.wish(service(80, &[2]));
    two.wish(theirs.clone());
    let (mut settled, mut gone) = (Vec::new(), false);
    let begin = now();
    while settled.len() < 2 || !gone {
        for controller in [&mut one, &mut two] {
            let _ = ipvs.step(controller);
            for event in controller.events() {
                gone |= event == Event::Left(left.id);
                if let Event::Settled(id) = event {
                    settled.push(id);
                }
            }
        }
        assert!((now() - begin) < PATIENCE);
    }
    settled.sort_unstable();
    assert_eq!(settled, [id(80), theirs.id]);
    assert_eq!(ipvs.services().unwrap().len(), 2);
}

#[test]
fn a_request_does_what_the_method_does() {
    let mut ipvs = fresh();
    let mut controller = controller();
    controller.accept(service(80, &[2]));
    until(&mut ipvs, &mut controller, settled(id(80)));
    controller.accept(Table::from_iter([service(81, &[2])]));
    let (mut left, mut settled) = (false, false);
    until(&mut ipvs, &mut controller, |_, event| {
        left |= *event == Event::Left(id(80));
        settled |= *event == Event::Settled(id(81));
        left && settled
    });
    controller.accept(Request::Forget(id(81)));
    until(&mut ipvs, &mut controller, |_, event| *event == Event::Left(id(81)));
    assert!(ipvs.services().unwrap().is_empty());
}

#[test]
fn a_program_settles_what_it_has_asked_for_last() {
    let mut ipvs = fresh();
    let hold = Duration::from_secs(3600);
    let mut controller = Controller::new(ControllerOptions::new().hold(hold));
    controller.wish_all([service(80, &[2, 3]), service(81, &[2])]);
    let mut events = Vec::new();
    assert!(ipvs.settle(&mut controller, PATIENCE, |event| events.push(event)));
    for event in [Event::Settled(id(80)), Event::Settled(id(81))] {
        assert!(events.contains(&event), "{event}: {events:?}");
    }
    assert_eq!(ipvs.services().unwrap().len(), 2);
    // What takes longer is told.
    controller.forget(id(81));
    let begin = now();
    let longest = Duration::from_millis(200);
    assert!(!ipvs.settle(&mut controller, longest, |event| events.push(event)));
    assert!((now() - begin) >= longest && (now() - begin) < PATIENCE);
    assert!(matches!(events.last(), Some(Event::Leaving { .. })), "{events:?}");
    let mut controller = self::controller();
    controller.wish_all([id(80), id(81)].map(|id| service(id.address().unwrap().port(), &[2])));
    assert!(ipvs.settle(&mut controller, PATIENCE, drop));
    controller.wish_all(std::iter::empty::<TableService>());
    assert!(ipvs.settle(&mut controller, PATIENCE, drop));
    assert!(ipvs.services().unwrap().is_empty());
}
