//! A service and a destination that is checked through the service's address.

use std::net::SocketAddr;

use crate::health::through::ThroughError;
use crate::model::{Destination, DestinationId, Forwarding, Scheduler, Service, ServiceId};
use crate::table::TableService;

/// What a mark stands for. Two checks of the same pair take the same way, and one mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pair {
    pub(crate) destination: DestinationId,
    /// The port that is checked, if it is not that of the service and the destination.
    pub(crate) port: Option<u16>,
    /// Whether the check is by datagrams, which must leave no connection behind.
    pub(crate) one_packet: bool,
    /// The virtual address and port.
    pub(crate) target: SocketAddr,
    pub(crate) forwarding: Forwarding,
}

/// What a service has at most one pair of.
pub(crate) type PairKey = (DestinationId, Option<u16>, bool);

impl Pair {
    /// Creates the pair of a service and one of its destinations.
    pub(crate) fn new(
        service: ServiceId,
        destination: &Destination,
        port: Option<u16>,
        one_packet: bool,
    ) -> Result<Self, ThroughError> {
        let mut target = service.address().ok_or(ThroughError::NoAddress(service))?;
        target.set_port(port.unwrap_or(target.port()));
        if target.port() == 0 {
            return Err(ThroughError::NoPort(service));
        }
        let forwarding = destination.forwarding;
        match forwarding {
            Forwarding::Masquerade | Forwarding::DirectRoute | Forwarding::Tunnel(_) => {}
            other => return Err(ThroughError::Forwarding(other)),
        }
        Ok(Self { destination: destination.id, port, one_packet, target, forwarding })
    }

    /// Returns the address and port of the server to which packets are sent.
    fn server(&self) -> SocketAddr {
        let mut server = self.destination.address;
        let own = (server.port() != 0).then_some(server.port());
        server.set_port(match (self.forwarding, self.port) {
            (Forwarding::Masquerade, None) => own.unwrap_or(self.target.port()),
            // Other methods leave the port as it is.
            _ => self.target.port(),
        });
        server
    }

    /// Returns from where a datagram is answered. One-packet scheduling remembers nothing, so the
    /// kernel does not turn the address of a masqueraded server back into the virtual one.
    pub(crate) fn answers_from(&self) -> SocketAddr {
        match self.forwarding {
            Forwarding::Masquerade => self.server(),
            _ => self.target,
        }
    }

    pub(crate) const fn key(&self) -> PairKey {
        (self.destination, self.port, self.one_packet)
    }

    /// Returns the id of the service of a mark.
    pub(crate) const fn mark_id(&self, mark: u32) -> ServiceId {
        ServiceId::fwmark(mark, ServiceId::tcp(self.target).family())
    }

    /// Returns the service of a mark by which packets reach this destination and no other.
    pub(crate) fn service(&self, mark: u32) -> TableService {
        let service = Service::new(self.mark_id(mark)).scheduler(Scheduler::ROUND_ROBIN);
        let service = if self.one_packet { service.one_packet() } else { service };
        TableService::new(service).with(Destination::new(self.server(), self.forwarding))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::through::Marks;
    use crate::model::{GueChecksum, ServiceSnapshot, Tunnel};

    const WEB: ServiceId = ServiceId::tcp(SocketAddr::new(
        std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 10)),
        80,
    ));

    #[test]
    fn a_mark_has_one_destination_with_the_same_forwarding() {
        let gue = Tunnel::Gue { port: 6080, checksum: GueChecksum::Full };
        let server: SocketAddr = ([10, 0, 0, 2], 8080).into();
        let methods = [
            (Forwarding::Masquerade, None, 8080, 80),
            (Forwarding::Masquerade, Some(81), 81, 81),
            (Forwarding::DirectRoute, None, 80, 80),
            (Forwarding::DirectRoute, Some(81), 81, 81),
            (Forwarding::Tunnel(gue), None, 80, 80),
        ];
        for (forwarding, port, there, connect) in methods {
            let destination = Destination::new(server, forwarding).weight(7).thresholds(3, 2);
            let pair = Pair::new(WEB, &destination, port, false).unwrap();
            assert_eq!(pair.target, ([192, 0, 2, 10], connect).into());
            let service = pair.service(5);
            let alone: Vec<_> = service.destinations().map(|alone| alone.destination()).collect();
            let expected = Destination::new(SocketAddr::from(([10, 0, 0, 2], there)), forwarding);
            assert_eq!(alone, [&expected]);
            assert!(service.service().validate().is_ok());
            assert!(expected.validate(service.id()).is_ok());
            assert!(Marks::is_check(&ServiceSnapshot::from(&service)));
            let answers = if forwarding == Forwarding::Masquerade {
                expected.id.address
            } else {
                pair.target
            };
            assert_eq!(pair.answers_from(), answers);
        }
    }

    #[test]
    fn datagrams_are_scheduled_one_by_one() {
        let dns = ServiceId::udp("[2001:db8::10]:53".parse().unwrap());
        let server = Destination::masquerade("[fd00::2]:0".parse().unwrap());
        let pair = Pair::new(dns, &server, None, true).unwrap();
        let service = pair.service(5);
        assert_eq!(service.service().to_string(), "FWM 5 IPv6 rr flags ops");
        let id = "[fd00::2]:53".parse().unwrap();
        assert!(service.destination(id).is_some(), "port 0 is that of the service");
        assert!(Marks::is_check(&ServiceSnapshot::from(&service)));
    }

    #[test]
    fn what_cannot_be_connected_to_is_refused() {
        let server = Destination::masquerade(([10, 0, 0, 2], 80).into());
        let refused =
            |service, server: &Destination| Pair::new(service, server, None, false).unwrap_err();
        let mark = ServiceId::fwmark(3, crate::model::AddressFamily::Ipv4);
        assert_eq!(refused(mark, &server), ThroughError::NoAddress(mark));
        let all = ServiceId::tcp(([192, 0, 2, 10], 0).into());
        assert_eq!(refused(all, &server), ThroughError::NoPort(all));
        assert!(Pair::new(all, &server, Some(80), false).is_ok());
        let bypass = server.forwarding(Forwarding::Bypass);
        assert_eq!(refused(WEB, &bypass), ThroughError::Forwarding(Forwarding::Bypass));
    }
}
