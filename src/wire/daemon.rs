//! Synchronization daemons: the nest `IPVS_CMD_ATTR_DAEMON`.

use std::net::IpAddr;

use crate::model::{InterfaceName, Role, SyncDaemon};
use crate::uapi::*;
use crate::wire::{Attributes, Malformed, Put, Writer, scalar};

/// Writes a nest that has only the role.
pub(crate) fn encode_role(writer: &mut Writer<'_>, role: Role) {
    writer.nest(IPVS_CMD_ATTR_DAEMON, |writer| put_role(writer, role));
}

/// Writes the nest. Omits what is not set; the kernel then uses its default.
pub(crate) fn encode(writer: &mut Writer<'_>, daemon: &SyncDaemon) {
    writer.nest(IPVS_CMD_ATTR_DAEMON, |writer| {
        put_role(writer, daemon.role);
        writer.string(IPVS_DAEMON_ATTR_MCAST_IFN, daemon.interface.as_bytes());
        writer.u32(IPVS_DAEMON_ATTR_SYNC_ID, daemon.sync_id);
        if let Some(max_length) = daemon.max_length {
            writer.u16(IPVS_DAEMON_ATTR_SYNC_MAXLEN, max_length);
        }
        match daemon.group {
            Some(IpAddr::V4(group)) => writer.four(IPVS_DAEMON_ATTR_MCAST_GROUP, group.octets()),
            Some(IpAddr::V6(group)) => {
                writer.sixteen(IPVS_DAEMON_ATTR_MCAST_GROUP6, group.octets())
            }
            None => {}
        }
        // Host byte order, unlike every other port of IPVS.
        if let Some(port) = daemon.port {
            writer.u16(IPVS_DAEMON_ATTR_MCAST_PORT, port);
        }
        if let Some(ttl) = daemon.ttl {
            writer.u8(IPVS_DAEMON_ATTR_MCAST_TTL, ttl);
        }
    });
}

fn put_role(writer: &mut Writer<'_>, role: Role) {
    let state = match role {
        Role::Master => IP_VS_STATE_MASTER,
        Role::Backup => IP_VS_STATE_BACKUP,
    };
    writer.u32(IPVS_DAEMON_ATTR_STATE, state);
}

/// Reads the nest.
pub(crate) fn decode(nest: &[u8]) -> Result<SyncDaemon, Malformed> {
    let (mut role, mut interface, mut sync_id) = (None, None, None);
    let (mut max_length, mut group, mut port, mut ttl) = (None, None, None, None);
    for attribute in Attributes::new(nest) {
        let (kind, value) = attribute?;
        match kind {
            IPVS_DAEMON_ATTR_STATE => role = Some(scalar::u32(value)?),
            IPVS_DAEMON_ATTR_MCAST_IFN => interface = InterfaceName::reported(value),
            IPVS_DAEMON_ATTR_SYNC_ID => sync_id = Some(scalar::u32(value)?),
            IPVS_DAEMON_ATTR_SYNC_MAXLEN => max_length = Some(scalar::u16(value)?),
            IPVS_DAEMON_ATTR_MCAST_GROUP => group = Some(IpAddr::V4(scalar::ipv4(value)?)),
            IPVS_DAEMON_ATTR_MCAST_GROUP6 => group = Some(IpAddr::V6(scalar::ipv6(value)?)),
            IPVS_DAEMON_ATTR_MCAST_PORT => port = Some(scalar::u16(value)?),
            IPVS_DAEMON_ATTR_MCAST_TTL => ttl = Some(scalar::u8(value)?),
            _ => {}
        }
    }
    let role = match role {
        Some(IP_VS_STATE_MASTER) => Role::Master,
        Some(IP_VS_STATE_BACKUP) => Role::Backup,
        _ => return Err("a daemon that is neither master nor backup"),
    };
    let interface = interface.ok_or("a daemon without an interface name that fits")?;
    let sync_id = sync_id.ok_or("a daemon without an id")?;
    Ok(SyncDaemon { role, interface, sync_id, max_length, group, port, ttl })
}
