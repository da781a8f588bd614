//! What a controller of a large table costs: memory, and the requests of a look at drains. The
//! kernel is the fake one. `benches/README.md` has the instructions.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that fails panics")]

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::Duration;

use allocation_counter::measure;
use ipvs_netlink::fake::Kernel;
use ipvs_netlink::table::controller::{Controller, ControllerOptions, Event, Stepped};
use ipvs_netlink::table::{DrainPolicy, PlanOptions, Scope, Table, TableService};
use ipvs_netlink::{
    Client, Connections, Destination, DestinationId, Object, Operation, Service, ServiceId,
};

/// The most bytes of a controller at rest, beside the wishes.
const AT_REST: i64 = 8_000_000;

/// The most bytes while the whole table is read, beside the wishes.
const AT_PEAK: u64 = 45_000_000;

fn service(index: u32) -> Service {
    Service::tcp((Ipv4Addr::from_bits(0x0a00_0001 + index), 80).into())
}

fn destination(index: u32) -> Destination {
    Destination::masquerade((Ipv4Addr::from_bits(0xac10_0001 + index), 8080).into())
}

/// A service with the destinations that have these numbers among its own.
fn wish(index: u32, each: u32, numbers: impl Iterator<Item = u32>) -> TableService {
    let destinations = numbers.map(|number| destination(index * each + number));
    destinations.fold(TableService::new(service(index)), TableService::with)
}

fn wishes(services: u32, each: u32) -> Table {
    (0..services).map(|index| wish(index, each, 0..each)).collect()
}

fn controller(drain: DrainPolicy) -> Controller {
    let plan = PlanOptions::new().scope(Scope::new().everything()).drain(Some(drain));
    Controller::new(ControllerOptions::new().plan(plan).resync(Duration::from_secs(3600)))
}

/// Does what is due. Returns the number of changes, and of the services that differed if the whole
/// table was read.
fn work(client: &mut Client, controller: &mut Controller) -> (usize, Option<usize>, Stepped) {
    let (mut changes, mut found) = (0, None);
    loop {
        let stepped = client.step(controller);
        for event in controller.events() {
            match event {
                Event::Done(_) => changes += 1,
                Event::Resynchronized { differed, .. } => found = Some(differed),
                Event::Failed { .. } | Event::Unknown { .. } | Event::BackingOff { .. } => {
                    panic!("{event}")
                }
                _ => {}
            }
        }
        if stepped != Stepped::Again {
            return (changes, found, stepped);
        }
    }
}

#[test]
fn a_controller_of_100_000_destinations_is_small_beside_its_wishes() {
    let (services, each) = (10_000, 10);
    let kernel = Kernel::new();
    let mut client = Client::fake(&kernel).unwrap();
    client.reconcile(&wishes(services, each), &PlanOptions::new()).unwrap().into_result().unwrap();
    kernel.keep_log(0);

    let mut table = None;
    let wished = measure(|| table = Some(wishes(services, each)));
    assert!(wished.bytes_current > 100_000 * 28, "the wishes are counted: {wished:?}");
    let mut kept = None;
    let first = measure(|| {
        let mut controller = controller(DrainPolicy::new());
        controller.wish_all(table.take().unwrap());
        let (changes, found, _) = work(&mut client, &mut controller);
        assert_eq!((changes, found), (0, Some(0)));
        kept = Some(controller);
    });
    let mut controller = kept.unwrap();
    let again = measure(|| {
        controller.resynchronize();
        assert_eq!(work(&mut client, &mut controller).1, Some(0));
    });
    // The controller owns the wishes now, so what is there more than before is its own.
    let at_rest = first.bytes_current + again.bytes_current;
    assert!(at_rest < AT_REST, "{at_rest}: {first:?}, {again:?}");
    let at_peak = first.bytes_max.max(again.bytes_max + u64::try_from(at_rest).unwrap_or(0));
    assert!(at_peak < AT_PEAK, "{at_peak}: {first:?}, {again:?}");
    println!("wishes {}, at rest {at_rest}, at peak {at_peak}", wished.bytes_current);
}

#[test]
fn a_look_at_drains_reads_the_services_that_drain_and_nothing_else() {
    let (services, draining, each) = (1_000, 100, 11);
    let kernel = Kernel::new();
    let mut client = Client::fake(&kernel).unwrap();
    let mut controller = controller(DrainPolicy::new().deadline(Some(Duration::from_secs(600))));
    controller.wish_all(wishes(services, each));
    assert_eq!(work(&mut client, &mut controller).0, (services * (1 + each)) as usize);
    assert!(controller.is_settled());

    // All but the first destination of each leave, and have connections.
    let leaving = |index| (1..each).map(move |number| destination(index * each + number).id);
    for index in 0..draining {
        for id in leaving(index) {
            let mut connections = Connections::default();
            connections.active = 1;
            kernel.initial().set_connections(service(index).id, id, connections).unwrap();
        }
        controller.wish(wish(index, each, 0..1));
    }
    let (changes, _, mut stepped) = work(&mut client, &mut controller);
    assert_eq!(changes, 1_000, "each has weight 0 now");

    let expected: BTreeSet<ServiceId> = (0..draining).map(|index| service(index).id).collect();
    for _ in 0..3 {
        kernel.keep_log(10_000);
        kernel.clear_log();
        let Stepped::Until(time) = stepped else { panic!("{stepped:?}") };
        kernel.advance(time.saturating_duration_since(kernel.now()));
        let (changes, found, next) = work(&mut client, &mut controller);
        assert_eq!((changes, found), (0, None));
        stepped = next;
        for operation in [Operation::ReadService, Operation::ReadDestinations] {
            let log = kernel.log();
            let read = log.iter().filter(|request| request.operation() == Some(operation));
            let read: Vec<ServiceId> = read
                .map(|request| match request.object() {
                    Some(Object::Service(id)) => id,
                    other => panic!("{other:?}"),
                })
                .collect();
            assert_eq!(read.len(), draining as usize, "{operation:?}");
            assert_eq!(read.into_iter().collect::<BTreeSet<_>>(), expected);
        }
        assert_eq!(kernel.log().len(), 2 * draining as usize, "nothing else is asked");
    }

    let none = |index| leaving(index).map(move |id| (service(index).id, id));
    let ended: Vec<(ServiceId, DestinationId)> = (0..draining).flat_map(none).collect();
    for (service, id) in ended {
        kernel.initial().set_connections(service, id, Connections::default()).unwrap();
    }
    let Stepped::Until(time) = stepped else { panic!("{stepped:?}") };
    kernel.advance(time.saturating_duration_since(kernel.now()));
    assert_eq!(work(&mut client, &mut controller).0, 1_000, "all are deleted");
    assert!(controller.is_settled());
}
