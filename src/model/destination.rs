use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

use crate::model::address_text::{self, End};
use crate::model::invalid::OnBroken;
use crate::model::service_id::check_plain;
use crate::model::{AddressFamily, Forwarding, InvalidValue, ServiceId, Stats, Tunnel};

const MAX_NUMBER: u32 = i32::MAX.unsigned_abs();
const MAX_RULE: &str = "must be at most 2147483647";

/// What names a destination within its service: its address and port.
///
/// Port 0 stands for the port of the service, or of the packet where the service
/// is a firewall mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DestinationId {
    /// The address and port.
    pub address: SocketAddr,
}

impl DestinationId {
    /// The family of the destination's address.
    #[must_use]
    pub const fn family(&self) -> AddressFamily {
        match self.address {
            SocketAddr::V4(_) => AddressFamily::Ipv4,
            SocketAddr::V6(_) => AddressFamily::Ipv6,
        }
    }

    /// Checks what keeps the identity from being put into a message at all.
    #[inline]
    pub(crate) fn check_encodable(&self) -> Result<(), InvalidValue> {
        check_plain("destination address", &self.address)
    }

    /// Checks the addresses that the kernel refuses on any host. It knows more:
    /// the broadcast addresses of its own networks, and which link-local IPv6
    /// addresses are its own. Source: `ip_vs_ctl.c:ip_vs_new_dest`.
    fn check_unicast(&self) -> Result<(), InvalidValue> {
        let address = self.address.ip();
        let is_mapped = matches!(address, IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some());
        let refused = match address {
            IpAddr::V4(v4) => v4.is_unspecified() || v4.is_multicast() || v4 == Ipv4Addr::BROADCAST,
            IpAddr::V6(v6) => v6.is_unspecified() || v6.is_multicast() || is_mapped,
        };
        if refused {
            let rule = match is_mapped {
                true => "must not be an IPv4 address mapped to IPv6",
                false => "must be a unicast address",
            };
            return Err(InvalidValue::new("destination address", self.to_string(), rule));
        }
        Ok(())
    }
}

impl From<SocketAddr> for DestinationId {
    fn from(address: SocketAddr) -> Self {
        Self { address }
    }
}

impl fmt::Display for DestinationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

impl FromStr for DestinationId {
    type Err = InvalidValue;

    /// Reads what `Display` writes: an address and a port, in numbers.
    ///
    /// # Errors
    ///
    /// When the text is anything else. The rule says which part is wrong: no port or one over
    /// 65535, IPv6 without brackets, a name of a host or port.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let address = address_text::parse(End::Destination, "destination", text)?;
        Ok(Self { address })
    }
}

/// A destination (real server) of a service and its settings.
///
/// The value is its own builder. The constructor takes the forwarding method, for
/// which no default would be safe: the kernel's zero is masquerading, `ipvsadm`'s
/// default is direct routing.
///
/// ```
/// use ipvs_netlink::Destination;
///
/// let server = Destination::masquerade("10.0.0.2:8080".parse()?).weight(3).thresholds(1000, 800);
/// assert_eq!(server.weight, 3);
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[doc(alias = "real server")]
pub struct Destination {
    /// What names the destination within its service.
    pub id: DestinationId,
    /// How packets reach it.
    pub forwarding: Forwarding,
    /// Its share of new connections, 0 to 2147483647, 1 by default. 0 takes it
    /// out of rotation: its connections go on, it gets no new ones (but see
    /// [`Persistence`](crate::Persistence)).
    #[doc(alias = "IPVS_DEST_ATTR_WEIGHT")]
    pub weight: u32,
    /// How many connections it takes, without limit by default.
    pub thresholds: Thresholds,
}

impl Destination {
    /// A destination reached by `forwarding`, with weight 1 and no thresholds.
    #[must_use]
    pub fn new(id: impl Into<DestinationId>, forwarding: Forwarding) -> Self {
        Self { id: id.into(), forwarding, weight: 1, thresholds: Thresholds::default() }
    }

    /// A destination reached by rewriting the destination address
    /// (`ipvsadm -m`).
    #[must_use]
    pub fn masquerade(address: SocketAddr) -> Self {
        Self::new(address, Forwarding::Masquerade)
    }

