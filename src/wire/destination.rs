//! Destinations and their identities: the nest `IPVS_CMD_ATTR_DEST`.

use std::net::SocketAddr;

use netlink_packet_core::NLA_F_NESTED;

use crate::model::{
    AddressFamily, Connections, Destination, DestinationEntry, DestinationId, Forwarding,
    GueChecksum, Protocol, Thresholds, Tunnel, UnknownForwarding, UnknownTunnel,
};
use crate::uapi::*;
use crate::wire::layout::{self, Place};
use crate::wire::{Attributes, Malformed, Put, Writer, nest, scalar, service, stats};

/// Writes a whole message that names a destination: the `headers` and both nests. The service must
/// have an address, and the destination must have the family of the service.
#[inline]
pub(super) fn put_message_with_id(
    writer: &mut Writer<'_>,
    headers: [u8; 20],
    protocol: Protocol,
    service: &SocketAddr,
    id: &DestinationId,
) {
    writer.block::<100>(|block| {
        block.raw(headers);
        service::put_address_nest(block, protocol, service);
        block.header(32, IPVS_CMD_ATTR_DEST | NLA_F_NESTED);
        put_place(block, id);
    });
}

/// Writes a whole message that names a destination and has its settings. The tunnel, if any, must
/// be IPIP. The rest is as in [`put_message_with_id`].
#[inline]
pub(super) fn put_message_with_settings(
    writer: &mut Writer<'_>,
    headers: [u8; 20],
    protocol: Protocol,
    service: &SocketAddr,
    destination: &Destination,
    method: u32,
) {
    writer.block::<132>(|block| {
        block.raw(headers);
        service::put_address_nest(block, protocol, service);
        block.header(64, IPVS_CMD_ATTR_DEST | NLA_F_NESTED);
        put_place(block, &destination.id);
        put_numbers(block, destination, method);
    });
}

/// Writes a nest that has only the identity. `service` is the family of the service.
#[inline]
pub(crate) fn encode_id(writer: &mut Writer<'_>, id: &DestinationId, service: AddressFamily) {
    writer.nest(IPVS_CMD_ATTR_DEST, |writer| put_id(writer, id, Some(service)));
}

/// Writes the nest with identity and settings. The kernel requires all settings, in additions and
/// in updates.
pub(crate) fn encode(writer: &mut Writer<'_>, destination: &Destination, service: AddressFamily) {
    writer.nest(IPVS_CMD_ATTR_DEST, |writer| {
        put_id(writer, &destination.id, Some(service));
        put_settings(writer, destination);
    });
}

#[inline]
pub(super) fn put_id(writer: &mut Writer<'_>, id: &DestinationId, service: Option<AddressFamily>) {
    writer.block::<28>(|block| put_place(block, id));
    // Without this attribute the kernel assumes the family of the service.
    if service != Some(id.family()) {
        writer.u16(IPVS_DEST_ATTR_ADDR_FAMILY, scalar::family_number(id.family()));
    }
}

/// Writes address and port: 28 bytes.
#[inline(always)]
fn put_place(into: &mut impl Put, id: &DestinationId) {
    into.sixteen(IPVS_DEST_ATTR_ADDR, scalar::address_field(&id.address));
    into.u16_be(IPVS_DEST_ATTR_PORT, id.address.port());
}

/// Writes the settings that every destination has: 32 bytes.
#[inline(always)]
fn put_numbers(into: &mut impl Put, destination: &Destination, method: u32) {
    into.u32(IPVS_DEST_ATTR_FWD_METHOD, method);
    into.u32(IPVS_DEST_ATTR_WEIGHT, destination.weight);
    into.u32(IPVS_DEST_ATTR_U_THRESH, destination.thresholds.upper);
    into.u32(IPVS_DEST_ATTR_L_THRESH, destination.thresholds.lower);
}

/// Returns the number of a forwarding method, and its tunnel: IPIP if it has none.
#[inline]
pub(super) const fn method_and_tunnel(forwarding: Forwarding) -> (u32, Tunnel) {
    match forwarding {
        Forwarding::Masquerade => (IP_VS_CONN_F_MASQ, Tunnel::Ipip),
        Forwarding::LocalNode => (IP_VS_CONN_F_LOCALNODE, Tunnel::Ipip),
        Forwarding::Tunnel(tunnel) => (IP_VS_CONN_F_TUNNEL, tunnel),
        Forwarding::DirectRoute => (IP_VS_CONN_F_DROUTE, Tunnel::Ipip),
        Forwarding::Bypass => (IP_VS_CONN_F_BYPASS, Tunnel::Ipip),
        Forwarding::Unknown(unknown) => (unknown.number(), Tunnel::Ipip),
    }
}

