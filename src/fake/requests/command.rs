use crate::fake::netlink::attributes::{Attributes, Kind, Violation};
use crate::fake::netlink::message::{GENERIC_HEADER, HEADER, Message};
use crate::uapi::{
    IPVS_CMD_ATTR_TIMEOUT_TCP, IPVS_CMD_ATTR_TIMEOUT_TCP_FIN, IPVS_CMD_ATTR_TIMEOUT_UDP,
};

/// Source: `ip_vs_ctl.c:ip_vs_cmd_policy`.
const POLICY: [Kind; 7] =
    [Kind::Any, Kind::Nested, Kind::Nested, Kind::Nested, Kind::U32, Kind::U32, Kind::U32];

/// The attributes at the top level.
pub(in crate::fake) type TopLevel<'m> = Attributes<'m, 7>;

pub(in crate::fake) fn parse<'m>(message: &Message<'m>) -> Result<TopLevel<'m>, Violation> {
    Attributes::parse(message.attributes(), HEADER + GENERIC_HEADER, &POLICY)
}

/// The timeouts in a request, 0 where there is none.
pub(in crate::fake) fn timeouts(attributes: &TopLevel<'_>) -> [u32; 3] {
    [IPVS_CMD_ATTR_TIMEOUT_TCP, IPVS_CMD_ATTR_TIMEOUT_TCP_FIN, IPVS_CMD_ATTR_TIMEOUT_UDP]
        .map(|kind| attributes.u32(kind).unwrap_or(0))
}
