use crate::fake::netlink::writer::Writer;
use crate::fake::table::space::{Daemon, Group};
use crate::uapi::{
    IPVS_CMD_ATTR_DAEMON, IPVS_DAEMON_ATTR_MCAST_GROUP, IPVS_DAEMON_ATTR_MCAST_GROUP6,
    IPVS_DAEMON_ATTR_MCAST_IFN, IPVS_DAEMON_ATTR_MCAST_PORT, IPVS_DAEMON_ATTR_MCAST_TTL,
    IPVS_DAEMON_ATTR_STATE, IPVS_DAEMON_ATTR_SYNC_ID, IPVS_DAEMON_ATTR_SYNC_MAXLEN,
};

/// Source: `ip_vs_ctl.c:ip_vs_genl_fill_daemon`.
pub(in crate::fake) fn write(writer: &mut Writer<'_>, state: u32, daemon: &Daemon) {
    let nest = writer.begin_nest(IPVS_CMD_ATTR_DAEMON);
    writer.put_u32(IPVS_DAEMON_ATTR_STATE, state);
    writer.put_text(IPVS_DAEMON_ATTR_MCAST_IFN, &daemon.interface);
    writer.put_u32(IPVS_DAEMON_ATTR_SYNC_ID, daemon.sync_id);
    writer.put_u16(IPVS_DAEMON_ATTR_SYNC_MAXLEN, daemon.max_length);
    writer.put_u16(IPVS_DAEMON_ATTR_MCAST_PORT, daemon.port);
    writer.put_u8(IPVS_DAEMON_ATTR_MCAST_TTL, daemon.ttl);
    match &daemon.group {
        Group::Ipv4(address) => writer.put(IPVS_DAEMON_ATTR_MCAST_GROUP, address),
        Group::Ipv6(address) => writer.put(IPVS_DAEMON_ATTR_MCAST_GROUP6, address),
    }
    writer.end_nest(nest);
}
