//! Strategies of proptest for all values of the model. The functions named `reported_*` also
//! generate values that only a kernel reports: odd names, prefixes out of range, unknown
//! methods and tunnels.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use proptest::option;
use proptest::prelude::*;

use crate::model::{
    AddressFamily, Change, Connections, Destination, DestinationEntry, DestinationId, Forwarding,
    GueChecksum, Info, Netmask, Persistence, PersistenceEngine, Protocol, Rates, Role, Scheduler,
    Service, ServiceEntry, ServiceFlags, ServiceId, Setting, SettingRange, SettingValue, Settings,
    Stats, SyncDaemon, Thresholds, Timeouts, Tunnel, UnknownForwarding, UnknownTunnel, Version,
};
use crate::uapi::{MAX_PERSISTENCE_SECONDS, MAX_TIMEOUT_SECONDS};

pub(crate) fn family() -> impl Strategy<Value = AddressFamily> {
    prop_oneof![Just(AddressFamily::Ipv4), Just(AddressFamily::Ipv6)]
}

fn address_of(family: AddressFamily) -> BoxedStrategy<IpAddr> {
    match family {
        AddressFamily::Ipv4 => any::<[u8; 4]>().prop_map(IpAddr::from).boxed(),
        AddressFamily::Ipv6 => any::<[u8; 16]>().prop_map(IpAddr::from).boxed(),
    }
}

fn socket_address() -> impl Strategy<Value = SocketAddr> {
    (family().prop_flat_map(address_of), any::<u16>()).prop_map(SocketAddr::from)
}

/// An address that a new destination may have.
fn unicast(family: AddressFamily) -> BoxedStrategy<SocketAddr> {
    let ip = match family {
        AddressFamily::Ipv4 => {
            (1..=223_u8, any::<[u8; 3]>()).prop_map(|(a, [b, c, d])| [a, b, c, d].into()).boxed()
        }
        AddressFamily::Ipv6 => (0x20..=0xfd_u8, any::<[u8; 15]>())
            .prop_map(|(first, rest)| {
                let mut octets = [first; 16];
                octets[1..].copy_from_slice(&rest);
                octets.into()
            })
            .boxed(),
    };
    (ip, any::<u16>()).prop_map(|(ip, port): (IpAddr, u16)| SocketAddr::new(ip, port)).boxed()
}

fn identity(protocol: impl Strategy<Value = Protocol>) -> impl Strategy<Value = ServiceId> {
    prop_oneof![
        4 => (protocol, socket_address())
            .prop_map(|(protocol, address)| ServiceId::Address { protocol, address }),
        1 => (1..=u32::MAX, family()).prop_map(|(mark, family)| ServiceId::fwmark(mark, family)),
    ]
}

/// An identity that a new service may have.
pub(crate) fn service_id() -> impl Strategy<Value = ServiceId> {
    identity(prop_oneof![Just(Protocol::TCP), Just(Protocol::UDP), Just(Protocol::SCTP)])
}

fn seconds(least: u64, most: u64) -> impl Strategy<Value = Duration> {
    prop_oneof![Just(least), Just(most), least..=most].prop_map(Duration::from_secs)
}

fn reported_name(longest: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(1..=u8::MAX, 0..=longest)
}

fn netmask(
    family: AddressFamily,
    prefixes: impl Strategy<Value = u8> + 'static,
) -> BoxedStrategy<Netmask> {
    match family {
        AddressFamily::Ipv4 => any::<[u8; 4]>().prop_map(|m| Netmask::Ipv4(m.into())).boxed(),
        AddressFamily::Ipv6 => prefixes.prop_map(Netmask::Ipv6Prefix).boxed(),
    }
}

fn persistence(family: AddressFamily) -> impl Strategy<Value = Persistence> {
    let engine = "[A-Za-z0-9_-]{1,16}".prop_map(|name| name.parse().unwrap());
    (
        seconds(0, MAX_PERSISTENCE_SECONDS),
        option::of(netmask(family, 1..=128_u8)),
        option::of(engine),
    )
        .prop_map(|(timeout, netmask, engine)| {
            let mut persistence = Persistence::new(timeout);
            (persistence.netmask, persistence.engine) = (netmask, engine);
            persistence
        })
}

fn flags() -> impl Strategy<Value = ServiceFlags> {
    prop_oneof![Just(0), Just(0x3c), any::<u32>()].prop_map(ServiceFlags::reported)
}

/// A service that may be added. It need not be canonical.
pub(crate) fn service() -> impl Strategy<Value = Service> {
    let scheduler = prop_oneof!["rr|wlc|sh|mh|none", "[A-Za-z0-9_-]{1,15}"]
        .prop_map(|name| name.parse::<Scheduler>().unwrap());
    (service_id(), scheduler, flags())
        .prop_flat_map(|(id, scheduler, flags)| {
            let service = Service::new(id).scheduler(scheduler).flags(flags);
            (Just(service), option::of(persistence(id.family())))
        })
        .prop_map(|(service, persistence)| Service { persistence, ..service })
}

