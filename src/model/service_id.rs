use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::SocketAddr;
use std::str::FromStr;

use crate::model::address_text::{self, End};
use crate::model::{AddressFamily, InvalidValue, Protocol, Service, ServiceEntry, ServiceSnapshot};

/// The identity of a virtual service: protocol, address and port, or a firewall mark and an
/// address family.
///
/// `Display` and `FromStr` use the form of `ipvsadm -L -n`. The order is that of the same
/// list: by family, protocol, address and port, then the services of firewall marks.
///
/// The enum is exhaustive: the kernel has known these two kinds of services since its
/// beginning, and programs can match on both without a wildcard.
///
/// Methods of clients take a `ServiceId` itself and not `impl Into<ServiceId>`, so that
/// `"TCP 192.0.2.10:80".parse()?` in the argument has one type. `From` converts a
/// [`Service`], a [`ServiceEntry`] and a [`ServiceSnapshot`]: write `service.id()` or
/// `(&service).into()`.
///
/// ```
/// use ipvs_netlink::ServiceId;
///
/// let web: ServiceId = "TCP 192.0.2.10:80".parse()?;
/// assert_eq!(web, ServiceId::tcp(([192, 0, 2, 10], 80).into()));
/// assert_eq!("FWM 5 IPv6".parse::<ServiceId>()?.to_string(), "FWM 5 IPv6");
/// # Ok::<(), ipvs_netlink::InvalidValue>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceId {
    /// The service of packets to an address and port.
    Address {
        /// The transport protocol.
        protocol: Protocol,
        /// The virtual address and port. Port 0 means every port that no other service
        /// has. A service at port 0 works only with persistence; the kernel adds it
        /// without, `ipvsadm` refuses it. The IPv6 scope and flow label must be 0, because
        /// no message can carry them.
        address: SocketAddr,
    },
    /// The service of packets that carry a firewall mark.
    #[doc(alias = "IPVS_SVC_ATTR_FWMARK")]
    Fwmark {
        /// The firewall mark, 1 to 4294967295.
        mark: u32,
        /// The address family of the packets. The same mark in both families names two
        /// services.
        family: AddressFamily,
    },
}

/// The port of FTP.
pub(crate) const FTP: u16 = 21;
/// The port from which servers of FTP send data.
pub(crate) const FTP_DATA: u16 = 20;
/// The lowest port to which clients of FTP connect for data.
const LOWEST_PASSIVE: u16 = 1024;

impl ServiceId {
    /// Creates the identity of the TCP service at `address`.
    #[must_use]
    pub const fn tcp(address: SocketAddr) -> Self {
        Self::Address { protocol: Protocol::TCP, address }
    }

    /// Creates the identity of the UDP service at `address`.
    #[must_use]
    pub const fn udp(address: SocketAddr) -> Self {
        Self::Address { protocol: Protocol::UDP, address }
    }

    /// Creates the identity of the SCTP service at `address`.
    #[must_use]
    pub const fn sctp(address: SocketAddr) -> Self {
        Self::Address { protocol: Protocol::SCTP, address }
    }

    /// Returns the services that may take packets to `to`. The kernel takes the first of them that is
    /// there: the one at the port, that of FTP for ports of its data, or that of port 0.
    ///
    /// Source: `ip_vs_ctl.c:ip_vs_service_find`.
    pub(crate) fn looked_for(
        protocol: Protocol,
        to: SocketAddr,
    ) -> impl Iterator<Item = Self> + Clone {
        let port = to.port();
        let is_data = protocol == Protocol::TCP && (port == FTP_DATA || port >= LOWEST_PASSIVE);
        let ports = [Some(port), is_data.then_some(FTP), (port != 0).then_some(0)];
        ports.into_iter().flatten().map(move |port| {
            let address = SocketAddr::new(to.ip(), port);
            Self::Address { protocol, address }
        })
    }

    /// Creates the identity of the service for packets of `family` that carry the firewall
    /// mark `mark`.
    #[must_use]
    pub const fn fwmark(mark: u32, family: AddressFamily) -> Self {
        Self::Fwmark { mark, family }
    }

