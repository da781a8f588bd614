//! The schedulers `lblc` and `lblcr`, which remember the server of an address.

use std::net::SocketAddr;

use ipvs_netlink::{AddressFamily, Scheduler, Service};

use super::greeting::Connection;
use super::{Lab, answered, loopback};

const MARK: u32 = 7;

/// Connections from a proxy to three sites of the world, each remembered.
struct Proxy {
    lab: Lab,
}

impl Proxy {
    fn balanced_by(scheduler: Scheduler) -> Self {
        let mut lab = Lab::with_servers(3);
        lab.add(&Service::fwmark(MARK, AddressFamily::Ipv4).scheduler(scheduler), &[2, 2, 2]);
        Self { lab }
    }

    fn fetch(&self, site: u8) -> Connection {
        self.lab.open_marked(MARK, SocketAddr::new(loopback(9, site), 80)).unwrap()
    }

    /// Opens so many connections to a site that its server is overloaded: it has
    /// more than its weight, and another has less than half of that.
    fn overload(&self, site: u8) -> Vec<Connection> {
        let connections: Vec<_> = (0..3).map(|_| self.fetch(site)).collect();
        let first = answered(&connections[0]);
        assert!(connections.iter().all(|connection| answered(connection) == first));
        connections
    }
}

fn sites_stay_and_new_ones_go_to_the_least_loaded(scheduler: Scheduler) {
    let proxy = Proxy::balanced_by(scheduler);
    let first: Vec<_> = (1..=3).map(|site| proxy.fetch(site)).collect();
    let mut servers: Vec<_> = first.iter().map(answered).collect();
    for (site, &server) in (1..=3).zip(&servers) {
        assert_eq!(answered(&proxy.fetch(site)), server);
    }
    servers.sort_unstable();
    assert_eq!(servers, [0, 1, 2]);
}

#[test]
fn lblc_keeps_an_address_with_its_server() {
    sites_stay_and_new_ones_go_to_the_least_loaded(Scheduler::LOCALITY_BASED_LEAST_CONNECTION);
}

#[test]
fn lblcr_keeps_an_address_with_its_server() {
    sites_stay_and_new_ones_go_to_the_least_loaded(
        Scheduler::LOCALITY_BASED_LEAST_CONNECTION_WITH_REPLICATION,
    );
}

#[test]
fn lblc_moves_the_address_of_an_overloaded_server_for_good() {
    let proxy = Proxy::balanced_by(Scheduler::LOCALITY_BASED_LEAST_CONNECTION);
    let mut crowd = proxy.overload(1);
    let moved = proxy.fetch(1);
    assert_ne!(answered(&moved), answered(&crowd[0]));
    crowd.iter_mut().for_each(|connection| connection.close().unwrap());
    assert_eq!(answered(&proxy.fetch(1)), answered(&moved));
}

#[test]
fn lblcr_adds_a_server_to_the_address_of_an_overloaded_one() {
    let proxy = Proxy::balanced_by(Scheduler::LOCALITY_BASED_LEAST_CONNECTION_WITH_REPLICATION);
    let mut crowd = proxy.overload(1);
    let added = proxy.fetch(1);
    assert_ne!(answered(&added), answered(&crowd[0]));
    // The first one still belongs to the address, and now has less to do.
    crowd.iter_mut().for_each(|connection| connection.close().unwrap());
    assert_eq!(answered(&proxy.fetch(1)), answered(&crowd[0]));
}