fn reported_service() -> impl Strategy<Value = Service> {
    let id = identity(any::<u16>().prop_map(Protocol::from_number));
    let scheduler = reported_name(15).prop_map(|name| Scheduler::reported(&name).unwrap());
    let engine = reported_name(16).prop_map(|name| PersistenceEngine::reported(&name));
    let timeout = any::<u32>().prop_map(|seconds| Duration::from_secs(seconds.into()));
    (id, scheduler, flags(), option::of((timeout, engine)))
        .prop_flat_map(|(id, scheduler, flags, sticky)| {
            let service = Service::new(id).scheduler(scheduler).flags(flags);
            (Just(service), Just(sticky), netmask(id.family(), any::<u8>()))
        })
        .prop_map(|(mut service, sticky, netmask)| {
            service.persistence = sticky.map(|(timeout, engine)| {
                let mut persistence = Persistence::new(timeout);
                (persistence.netmask, persistence.engine) = (Some(netmask), engine);
                persistence
            });
            service.canonical()
        })
}

fn checksum() -> impl Strategy<Value = GueChecksum> {
    prop_oneof![Just(GueChecksum::None), Just(GueChecksum::Full), Just(GueChecksum::RemoteOffload)]
}

fn tunnel() -> impl Strategy<Value = Tunnel> {
    prop_oneof![
        Just(Tunnel::Ipip),
        (1..=u16::MAX, checksum()).prop_map(|(port, checksum)| Tunnel::Gue { port, checksum }),
        any::<bool>().prop_map(|checksum| Tunnel::Gre { checksum }),
        // An unknown type, or a known type with unknown flags.
        (3..=u8::MAX, any::<u16>(), any::<u16>())
            .prop_map(|(kind, port, flags)| Tunnel::Unknown(UnknownTunnel::new(kind, port, flags))),
        (1..=2_u8, any::<u16>(), 3..=u16::MAX)
            .prop_map(|(kind, port, flags)| Tunnel::Unknown(UnknownTunnel::new(kind, port, flags))),
    ]
}

fn forwarding() -> impl Strategy<Value = Forwarding> {
    prop_oneof![
        Just(Forwarding::Masquerade),
        Just(Forwarding::DirectRoute),
        tunnel().prop_map(Forwarding::Tunnel),
        Just(Forwarding::LocalNode),
        Just(Forwarding::Bypass),
        (5..=7_u32).prop_map(|number| Forwarding::Unknown(UnknownForwarding::new(number))),
    ]
}

/// A destination that may be added to a service of the family `service`.
pub(crate) fn destination(service: AddressFamily) -> impl Strategy<Value = Destination> {
    let reached = (family(), forwarding(), tunnel()).prop_map(move |(family, any, tunnel)| {
        (family, if family == service { any } else { Forwarding::Tunnel(tunnel) })
    });
    let max = i32::MAX.unsigned_abs();
    let thresholds = (0..=max).prop_flat_map(|upper| (Just(upper), 0..=upper));
    reached
        .prop_flat_map(|(family, forwarding)| (unicast(family), Just(forwarding)))
        .prop_map(|(address, forwarding)| Destination::new(address, forwarding))
        .prop_flat_map(move |it| (Just(it), 0..=max, thresholds.clone()))
        .prop_map(|(it, weight, (upper, lower))| it.weight(weight).thresholds(upper, lower))
}

fn rates() -> impl Strategy<Value = Rates> {
    any::<[u64; 5]>().prop_map(
        |[connections, incoming_packets, outgoing_packets, incoming_bytes, outgoing_bytes]| Rates {
            connections,
            incoming_packets,
            outgoing_packets,
            incoming_bytes,
            outgoing_bytes,
        },
    )
}

pub(crate) fn stats() -> impl Strategy<Value = Stats> {
    (rates(), rates()).prop_map(|(totals, rates)| Stats {
        connections: totals.connections,
        incoming_packets: totals.incoming_packets,
        outgoing_packets: totals.outgoing_packets,
        incoming_bytes: totals.incoming_bytes,
        outgoing_bytes: totals.outgoing_bytes,
        rates,
    })
}

pub(crate) fn service_entry() -> impl Strategy<Value = ServiceEntry> {
    (reported_service(), stats()).prop_map(|(service, stats)| ServiceEntry { service, stats })
}

pub(crate) fn destination_entry() -> impl Strategy<Value = DestinationEntry> {
    (socket_address(), forwarding(), any::<[u32; 6]>(), stats()).prop_map(
        |(address, forwarding, [weight, upper, lower, active, inactive, persistent], stats)| {
            let thresholds = Thresholds { upper, lower };
            let id = DestinationId { address };
            DestinationEntry {
                destination: Destination { id, forwarding, weight, thresholds },
                connections: Connections { active, inactive, persistent },
                stats,
            }
        },
    )
}

