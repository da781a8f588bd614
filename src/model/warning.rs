//! Warnings: settings that the kernel accepts, but that cannot work or have no effect.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use crate::model::{
    Destination, Forwarding, Netmask, Object, PersistenceEngine, Protocol, Scheduler, Service,
    ServiceFlags, ServiceId, Thresholds,
};

/// Number of entries of the hash tables of `sh` and `dh`. A kernel can be built with another
/// number for `sh` (`CONFIG_IP_VS_SH_TAB_BITS`).
const HASH_PLACES: u64 = 256;

/// A warning: a setting that the kernel accepts, but that cannot work or has no effect.
///
/// A warning is no error, and nothing is refused because of it. Programs print warnings.
/// [`WarningKind`] lists all kinds. [`Service::warnings`] checks the settings of a service,
/// and [`Destination::warnings`] those of a destination.
/// [`Table::warnings`](crate::table::Table::warnings) checks both, and also all destinations
/// of a service together.
///
/// ```
/// use ipvs_netlink::{Service, WarningKind};
///
/// let catch_all = Service::tcp("192.0.2.10:0".parse()?);
/// let warnings = catch_all.warnings();
/// assert_eq!(warnings[0].kind, WarningKind::PortZeroWithoutPersistence);
/// assert_eq!(
///     warnings[0].to_string(),
///     "TCP 192.0.2.10:0: port 0 works only with persistence, so every connection is refused"
/// );
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warning {
    /// The service or destination that has the setting.
    pub object: Object,
    /// The kind of the warning.
    pub kind: WarningKind,
}

impl Warning {
    pub(crate) const fn service(service: &Service, kind: WarningKind) -> Self {
        Self { object: Object::Service(service.id), kind }
    }

    pub(crate) const fn destination(
        service: &Service,
        destination: &Destination,
        kind: WarningKind,
    ) -> Self {
        Self { object: Object::Destination(service.id, destination.id), kind }
    }
}

impl fmt::Display for Warning {
    /// One line: the object and the text of the kind.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.object, self.kind)
    }
}

