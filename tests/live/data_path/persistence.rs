//! Persistent services.

use std::fs;
use std::time::Duration;

use ipvs_netlink::{Persistence, Scheduler, Service, ServiceId};

use super::{Lab, WEB, loopback, visit};

fn sticky() -> Persistence {
    Persistence::new(Duration::from_secs(300))
}

fn lab(persistence: Persistence) -> (Lab, ServiceId) {
    let mut lab = Lab::with_servers(3);
    let service = Service::tcp(WEB).scheduler(Scheduler::ROUND_ROBIN).persistence(persistence);
    let id = lab.add(&service, &[1, 1, 1]);
    (lab, id)
}

impl Lab {
    fn visit_from(&self, network: u8, host: u8) -> usize {
        visit(self.open_from(loopback(network, host), WEB))
    }

    /// Returns the number of persistence templates: clients, or networks of clients.
    fn remembered(&mut self, service: ServiceId) -> u32 {
        let entries = self.ipvs.destinations(service).unwrap();
        entries.iter().map(|entry| entry.connections.persistent).sum()
    }
}

#[test]
fn a_persistent_client_keeps_its_server_and_others_get_theirs() {
    let (mut lab, id) = lab(sticky());
    let firsts: Vec<usize> = (1..=3).map(|host| lab.visit_from(1, host)).collect();
    let mut servers = firsts.clone();
    servers.sort_unstable();
    assert_eq!(servers, [0, 1, 2]);
    for _ in 0..3 {
        let again: Vec<usize> = (1..=3).map(|host| lab.visit_from(1, host)).collect();
        assert_eq!(again, firsts);
    }
    assert_eq!(lab.remembered(id), 3);
}

#[test]
fn a_netmask_makes_one_client_of_a_network() {
    let (mut lab, id) = lab(sticky().netmask([255, 255, 255, 0].into()));
    let first = lab.visit_from(1, 1);
    assert!((2..=5).all(|host| lab.visit_from(1, host) == first));
    assert_eq!(lab.remembered(id), 1);
    assert_ne!(lab.visit_from(2, 1), first);
    assert_eq!(lab.remembered(id), 2);
}

#[test]
fn a_persistent_client_keeps_a_server_of_weight_0() {
    let (mut lab, id) = lab(sticky());
    let server = lab.visit_from(1, 1);
    lab.set_weight(id, server.try_into().unwrap(), 0);
    assert!((0..3).all(|_| lab.visit_from(1, 1) == server));
    assert!((2..=5).all(|host| lab.visit_from(1, host) != server));

    let sysctl = "/proc/sys/net/ipv4/vs/expire_quiescent_template";
    lab.namespace.run(|| fs::write(sysctl, "1")).unwrap();
    assert_ne!(lab.visit_from(1, 1), server);
}