pub(crate) fn role() -> impl Strategy<Value = Role> {
    prop_oneof![Just(Role::Master), Just(Role::Backup)]
}

/// A daemon that may be started.
pub(crate) fn daemon() -> impl Strategy<Value = SyncDaemon> {
    let group = prop_oneof![
        (224..=239_u8, any::<[u8; 3]>()).prop_map(|(a, [b, c, d])| IpAddr::from([a, b, c, d])),
        any::<[u8; 15]>().prop_map(|rest| {
            let mut octets = [0xff; 16];
            octets[1..].copy_from_slice(&rest);
            IpAddr::from(octets)
        }),
    ];
    let interface = "[A-Za-z0-9_-]{1,15}".prop_map(|name| name.parse().unwrap());
    let numbers = (
        option::of(1..=u16::MAX),
        option::of(group),
        option::of(1..=u16::MAX),
        option::of(1..=u8::MAX),
    );
    (role(), interface, 0..=255_u32, numbers).prop_map(
        |(role, interface, sync_id, (max_length, group, port, ttl))| SyncDaemon {
            role,
            interface,
            sync_id,
            max_length,
            group,
            port,
            ttl,
        },
    )
}

fn value_in(range: SettingRange) -> BoxedStrategy<SettingValue> {
    let most = i64::from(i32::MAX);
    match range {
        SettingRange::Switch => any::<bool>().prop_map(SettingValue::from).boxed(),
        SettingRange::Numbers { least, most } => {
            prop_oneof![Just(least), Just(most), least..=most].prop_map(Into::into).boxed()
        }
        SettingRange::PowerOfTwo { .. } => {
            (0..=6_u32).prop_map(|bit| (1_i64 << bit).into()).boxed()
        }
        SettingRange::Threshold => (0..most, 0..=most)
            .prop_map(move |(one, two)| (one, if two > one { two } else { 0 }).into())
            .boxed(),
        SettingRange::Processors => {
            prop::sample::select(vec!["", "0", "0-3,8", "8,1"]).prop_map(Into::into).boxed()
        }
    }
}

/// Settings that may be written, of which this crate does not know some.
pub(crate) fn settings() -> impl Strategy<Value = Settings> {
    let known = prop::sample::select(Setting::KNOWN)
        .prop_flat_map(|known| (Just(known.setting), value_in(known.range)));
    let unknown = ("z[a-z0-9_]{0,62}", "[ -~]{0,40}")
        .prop_map(|(name, text)| (name.parse().unwrap(), SettingValue::parse(&text)));
    prop::collection::vec(prop_oneof![known, unknown], 0..5)
        .prop_map(|settings| settings.into_iter().collect())
}

pub(crate) fn timeouts() -> impl Strategy<Value = Timeouts> {
    let timeout = || option::of(seconds(1, MAX_TIMEOUT_SECONDS));
    (timeout(), timeout(), timeout()).prop_map(|(tcp, tcp_fin, udp)| Timeouts { tcp, tcp_fin, udp })
}

pub(crate) fn info() -> impl Strategy<Value = Info> {
    (any::<[u8; 3]>(), any::<u32>()).prop_map(|([major, minor, patch], connection_table_size)| {
        Info { version: Version { major, minor, patch }, connection_table_size }
    })
}

fn service_and_destination() -> impl Strategy<Value = (ServiceId, Destination)> {
    service_id().prop_flat_map(|id| (Just(id), destination_of(id)))
}

/// A destination of `service`, often at the port of the service.
pub(crate) fn destination_of(service: ServiceId) -> impl Strategy<Value = Destination> {
    (destination(service.family()), any::<bool>()).prop_map(move |(mut destination, same)| {
        if let (true, Some(address)) = (same, service.address()) {
            destination.id.address.set_port(address.port());
        }
        destination
    })
}

/// Any change that passes validation.
pub(crate) fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        service().prop_map(Change::AddService),
        service().prop_map(Change::UpdateService),
        service_id().prop_map(Change::DeleteService),
        service_id().prop_map(Change::ZeroService),
        service_and_destination().prop_map(|(id, it)| Change::AddDestination(id, it)),
        service_and_destination().prop_map(|(id, it)| Change::UpdateDestination(id, it)),
        service_and_destination().prop_map(|(id, it)| Change::DeleteDestination(id, it.id)),
        timeouts().prop_map(Change::SetTimeouts),
        daemon().prop_map(Change::StartDaemon),
        role().prop_map(Change::StopDaemon),
        Just(Change::ZeroAll),
        Just(Change::Flush),
    ]
}