/// The kind of a [`Warning`].
///
/// | kind | settings | what the kernel does |
/// | --- | --- | --- |
/// | [`PortZeroWithoutPersistence`](Self::PortZeroWithoutPersistence) | service at port 0, not persistent | refuses every connection |
/// | [`AddressNotUnicast`](Self::AddressNotUnicast) | service at 0.0.0.0, `::`, or at a multicast, broadcast or IPv4-mapped address | balances no packets from other hosts |
/// | [`NoScheduler`](Self::NoScheduler) | scheduler `none` | refuses every connection |
/// | [`UnknownScheduler`](Self::UnknownScheduler) | a scheduler that no known kernel has | refuses the service, unless it has the scheduler |
/// | [`UnknownEngine`](Self::UnknownEngine) | a persistence engine that no known kernel has | refuses the service, unless it has the engine |
/// | [`FlagsWithoutEffect`](Self::FlagsWithoutEffect) | scheduler flags that the scheduler does not read | ignores the flags |
/// | [`OnePacketWithoutEffect`](Self::OnePacketWithoutEffect) | one-packet scheduling of a service that is not UDP | ignores the flag |
/// | [`EngineNeedsUdp`](Self::EngineNeedsUdp) | engine `sip` in a service that is not UDP | drops every packet |
/// | [`MaskCoversNothing`](Self::MaskCoversNothing) | persistence with the mask 0.0.0.0 | sends all clients to one destination |
/// | [`PortWithoutEffect`](Self::PortWithoutEffect) | a destination with a port of its own, where the kernel does not rewrite ports | keeps the port of the service |
/// | [`OnePacketMasquerade`](Self::OnePacketMasquerade) | masquerading in a one-packet UDP service | does not rewrite answers |
/// | [`ThresholdsWithoutEffect`](Self::ThresholdsWithoutEffect) | thresholds in a one-packet UDP service | counts no connections |
/// | [`NoUsableDestination`](Self::NoUsableDestination) | no destination with a weight above 0 | refuses every connection |
/// | [`WeightZeroRefuses`](Self::WeightZeroRefuses) | weight 0 with `dh`, or with `sh` or `mh` without the fallback flag | refuses clients whose hash selects the destination |
/// | [`WeightsWithoutEffect`](Self::WeightsWithoutEffect) | different weights with `rr`, `lc` or `dh` | ignores the weights |
/// | [`HashesOneAddress`](Self::HashesOneAddress) | `dh` in a service at an address | sends all connections to one destination |
/// | [`CountsActiveOnly`](Self::CountsActiveOnly) | `sed`, `nq` or `ovf` in a UDP service | sends all connections to one destination |
/// | [`HashTableTooSmall`](Self::HashTableTooSmall) | weights that sum to more than 256 with `sh`, or more than 256 destinations with `dh` | sends no connections to some destinations |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WarningKind {
    /// A service at port 0 is not persistent. The kernel balances port 0 only with
    /// persistence. Otherwise it refuses every connection.
    PortZeroWithoutPersistence,
    /// The address of a service is unspecified, multicast, broadcast, or IPv4 mapped to IPv6.
    /// No address means "all addresses", and IPVS balances packets from other hosts only if
    /// they are sent to a unicast address.
    AddressNotUnicast,
    /// The scheduler is `none`, so the kernel refuses every connection.
    NoScheduler,
    /// The scheduler is not in [`Scheduler::ALL`]. A kernel without this scheduler refuses the
    /// service.
    #[non_exhaustive]
    UnknownScheduler {
        /// The scheduler.
        scheduler: Scheduler,
        /// The scheduler that the name may mean. See [`Scheduler::similar`].
        similar: Option<Scheduler>,
    },
    /// The persistence engine is not [`PersistenceEngine::SIP`], the only one in the sources
    /// of the kernel. A kernel without this engine refuses the service.
    UnknownEngine(PersistenceEngine),
    /// The scheduler does not read these flags, or these bits have no meaning.
    FlagsWithoutEffect(ServiceFlags),
    /// One-packet scheduling is set for a service that is not UDP. It has no effect.
    OnePacketWithoutEffect,
    /// The persistence engine `sip` is set for a TCP or SCTP service. It reads UDP only, so the
    /// kernel drops every packet.
    EngineNeedsUdp,
    /// The persistence mask is 0.0.0.0. All clients count as one and get the same destination.
    MaskCoversNothing,
    /// A destination has a port of its own, but connections keep the port that the client
    /// chose. Only masquerading rewrites ports. In persistent services at port 0 and of
    /// firewall marks, masquerading does not rewrite ports either, because a persistence
    /// template covers all ports.
    PortWithoutEffect,
    /// A destination of a UDP service with one-packet scheduling is masqueraded. The kernel
    /// keeps no connection, so it cannot rewrite answers, and they have the address of the
    /// destination. With a persistence engine, answers are rewritten.
    OnePacketMasquerade,
    /// A destination of a UDP service with one-packet scheduling has thresholds. The service
    /// has no connections, so thresholds have no effect.
    ThresholdsWithoutEffect,
    /// The service has no destination with a weight above 0, so the kernel refuses every
    /// connection.
    NoUsableDestination,
    /// A destination has weight 0, and the scheduler refuses clients whose hash selects it.
    /// [`ServiceFlags::SH_FALLBACK`] and [`ServiceFlags::MH_FALLBACK`] send these clients to
    /// other destinations. `dh` has no such flag.
    WeightZeroRefuses(Scheduler),
    /// Destinations have different weights, but the scheduler only checks whether a weight is
    /// 0.
    WeightsWithoutEffect(Scheduler),
    /// The scheduler `dh` hashes the destination address of packets, but the service has only
    /// one address. One destination gets all connections.
    HashesOneAddress,
    /// The scheduler (`sed`, `nq` or `ovf`) counts only active connections, but connections of
    /// a UDP service are never active. One destination gets all connections.
    CountsActiveOnly(Scheduler),
    /// The hash table of the scheduler is too small. With `dh`, each destination takes one of
    /// 256 entries; with `sh`, as many entries as its weight. The destinations that were added
    /// first get no connections. A kernel can be built with a larger table.
    HashTableTooSmall(Scheduler),
}