    /// Returns the address and port, or `None` for a service of a firewall mark.
    #[must_use]
    pub const fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Address { address, .. } => Some(*address),
            Self::Fwmark { .. } => None,
        }
    }

    /// Returns the address family of the packets.
    #[must_use]
    pub const fn family(&self) -> AddressFamily {
        match self {
            Self::Address { address: SocketAddr::V4(_), .. } => AddressFamily::Ipv4,
            Self::Address { address: SocketAddr::V6(_), .. } => AddressFamily::Ipv6,
            Self::Fwmark { family, .. } => *family,
        }
    }

    /// Returns a sort key: numbers that are cheap to compare, in the order of identities.
    /// They are firewall mark, family and protocol; address; port, flow label and scope.
    pub(crate) const fn order(&self) -> (u64, u128, u128) {
        match self {
            Self::Fwmark { mark, family } => (
                ((*mark as u64) << 32) | ((matches!(family, AddressFamily::Ipv6) as u64) << 16),
                0,
                // Keeps mark 0 apart from the address 0.0.0.0:0 of protocol 0.
                u128::MAX,
            ),
            Self::Address { protocol, address: SocketAddr::V4(v4) } => {
                (protocol.number() as u64, v4.ip().to_bits() as u128, v4.port() as u128)
            }
            Self::Address { protocol, address: SocketAddr::V6(v6) } => {
                let rest = (v6.port() as u128) << 64
                    | (v6.flowinfo() as u128) << 32
                    | v6.scope_id() as u128;
                (1 << 16 | protocol.number() as u64, v6.ip().to_bits(), rest)
            }
        }
    }

    /// Returns a single number with the order of [`order`](Self::order) among services at IPv4
    /// addresses, and `None` for the others.
    #[inline]
    const fn order_of_ipv4(&self) -> Option<u64> {
        match self {
            Self::Address { protocol, address: SocketAddr::V4(v4) } => Some(
                (protocol.number() as u64) << 48
                    | (v4.ip().to_bits() as u64) << 16
                    | v4.port() as u64,
            ),
            _ => None,
        }
    }

    /// Refuses an identity that no message can carry. Reading, zeroing and deleting check
    /// nothing else.
    #[inline]
    pub(crate) fn check_encodable(&self) -> Result<(), InvalidValue> {
        match self {
            Self::Address { address, .. } => check_plain("service address", address),
            Self::Fwmark { mark: 0, .. } => {
                // The kernel would read mark 0 as the service "TCP 0.0.0.0:0".
                Err(InvalidValue::new("fwmark", "0", "must not be 0"))
            }
            Self::Fwmark { .. } => Ok(()),
        }
    }

    /// Refuses a protocol that IPVS does not balance.
    pub(crate) fn check_balanced(&self) -> Result<(), InvalidValue> {
        match self {
            Self::Address { protocol: Protocol::TCP | Protocol::UDP | Protocol::SCTP, .. }
            | Self::Fwmark { .. } => Ok(()),
            Self::Address { protocol, .. } => {
                let rule = "IPVS balances TCP, UDP and SCTP only";
                Err(InvalidValue::new("protocol", protocol.to_string(), rule))
            }
        }
    }
}

impl Ord for ServiceId {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        // Maps of services compare ids more often than they do anything else.
        match (self.order_of_ipv4(), other.order_of_ipv4()) {
            (Some(this), Some(other)) => this.cmp(&other),
            _ => self.order().cmp(&other.order()),
        }
    }
}

impl Hash for ServiceId {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self.order_of_ipv4() {
            Some(number) => state.write_u64(number),
            None => self.order().hash(state),
        }
    }
}

impl PartialOrd for ServiceId {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Refuses an IPv6 scope or flow label, which no message can carry.
#[inline]
pub(crate) fn check_plain(field: &'static str, address: &SocketAddr) -> Result<(), InvalidValue> {
    match address {
        SocketAddr::V6(v6) if v6.scope_id() != 0 || v6.flowinfo() != 0 => {
            let rule = "must not have a scope or flow label";
            Err(InvalidValue::new(field, address.to_string(), rule))
        }
        _ => Ok(()),
    }
}

impl From<&Service> for ServiceId {
    fn from(service: &Service) -> Self {
        service.id
    }
}

impl From<&ServiceEntry> for ServiceId {
    fn from(entry: &ServiceEntry) -> Self {
        entry.id()
    }
}

impl From<&ServiceSnapshot> for ServiceId {
    fn from(service: &ServiceSnapshot) -> Self {
        service.id()
    }
}

impl fmt::Display for ServiceId {
    /// The form of `ipvsadm -L -n`: `TCP 192.0.2.10:80`, `FWM 5`, `FWM 5 IPv6`. A protocol
    /// without a name prints as `IP_50`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address { protocol, address } => write!(f, "{protocol} {address}"),
            Self::Fwmark { mark, family: AddressFamily::Ipv4 } => write!(f, "FWM {mark}"),
            Self::Fwmark { mark, family: AddressFamily::Ipv6 } => write!(f, "FWM {mark} IPv6"),
        }
    }
}

impl FromStr for ServiceId {
    type Err = InvalidValue;

