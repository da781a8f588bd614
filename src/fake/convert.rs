//! Between the values of the crate and those that the fake kernel stores.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use crate::fake::requests::daemon::DaemonSettings;
use crate::fake::table::counters::{Five, Shown};
use crate::fake::table::destination::DestinationSettings;
use crate::fake::table::key::{Address, DestinationKey, ServiceKey, TCP};
use crate::fake::table::service::{Service as StoredService, ServiceSettings};
use crate::fake::table::space::{Daemon, Group};
use crate::model::{
    AddressFamily, Connections, Destination, DestinationId, Forwarding, GueChecksum, InterfaceName,
    Netmask, Persistence, PersistenceEngine, Protocol, Rates, Role, Scheduler, Service,
    ServiceFlags, ServiceId, Stats, SyncDaemon, Timeouts, Tunnel, UnknownForwarding, UnknownTunnel,
};
use crate::uapi::{
    AF_INET, AF_INET6, IP_VS_CONN_F_BYPASS, IP_VS_CONN_F_DROUTE, IP_VS_CONN_F_LOCALNODE,
    IP_VS_CONN_F_MASQ, IP_VS_CONN_F_TUNNEL, IP_VS_CONN_F_TUNNEL_TYPE_GRE,
    IP_VS_CONN_F_TUNNEL_TYPE_GUE, IP_VS_CONN_F_TUNNEL_TYPE_IPIP, IP_VS_STATE_BACKUP,
    IP_VS_STATE_MASTER, IP_VS_SVC_F_PERSISTENT, IP_VS_TUNNEL_ENCAP_FLAG_CSUM,
    IP_VS_TUNNEL_ENCAP_FLAG_NOCSUM, IP_VS_TUNNEL_ENCAP_FLAG_REMCSUM,
};

const fn family_number(family: AddressFamily) -> u16 {
    match family {
        AddressFamily::Ipv4 => AF_INET,
        AddressFamily::Ipv6 => AF_INET6,
    }
}

const fn family(number: u16) -> AddressFamily {
    match number {
        AF_INET6 => AddressFamily::Ipv6,
        _ => AddressFamily::Ipv4,
    }
}

fn stored_address(address: IpAddr) -> (u16, Address) {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            let bytes = [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            (AF_INET, Address::new(AF_INET, bytes))
        }
        IpAddr::V6(v6) => (AF_INET6, Address::new(AF_INET6, v6.octets())),
    }
}

fn address(family: u16, address: Address) -> IpAddr {
    let bytes = address.bytes();
    let [a, b, c, d, ..] = bytes;
    match family {
        AF_INET6 => Ipv6Addr::from(bytes).into(),
        _ => Ipv4Addr::new(a, b, c, d).into(),
    }
}

pub(super) fn service_key(space: usize, id: ServiceId) -> ServiceKey {
    match id {
        ServiceId::Fwmark { mark, family } => ServiceKey {
            space,
            family: family_number(family),
            protocol: TCP,
            port: 0,
            mark,
            address: Address::default(),
        },
        ServiceId::Address { protocol, address } => {
            let (family, stored) = stored_address(address.ip());
            ServiceKey {
                space,
                family,
                protocol: protocol.number(),
                port: address.port(),
                mark: 0,
                address: stored,
            }
        }
    }
}

pub(super) fn service_id(key: &ServiceKey) -> Option<ServiceId> {
    if !matches!(key.family, AF_INET | AF_INET6) {
        return None;
    }
    if key.mark != 0 {
        return Some(ServiceId::fwmark(key.mark, family(key.family)));
    }
    let address = SocketAddr::new(address(key.family, key.address), key.port);
    Some(ServiceId::Address { protocol: Protocol::from_number(key.protocol), address })
}

pub(super) fn destination_key(id: DestinationId) -> DestinationKey {
    let (family, address) = stored_address(id.address.ip());
    DestinationKey { family, port: id.address.port(), address }
}

