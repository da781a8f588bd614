//! Counters and rates.

use crate::model::Stats;
use crate::uapi::*;
use crate::wire::{Attributes, Malformed, scalar};

/// Reads the nest STATS64 or STATS: each number has the width that its attribute
/// has. PAD attributes and unknown ones are skipped.
pub(crate) fn decode(nest: &[u8]) -> Result<Stats, Malformed> {
    let mut stats = Stats::default();
    for attribute in Attributes::new(nest) {
        let (kind, value) = attribute?;
        let field = match kind {
            IPVS_STATS_ATTR_CONNS => &mut stats.connections,
            IPVS_STATS_ATTR_INPKTS => &mut stats.incoming_packets,
            IPVS_STATS_ATTR_OUTPKTS => &mut stats.outgoing_packets,
            IPVS_STATS_ATTR_INBYTES => &mut stats.incoming_bytes,
            IPVS_STATS_ATTR_OUTBYTES => &mut stats.outgoing_bytes,
            IPVS_STATS_ATTR_CPS => &mut stats.rates.connections,
            IPVS_STATS_ATTR_INPPS => &mut stats.rates.incoming_packets,
            IPVS_STATS_ATTR_OUTPPS => &mut stats.rates.outgoing_packets,
            IPVS_STATS_ATTR_INBPS => &mut stats.rates.incoming_bytes,
            IPVS_STATS_ATTR_OUTBPS => &mut stats.rates.outgoing_bytes,
            _ => continue,
        };
        *field = scalar::counter(value)?;
    }
    Ok(stats)
}

/// The counters of an entry: those of 64 bits where the kernel sent them (4.1 and
/// later send both), else those of 32.
pub(crate) fn decode_either(
    narrow: Option<&[u8]>,
    wide: Option<&[u8]>,
) -> Result<Stats, Malformed> {
    wide.or(narrow).map_or_else(|| Ok(Stats::default()), decode)
}