impl WarningKind {
    /// Returns the name for programs and metrics, such as `port-zero-without-persistence`. The
    /// name of a kind never changes.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::PortZeroWithoutPersistence => "port-zero-without-persistence",
            Self::AddressNotUnicast => "address-not-unicast",
            Self::NoScheduler => "no-scheduler",
            Self::UnknownScheduler { .. } => "unknown-scheduler",
            Self::UnknownEngine(_) => "unknown-engine",
            Self::FlagsWithoutEffect(_) => "flags-without-effect",
            Self::OnePacketWithoutEffect => "one-packet-without-effect",
            Self::EngineNeedsUdp => "engine-needs-udp",
            Self::MaskCoversNothing => "mask-covers-nothing",
            Self::PortWithoutEffect => "port-without-effect",
            Self::OnePacketMasquerade => "one-packet-masquerade",
            Self::ThresholdsWithoutEffect => "thresholds-without-effect",
            Self::NoUsableDestination => "no-usable-destination",
            Self::WeightZeroRefuses(_) => "weight-zero-refuses",
            Self::WeightsWithoutEffect(_) => "weights-without-effect",
            Self::HashesOneAddress => "hashes-one-address",
            Self::CountsActiveOnly(_) => "counts-active-only",
            Self::HashTableTooSmall(_) => "hash-table-too-small",
        }
    }
}

impl fmt::Display for WarningKind {
    /// A clause for people: the setting and its effect.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::PortZeroWithoutPersistence => {
                "port 0 works only with persistence, so every connection is refused"
            }
            Self::AddressNotUnicast => {
                "the address is not a unicast address, so no packets from other hosts are balanced"
            }
            Self::NoScheduler => "the scheduler none refuses every connection",
            Self::UnknownScheduler { scheduler, similar } => {
                write!(f, "no known kernel has a scheduler {scheduler}")?;
                return match similar {
                    Some(similar) => write!(f, "; did you mean {similar}?"),
                    None => Ok(()),
                };
            }
            Self::UnknownEngine(engine) => {
                return write!(f, "no known kernel has a persistence engine {engine}");
            }
            Self::FlagsWithoutEffect(flags) => {
                return write!(f, "the scheduler does not read the flags {flags}");
            }
            Self::OnePacketWithoutEffect => "one-packet scheduling has no effect without UDP",
            Self::EngineNeedsUdp => {
                "the persistence engine sip reads UDP only, so every packet is dropped"
            }
            Self::MaskCoversNothing => {
                "a persistence mask of 0.0.0.0 sends all clients to one destination"
            }
            Self::PortWithoutEffect => {
                "the port of the destination has no effect: connections keep the port that the \
                 client chose"
            }
            Self::OnePacketMasquerade => {
                "with one-packet scheduling, masquerading does not rewrite answers"
            }
            Self::ThresholdsWithoutEffect => {
                "thresholds have no effect with one-packet scheduling, which keeps no connections"
            }
            Self::NoUsableDestination => {
                "no destination has a weight above 0, so every connection is refused"
            }
            Self::WeightZeroRefuses(scheduler) => {
                return write!(
                    f,
                    "weight 0 makes the scheduler {scheduler} refuse clients whose hash selects \
                     this destination"
                );
            }
            Self::WeightsWithoutEffect(scheduler) => {
                return write!(f, "the scheduler {scheduler} ignores the different weights");
            }
            Self::HashesOneAddress => {
                "the scheduler dh sends all connections to one destination, because the service \
                 has one address"
            }
            Self::CountsActiveOnly(scheduler) => {
                return write!(
                    f,
                    "the scheduler {scheduler} sends all connections to one destination, because \
                     UDP connections are never active"
                );
            }
            Self::HashTableTooSmall(scheduler) => {
                return write!(
                    f,
                    "the table of the scheduler {scheduler} has {HASH_PLACES} entries, which are \
                     too few: some destinations get no connections"
                );
            }
        };
        f.write_str(text)
    }
}