    /// Parses the output of `Display`. Words may be separated by any number of blanks.
    ///
    /// # Errors
    ///
    /// The text does not have that form, has an IPv6 scope, or has mark 0.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rule = "must be like TCP 192.0.2.10:80, FWM 5 or FWM 5 IPv6";
        let invalid = || InvalidValue::new("service", format!("{text:?}"), rule);
        let words: Vec<&str> = text.split_ascii_whitespace().take(4).collect();
        let id = match words.as_slice() {
            ["FWM", mark] => {
                Self::fwmark(parse_mark(mark).ok_or_else(invalid)?, AddressFamily::Ipv4)
            }
            ["FWM", mark, "IPv6"] => {
                Self::fwmark(parse_mark(mark).ok_or_else(invalid)?, AddressFamily::Ipv6)
            }
            [protocol, address] => Self::Address {
                protocol: protocol.parse()?,
                address: address_text::parse(End::Service, "service address", address)?,
            },
            _ => return Err(invalid()),
        };
        id.check_encodable()?;
        Ok(id)
    }
}

fn parse_mark(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Connections, Destination, DestinationEntry, DestinationId, Stats};

    #[test]
    fn text_round_trips() {
        for text in [
            "TCP 192.0.2.10:80",
            "UDP [2001:db8::1]:53",
            "SCTP 0.0.0.0:0",
            "IP_50 10.0.0.1:0",
            "FWM 5",
            "FWM 4294967295 IPv6",
        ] {
            assert_eq!(text.parse::<ServiceId>().unwrap().to_string(), text);
        }
        assert_eq!("TCP   1.2.3.4:5\n".parse::<ServiceId>().unwrap().to_string(), "TCP 1.2.3.4:5");
    }

    #[test]
    fn odd_text_is_refused() {
        for text in [
            "",
            "TCP",
            "TCP 1.2.3.4",
            "TCP 1.2.3.4:80 x",
            "FWM 0",
            "FWM +5",
            "FWM 5 IPv4",
            "FWM 4294967296",
            "TCP [fe80::1%2]:80",
            "\u{7f}",
        ] {
            assert!(text.parse::<ServiceId>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_order_is_that_of_ipvsadm() {
        let ordered = [
            "TCP 10.0.0.1:80",
            "TCP 10.0.0.1:443",
            "TCP 10.0.0.2:1",
            "UDP 10.0.0.1:53",
            "TCP [::1]:80",
            "FWM 5",
            "FWM 5 IPv6",
            "FWM 6",
        ];
        let mut ids: Vec<ServiceId> =
            ordered.iter().rev().map(|text| text.parse().unwrap()).collect();
        ids.sort();
        assert_eq!(ids.iter().map(ServiceId::to_string).collect::<Vec<_>>(), ordered);
    }

    #[test]
    fn the_short_order_is_the_long_one() {
        let parts = [0, 1, 0x7fff, 0x8000, 0xffff_u16];
        let address = |high: u16, low: u16, port| {
            let bits = u32::from(high) << 16 | u32::from(low);
            SocketAddr::from((std::net::Ipv4Addr::from_bits(bits), port))
        };
        let mut ids = vec!["TCP [::1]:80".parse().unwrap(), "FWM 5".parse().unwrap()];
        for protocol in parts.map(Protocol::from_number) {
            for [high, low] in parts.iter().flat_map(|high| parts.map(|low| [*high, low])) {
                let id = |port| ServiceId::Address { protocol, address: address(high, low, port) };
                ids.extend(parts.map(id));
            }
        }
        for one in &ids {
            assert!(ids.iter().all(|other| one.cmp(other) == one.order().cmp(&other.order())));
        }
    }

    #[test]
    fn what_is_not_equal_is_not_ordered_as_equal() {
        let nothing = ServiceId::fwmark(0, AddressFamily::Ipv4);
        let neither: ServiceId = "IP_0 0.0.0.0:0".parse().unwrap();
        assert!(nothing > neither);
        let scoped = |text: &str| ServiceId::tcp(text.parse().unwrap());
        assert!(scoped("[fe80::1%1]:80") < scoped("[fe80::1%2]:80"));
    }

    #[test]
    fn whatever_has_an_identity_converts_to_it() {
        let service = Service::fwmark(5, AddressFamily::Ipv4);
        let entry = ServiceEntry::new(service.clone(), Stats::default());
        let server = Destination::masquerade("10.0.0.2:80".parse().unwrap());
        let server = DestinationEntry::new(server, Connections::default(), Stats::default());
        let snapshot = ServiceSnapshot::new(entry.clone(), vec![server.clone()]);
        let id = ServiceId::fwmark(5, AddressFamily::Ipv4);
        let all = [(&service).into(), (&entry).into(), (&snapshot).into(), service.id()];
        assert!(all.iter().all(|it: &ServiceId| *it == id));
        let address = server.destination.id.address;
        let all = [(&server.destination).into(), (&server).into(), address.into(), server.id()];
        assert!(all.iter().all(|it: &DestinationId| it.address == address));
        assert_eq!(snapshot.destination(server.id()), Some(&server));
    }

    #[test]
    fn a_mark_belongs_to_a_family() {
        assert_ne!(
            ServiceId::fwmark(1, AddressFamily::Ipv4),
            ServiceId::fwmark(1, AddressFamily::Ipv6)
        );
    }
}