    /// A destination reached on its own link, with the packet unchanged
    /// (`ipvsadm -g`). The packet keeps its port, so give the service's.
    #[must_use]
    pub fn direct_route(address: SocketAddr) -> Self {
        Self::new(address, Forwarding::DirectRoute)
    }

    /// A destination reached through `tunnel` (`ipvsadm -i`).
    #[must_use]
    pub fn tunnel(address: SocketAddr, tunnel: Tunnel) -> Self {
        Self::new(address, Forwarding::Tunnel(tunnel))
    }

    /// Sets the forwarding method.
    #[must_use]
    pub fn forwarding(mut self, forwarding: Forwarding) -> Self {
        self.forwarding = forwarding;
        self
    }

    /// Sets the weight (`ipvsadm -w`), 0 to 2147483647, 1 by default; 0 takes it out of
    /// rotation.
    #[must_use]
    pub fn weight(mut self, weight: u32) -> Self {
        self.weight = weight;
        self
    }

    /// Sets the thresholds (`ipvsadm -x`, `-y`): `upper` up to 2147483647, 0 (the default)
    /// for no limit, `lower` up to `upper`.
    #[must_use]
    pub fn thresholds(mut self, upper: u32, lower: u32) -> Self {
        self.thresholds = Thresholds { upper, lower };
        self
    }

    /// Checks what adding this destination to `service` asks for. Clients do so
    /// before they send anything.
    ///
    /// # Errors
    ///
    /// Names the first field that breaks a rule: an address that is not unicast, is an
    /// IPv4 one mapped to IPv6 or has an IPv6 scope or flow label, a weight or threshold
    /// over 2147483647, a lower threshold above the upper one, GUE with port 0, or an
    /// address of the other family than the service's that is not reached through a tunnel.
    /// Source: `ip_vs_ctl.c:ip_vs_new_dest` and `ip_vs_add_dest`.
    pub fn validate(&self, service: ServiceId) -> Result<(), InvalidValue> {
        self.validate_settings(service)?;
        self.id.check_unicast()
    }

    /// As [`Destination::validate`] for a destination that exists: the kernel
    /// looks at the address only when it adds one.
    pub(crate) fn validate_settings(&self, service: ServiceId) -> Result<(), InvalidValue> {
        self.check_settings(service, &mut Err)
    }

    /// Checks every setting. Of a destination that exists, some may be excused.
    pub(crate) fn check_settings<E>(
        &self,
        service: ServiceId,
        on_broken: &mut impl OnBroken<E>,
    ) -> Result<(), E> {
        service.check_encodable().or_else(&mut *on_broken)?;
        self.id.check_encodable().or_else(&mut *on_broken)?;
        let tunnel = matches!(self.forwarding, Forwarding::Tunnel(_));
        if self.id.family() != service.family() && !tunnel {
            let rule = "an address of the other family than the service's needs a tunnel";
            on_broken(InvalidValue::new("forwarding", self.forwarding.to_string(), rule))?;
        }
        if matches!(self.forwarding, Forwarding::Tunnel(Tunnel::Gue { port: 0, .. })) {
            on_broken(InvalidValue::new("tunnel port", "0", "GUE needs a port"))?;
        }
        if self.weight > MAX_NUMBER {
            on_broken(InvalidValue::new("weight", self.weight.to_string(), MAX_RULE))?;
        }
        self.thresholds.check(on_broken)
    }
}

/// How many connections, active and inactive together, a destination takes.
///
/// A destination that reaches the upper threshold gets no new connections until it
/// has fewer than the lower one (than three quarters of the upper one where the
/// lower one is 0).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Thresholds {
    /// The upper threshold, 0 to 2147483647; 0 (the default) for no limit.
    #[doc(alias = "IPVS_DEST_ATTR_U_THRESH")]
    pub upper: u32,
    /// The lower threshold, 0 to the upper one, 0 by default.
    #[doc(alias = "IPVS_DEST_ATTR_L_THRESH")]
    pub lower: u32,
}

impl Thresholds {
    /// How many connections there may be.
    pub(crate) fn limit(self) -> u32 {
        if self.upper == 0 { u32::MAX } else { self.upper }
    }