impl Service {
    /// Returns the settings of the service that the kernel accepts, but that cannot work or
    /// have no effect. The destinations do not matter.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        let persistent = self.persistence.is_some();
        let protocol = match self.id {
            ServiceId::Address { protocol, .. } => Some(protocol),
            ServiceId::Fwmark { .. } => None,
        };
        let connected = matches!(protocol, Some(Protocol::TCP | Protocol::SCTP));
        let mut kinds = Vec::new();
        if let Some(address) = self.id.address() {
            if address.port() == 0 && !persistent {
                kinds.push(WarningKind::PortZeroWithoutPersistence);
            }
            if !is_one_hosts(address.ip()) {
                kinds.push(WarningKind::AddressNotUnicast);
            }
        }
        let known = Scheduler::ALL.contains(&self.scheduler);
        if self.scheduler == Scheduler::NONE {
            kinds.push(WarningKind::NoScheduler);
        } else if !known {
            let similar = self.scheduler.similar();
            kinds.push(WarningKind::UnknownScheduler { scheduler: self.scheduler, similar });
        }
        let read = match self.scheduler {
            Scheduler::SOURCE_HASHING | Scheduler::MAGLEV_HASHING => {
                ServiceFlags::SCHED_1 | ServiceFlags::SCHED_2
            }
            _ if known => ServiceFlags::empty(),
            _ => ServiceFlags::SCHED_1 | ServiceFlags::SCHED_2 | ServiceFlags::SCHED_3,
        };
        let unread = self.flags.difference(read | ServiceFlags::ONE_PACKET);
        if !unread.is_empty() {
            kinds.push(WarningKind::FlagsWithoutEffect(unread));
        }
        if self.flags.contains(ServiceFlags::ONE_PACKET) && connected {
            kinds.push(WarningKind::OnePacketWithoutEffect);
        }
        if let Some(persistence) = self.persistence {
            match persistence.engine {
                Some(PersistenceEngine::SIP) if connected => {
                    kinds.push(WarningKind::EngineNeedsUdp);
                }
                Some(PersistenceEngine::SIP) | None => {}
                Some(engine) => kinds.push(WarningKind::UnknownEngine(engine)),
            }
            if persistence.netmask == Some(Netmask::Ipv4(Ipv4Addr::UNSPECIFIED)) {
                kinds.push(WarningKind::MaskCoversNothing);
            }
        }
        kinds.into_iter().map(|kind| Warning::service(self, kind)).collect()
    }

    /// Returns warnings that depend on all destinations of the service together.
    pub(crate) fn warnings_of_all(&self, destinations: &[&Destination]) -> Vec<Warning> {
        let weights = || destinations.iter().map(|destination| destination.weight);
        let usable = weights().filter(|weight| *weight > 0).count();
        let mut warnings = Vec::new();
        let mut warn = |kind| warnings.push(Warning::service(self, kind));
        if usable == 0 && self.scheduler != Scheduler::NONE {
            warn(WarningKind::NoUsableDestination);
        }
        let scheduler = self.scheduler;
        if matches!(
            scheduler,
            Scheduler::ROUND_ROBIN | Scheduler::LEAST_CONNECTION | Scheduler::DESTINATION_HASHING
        ) {
            let mut above = weights().filter(|weight| *weight > 0);
            let first = above.next();
            if above.any(|weight| Some(weight) != first) {
                warn(WarningKind::WeightsWithoutEffect(scheduler));
            }
        }
        let udp = matches!(self.id, ServiceId::Address { protocol: Protocol::UDP, .. });
        let by_address = self.id.address().is_some();
        match scheduler {
            Scheduler::DESTINATION_HASHING if by_address && usable > 1 => {
                warn(WarningKind::HashesOneAddress);
            }
            Scheduler::SHORTEST_EXPECTED_DELAY
            | Scheduler::NEVER_QUEUE
            | Scheduler::WEIGHTED_OVERFLOW
                if udp && usable > 1 =>
            {
                warn(WarningKind::CountsActiveOnly(scheduler));
            }
            _ => {}
        }
        let places: u64 = match scheduler {
            Scheduler::SOURCE_HASHING if destinations.len() > 1 => {
                weights().map(|weight| u64::from(weight.max(1))).sum()
            }
            Scheduler::DESTINATION_HASHING => weights().map(|_| 1).sum(),
            _ => 0,
        };
        if places > HASH_PLACES {
            warn(WarningKind::HashTableTooSmall(scheduler));
        }
        if self.refuses_at_weight_zero() && usable > 0 {
            let stopped = destinations.iter().filter(|destination| destination.weight == 0);
            warnings.extend(stopped.map(|destination| {
                Warning::destination(self, destination, WarningKind::WeightZeroRefuses(scheduler))
            }));
        }
        warnings
    }

    /// Returns `true` if the service is a UDP service with one-packet scheduling.
    fn is_one_packet(&self) -> bool {
        let udp = match self.id {
            ServiceId::Address { protocol, .. } => protocol == Protocol::UDP,
            // Its packets may be of other protocols, too.
            ServiceId::Fwmark { .. } => false,
        };
        udp && self.flags.contains(ServiceFlags::ONE_PACKET)
    }
}