pub(super) fn destination_id(key: &DestinationKey) -> DestinationId {
    DestinationId { address: SocketAddr::new(address(key.family, key.address), key.port) }
}

/// What a client writes for a service.
pub(super) fn service_settings(service: &Service) -> ServiceSettings<'_> {
    let whole = match service.id.family() {
        AddressFamily::Ipv4 => [0xff; 4],
        AddressFamily::Ipv6 => 128_u32.to_ne_bytes(),
    };
    let netmask = |netmask: Option<Netmask>| match netmask {
        None => whole,
        Some(Netmask::Ipv4(mask)) => mask.octets(),
        Some(Netmask::Ipv6Prefix(length)) => u32::from(length).to_ne_bytes(),
    };
    let persistence = service.persistence.as_ref();
    let engine = persistence.and_then(|it| it.engine.as_ref());
    let persistent = if persistence.is_some() { IP_VS_SVC_F_PERSISTENT } else { 0 };
    ServiceSettings {
        scheduler: service.scheduler.as_bytes(),
        engine: engine.map(PersistenceEngine::as_bytes).unwrap_or_default(),
        flags: service.flags.bits() | persistent,
        mask: u32::MAX,
        timeout: persistence.map_or(0, |it| seconds(it.timeout)),
        netmask: persistence.map_or(whole, |it| netmask(it.netmask)),
    }
}

/// The service that settings make, as a client reads it. Bits outside the mask are 0.
pub(super) fn service(key: &ServiceKey, settings: &ServiceSettings<'_>) -> Option<Service> {
    let flags = settings.flags & settings.mask;
    let mut service = Service::new(service_id(key)?)
        .scheduler(Scheduler::reported(settings.scheduler)?)
        .flags(ServiceFlags::reported(flags));
    if flags & IP_VS_SVC_F_PERSISTENT != 0 {
        let persistence = Persistence::new(Duration::from_secs(settings.timeout.into()));
        let mut persistence = match family(key.family) {
            AddressFamily::Ipv4 => persistence.netmask(Ipv4Addr::from(settings.netmask)),
            AddressFamily::Ipv6 => {
                let length = u32::from_ne_bytes(settings.netmask);
                persistence.prefix(u8::try_from(length).ok()?)
            }
        };
        persistence.engine = PersistenceEngine::reported(settings.engine);
        service.persistence = Some(persistence);
    }
    Some(service)
}

/// A service of the table, as a client reads it.
pub(super) fn stored_service(stored: &StoredService) -> Option<Service> {
    let settings = ServiceSettings {
        scheduler: stored.scheduler.unwrap_or("none").as_bytes(),
        engine: stored.engine.unwrap_or_default().as_bytes(),
        flags: stored.flags,
        mask: u32::MAX,
        timeout: stored.timeout,
        netmask: stored.netmask,
    };
    service(&stored.key, &settings)
}

