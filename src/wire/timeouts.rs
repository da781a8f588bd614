//! Timeouts and info: attributes at the top level of a message.

use std::time::Duration;

use crate::model::{Info, Timeouts, Version, seconds};
use crate::uapi::*;
use crate::wire::{Attributes, Malformed, Put, Writer, scalar};

/// Writes the timeouts that are set.
pub(crate) fn encode(writer: &mut Writer<'_>, timeouts: &Timeouts) {
    let fields = [
        (IPVS_CMD_ATTR_TIMEOUT_TCP, timeouts.tcp),
        (IPVS_CMD_ATTR_TIMEOUT_TCP_FIN, timeouts.tcp_fin),
        (IPVS_CMD_ATTR_TIMEOUT_UDP, timeouts.udp),
    ];
    for (kind, timeout) in fields {
        if let Some(timeout) = timeout {
            writer.u32(kind, seconds::number(timeout));
        }
    }
}

/// Reads the timeouts.
pub(crate) fn decode(attributes: &[u8]) -> Result<Timeouts, Malformed> {
    let mut timeouts = Timeouts::default();
    for attribute in Attributes::new(attributes) {
        let (kind, value) = attribute?;
        let field = match kind {
            IPVS_CMD_ATTR_TIMEOUT_TCP => &mut timeouts.tcp,
            IPVS_CMD_ATTR_TIMEOUT_TCP_FIN => &mut timeouts.tcp_fin,
            IPVS_CMD_ATTR_TIMEOUT_UDP => &mut timeouts.udp,
            _ => continue,
        };
        *field = Some(Duration::from_secs(scalar::u32(value)?.into()));
    }
    Ok(timeouts)
}

/// Reads the version of IPVS and the size of its connection table. Other commands use the numbers
/// of these attributes for services and destinations.
pub(crate) fn decode_info(attributes: &[u8]) -> Result<Info, Malformed> {
    let (mut version, mut size) = (None, None);
    for attribute in Attributes::new(attributes) {
        let (kind, value) = attribute?;
        match kind {
            IPVS_INFO_ATTR_VERSION => version = Some(scalar::u32(value)?),
            IPVS_INFO_ATTR_CONN_TAB_SIZE => size = Some(scalar::u32(value)?),
            _ => {}
        }
    }
    Ok(Info {
        version: Version::reported(version.ok_or("info without a version")?),
        connection_table_size: size.ok_or("info without a table size")?,
    })
}