impl Destination {
    /// Returns the settings of the destination that the kernel accepts, but that have no effect
    /// in `service`.
    #[must_use]
    pub fn warnings(&self, service: &Service) -> Vec<Warning> {
        let port = self.id.address.port();
        // The port of the service, 0 for a firewall mark.
        let asked = service.id.address().map_or(0, |address| address.port());
        let persistent = service.persistence.is_some();
        let masquerade = self.forwarding == Forwarding::Masquerade;
        let rewritten = masquerade && (asked != 0 || !persistent);
        let refused = asked == 0 && !persistent && service.id.address().is_some();
        let mut kinds = Vec::new();
        if port != 0 && port != asked && !rewritten && !refused {
            kinds.push(WarningKind::PortWithoutEffect);
        }
        if service.is_one_packet() {
            let engine = service.persistence.is_some_and(|it| it.engine.is_some());
            if masquerade && !engine {
                kinds.push(WarningKind::OnePacketMasquerade);
            }
            if self.thresholds != Thresholds::default() {
                kinds.push(WarningKind::ThresholdsWithoutEffect);
            }
        }
        kinds.into_iter().map(|kind| Warning::destination(service, self, kind)).collect()
    }
}

/// Returns `true` if the address is a unicast address that can be in a packet.
fn is_one_hosts(address: IpAddr) -> bool {
    let others = address.is_unspecified() || address.is_multicast();
    !others
        && match address {
            IpAddr::V4(v4) => v4 != Ipv4Addr::BROADCAST,
            IpAddr::V6(v6) => v6.to_ipv4_mapped().is_none(),
        }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{AddressFamily, Persistence, Tunnel};

    const MINUTE: Duration = Duration::from_secs(60);

    fn tcp(address: &str) -> Service {
        Service::tcp(address.parse().unwrap())
    }

    fn udp() -> Service {
        Service::udp("192.0.2.10:53".parse().unwrap())
    }

    fn server(port: u16) -> Destination {
        Destination::masquerade(([10, 0, 0, 2], port).into())
    }

    fn names(warnings: &[Warning]) -> Vec<&'static str> {
        warnings.iter().map(|warning| warning.kind.name()).collect()
    }

    #[test]
    fn a_service_that_works_has_no_warning() {
        let plain = tcp("192.0.2.10:80");
        for service in [
            plain.clone(),
            plain.clone().scheduler(Scheduler::SOURCE_HASHING).flags(ServiceFlags::SH_PORT),
            tcp("192.0.2.10:0").persistent(MINUTE),
            udp().one_packet(),
            udp().persistence(Persistence::new(MINUTE).engine(PersistenceEngine::SIP)),
            Service::fwmark(5, AddressFamily::Ipv4).one_packet(),
            plain.scheduler("tomorrows".parse().unwrap()).flags(ServiceFlags::SCHED_3),
        ] {
            let others = service.warnings();
            let others = others
                .iter()
                .filter(|warning| !matches!(warning.kind, WarningKind::UnknownScheduler { .. }));
            assert_eq!(others.count(), 0, "{service:?}");
        }
    }

    #[test]
    fn each_setting_of_a_service_is_told() {
        let engine = |name: &str| Persistence::new(MINUTE).engine(name.parse().unwrap());
        for (service, expected) in [
            (tcp("192.0.2.10:0"), "port-zero-without-persistence"),
            (tcp("0.0.0.0:80"), "address-not-unicast"),
            (tcp("224.0.0.5:80"), "address-not-unicast"),
            (tcp("[::ffff:192.0.2.10]:80"), "address-not-unicast"),
            (tcp("192.0.2.10:80").scheduler(Scheduler::NONE), "no-scheduler"),
            (tcp("192.0.2.10:80").scheduler("RR".parse().unwrap()), "unknown-scheduler"),
            (tcp("192.0.2.10:80").persistence(engine("tomorrows")), "unknown-engine"),
            (tcp("192.0.2.10:80").flags(ServiceFlags::SCHED_1), "flags-without-effect"),
            (tcp("192.0.2.10:80").one_packet(), "one-packet-without-effect"),
            (tcp("192.0.2.10:80").persistence(engine("sip")), "engine-needs-udp"),
            (
                tcp("192.0.2.10:80")
                    .persistence(Persistence::new(MINUTE).netmask(Ipv4Addr::UNSPECIFIED)),
                "mask-covers-nothing",
            ),
        ] {
            assert_eq!(names(&service.warnings()), [expected], "{service:?}");
        }
    }

    #[test]
    fn a_port_is_rewritten_by_masquerading_alone_and_where_the_service_has_one() {
        let web = tcp("192.0.2.10:80");
        let mark = Service::fwmark(5, AddressFamily::Ipv4);
        let direct = |port| server(port).forwarding(Forwarding::DirectRoute);
        let tunnel = |port| server(port).forwarding(Forwarding::Tunnel(Tunnel::Ipip));
        let without_effect = [
            (direct(8080), web.clone()),
            (tunnel(8080), web.clone()),
            (direct(8080), mark.clone()),
            (server(8080), mark.clone().persistent(MINUTE)),
            (server(8080), tcp("192.0.2.10:0").persistent(MINUTE)),
        ];
        for (destination, service) in without_effect {
            let warnings = destination.warnings(&service);
            assert_eq!(names(&warnings), ["port-without-effect"], "{service:?} {destination:?}");
        }
        let with_effect = [
            (server(8080), web.clone()),
            (server(8080), web.clone().persistent(MINUTE)),
            (server(8080), mark.clone()),
            (direct(80), web.clone()),
            (direct(0), web),
            (direct(0), mark),
        ];
        for (destination, service) in with_effect {
            assert!(destination.warnings(&service).is_empty(), "{service:?} {destination:?}");
        }
    }

    #[test]
    fn one_packet_scheduling_has_neither_answers_nor_connections() {
        let limited = server(53).thresholds(10, 5);
        let both = ["one-packet-masquerade", "thresholds-without-effect"];
        assert_eq!(names(&limited.warnings(&udp().one_packet())), both);
        assert!(limited.warnings(&udp()).is_empty());
        let direct = server(53).forwarding(Forwarding::DirectRoute);
        assert!(direct.warnings(&udp().one_packet()).is_empty());
    }

    #[test]
    fn what_only_all_destinations_show_is_told() {
        let with = |service: &Service, weights: &[u32]| {
            let all: Vec<_> =
                (80..).zip(weights).map(|(port, weight)| server(port).weight(*weight)).collect();
            names(&service.warnings_of_all(&all.iter().collect::<Vec<_>>()))
        };
        let tcp = |scheduler| tcp("192.0.2.10:80").scheduler(scheduler);
        let none: [&str; 0] = [];
        assert_eq!(with(&tcp(Scheduler::ROUND_ROBIN), &[1, 1, 0]), none);
        assert_eq!(with(&tcp(Scheduler::ROUND_ROBIN), &[]), ["no-usable-destination"]);
        assert_eq!(with(&tcp(Scheduler::ROUND_ROBIN), &[0, 0]), ["no-usable-destination"]);
        assert_eq!(with(&tcp(Scheduler::NONE), &[0]), none);
        assert_eq!(with(&tcp(Scheduler::ROUND_ROBIN), &[1, 3]), ["weights-without-effect"]);
        assert_eq!(with(&tcp(Scheduler::WEIGHTED_ROUND_ROBIN), &[1, 3]), none);
        assert_eq!(with(&tcp(Scheduler::DESTINATION_HASHING), &[1, 1]), ["hashes-one-address"]);
        assert_eq!(with(&tcp(Scheduler::DESTINATION_HASHING), &[1]), none);
        assert_eq!(with(&udp().scheduler(Scheduler::NEVER_QUEUE), &[1, 1]), ["counts-active-only"]);
        assert_eq!(with(&tcp(Scheduler::NEVER_QUEUE), &[1, 1]), none);
        assert_eq!(with(&tcp(Scheduler::SOURCE_HASHING), &[200, 57]), ["hash-table-too-small"]);
        assert_eq!(with(&tcp(Scheduler::SOURCE_HASHING), &[200, 56]), none);
        assert_eq!(with(&tcp(Scheduler::SOURCE_HASHING), &[1, 0]), ["weight-zero-refuses"]);
        let fallback = tcp(Scheduler::SOURCE_HASHING).flags(ServiceFlags::SH_FALLBACK);
        assert_eq!(with(&fallback, &[1, 0]), none);
    }

    #[test]
    fn a_similar_scheduler_is_named() {
        let similar = |name: &str| name.parse::<Scheduler>().unwrap().similar();
        assert_eq!(similar("RR"), Some(Scheduler::ROUND_ROBIN));
        assert_eq!(similar("round-robin"), Some(Scheduler::ROUND_ROBIN));
        assert_eq!(similar("maglev"), Some(Scheduler::MAGLEV_HASHING));
        assert_eq!(similar("wlcc"), Some(Scheduler::WEIGHTED_LEAST_CONNECTION));
        assert_eq!(similar("rw"), Some(Scheduler::ROUND_ROBIN));
        assert_eq!(similar("hs"), None);
        assert_eq!(similar("tomorrows"), None);
    }
}