#[inline]
pub(super) fn put_settings(writer: &mut Writer<'_>, destination: &Destination) {
    let (method, tunnel) = method_and_tunnel(destination.forwarding);
    writer.block::<32>(|block| put_numbers(block, destination, method));
    // Without these three attributes the kernel assumes IPIP, port 0 and no flags.
    let (kind, port, flags) = match tunnel {
        Tunnel::Ipip => return,
        Tunnel::Gue { port, checksum } => {
            let flags = match checksum {
                GueChecksum::None => IP_VS_TUNNEL_ENCAP_FLAG_NOCSUM,
                GueChecksum::Full => IP_VS_TUNNEL_ENCAP_FLAG_CSUM,
                GueChecksum::RemoteOffload => IP_VS_TUNNEL_ENCAP_FLAG_REMCSUM,
            };
            (IP_VS_CONN_F_TUNNEL_TYPE_GUE, port, flags)
        }
        Tunnel::Gre { checksum: false } => (IP_VS_CONN_F_TUNNEL_TYPE_GRE, 0, 0),
        Tunnel::Gre { checksum: true } => {
            (IP_VS_CONN_F_TUNNEL_TYPE_GRE, 0, IP_VS_TUNNEL_ENCAP_FLAG_CSUM)
        }
        Tunnel::Unknown(unknown) => (unknown.kind(), unknown.port(), unknown.flags()),
    };
    writer.u8(IPVS_DEST_ATTR_TUN_TYPE, kind);
    writer.u16_be(IPVS_DEST_ATTR_TUN_PORT, port);
    writer.u16(IPVS_DEST_ATTR_TUN_FLAGS, flags);
}

/// The attributes of the nest, as they were read.
struct Fields<'a> {
    family: Option<AddressFamily>,
    address: Option<&'a [u8]>,
    port: Option<u16>,
    method: Option<u32>,
    weight: Option<u32>,
    tunnel: (u8, u16, u16),
    thresholds: Thresholds,
    connections: Connections,
    stats: Option<&'a [u8]>,
    stats64: Option<&'a [u8]>,
}

/// Reads the attributes of a message. `service` is the family of the service: kernels before 3.18
/// do not report the family of a destination.
#[inline(always)]
pub(crate) fn decode(
    attributes: &[u8],
    service: Option<AddressFamily>,
) -> Result<DestinationEntry, Malformed> {
    match from_layout(attributes) {
        Some(entry) => Ok(entry),
        None => decode_any(attributes, service),
    }
}

/// Reads the attributes in any order.
#[cold]
#[inline(never)]
fn decode_any(
    attributes: &[u8],
    service: Option<AddressFamily>,
) -> Result<DestinationEntry, Malformed> {
    Fields::from_any(nest(attributes, IPVS_CMD_ATTR_DEST)?)?.entry(service)
}

/// The layout of the message in Linux 5.3 and later, on machines that need no alignment: one nest
/// with all attributes.
const NEST: Place = (0, 332, IPVS_CMD_ATTR_DEST);
const ATTRIBUTES: [Place; 15] = layout::moved(IN_NEST, 4);
const COUNTERS: [Place; 10] = layout::moved(stats::LAYOUT, 216);

const IN_NEST: [Place; 15] = [
    (0, 16, IPVS_DEST_ATTR_ADDR),
    (20, 2, IPVS_DEST_ATTR_PORT),
    (28, 4, IPVS_DEST_ATTR_FWD_METHOD),
    (36, 4, IPVS_DEST_ATTR_WEIGHT),
    (44, 1, IPVS_DEST_ATTR_TUN_TYPE),
    (52, 2, IPVS_DEST_ATTR_TUN_PORT),
    (60, 2, IPVS_DEST_ATTR_TUN_FLAGS),
    (68, 4, IPVS_DEST_ATTR_U_THRESH),
    (76, 4, IPVS_DEST_ATTR_L_THRESH),
    (84, 4, IPVS_DEST_ATTR_ACTIVE_CONNS),
    (92, 4, IPVS_DEST_ATTR_INACT_CONNS),
    (100, 4, IPVS_DEST_ATTR_PERSIST_CONNS),
    (108, 2, IPVS_DEST_ATTR_ADDR_FAMILY),
    (116, 88, IPVS_DEST_ATTR_STATS),
    (208, 120, IPVS_DEST_ATTR_STATS64),
];

