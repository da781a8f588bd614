//! Settings that the kernel takes and that cannot work, or do nothing.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use crate::model::{
    Destination, Forwarding, Netmask, Object, PersistenceEngine, Protocol, Scheduler, Service,
    ServiceFlags, ServiceId, Thresholds,
};

/// How many places the table of `sh` has, and that of `dh`, where the kernel was built with
/// its defaults (`CONFIG_IP_VS_SH_TAB_BITS`).
const HASH_PLACES: u64 = 256;

/// A setting that the kernel takes and that cannot work, or that does nothing.
///
/// A warning is not an error: nothing is refused because of it. Programs print it. See
/// [`WarningKind`] for all of them. [`Service::warnings`] finds those of a service's own
/// settings, [`Destination::warnings`] those of a destination in a service, and
/// [`Table::warnings`](crate::table::Table::warnings) these and those that only show when
/// all destinations of a service are known.
///
/// ```
/// use ipvs_netlink::{Service, WarningKind};
///
/// let catch_all = Service::tcp("192.0.2.10:0".parse()?);
/// let warnings = catch_all.warnings();
/// assert_eq!(warnings[0].kind, WarningKind::PortZeroWithoutPersistence);
/// assert_eq!(
///     warnings[0].to_string(),
///     "TCP 192.0.2.10:0: port 0 works only with persistence: every connection is refused"
/// );
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warning {
    /// The service or destination with the setting.
    pub object: Object,
    /// What is wrong with it.
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
    /// The object, and what is wrong with it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.object, self.kind)
    }
}

/// What a [`Warning`] warns of.
///
/// | kind | settings | what the kernel does |
/// | --- | --- | --- |
/// | [`PortZeroWithoutPersistence`](Self::PortZeroWithoutPersistence) | service at port 0, not persistent | refuses every connection |
/// | [`AddressNotUnicast`](Self::AddressNotUnicast) | service at 0.0.0.0, `::`, a multicast, broadcast or mapped address | balances no packet of another host |
/// | [`NoScheduler`](Self::NoScheduler) | scheduler `none` | refuses every connection |
/// | [`UnknownScheduler`](Self::UnknownScheduler) | a scheduler that no known kernel has | refuses the service, unless it has it |
/// | [`UnknownEngine`](Self::UnknownEngine) | a persistence engine that no known kernel has | refuses the service, unless it has it |
/// | [`FlagsWithoutEffect`](Self::FlagsWithoutEffect) | scheduler flags that the scheduler does not read | ignores them |
/// | [`OnePacketWithoutEffect`](Self::OnePacketWithoutEffect) | one-packet scheduling, not UDP | ignores it |
/// | [`EngineNeedsUdp`](Self::EngineNeedsUdp) | engine `sip`, not UDP | drops every packet |
/// | [`MaskCoversNothing`](Self::MaskCoversNothing) | persistence with the mask 0.0.0.0 | sends all clients to one destination |
/// | [`PortWithoutEffect`](Self::PortWithoutEffect) | a destination's own port where the port is not rewritten | keeps the client's port |
/// | [`OnePacketMasquerade`](Self::OnePacketMasquerade) | one-packet UDP, masquerade | does not rewrite the answers |
/// | [`ThresholdsWithoutEffect`](Self::ThresholdsWithoutEffect) | thresholds in a one-packet UDP service | never counts a connection |
/// | [`NoUsableDestination`](Self::NoUsableDestination) | no destination with a weight above 0 | refuses every connection |
/// | [`WeightZeroRefuses`](Self::WeightZeroRefuses) | weight 0 with `dh`, or with `sh` or `mh` without fallback | refuses the clients whose hash leads there |
/// | [`WeightsWithoutEffect`](Self::WeightsWithoutEffect) | different weights with `rr`, `lc` or `dh` | ignores them |
/// | [`HashesOneAddress`](Self::HashesOneAddress) | `dh` for a service at an address | sends all connections to one destination |
/// | [`CountsActiveOnly`](Self::CountsActiveOnly) | `sed`, `nq` or `ovf` with UDP | sends all connections to one destination |
/// | [`HashTableTooSmall`](Self::HashTableTooSmall) | weights of `sh` that sum to more than 256, or more destinations of `dh` | sends nothing to some destinations |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WarningKind {
    /// A service at port 0 that is not persistent. The kernel balances port 0 only with
    /// persistence, and refuses every connection otherwise.
    PortZeroWithoutPersistence,
    /// A service at an address that is not one host's: unspecified, multicast, broadcast, or
    /// IPv4 mapped to IPv6. There is no address that stands for all, and IPVS takes from
    /// other hosts only what is sent to this host alone.
    AddressNotUnicast,
    /// The scheduler `none`: the kernel refuses every connection.
    NoScheduler,
    /// A scheduler that is not in [`Scheduler::ALL`]. A kernel that does not have it refuses
    /// the service.
    #[non_exhaustive]
    UnknownScheduler {
        /// The scheduler.
        scheduler: Scheduler,
        /// The one that may have been meant.
        similar: Option<Scheduler>,
    },
    /// A persistence engine other than [`PersistenceEngine::SIP`], the only one in the
    /// kernel's sources. A kernel that does not have it refuses the service.
    UnknownEngine(PersistenceEngine),
    /// Scheduler flags that the service's scheduler does not read, or bits without a name.
    FlagsWithoutEffect(ServiceFlags),
    /// One-packet scheduling of a service that is not UDP's.
    OnePacketWithoutEffect,
    /// The engine `sip`, which reads UDP only, in a service of TCP or SCTP. The kernel drops
    /// every packet.
    EngineNeedsUdp,
    /// A persistence mask without a bit: all clients are one, and go to one destination.
    MaskCoversNothing,
    /// A destination with a port of its own, where connections keep the port that the client
    /// asked for: with every forwarding method but masquerading, and, since the template of
    /// persistence is for all ports, in persistent services at port 0 and of firewall
    /// marks.
    PortWithoutEffect,
    /// A masqueraded destination of a UDP service with one-packet scheduling: no connection
    /// is kept by which the answers could be rewritten, so they come from the server's own
    /// address. A persistence engine makes up for that.
    OnePacketMasquerade,
    /// Thresholds in a UDP service with one-packet scheduling, which has no connections.
    ThresholdsWithoutEffect,
    /// No destination has a weight above 0, or there is none: every connection is refused.
    NoUsableDestination,
    /// A destination of weight 0 because of which the scheduler refuses clients: those whose
    /// hash leads to it. See [`ServiceFlags::SH_FALLBACK`] and
    /// [`ServiceFlags::MH_FALLBACK`]; `dh` has no such flag.
    WeightZeroRefuses(Scheduler),
    /// Different weights with a scheduler that looks only whether a weight is 0.
    WeightsWithoutEffect(Scheduler),
    /// The scheduler `dh`, which hashes the address that the client asked for, in a service
    /// that has one address: one destination gets all connections.
    HashesOneAddress,
    /// A scheduler that counts only active connections (`sed`, `nq`, `ovf`), in a UDP
    /// service, where none ever is: one destination gets all connections.
    CountsActiveOnly(Scheduler),
    /// More destinations than the scheduler's table has places, each taking as many as its
    /// weight with `sh`: the destinations that were added first get no connections. A kernel
    /// may have been built with a larger table.
    HashTableTooSmall(Scheduler),
}

