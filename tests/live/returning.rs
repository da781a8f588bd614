//! Destinations and services that are deleted and added again while a connection lasts.

use std::time::Duration;

use ipvs_netlink::{Connections, DestinationEntry, Service, ServiceId};

use super::client::Client;
use super::namespace::{Connection, Server, fresh, sleep};

fn web(port: u16) -> Service {
    Service::tcp(([127, 0, 0, 80], port).into())
}

/// Reads the only destination of a service.
fn only(ipvs: &mut Client, service: ServiceId) -> DestinationEntry {
    let [entry] = &ipvs.destinations(service).unwrap()[..] else { panic!("there is not one") };
    entry.clone()
}

/// Waits until the kernel has counted a connection: it looks every two seconds.
fn counted(ipvs: &mut Client, service: ServiceId) {
    for _ in 0..60 {
        if only(ipvs, service).stats.connections == 1 {
            return;
        }
        sleep(Duration::from_millis(100));
    }
    panic!("{:?}", only(ipvs, service));
}

#[test]
fn a_destination_that_comes_back_has_its_connections_and_counters() {
    let mut ipvs = fresh();
    let server = Server::start();
    let (web, other) = (web(80), web(81));
    let backend = server.destination().weight(3);
    ipvs.add_service(&web).unwrap();
    ipvs.add_destination(web.id, &backend).unwrap();
    let _held = Connection::open(web.id, backend.id);
    let mut one = Connections::default();
    one.active = 1;
    assert_eq!(only(&mut ipvs, web.id).connections, one);
    counted(&mut ipvs, web.id);

    ipvs.delete_destination(web.id, backend.id).unwrap();
    assert!(ipvs.destinations(web.id).unwrap().is_empty());
    ipvs.add_destination(web.id, &backend.clone().weight(5)).unwrap();
    let back = only(&mut ipvs, web.id);
    assert_eq!((back.destination.weight, back.connections), (5, one));
    assert_eq!(back.stats.connections, 1);

    // A destination of another service is another one.
    ipvs.add_service(&other).unwrap();
    ipvs.add_destination(other.id, &backend).unwrap();
    let fresh = only(&mut ipvs, other.id);
    assert_eq!((fresh.connections, fresh.stats.connections), (Connections::default(), 0));

    // The counters of a service that was made anew begin at zero, the connections are there.
    ipvs.delete_service(web.id).unwrap();
    ipvs.add_service(&web).unwrap();
    ipvs.add_destination(web.id, &backend).unwrap();
    let back = only(&mut ipvs, web.id);
    assert_eq!((back.connections, back.stats.connections), (one, 0));
    assert_eq!(ipvs.service(web.id).unwrap().stats.connections, 0);
}

#[test]
fn zeroing_is_of_counters_and_not_of_connections() {
    let mut ipvs = fresh();
    let server = Server::start();
    let (web, backend) = (web(80), server.destination());
    ipvs.add_service(&web).unwrap();
    ipvs.add_destination(web.id, &backend).unwrap();
    let _held = Connection::open(web.id, backend.id);
    counted(&mut ipvs, web.id);
    assert_eq!(ipvs.service(web.id).unwrap().stats.connections, 1);
    ipvs.zero_service(web.id).unwrap();
    let zeroed = only(&mut ipvs, web.id);
    assert_eq!((zeroed.connections.active, zeroed.stats.connections), (1, 0));
    assert_eq!(ipvs.service(web.id).unwrap().stats.connections, 0);
}