/// Reads a message that has the usual layout.
#[inline(always)]
fn from_layout(attributes: &[u8]) -> Option<DestinationEntry> {
    let whole: &[u8; 336] = attributes.try_into().ok()?;
    let fits = layout::fits(whole, &[NEST])
        & layout::fits(whole, &ATTRIBUTES)
        & layout::fits(whole, &COUNTERS);
    if !fits {
        return None;
    }
    let number = |offset| u32::from_ne_bytes(layout::value(whole, offset));
    let port = u16::from_be_bytes(layout::value(whole, 24));
    let octets: [u8; 16] = layout::value(whole, 4);
    let address = match u16::from_ne_bytes(layout::value(whole, 112)) {
        AF_INET => {
            let [a, b, c, d, ..] = octets;
            SocketAddr::from(([a, b, c, d], port))
        }
        AF_INET6 => SocketAddr::from((octets, port)),
        _ => return None,
    };
    let forwarding = match number(32) & IP_VS_CONN_F_FWD_MASK {
        IP_VS_CONN_F_MASQ => Forwarding::Masquerade,
        method => {
            let [kind] = layout::value(whole, 48);
            let port = u16::from_be_bytes(layout::value(whole, 56));
            let flags = u16::from_ne_bytes(layout::value(whole, 64));
            forwarding(method, (kind, port, flags))
        }
    };
    Some(DestinationEntry {
        destination: Destination {
            id: DestinationId { address },
            forwarding,
            weight: number(40),
            thresholds: Thresholds { upper: number(72), lower: number(80) },
        },
        connections: Connections {
            active: number(88),
            inactive: number(96),
            persistent: number(104),
        },
        stats: stats::decode_layout(whole, 216),
    })
}

impl<'a> Fields<'a> {
    fn from_any(nest: &'a [u8]) -> Result<Self, Malformed> {
        let mut fields = Self {
            family: None,
            address: None,
            port: None,
            method: None,
            weight: None,
            tunnel: (IP_VS_CONN_F_TUNNEL_TYPE_IPIP, 0, 0),
            thresholds: Thresholds::default(),
            connections: Connections::default(),
            stats: None,
            stats64: None,
        };
        for attribute in Attributes::new(nest) {
            let (kind, value) = attribute?;
            let connections = &mut fields.connections;
            match kind {
                IPVS_DEST_ATTR_ADDR => fields.address = Some(value),
                IPVS_DEST_ATTR_PORT => fields.port = Some(scalar::u16_be(value)?),
                IPVS_DEST_ATTR_FWD_METHOD => fields.method = Some(scalar::u32(value)?),
                IPVS_DEST_ATTR_WEIGHT => fields.weight = Some(scalar::u32(value)?),
                IPVS_DEST_ATTR_U_THRESH => fields.thresholds.upper = scalar::u32(value)?,
                IPVS_DEST_ATTR_L_THRESH => fields.thresholds.lower = scalar::u32(value)?,
                IPVS_DEST_ATTR_ACTIVE_CONNS => connections.active = scalar::u32(value)?,
                IPVS_DEST_ATTR_INACT_CONNS => connections.inactive = scalar::u32(value)?,
                IPVS_DEST_ATTR_PERSIST_CONNS => connections.persistent = scalar::u32(value)?,
                IPVS_DEST_ATTR_ADDR_FAMILY => fields.family = Some(scalar::family(value)?),
                IPVS_DEST_ATTR_TUN_TYPE => fields.tunnel.0 = scalar::u8(value)?,
                IPVS_DEST_ATTR_TUN_PORT => fields.tunnel.1 = scalar::u16_be(value)?,
                IPVS_DEST_ATTR_TUN_FLAGS => fields.tunnel.2 = scalar::u16(value)?,
                IPVS_DEST_ATTR_STATS => fields.stats = Some(value),
                IPVS_DEST_ATTR_STATS64 => fields.stats64 = Some(value),
                _ => {}
            }
        }
        Ok(fields)
    }

