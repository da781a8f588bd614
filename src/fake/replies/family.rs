//! What the family `nlctrl` says about the family of IPVS.

use crate::fake::commands::{COMMANDS, Variants};
use crate::fake::netlink::writer::Writer;
use crate::uapi::{IPVS_GENL_NAME, IPVS_GENL_VERSION};

pub(in crate::fake) const FAMILY_ID: u16 = 1;
pub(in crate::fake) const FAMILY_NAME: u16 = 2;
const VERSION: u16 = 3;
const HEADER_SIZE: u16 = 4;
const MAX_ATTRIBUTE: u16 = 5;
const OPERATIONS: u16 = 6;
const OPERATION_ID: u16 = 1;
const OPERATION_FLAGS: u16 = 2;

const ADMIN: u32 = 0x1;
const DO: u32 = 0x2;
const DUMP: u32 = 0x4;
const HAS_POLICY: u32 = 0x8;

/// Source: `genetlink.c:ctrl_fill_info`.
pub(in crate::fake) fn write(writer: &mut Writer<'_>, id: u16, dumps_have_policy: bool) {
    writer.put_text(FAMILY_NAME, IPVS_GENL_NAME);
    writer.put_u16(FAMILY_ID, id);
    writer.put_u32(VERSION, IPVS_GENL_VERSION.into());
    writer.put_u32(HEADER_SIZE, 0);
    writer.put_u32(MAX_ATTRIBUTE, 6);
    let operations = writer.begin_nest(OPERATIONS);
    for (place, (command, variants)) in (1..).zip(COMMANDS) {
        let flags = match variants {
            Variants::Do => DO | HAS_POLICY,
            Variants::Both => DO | DUMP | HAS_POLICY,
            Variants::Dump if dumps_have_policy => DUMP | HAS_POLICY,
            Variants::Dump => DUMP,
        };
        let operation = writer.begin_nest(place);
        writer.put_u32(OPERATION_ID, command.into());
        writer.put_u32(OPERATION_FLAGS, ADMIN | flags);
        writer.end_nest(operation);
    }
    writer.end_nest(operations);
}
