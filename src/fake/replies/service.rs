use std::time::Duration;

use crate::fake::netlink::writer::Writer;
use crate::fake::replies::counters;
use crate::fake::table::service::Service;
use crate::uapi::{
    IPVS_CMD_ATTR_SERVICE, IPVS_SVC_ATTR_ADDR, IPVS_SVC_ATTR_AF, IPVS_SVC_ATTR_FLAGS,
    IPVS_SVC_ATTR_FWMARK, IPVS_SVC_ATTR_NETMASK, IPVS_SVC_ATTR_PE_NAME, IPVS_SVC_ATTR_PORT,
    IPVS_SVC_ATTR_PROTOCOL, IPVS_SVC_ATTR_SCHED_NAME, IPVS_SVC_ATTR_TIMEOUT,
};

/// Source: `ip_vs_ctl.c:ip_vs_genl_fill_service`.
pub(in crate::fake) fn write(writer: &mut Writer<'_>, service: &mut Service, now: Duration) {
    let nest = writer.begin_nest(IPVS_CMD_ATTR_SERVICE);
    let key = &service.key;
    writer.put_u16(IPVS_SVC_ATTR_AF, key.family);
    if key.mark == 0 {
        writer.put_u16(IPVS_SVC_ATTR_PROTOCOL, key.protocol);
        writer.put(IPVS_SVC_ATTR_ADDR, &key.address.bytes());
        writer.put_port(IPVS_SVC_ATTR_PORT, key.port);
    } else {
        writer.put_u32(IPVS_SVC_ATTR_FWMARK, key.mark);
    }
    writer.put_text(IPVS_SVC_ATTR_SCHED_NAME, service.scheduler.unwrap_or("none"));
    if let Some(engine) = service.engine {
        writer.put_text(IPVS_SVC_ATTR_PE_NAME, engine);
    }
    let [a, b, c, d] = service.flags.to_ne_bytes();
    writer.put(IPVS_SVC_ATTR_FLAGS, &[a, b, c, d, 0xff, 0xff, 0xff, 0xff]);
    writer.put_u32(IPVS_SVC_ATTR_TIMEOUT, service.timeout);
    writer.put(IPVS_SVC_ATTR_NETMASK, &service.netmask);
    counters::write(writer, service.counters.as_mut(), now);
    writer.end_nest(nest);
}
