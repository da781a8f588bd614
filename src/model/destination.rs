use std::fmt;
use std::iter::Sum;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

use crate::model::address_text::{self, End};
use crate::model::invalid::OnBroken;
use crate::model::service_id::check_plain;
use crate::model::{AddressFamily, Forwarding, InvalidValue, ServiceId, Stats, Tunnel};

/// The largest weight that the kernel takes, and the largest threshold.
pub(crate) const MAX_WEIGHT: u32 = i32::MAX.unsigned_abs();
const MAX_RULE: &str = "must be at most 2147483647";

/// The identity of a destination within its service: its address and port.
///
/// Port 0 means the port of the service. In a service of a firewall mark, port 0 means the
/// port of each packet.
///
/// Methods of clients take a `DestinationId` itself and not `impl Into<DestinationId>`, so
/// that `"10.0.0.2:80".parse()?` in the argument has one type. `From` converts a
/// [`SocketAddr`], a [`Destination`] and a [`DestinationEntry`]: write `address.into()` or
/// `destination.id()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DestinationId {
    /// The address and port.
    pub address: SocketAddr,
}

impl DestinationId {
    /// Returns the address family.
    #[must_use]
    pub const fn family(&self) -> AddressFamily {
        match self.address {
            SocketAddr::V4(_) => AddressFamily::Ipv4,
            SocketAddr::V6(_) => AddressFamily::Ipv6,
        }
    }

    /// Refuses an identity that no message can carry.
    #[inline]
    pub(crate) fn check_encodable(&self) -> Result<(), InvalidValue> {
        check_plain("destination address", &self.address)
    }

    /// Refuses the addresses that the kernel refuses on every host. The kernel also refuses
    /// the broadcast addresses of its own networks and link-local IPv6 addresses of other
    /// hosts, which cannot be checked here. Source: `ip_vs_ctl.c:ip_vs_new_dest`.
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

impl From<&Destination> for DestinationId {
    fn from(destination: &Destination) -> Self {
        destination.id
    }
}

impl From<&DestinationEntry> for DestinationId {
    fn from(entry: &DestinationEntry) -> Self {
        entry.id()
    }
}

impl fmt::Display for DestinationId {
    /// The address and port: `10.0.0.2:8080`, `[2001:db8::2]:8080`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

impl FromStr for DestinationId {
    type Err = InvalidValue;

    /// Parses the output of `Display`: an address and a port in numbers.
    ///
    /// # Errors
    ///
    /// The error says which part is wrong: the port is missing or over 65535, an IPv6 address
    /// has no brackets, or the text has the name of a host or port.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let address = address_text::parse(End::Destination, "destination", text)?;
        Ok(Self { address })
    }
}

/// A destination (real server) of a service: its identity and its settings.
///
/// A constructor takes the identity and the forwarding method. The forwarding method has no
/// default, because none is safe: 0 means masquerading to the kernel, and `ipvsadm` uses
/// direct routing by default. Setters take the rest and return the destination, so calls
/// chain.
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
    /// The identity within the service: address and port.
    pub id: DestinationId,
    /// The forwarding method: how packets reach the destination.
    pub forwarding: Forwarding,
    /// The share of new connections, 0 to 2147483647, 1 by default.
    ///
    /// Weight 0 takes the destination out of rotation: its connections continue, and it gets
    /// no new ones. [`Service::drains_at_weight_zero`](crate::Service::drains_at_weight_zero)
    /// lists the services where it does not work so, and
    /// [`Persistence`](crate::Persistence) says which clients come back all the same.
    #[doc(alias = "IPVS_DEST_ATTR_WEIGHT")]
    pub weight: u32,
    /// Limits to the number of connections. No limit by default.
    pub thresholds: Thresholds,
}

impl Destination {
    /// Creates a destination with the forwarding method `forwarding`, weight 1 and no
    /// thresholds.
    #[must_use]
    pub fn new(id: impl Into<DestinationId>, forwarding: Forwarding) -> Self {
        Self { id: id.into(), forwarding, weight: 1, thresholds: Thresholds::default() }
    }