pub(super) const fn destination_settings(destination: &Destination) -> DestinationSettings {
    const IPIP: (u8, u16, u16) = (IP_VS_CONN_F_TUNNEL_TYPE_IPIP, 0, 0);
    let (method, tunnel) = match destination.forwarding {
        Forwarding::Masquerade => (IP_VS_CONN_F_MASQ, IPIP),
        Forwarding::LocalNode => (IP_VS_CONN_F_LOCALNODE, IPIP),
        Forwarding::DirectRoute => (IP_VS_CONN_F_DROUTE, IPIP),
        Forwarding::Bypass => (IP_VS_CONN_F_BYPASS, IPIP),
        Forwarding::Unknown(unknown) => (unknown.number(), IPIP),
        Forwarding::Tunnel(Tunnel::Ipip) => (IP_VS_CONN_F_TUNNEL, IPIP),
        Forwarding::Tunnel(Tunnel::Gue { port, checksum }) => {
            let flags = match checksum {
                GueChecksum::None => IP_VS_TUNNEL_ENCAP_FLAG_NOCSUM,
                GueChecksum::Full => IP_VS_TUNNEL_ENCAP_FLAG_CSUM,
                GueChecksum::RemoteOffload => IP_VS_TUNNEL_ENCAP_FLAG_REMCSUM,
            };
            (IP_VS_CONN_F_TUNNEL, (IP_VS_CONN_F_TUNNEL_TYPE_GUE, port, flags))
        }
        Forwarding::Tunnel(Tunnel::Gre { checksum }) => {
            let flags = if checksum {
                IP_VS_TUNNEL_ENCAP_FLAG_CSUM
            } else {
                IP_VS_TUNNEL_ENCAP_FLAG_NOCSUM
            };
            (IP_VS_CONN_F_TUNNEL, (IP_VS_CONN_F_TUNNEL_TYPE_GRE, 0, flags))
        }
        Forwarding::Tunnel(Tunnel::Unknown(unknown)) => {
            (IP_VS_CONN_F_TUNNEL, (unknown.kind(), unknown.port(), unknown.flags()))
        }
    };
    let (tunnel_type, tunnel_port, tunnel_flags) = tunnel;
    DestinationSettings {
        method,
        weight: destination.weight,
        upper: destination.thresholds.upper,
        lower: destination.thresholds.lower,
        tunnel_type,
        tunnel_port,
        tunnel_flags,
    }
}

pub(super) fn destination(key: &DestinationKey, settings: &DestinationSettings) -> Destination {
    let (kind, port, flags) = (settings.tunnel_type, settings.tunnel_port, settings.tunnel_flags);
    let gue = |checksum| Tunnel::Gue { port, checksum };
    // IPIP has neither port nor flags and GRE no port, whatever is stored for them.
    let tunnel = || match (kind, flags) {
        (IP_VS_CONN_F_TUNNEL_TYPE_IPIP, _) => Tunnel::Ipip,
        (IP_VS_CONN_F_TUNNEL_TYPE_GUE, IP_VS_TUNNEL_ENCAP_FLAG_NOCSUM) => gue(GueChecksum::None),
        (IP_VS_CONN_F_TUNNEL_TYPE_GUE, IP_VS_TUNNEL_ENCAP_FLAG_CSUM) => gue(GueChecksum::Full),
        (IP_VS_CONN_F_TUNNEL_TYPE_GUE, IP_VS_TUNNEL_ENCAP_FLAG_REMCSUM) => {
            gue(GueChecksum::RemoteOffload)
        }
        (IP_VS_CONN_F_TUNNEL_TYPE_GRE, IP_VS_TUNNEL_ENCAP_FLAG_NOCSUM) => {
            Tunnel::Gre { checksum: false }
        }
        (IP_VS_CONN_F_TUNNEL_TYPE_GRE, IP_VS_TUNNEL_ENCAP_FLAG_CSUM) => {
            Tunnel::Gre { checksum: true }
        }
        _ => Tunnel::Unknown(UnknownTunnel::new(kind, port, flags)),
    };
    let forwarding = match settings.method {
        IP_VS_CONN_F_MASQ => Forwarding::Masquerade,
        IP_VS_CONN_F_LOCALNODE => Forwarding::LocalNode,
        IP_VS_CONN_F_TUNNEL => Forwarding::Tunnel(tunnel()),
        IP_VS_CONN_F_DROUTE => Forwarding::DirectRoute,
        IP_VS_CONN_F_BYPASS => Forwarding::Bypass,
        number => Forwarding::Unknown(UnknownForwarding::new(number)),
    };
    Destination::new(destination_id(key), forwarding)
        .weight(settings.weight)
        .thresholds(settings.upper, settings.lower)
}

pub(super) fn connections([active, inactive, persistent]: [u32; 3]) -> Connections {
    Connections { active, inactive, persistent }
}

pub(super) const fn shown(stats: &Stats) -> Shown {
    Shown {
        totals: [
            stats.connections,
            stats.incoming_packets,
            stats.outgoing_packets,
            stats.incoming_bytes,
            stats.outgoing_bytes,
        ],
        rates: rates(&stats.rates),
    }
}

