use std::time::Duration;

use crate::fake::netlink::writer::Writer;
use crate::fake::replies::counters;
use crate::fake::table::destination::Destination;
use crate::uapi::{
    IPVS_CMD_ATTR_DEST, IPVS_DEST_ATTR_ACTIVE_CONNS, IPVS_DEST_ATTR_ADDR,
    IPVS_DEST_ATTR_ADDR_FAMILY, IPVS_DEST_ATTR_FWD_METHOD, IPVS_DEST_ATTR_INACT_CONNS,
    IPVS_DEST_ATTR_L_THRESH, IPVS_DEST_ATTR_PERSIST_CONNS, IPVS_DEST_ATTR_PORT,
    IPVS_DEST_ATTR_TUN_FLAGS, IPVS_DEST_ATTR_TUN_PORT, IPVS_DEST_ATTR_TUN_TYPE,
    IPVS_DEST_ATTR_U_THRESH, IPVS_DEST_ATTR_WEIGHT,
};

/// Source: `ip_vs_ctl.c:ip_vs_genl_dump_dest`.
pub(in crate::fake) fn write(
    writer: &mut Writer<'_>,
    destination: &mut Destination,
    now: Duration,
) {
    let nest = writer.begin_nest(IPVS_CMD_ATTR_DEST);
    let (key, settings) = (&destination.key, &destination.settings);
    let [active, inactive, persistent] = destination.connections;
    writer.put(IPVS_DEST_ATTR_ADDR, &key.address.bytes());
    writer.put_port(IPVS_DEST_ATTR_PORT, key.port);
    writer.put_u32(IPVS_DEST_ATTR_FWD_METHOD, settings.method);
    writer.put_u32(IPVS_DEST_ATTR_WEIGHT, settings.weight);
    writer.put_u8(IPVS_DEST_ATTR_TUN_TYPE, settings.tunnel_type);
    writer.put_port(IPVS_DEST_ATTR_TUN_PORT, settings.tunnel_port);
    writer.put_u16(IPVS_DEST_ATTR_TUN_FLAGS, settings.tunnel_flags);
    writer.put_u32(IPVS_DEST_ATTR_U_THRESH, settings.upper);
    writer.put_u32(IPVS_DEST_ATTR_L_THRESH, settings.lower);
    writer.put_u32(IPVS_DEST_ATTR_ACTIVE_CONNS, active);
    writer.put_u32(IPVS_DEST_ATTR_INACT_CONNS, inactive);
    writer.put_u32(IPVS_DEST_ATTR_PERSIST_CONNS, persistent);
    writer.put_u16(IPVS_DEST_ATTR_ADDR_FAMILY, key.family);
    counters::write(writer, destination.counters.as_mut(), now);
    writer.end_nest(nest);
}