    /// Creates a destination with [`Forwarding::Masquerade`] (NAT, `ipvsadm -m`), weight 1 and
    /// no thresholds.
    #[must_use]
    pub fn masquerade(address: SocketAddr) -> Self {
        Self::new(address, Forwarding::Masquerade)
    }

    /// Creates a destination with [`Forwarding::DirectRoute`] (`ipvsadm -g`), weight 1 and no
    /// thresholds. Packets keep their port, so give the port of the service.
    #[must_use]
    pub fn direct_route(address: SocketAddr) -> Self {
        Self::new(address, Forwarding::DirectRoute)
    }

    /// Creates a destination with [`Forwarding::Tunnel`] (`ipvsadm -i`), weight 1 and no
    /// thresholds. Packets keep their port, so give the port of the service.
    #[must_use]
    pub fn tunnel(address: SocketAddr, tunnel: Tunnel) -> Self {
        Self::new(address, Forwarding::Tunnel(tunnel))
    }

    /// Returns the identity, like the field `id`.
    #[must_use]
    pub const fn id(&self) -> DestinationId {
        self.id
    }

    /// Sets the forwarding method (`ipvsadm -m`, `-g`, `-i`).
    #[must_use]
    pub fn forwarding(mut self, forwarding: Forwarding) -> Self {
        self.forwarding = forwarding;
        self
    }

    /// Sets the weight (`ipvsadm -w`), 0 to 2147483647, 1 by default. Weight 0 takes the
    /// destination out of rotation.
    #[must_use]
    pub fn weight(mut self, weight: u32) -> Self {
        self.weight = weight;
        self
    }

    /// Sets the thresholds (`ipvsadm -x`, `-y`). `upper` is 0 to 2147483647; 0, the default,
    /// means no limit. `lower` is 0 to `upper`.
    #[must_use]
    pub fn thresholds(mut self, upper: u32, lower: u32) -> Self {
        self.thresholds = Thresholds { upper, lower };
        self
    }

    /// Checks the destination against the rules for new destinations of `service`. Clients do
    /// this before they send anything.
    ///
    /// # Errors
    ///
    /// The error names the first field that breaks a rule, and the rule:
    ///
    /// - The address is not a unicast address, is an IPv4 address mapped to IPv6, or has an
    ///   IPv6 scope or flow label.
    /// - The address is not of the family of the service, and the forwarding method is not a
    ///   tunnel.
    /// - The tunnel is GUE and its port is 0.
    /// - The weight or a threshold is over 2147483647, or the lower threshold is above the
    ///   upper one.
    ///
    /// Source: `ip_vs_ctl.c:ip_vs_new_dest` and `ip_vs_add_dest`.
    pub fn validate(&self, service: ServiceId) -> Result<(), InvalidValue> {
        self.validate_settings(service)?;
        self.id.check_unicast()
    }

    /// Checks like [`Destination::validate`], but accepts any address. For destinations that
    /// exist: the kernel checks the address only when it adds a destination.
    pub(crate) fn validate_settings(&self, service: ServiceId) -> Result<(), InvalidValue> {
        self.check_settings(service, &mut Err)
    }

    /// Checks all settings. `on_broken` decides whether a broken rule ends the check, because
    /// an existing destination may keep a value that breaks a rule.
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
        if self.weight > MAX_WEIGHT {
            on_broken(InvalidValue::new("weight", self.weight.to_string(), MAX_RULE))?;
        }
        self.thresholds.check(on_broken)
    }
}

/// Limits to the number of connections of a destination, active and inactive together.
///
/// A destination that reaches the upper threshold is overloaded: it gets no new connections
/// until it has fewer than the lower threshold. If the lower threshold is 0, the limit is
/// three quarters of the upper threshold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Thresholds {
    /// The upper threshold, 0 to 2147483647. 0, the default, means no limit.
    #[doc(alias = "IPVS_DEST_ATTR_U_THRESH")]
    pub upper: u32,
    /// The lower threshold, 0 to the upper threshold. 0 by default.
    #[doc(alias = "IPVS_DEST_ATTR_L_THRESH")]
    pub lower: u32,
}

impl Thresholds {
    /// Returns the largest number of connections.
    pub(crate) fn limit(self) -> u32 {
        if self.upper == 0 { u32::MAX } else { self.upper }
    }

