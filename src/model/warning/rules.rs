//! The rules that find warnings in the settings of services and destinations.

use std::net::{IpAddr, Ipv4Addr};

use crate::model::warning::kind::{HASH_PLACES, MOST_LOOKS};
use crate::model::{
    Destination, Forwarding, Netmask, PersistenceEngine, Protocol, Scheduler, Service,
    ServiceFlags, ServiceId, Thresholds, Warning, WarningKind,
};

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
        if scheduler == Scheduler::WEIGHTED_ROUND_ROBIN && looks(weights()) > MOST_LOOKS {
            warn(WarningKind::WeightsFarApart);
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

/// Returns how often `wrr` looks at destinations when only one of the least weight is free.
fn looks(weights: impl Iterator<Item = u32> + Clone) -> u64 {
    let usable = || weights.clone().filter(|weight| *weight > 0);
    let span = usable().max().zip(usable().min()).map_or(0, |(most, least)| most - least);
    let step = usable().fold(0, greatest_common_divisor).max(1);
    weights.map(|_| 1).sum::<u64>().saturating_mul((span / step).into())
}

const fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    let (mut a, mut b) = (a, b);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
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
        let wrr = tcp(Scheduler::WEIGHTED_ROUND_ROBIN);
        assert_eq!(with(&wrr, &[500_000, 1]), none);
        assert_eq!(with(&wrr, &[500_002, 1]), ["weights-far-apart"]);
        assert_eq!(with(&wrr, &[500_002, 2, 0]), none, "steps of 2");
        assert_eq!(with(&wrr, &[i32::MAX.unsigned_abs(), 0]), none, "nothing to go down to");
        assert_eq!(with(&wrr, &[i32::MAX.unsigned_abs(), 1]), ["weights-far-apart"]);
        let wlc = tcp(Scheduler::WEIGHTED_LEAST_CONNECTION);
        assert_eq!(with(&wlc, &[i32::MAX.unsigned_abs(), 1]), none);
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
