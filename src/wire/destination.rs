//! A destination and its identity, the nest `IPVS_CMD_ATTR_DEST`.

use std::net::SocketAddr;

use crate::model::{
    AddressFamily, Connections, Destination, DestinationEntry, DestinationId, Forwarding,
    GueChecksum, Thresholds, Tunnel, UnknownForwarding, UnknownTunnel,
};
use crate::uapi::*;
use crate::wire::layout::{self, Place};
use crate::wire::{Attributes, Block, Malformed, Put, Writer, scalar, stats};

/// Writes the nest with the identity only; `service` is the family of the service.
#[inline]
pub(crate) fn encode_id(writer: &mut Writer<'_>, id: &DestinationId, service: AddressFamily) {
    writer.nest(IPVS_CMD_ATTR_DEST, |writer| put_id(writer, id, Some(service)));
}

/// Writes the nest with identity and settings. The kernel asks for every one of
/// them in additions and in updates.
pub(crate) fn encode(writer: &mut Writer<'_>, destination: &Destination, service: AddressFamily) {
    writer.nest(IPVS_CMD_ATTR_DEST, |writer| {
        put_id(writer, &destination.id, Some(service));
        put_settings(writer, destination);
    });
}

#[inline]
pub(super) fn put_id(writer: &mut Writer<'_>, id: &DestinationId, service: Option<AddressFamily>) {
    writer.raw(Block::<28>::filled(|block| {
        block.sixteen(IPVS_DEST_ATTR_ADDR, scalar::address_field(&id.address));
        block.u16_be(IPVS_DEST_ATTR_PORT, id.address.port());
    }));
    // The kernel supposes the family of the service.
    if service != Some(id.family()) {
        writer.u16(IPVS_DEST_ATTR_ADDR_FAMILY, scalar::family_number(id.family()));
    }
}

#[inline]
pub(super) fn put_settings(writer: &mut Writer<'_>, destination: &Destination) {
    let (method, tunnel) = match destination.forwarding {
        Forwarding::Masquerade => (IP_VS_CONN_F_MASQ, Tunnel::Ipip),
        Forwarding::LocalNode => (IP_VS_CONN_F_LOCALNODE, Tunnel::Ipip),
        Forwarding::Tunnel(tunnel) => (IP_VS_CONN_F_TUNNEL, tunnel),
        Forwarding::DirectRoute => (IP_VS_CONN_F_DROUTE, Tunnel::Ipip),
        Forwarding::Bypass => (IP_VS_CONN_F_BYPASS, Tunnel::Ipip),
        Forwarding::Unknown(unknown) => (unknown.number(), Tunnel::Ipip),
    };
    writer.raw(Block::<32>::filled(|block| {
        block.u32(IPVS_DEST_ATTR_FWD_METHOD, method);
        block.u32(IPVS_DEST_ATTR_WEIGHT, destination.weight);
        block.u32(IPVS_DEST_ATTR_U_THRESH, destination.thresholds.upper);
        block.u32(IPVS_DEST_ATTR_L_THRESH, destination.thresholds.lower);
    }));
    // Without these three the kernel makes it IPIP, port 0, no flags.
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

/// What the attributes of the nest say.
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

/// Reads the nest; `service` is the family of the service, for kernels before
/// 3.18, which do not say the destination's.
#[inline]
pub(crate) fn decode(
    nest: &[u8],
    service: Option<AddressFamily>,
) -> Result<DestinationEntry, Malformed> {
    let fields = match nest.try_into() {
        Ok(nest) if layout::fits(nest, &LAYOUT) => Fields::from_layout(nest)?,
        _ => Fields::from_any(nest)?,
    };
    fields.entry(service)
}

/// The attributes as Linux 5.3 and later send them on machines without alignment
/// worries.
const LAYOUT: [Place; 15] = [
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

impl<'a> Fields<'a> {
    #[inline]
    fn from_layout(nest: &'a [u8; 332]) -> Result<Self, Malformed> {
        let number = |offset| u32::from_ne_bytes(layout::value(nest, offset));
        let [kind] = layout::value(nest, 44);
        Ok(Self {
            family: Some(scalar::family(&layout::value::<2>(nest, 108))?),
            address: nest.get(4..20),
            port: Some(u16::from_be_bytes(layout::value(nest, 20))),
            method: Some(number(28)),
            weight: Some(number(36)),
            tunnel: (
                kind,
                u16::from_be_bytes(layout::value(nest, 52)),
                u16::from_ne_bytes(layout::value(nest, 60)),
            ),
            thresholds: Thresholds { upper: number(68), lower: number(76) },
            connections: Connections {
                active: number(84),
                inactive: number(92),
                persistent: number(100),
            },
            stats: None,
            stats64: nest.get(212..),
        })
    }

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

    #[inline]
    fn entry(self, service: Option<AddressFamily>) -> Result<DestinationEntry, Malformed> {
        let family = self.family.or(service).ok_or("a destination without an address family")?;
        let address = self.address.ok_or("a destination without an address")?;
        let port = self.port.ok_or("a destination without a port")?;
        let address = SocketAddr::new(scalar::address(family, address)?, port);
        let method = self.method.ok_or("a destination without a forwarding method")?;
        let forwarding = match method & IP_VS_CONN_F_FWD_MASK {
            IP_VS_CONN_F_MASQ => Forwarding::Masquerade,
            IP_VS_CONN_F_LOCALNODE => Forwarding::LocalNode,
            IP_VS_CONN_F_TUNNEL => Forwarding::Tunnel(tunnel(self.tunnel)),
            IP_VS_CONN_F_DROUTE => Forwarding::DirectRoute,
            IP_VS_CONN_F_BYPASS => Forwarding::Bypass,
            number => Forwarding::Unknown(UnknownForwarding::new(number)),
        };
        let weight = self.weight.ok_or("a destination without a weight")?;
        let (id, thresholds) = (DestinationId { address }, self.thresholds);
        Ok(DestinationEntry {
            destination: Destination { id, forwarding, weight, thresholds },
            connections: self.connections,
            stats: stats::decode_either(self.stats, self.stats64)?,
        })
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
        let mut nest: Vec<u8> = (0..=255).cycle().take(332).collect();
        for (offset, length, kind) in LAYOUT {
            nest[offset..offset + 2].copy_from_slice(&(length + 4).to_ne_bytes());
            nest[offset + 2..offset + 4].copy_from_slice(&kind.to_ne_bytes());
        }
        nest[112..114].copy_from_slice(&AF_INET6.to_ne_bytes());
        for index in 0..10_u16 {
            let offset = 212 + 12 * usize::from(index);
            nest[offset..offset + 2].copy_from_slice(&12_u16.to_ne_bytes());
            nest[offset + 2..offset + 4].copy_from_slice(&(index + 1).to_ne_bytes());
        }
        let layout: &[u8; 332] = nest.as_slice().try_into().unwrap();
        assert!(layout::fits(layout, &LAYOUT));
        let long_way = |nest: &[u8]| Fields::from_any(nest).and_then(|fields| fields.entry(None));
        assert!(long_way(&nest).is_ok());
        for (offset, bit) in
            (0..nest.len()).flat_map(|offset| [(offset, 0), (offset, 1), (offset, 16)])
        {
            let mut changed = nest.clone();
            changed[offset] ^= bit;
            assert_eq!(decode(&changed, None).ok(), long_way(&changed).ok(), "byte {offset}");
        }
    }
}