    fn check<E>(self, on_broken: &mut impl OnBroken<E>) -> Result<(), E> {
        if self.upper > MAX_NUMBER {
            on_broken(InvalidValue::new("upper threshold", self.upper.to_string(), MAX_RULE))?;
        }
        if self.lower > self.upper {
            let rule = "must not be above the upper threshold";
            on_broken(InvalidValue::new("lower threshold", self.lower.to_string(), rule))?;
        }
        Ok(())
    }
}

/// How many connections a destination has, at the moment of reading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Connections {
    /// Connections that carry data: established TCP and SCTP.
    #[doc(alias = "IPVS_DEST_ATTR_ACTIVE_CONNS")]
    pub active: u32,
    /// Connections that are being opened or closed, and those of UDP.
    #[doc(alias = "IPVS_DEST_ATTR_INACT_CONNS")]
    pub inactive: u32,
    /// Persistence templates: clients bound to the destination.
    #[doc(alias = "IPVS_DEST_ATTR_PERSIST_CONNS")]
    pub persistent: u32,
}

impl fmt::Display for Connections {
    /// `active 3 inactive 1 persistent 0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { active, inactive, persistent } = self;
        write!(f, "active {active} inactive {inactive} persistent {persistent}")
    }
}

/// A destination as the kernel reports it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct DestinationEntry {
    /// The destination and its settings.
    pub destination: Destination,
    /// Its connections.
    pub connections: Connections,
    /// What it has carried. A destination that is deleted and added to the same
    /// service again within about two minutes keeps its counters.
    pub stats: Stats,
}

impl DestinationEntry {
    /// An entry as a kernel might report it, for tests and for tables put together
    /// otherwise.
    #[must_use]
    pub const fn new(destination: Destination, connections: Connections, stats: Stats) -> Self {
        Self { destination, connections, stats }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::GueChecksum;

    fn service() -> ServiceId {
        ServiceId::tcp("192.0.2.10:80".parse().unwrap())
    }

    fn server() -> Destination {
        Destination::masquerade("10.0.0.2:8080".parse().unwrap())
    }

    fn refused_field(destination: &Destination) -> &'static str {
        destination.validate(service()).unwrap_err().field()
    }

    #[test]
    fn numbers_stay_in_the_kernels_range() {
        assert!(server().weight(0x7fff_ffff).validate(service()).is_ok());
        assert_eq!(refused_field(&server().weight(0x8000_0000)), "weight");
        assert_eq!(refused_field(&server().thresholds(0x8000_0000, 0)), "upper threshold");
        assert_eq!(refused_field(&server().thresholds(0, 1)), "lower threshold");
        assert_eq!(refused_field(&server().thresholds(5, 6)), "lower threshold");
        assert!(server().thresholds(5, 5).validate(service()).is_ok());
    }

    #[test]
    fn the_other_family_needs_a_tunnel() {
        let v6 = "[2001:db8::2]:80".parse().unwrap();
        assert_eq!(refused_field(&Destination::masquerade(v6)), "forwarding");
        assert_eq!(refused_field(&Destination::direct_route(v6)), "forwarding");
        assert!(Destination::tunnel(v6, Tunnel::Ipip).validate(service()).is_ok());
    }

    #[test]
    fn gue_needs_a_port() {
        let gue = |port| Tunnel::Gue { port, checksum: GueChecksum::None };
        assert_eq!(refused_field(&Destination::tunnel(server().id.address, gue(0))), "tunnel port");
        assert!(Destination::tunnel(server().id.address, gue(1)).validate(service()).is_ok());
    }

    #[test]
    fn only_unicast_addresses_are_added() {
        for text in ["0.0.0.0:80", "255.255.255.255:80", "224.0.0.1:80", "239.255.255.255:80"] {
            let destination = Destination::masquerade(text.parse().unwrap());
            assert_eq!(refused_field(&destination), "destination address", "{text}");
            assert!(destination.validate_settings(service()).is_ok(), "{text}");
        }
        for text in ["[::]:80", "[ff02::1]:80", "[::ffff:10.0.0.1]:80", "[fe80::1%1]:80"] {
            let destination = Destination::tunnel(text.parse().unwrap(), Tunnel::Ipip);
            assert_eq!(refused_field(&destination), "destination address", "{text}");
        }
        for text in ["0.1.2.3:80", "240.0.0.1:80", "127.0.0.1:80"] {
            assert!(Destination::masquerade(text.parse().unwrap()).validate(service()).is_ok());
        }
    }
}