    fn check<E>(self, on_broken: &mut impl OnBroken<E>) -> Result<(), E> {
        if self.upper > MAX_WEIGHT {
            on_broken(InvalidValue::new("upper threshold", self.upper.to_string(), MAX_RULE))?;
        }
        if self.lower > self.upper {
            let rule = "must not be above the upper threshold";
            on_broken(InvalidValue::new("lower threshold", self.lower.to_string(), rule))?;
        }
        Ok(())
    }
}

/// The numbers of connections of a destination at the moment of reading.
///
/// `sum` adds those of many destinations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Connections {
    /// Number of active connections: established TCP and SCTP connections.
    #[doc(alias = "IPVS_DEST_ATTR_ACTIVE_CONNS")]
    pub active: u32,
    /// Number of inactive connections: those that are being opened or closed, and all UDP
    /// connections.
    #[doc(alias = "IPVS_DEST_ATTR_INACT_CONNS")]
    pub inactive: u32,
    /// Number of persistence templates. Each binds a client, or a network of clients, to the
    /// destination.
    #[doc(alias = "IPVS_DEST_ATTR_PERSIST_CONNS")]
    pub persistent: u32,
}

impl fmt::Display for Connections {
    /// One line: `active 3 inactive 1 persistent 0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { active, inactive, persistent } = self;
        write!(f, "active {active} inactive {inactive} persistent {persistent}")
    }
}

/// A destination as the kernel reports it: identity, settings, connections and counters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct DestinationEntry {
    /// The destination: its identity and settings.
    pub destination: Destination,
    /// The numbers of connections at the moment of reading.
    pub connections: Connections,
    /// The counters of the destination. A destination that is deleted and added to the same
    /// service again within about two minutes keeps its counters.
    pub stats: Stats,
}

impl DestinationEntry {
    /// Creates an entry, for tests and for snapshots that a program builds itself.
    #[must_use]
    pub const fn new(destination: Destination, connections: Connections, stats: Stats) -> Self {
        Self { destination, connections, stats }
    }

    /// Returns the identity of the destination.
    #[must_use]
    pub const fn id(&self) -> DestinationId {
        self.destination.id
    }
}

impl fmt::Display for Destination {
    /// One line, as plans print destinations: identity, forwarding method, weight,
    /// thresholds. For example `10.0.0.2:8080 Tunnel gue 6080 weight 3 thresholds 1000/800`.
    /// For the command of `ipvsadm` print a [`Change`](crate::Change).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.forwarding)?;
        if let Forwarding::Tunnel(tunnel) = self.forwarding {
            write!(f, " {tunnel}")?;
        }
        write!(f, " weight {}", self.weight)?;
        if self.thresholds != Thresholds::default() {
            let Thresholds { upper, lower } = self.thresholds;
            write!(f, " thresholds {upper}/{lower}")?;
        }
        Ok(())
    }
}

impl Sum for Connections {
    /// Adds each number. A sum over 2^32 - 1 stays there.
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, connections| Self {
            active: sum.active.saturating_add(connections.active),
            inactive: sum.inactive.saturating_add(connections.inactive),
            persistent: sum.persistent.saturating_add(connections.persistent),
        })
    }
}

impl<'c> Sum<&'c Self> for Connections {
    fn sum<I: Iterator<Item = &'c Self>>(all: I) -> Self {
        all.copied().sum()
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
    fn a_destination_prints_on_one_line() {
        assert_eq!(server().to_string(), "10.0.0.2:8080 Masq weight 1");
        let gue = Tunnel::Gue { port: 6080, checksum: GueChecksum::None };
        let limited = server().forwarding(Forwarding::Tunnel(gue)).weight(3).thresholds(10, 8);
        let text = "10.0.0.2:8080 Tunnel gue 6080 weight 3 thresholds 10/8";
        assert_eq!(limited.to_string(), text);
    }

    #[test]
    fn connections_are_summed_one_by_one_and_do_not_overflow() {
        let one = Connections { active: u32::MAX, inactive: 2, persistent: 3 };
        let sum: Connections = [one, one].iter().sum();
        assert_eq!(sum, Connections { active: u32::MAX, inactive: 4, persistent: 6 });
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
