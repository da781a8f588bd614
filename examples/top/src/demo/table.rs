//! The table of the demo: services of each kind, and who is behind them.

use std::net::SocketAddr;
use std::time::Duration;

use ipvs_netlink::{
    AddressFamily, Client, Destination, Protocol, Scheduler, Service, ServiceId, Timeouts,
};

use super::network::{Addresses, has_ipv6, server_addresses, virtual_addresses};
use super::traffic::{Pace, Server};

/// The port of the servers behind the firewall mark.
pub(super) const MARKED_PORT: u16 = 9000;

/// A service with its destinations, the servers at them, and the traffic to it.
#[derive(Debug)]
pub(super) struct Played {
    pub(super) service: Service,
    pub(super) destinations: Vec<Destination>,
    pub(super) servers: Vec<Server>,
    pub(super) pace: Pace,
}

impl Played {
    fn new(service: Service, scheduler: Scheduler, pace: Pace) -> Self {
        let service = service.scheduler(scheduler);
        Self { service, destinations: Vec::new(), servers: Vec::new(), pace }
    }

    fn server(self, number: u8, port: u16, weight: u32) -> Self {
        self.server_with(number, port, |destination| destination.weight(weight))
    }

    fn server_with(
        mut self,
        number: u8,
        port: u16,
        set: impl FnOnce(Destination) -> Destination,
    ) -> Self {
        let address = SocketAddr::new(of_family(server_addresses(number), self.service.id), port);
        let is_udp = matches!(self.service.id, ServiceId::Address { protocol: Protocol::UDP, .. });
        self.destinations.push(set(Destination::masquerade(address)));
        self.servers.push(Server { number, address, is_udp, bytes: self.pace.bytes });
        self
    }
}

fn of_family(addresses: Addresses, service: ServiceId) -> std::net::IpAddr {
    match service.family() {
        AddressFamily::Ipv4 => addresses.v4,
        AddressFamily::Ipv6 => addresses.v6,
    }
}

/// The services, in the order in which they are added.
pub(super) fn services() -> Vec<Played> {
    let v4 = |number, port| SocketAddr::new(virtual_addresses(number).v4, port);
    let v6 = |number, port| SocketAddr::new(virtual_addresses(number).v6, port);
    let pace =
        |per_second, hold, bytes| Pace { per_second, hold: Duration::from_millis(hold), bytes };
    let web = Played::new(
        Service::tcp(v4(0, 80)),
        Scheduler::WEIGHTED_LEAST_CONNECTION,
        pace(12.0, 1500, 8000),
    );
    let shop = Service::tcp(v4(0, 443)).persistent(Duration::from_secs(60));
    let shop = Played::new(shop, Scheduler::ROUND_ROBIN, pace(5.0, 3000, 3000));
    let dns = Service::udp(v4(1, 53));
    let dns = Played::new(dns, Scheduler::WEIGHTED_ROUND_ROBIN, pace(10.0, 0, 200));
    let mail = Service::tcp(v4(2, 25));
    let mail = Played::new(mail, Scheduler::LEAST_CONNECTION, pace(1.0, 8000, 500));
    let marked = Service::fwmark(1, AddressFamily::Ipv4);
    let marked = Played::new(marked, Scheduler::WEIGHTED_ROUND_ROBIN, pace(3.0, 500, 1000));
    let none = Service::tcp(v4(4, 5432));
    let none = Played::new(none, Scheduler::WEIGHTED_LEAST_CONNECTION, pace(0.0, 0, 0));
    let mut services = vec![
        web.server(0, 8080, 1).server(1, 8080, 2).server(2, 8080, 3).server(3, 8080, 1),
        shop.server(0, 8443, 1).server(1, 8443, 1),
        dns.server(1, 53, 1).server(2, 53, 1),
        mail.server(0, 25, 1).server_with(3, 25, |it| it.thresholds(6, 3)),
        marked.server(1, MARKED_PORT, 1).server(3, MARKED_PORT, 4),
        none,
    ];
    if has_ipv6() {
        let dns = Played::new(Service::udp(v6(1, 53)), Scheduler::ROUND_ROBIN, pace(6.0, 0, 200));
        let web = Played::new(
            Service::tcp(v6(3, 443)),
            Scheduler::LEAST_CONNECTION,
            pace(4.0, 2000, 5000),
        );
        services.push(dns.server(1, 53, 1).server(2, 53, 1));
        services.push(web.server(0, 8443, 1).server(2, 8443, 1));
    }
    services
}

/// Writes the table.
pub(super) fn write(ipvs: &mut Client, services: &[Played]) -> ipvs_netlink::Result<()> {
    for it in services {
        ipvs.add_service(&it.service)?;
        for destination in &it.destinations {
            ipvs.add_destination(it.service.id, destination)?;
        }
    }
    // So that connections that have ended do not fill the screen for minutes.
    let timeouts = Timeouts::default().tcp_fin(Duration::from_secs(10));
    ipvs.set_timeouts(timeouts.udp(Duration::from_secs(20)))
}