pub(super) const fn rates(rates: &Rates) -> Five {
    [
        rates.connections,
        rates.incoming_packets,
        rates.outgoing_packets,
        rates.incoming_bytes,
        rates.outgoing_bytes,
    ]
}

const fn model_rates(five: Five) -> Rates {
    let [connections, incoming_packets, outgoing_packets, incoming_bytes, outgoing_bytes] = five;
    Rates { connections, incoming_packets, outgoing_packets, incoming_bytes, outgoing_bytes }
}

pub(super) const fn stats(shown: Shown) -> Stats {
    let totals = model_rates(shown.totals);
    Stats {
        connections: totals.connections,
        incoming_packets: totals.incoming_packets,
        outgoing_packets: totals.outgoing_packets,
        incoming_bytes: totals.incoming_bytes,
        outgoing_bytes: totals.outgoing_bytes,
        rates: model_rates(shown.rates),
    }
}

fn seconds(time: Duration) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(u32::MAX)
}

/// Timeouts in seconds, 0 for those that stay.
pub(super) fn timeout_numbers(timeouts: &Timeouts) -> [u32; 3] {
    [timeouts.tcp, timeouts.tcp_fin, timeouts.udp].map(|it| it.map_or(0, seconds))
}

pub(super) fn timeouts(numbers: [u32; 3]) -> Timeouts {
    let time = |number: u32| (number != 0).then(|| Duration::from_secs(number.into()));
    let [tcp, tcp_fin, udp] = numbers.map(time);
    Timeouts { tcp, tcp_fin, udp }
}

pub(super) const fn state_number(role: Role) -> u32 {
    match role {
        Role::Master => IP_VS_STATE_MASTER,
        Role::Backup => IP_VS_STATE_BACKUP,
    }
}

pub(super) fn daemon_settings(daemon: &SyncDaemon) -> DaemonSettings<'_> {
    DaemonSettings {
        state: state_number(daemon.role),
        interface: daemon.interface.as_bytes(),
        sync_id: daemon.sync_id,
        max_length: daemon.max_length.unwrap_or(0),
        group: daemon.group.map(|group| match group {
            IpAddr::V4(v4) => Group::Ipv4(v4.octets()),
            IpAddr::V6(v6) => Group::Ipv6(v6.octets()),
        }),
        port: daemon.port.unwrap_or(0),
        ttl: daemon.ttl.unwrap_or(0),
    }
}

fn group(group: Group) -> IpAddr {
    match group {
        Group::Ipv4(octets) => octets.into(),
        Group::Ipv6(octets) => octets.into(),
    }
}

/// The daemon that a request asks for.
pub(super) fn daemon(settings: &DaemonSettings<'_>) -> Option<SyncDaemon> {
    let role = match settings.state {
        IP_VS_STATE_MASTER => Role::Master,
        IP_VS_STATE_BACKUP => Role::Backup,
        _ => return None,
    };
    let mut daemon = SyncDaemon::new(role, InterfaceName::reported(settings.interface)?)
        .sync_id(settings.sync_id);
    daemon.max_length = Some(settings.max_length).filter(|length| *length != 0);
    daemon.group = settings.group.map(group);
    daemon.port = Some(settings.port).filter(|port| *port != 0);
    daemon.ttl = Some(settings.ttl).filter(|ttl| *ttl != 0);
    Some(daemon)
}

/// A daemon that runs.
pub(super) fn running_daemon(role: Role, daemon: &Daemon) -> Option<SyncDaemon> {
    let interface = InterfaceName::reported(daemon.interface.as_bytes())?;
    let running = SyncDaemon::new(role, interface)
        .sync_id(daemon.sync_id)
        .max_length(daemon.max_length)
        .group(group(daemon.group))
        .port(daemon.port)
        .ttl(daemon.ttl);
    Some(running)
}
