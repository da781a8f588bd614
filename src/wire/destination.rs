//! A destination and its identity, the nest `IPVS_CMD_ATTR_DEST`.

use std::net::SocketAddr;

use crate::model::{
    AddressFamily, Connections, Destination, DestinationEntry, DestinationId, Forwarding,
    GueChecksum, Thresholds, Tunnel, UnknownForwarding, UnknownTunnel,
};
use crate::uapi::*;
use crate::wire::{Attributes, Malformed, Writer, scalar, stats};

/// Writes the nest with the identity only; `service` is the family of the service.
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

pub(super) fn put_id(writer: &mut Writer<'_>, id: &DestinationId, service: Option<AddressFamily>) {
    writer.bytes(IPVS_DEST_ATTR_ADDR, &scalar::address_field(&id.address.ip()));
    writer.u16_be(IPVS_DEST_ATTR_PORT, id.address.port());
    // The kernel supposes the family of the service.
    if service != Some(id.family()) {
        writer.u16(IPVS_DEST_ATTR_ADDR_FAMILY, scalar::family_number(id.family()));
    }
}

pub(super) fn put_settings(writer: &mut Writer<'_>, destination: &Destination) {
    let (method, tunnel) = match destination.forwarding {
        Forwarding::Masquerade => (IP_VS_CONN_F_MASQ, Tunnel::Ipip),
        Forwarding::LocalNode => (IP_VS_CONN_F_LOCALNODE, Tunnel::Ipip),
        Forwarding::Tunnel(tunnel) => (IP_VS_CONN_F_TUNNEL, tunnel),
        Forwarding::DirectRoute => (IP_VS_CONN_F_DROUTE, Tunnel::Ipip),
        Forwarding::Bypass => (IP_VS_CONN_F_BYPASS, Tunnel::Ipip),
        Forwarding::Unknown(unknown) => (unknown.number(), Tunnel::Ipip),
    };
    writer.u32(IPVS_DEST_ATTR_FWD_METHOD, method);
    writer.u32(IPVS_DEST_ATTR_WEIGHT, destination.weight);
    writer.u32(IPVS_DEST_ATTR_U_THRESH, destination.thresholds.upper);
    writer.u32(IPVS_DEST_ATTR_L_THRESH, destination.thresholds.lower);
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

/// Reads the nest; `service` is the family of the service, for kernels before
/// 3.18, which do not say the destination's.
pub(crate) fn decode(
    nest: &[u8],
    service: Option<AddressFamily>,
) -> Result<DestinationEntry, Malformed> {
    let mut family = service;
    let (mut address, mut port) = (None, None);
    let (mut method, mut weight) = (None, None);
    let (mut kind, mut tunnel_port, mut flags) = (IP_VS_CONN_F_TUNNEL_TYPE_IPIP, 0, 0);
    let mut thresholds = Thresholds::default();
    let mut connections = Connections::default();
    let (mut narrow, mut wide) = (None, None);
    for attribute in Attributes::new(nest) {
        let (attribute, value) = attribute?;
        match attribute {
            IPVS_DEST_ATTR_ADDR => address = Some(value),
            IPVS_DEST_ATTR_PORT => port = Some(scalar::u16_be(value)?),
            IPVS_DEST_ATTR_FWD_METHOD => method = Some(scalar::u32(value)?),
            IPVS_DEST_ATTR_WEIGHT => weight = Some(scalar::u32(value)?),
            IPVS_DEST_ATTR_U_THRESH => thresholds.upper = scalar::u32(value)?,
            IPVS_DEST_ATTR_L_THRESH => thresholds.lower = scalar::u32(value)?,
            IPVS_DEST_ATTR_ACTIVE_CONNS => connections.active = scalar::u32(value)?,
            IPVS_DEST_ATTR_INACT_CONNS => connections.inactive = scalar::u32(value)?,
            IPVS_DEST_ATTR_PERSIST_CONNS => connections.persistent = scalar::u32(value)?,
            IPVS_DEST_ATTR_ADDR_FAMILY => family = Some(scalar::family(value)?),
            IPVS_DEST_ATTR_TUN_TYPE => kind = scalar::u8(value)?,
            IPVS_DEST_ATTR_TUN_PORT => tunnel_port = scalar::u16_be(value)?,
            IPVS_DEST_ATTR_TUN_FLAGS => flags = scalar::u16(value)?,
            IPVS_DEST_ATTR_STATS => narrow = Some(value),
            IPVS_DEST_ATTR_STATS64 => wide = Some(value),
            _ => {}
        }
    }
    let family = family.ok_or("a destination without an address family")?;
    let address = scalar::address(family, address.ok_or("a destination without an address")?)?;
    let address = SocketAddr::new(address, port.ok_or("a destination without a port")?);
    let method = method.ok_or("a destination without a forwarding method")?;
    let forwarding = match method & IP_VS_CONN_F_FWD_MASK {
        IP_VS_CONN_F_MASQ => Forwarding::Masquerade,
        IP_VS_CONN_F_LOCALNODE => Forwarding::LocalNode,
        IP_VS_CONN_F_TUNNEL => Forwarding::Tunnel(tunnel(kind, tunnel_port, flags)),
        IP_VS_CONN_F_DROUTE => Forwarding::DirectRoute,
        IP_VS_CONN_F_BYPASS => Forwarding::Bypass,
        number => Forwarding::Unknown(UnknownForwarding::new(number)),
    };
    let weight = weight.ok_or("a destination without a weight")?;
    let destination = Destination { id: DestinationId { address }, forwarding, weight, thresholds };
    let stats = stats::decode_either(narrow, wide)?;
    Ok(DestinationEntry { destination, connections, stats })
}

/// IPIP has neither port nor flags and GRE no port, whatever the kernel stores for
/// them.
fn tunnel(kind: u8, port: u16, flags: u16) -> Tunnel {
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