    fn entry(self, service: Option<AddressFamily>) -> Result<DestinationEntry, Malformed> {
        let family = self.family.or(service).ok_or("a destination without an address family")?;
        let address = self.address.ok_or("a destination without an address")?;
        let port = self.port.ok_or("a destination without a port")?;
        let address = SocketAddr::new(scalar::address(family, address)?, port);
        let method = self.method.ok_or("a destination without a forwarding method")?;
        let forwarding = forwarding(method & IP_VS_CONN_F_FWD_MASK, self.tunnel);
        let weight = self.weight.ok_or("a destination without a weight")?;
        let (id, thresholds) = (DestinationId { address }, self.thresholds);
        Ok(DestinationEntry {
            destination: Destination { id, forwarding, weight, thresholds },
            connections: self.connections,
            stats: stats::decode_either(self.stats, self.stats64)?,
        })
    }
}

/// `method` without other flags of the word.
fn forwarding(method: u32, fields: (u8, u16, u16)) -> Forwarding {
    match method {
        IP_VS_CONN_F_MASQ => Forwarding::Masquerade,
        IP_VS_CONN_F_LOCALNODE => Forwarding::LocalNode,
        IP_VS_CONN_F_TUNNEL => Forwarding::Tunnel(tunnel(fields)),
        IP_VS_CONN_F_DROUTE => Forwarding::DirectRoute,
        IP_VS_CONN_F_BYPASS => Forwarding::Bypass,
        number => Forwarding::Unknown(UnknownForwarding::new(number)),
    }
}

/// IPIP has neither port nor flags and GRE no port, whatever the kernel stores for
/// them.
fn tunnel((kind, port, flags): (u8, u16, u16)) -> Tunnel {
    let checksum = match flags {
        IP_VS_TUNNEL_ENCAP_FLAG_NOCSUM => Some(GueChecksum::None),
        IP_VS_TUNNEL_ENCAP_FLAG_CSUM => Some(GueChecksum::Full),
        IP_VS_TUNNEL_ENCAP_FLAG_REMCSUM => Some(GueChecksum::RemoteOffload),
        _ => None,
    };
    match (kind, checksum) {
        (IP_VS_CONN_F_TUNNEL_TYPE_IPIP, _) => Tunnel::Ipip,
        (IP_VS_CONN_F_TUNNEL_TYPE_GUE, Some(checksum)) => Tunnel::Gue { port, checksum },
        (IP_VS_CONN_F_TUNNEL_TYPE_GRE, Some(GueChecksum::None)) => Tunnel::Gre { checksum: false },
        (IP_VS_CONN_F_TUNNEL_TYPE_GRE, Some(GueChecksum::Full)) => Tunnel::Gre { checksum: true },
        _ => Tunnel::Unknown(UnknownTunnel::new(kind, port, flags)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_cut_reads_what_the_long_way_reads() {
        let mut message: Vec<u8> = (0..=255).cycle().take(336).collect();
        for (offset, length, kind) in [NEST].into_iter().chain(ATTRIBUTES).chain(COUNTERS) {
            message[offset..offset + 2].copy_from_slice(&(length + 4).to_ne_bytes());
            message[offset + 2..offset + 4].copy_from_slice(&kind.to_ne_bytes());
        }
        for (family, tunnelled) in [(AF_INET, 0), (AF_INET6, 2)] {
            message[116..118].copy_from_slice(&family.to_ne_bytes());
            message[36] = tunnelled;
            assert!(from_layout(&message).is_some());
            assert_eq!(from_layout(&message), decode_any(&message, None).ok());
            for (offset, bit) in
                (0..message.len()).flat_map(|offset| [1, 2, 16, 128].map(|bit| (offset, bit)))
            {
                let mut changed = message.clone();
                changed[offset] ^= bit;
                let read = decode(&changed, None).ok();
                assert_eq!(read, decode_any(&changed, None).ok(), "byte {offset}");
            }
            for length in 0..message.len() {
                let cut = &message[..length];
                assert_eq!(decode(cut, None), decode_any(cut, None), "{length} bytes");
            }
        }
    }
}