impl WarningKind {
    /// Its name, for programs and metrics, such as `port-zero-without-persistence`.
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
    /// What is set and what comes of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::PortZeroWithoutPersistence => {
                "port 0 works only with persistence: every connection is refused"
            }
            Self::AddressNotUnicast => {
                "no packet of another host is balanced: the address is not one host's"
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
                "the persistence engine sip reads UDP only: every packet is dropped"
            }
            Self::MaskCoversNothing => {
                "a persistence mask of 0.0.0.0 sends all clients to one destination"
            }
            Self::PortWithoutEffect => {
                "the destination's port has no effect: connections keep the port that the client \
                 asked for"
            }
            Self::OnePacketMasquerade => {
                "one-packet scheduling does not rewrite the answers of a masqueraded destination"
            }
            Self::ThresholdsWithoutEffect => {
                "thresholds have no effect with one-packet scheduling, which has no connections"
            }
            Self::NoUsableDestination => {
                "no destination has a weight above 0: every connection is refused"
            }
            Self::WeightZeroRefuses(scheduler) => {
                return write!(
                    f,
                    "with weight 0 the scheduler {scheduler} refuses the clients whose hash leads \
                     here"
                );
            }
            Self::WeightsWithoutEffect(scheduler) => {
                return write!(f, "the scheduler {scheduler} ignores the different weights");
            }
            Self::HashesOneAddress => {
                "the scheduler dh sends all connections to one address to one destination"
            }
            Self::CountsActiveOnly(scheduler) => {
                return write!(
                    f,
                    "the scheduler {scheduler} sends all connections of UDP to one destination"
                );
            }
            Self::HashTableTooSmall(scheduler) => {
                return write!(
                    f,
                    "the {HASH_PLACES} places of the scheduler {scheduler} do not suffice: some \
                     destinations get no connections"
                );
            }
        };
        f.write_str(text)
    }
}

impl Service {
    /// The settings of the service that the kernel takes and that cannot work or do nothing,
    /// whatever its destinations are.
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

    /// What only shows when all destinations of the service are known.
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

    /// Whether the service is one of UDP that keeps no connection.
    fn is_one_packet(&self) -> bool {
        let udp = match self.id {
            ServiceId::Address { protocol, .. } => protocol == Protocol::UDP,
            // It may carry others, too.
            ServiceId::Fwmark { .. } => false,
        };
        udp && self.flags.contains(ServiceFlags::ONE_PACKET)
    }
}

impl Destination {
    /// The settings of the destination that the kernel takes and that do nothing in
    /// `service`.
    #[must_use]
    pub fn warnings(&self, service: &Service) -> Vec<Warning> {
        let port = self.id.address.port();
        // That of the service, 0 for a firewall mark.
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

/// Whether one host can have the address, and packets to it.
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
