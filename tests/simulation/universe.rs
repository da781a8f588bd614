//! The services and destinations that a run is about: so few that everybody meets everybody.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use ipvs_netlink::{AddressFamily, DestinationId, ServiceId};

use crate::random::Random;

/// The network of the first services; a scope can name it.
pub(crate) const NETWORK: &str = "192.0.2.0/25";

/// Whose a service is: of the controller with this index, or of nobody whom we know.
pub(crate) type Owner = usize;

/// Every service that may occur, with its owner.
#[derive(Debug)]
pub(crate) struct Universe {
    services: Vec<(ServiceId, Owner)>,
    /// The number of controllers. The services of this owner are outside every scope.
    pub(crate) controllers: usize,
}

impl Universe {
    /// A few services of every kind, or, if `large`, more than fit into one step.
    pub(crate) fn new(controllers: usize, large: bool) -> Self {
        let v4 = |host, port| SocketAddr::from((Ipv4Addr::new(192, 0, 2, host), port));
        let v6 = |host, port| {
            SocketAddr::from((Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, host), port))
        };
        let mut ids = vec![
            ServiceId::tcp(v4(1, 80)),
            ServiceId::tcp(v4(2, 80)),
            ServiceId::tcp(v6(1, 80)),
            ServiceId::tcp(v4(1, 443)),
            ServiceId::udp(v4(3, 53)),
            ServiceId::fwmark(1, AddressFamily::Ipv4),
            ServiceId::tcp(v4(4, 80)),
            ServiceId::fwmark(2, AddressFamily::Ipv6),
            ServiceId::sctp(v4(5, 36412)),
            ServiceId::tcp(v4(6, 80)),
            ServiceId::udp(v6(2, 53)),
            ServiceId::tcp(v4(7, 80)),
        ];
        if large {
            ids.extend((0..1500).map(|index| ServiceId::tcp(v4(100, 1000 + index))));
        }
        // The last owner is somebody else, who has little.
        let services = ids.into_iter().enumerate().map(|(index, id)| {
            let owner = match index % 6 {
                5 => controllers,
                other => other % controllers,
            };
            (id, owner)
        });
        Self { services: services.collect(), controllers }
    }

    pub(crate) fn len(&self) -> usize {
        self.services.len()
    }

    /// The services of one owner.
    pub(crate) fn of(&self, owner: Owner) -> Vec<ServiceId> {
        let of = self.services.iter().filter(|(_, of)| *of == owner);
        of.map(|(id, _)| *id).collect()
    }

    /// The services of one owner that are watched, if it checks servers.
    pub(crate) fn watched(&self, owner: Owner) -> Vec<ServiceId> {
        self.of(owner).into_iter().step_by(2).collect()
    }

    pub(crate) fn any(&self, random: &mut Random) -> ServiceId {
        random.pick(&self.services).map(|(id, _)| *id).expect("a service")
    }
}

/// The number of destinations that a service can have.
pub(crate) const SERVERS: u16 = 6;

/// A destination that fits the family of a service.
pub(crate) fn server(of: ServiceId, host: u16) -> DestinationId {
    let port = match of {
        ServiceId::Address { .. } => 8080,
        ServiceId::Fwmark { .. } => 0,
    };
    let address = match of.family() {
        AddressFamily::Ipv4 => {
            SocketAddr::from((Ipv4Addr::new(10, 0, 0, host.to_le_bytes()[0]), port))
        }
        AddressFamily::Ipv6 => {
            SocketAddr::from((Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, host), port))
        }
    };
    address.into()
}
