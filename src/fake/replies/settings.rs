use crate::fake::netlink::writer::Writer;
use crate::uapi::{
    IPVS_CMD_ATTR_TIMEOUT_TCP, IPVS_CMD_ATTR_TIMEOUT_TCP_FIN, IPVS_CMD_ATTR_TIMEOUT_UDP,
    IPVS_INFO_ATTR_CONN_TAB_SIZE, IPVS_INFO_ATTR_VERSION,
};

const VERSION: u32 = 0x01_0201;
const CONN_TAB_SIZE: u32 = 4096;

pub(in crate::fake) fn write_info(writer: &mut Writer<'_>) {
    writer.put_u32(IPVS_INFO_ATTR_VERSION, VERSION);
    writer.put_u32(IPVS_INFO_ATTR_CONN_TAB_SIZE, CONN_TAB_SIZE);
}

pub(in crate::fake) fn write_timeouts(writer: &mut Writer<'_>, [tcp, fin, udp]: [u32; 3]) {
    writer.put_u32(IPVS_CMD_ATTR_TIMEOUT_TCP, tcp);
    writer.put_u32(IPVS_CMD_ATTR_TIMEOUT_TCP_FIN, fin);
    writer.put_u32(IPVS_CMD_ATTR_TIMEOUT_UDP, udp);
}
