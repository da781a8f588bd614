//! A table in a network namespace of its own, and servers on its loopback interface.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ipvs_netlink::{Client, Destination, Scheduler, Service, ServiceId};
use tokio::runtime::Builder;

use crate::network::Namespace;

pub(crate) const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const VIRTUAL: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 80));

pub(crate) const WEB: SocketAddr = SocketAddr::new(VIRTUAL, 80);
pub(crate) const MAIL: SocketAddr = SocketAddr::new(VIRTUAL, 25);
pub(crate) const DNS: SocketAddr = SocketAddr::new(VIRTUAL, 53);

pub(crate) const fn server(port: u16) -> SocketAddr {
    SocketAddr::new(LOCAL, port)
}

/// Makes a network namespace, which ends when it is dropped.
pub(crate) fn namespace() -> Namespace {
    // With the director's features of tokio, the first runtime of a process opens sockets for signals and
    // never closes them. In a namespace they would keep it and its table.
    drop(Builder::new_current_thread().enable_all().build().unwrap());
    Namespace::new().unwrap()
}

/// The table.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) home: Namespace,
    pub(crate) ipvs: Client,
}

impl Scene {
    /// Mail without servers, the web with two, and names with one.
    pub(crate) fn new() -> Self {
        let home = namespace();
        let ipvs = Client::in_namespace_fd(&home).unwrap();
        let mut scene = Self { home, ipvs };
        scene.fill();
        scene
    }

    /// Adds the services.
    pub(crate) fn fill(&mut self) {
        self.add(Service::tcp(MAIL), &[]);
        self.add(Service::tcp(WEB), &[8000, 8001]);
        self.add(Service::udp(DNS), &[5300]);
    }

    fn add(&mut self, service: Service, ports: &[u16]) {
        self.ipvs.add_service(&service.clone().scheduler(Scheduler::ROUND_ROBIN)).unwrap();
        for port in ports {
            let destination = Destination::masquerade(server(*port));
            self.ipvs.add_destination(service.id, &destination).unwrap();
        }
    }

    pub(crate) fn weight(&mut self, port: u16) -> u32 {
        let id = ServiceId::tcp(WEB);
        let snapshot = self.ipvs.snapshot_of(&[id]).unwrap();
        let service = snapshot.service(id).unwrap();
        service.destination(server(port).into()).unwrap().destination.weight
    }
}
