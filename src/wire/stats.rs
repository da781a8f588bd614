//! Counters and rates.

use crate::model::{Rates, Stats};
use crate::uapi::*;
use crate::wire::layout::{self, Place};
use crate::wire::{Attributes, Malformed, scalar};

/// The layout of ten counters of 64 bits, on machines that need no alignment.
pub(crate) const LAYOUT: [Place; 10] = [
    (0, 8, IPVS_STATS_ATTR_CONNS),
    (12, 8, IPVS_STATS_ATTR_INPKTS),
    (24, 8, IPVS_STATS_ATTR_OUTPKTS),
    (36, 8, IPVS_STATS_ATTR_INBYTES),
    (48, 8, IPVS_STATS_ATTR_OUTBYTES),
    (60, 8, IPVS_STATS_ATTR_CPS),
    (72, 8, IPVS_STATS_ATTR_INPPS),
    (84, 8, IPVS_STATS_ATTR_OUTPPS),
    (96, 8, IPVS_STATS_ATTR_INBPS),
    (108, 8, IPVS_STATS_ATTR_OUTBPS),
];

/// Reads the nest `STATS64` or `STATS`.
#[inline]
pub(crate) fn decode(nest: &[u8]) -> Result<Stats, Malformed> {
    match nest.try_into() {
        Ok(nest) if layout::fits::<120, 10>(nest, &LAYOUT) => Ok(decode_layout(nest, 0)),
        _ => decode_any(nest),
    }
}

/// Reads counters in the layout of [`LAYOUT`], from `start` on.
#[inline(always)]
pub(crate) fn decode_layout<const SIZE: usize>(bytes: &[u8; SIZE], start: usize) -> Stats {
    let counter = |offset| u64::from_ne_bytes(layout::value(bytes, start + offset));
    Stats {
        connections: counter(0),
        incoming_packets: counter(12),
        outgoing_packets: counter(24),
        incoming_bytes: counter(36),
        outgoing_bytes: counter(48),
        rates: Rates {
            connections: counter(60),
            incoming_packets: counter(72),
            outgoing_packets: counter(84),
            incoming_bytes: counter(96),
            outgoing_bytes: counter(108),
        },
    }
}

/// Reads a nest with the attributes in any order. Each counter has the width of its attribute.
/// Skips padding and unknown attributes.
fn decode_any(nest: &[u8]) -> Result<Stats, Malformed> {
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

/// Returns the counters of an entry: those of 64 bits if the kernel sent them, otherwise those of
/// 32 bits. Linux 4.1 and later send both.
#[inline]
pub(crate) fn decode_either(
    narrow: Option<&[u8]>,
    wide: Option<&[u8]>,
) -> Result<Stats, Malformed> {
    wide.or(narrow).map_or_else(|| Ok(Stats::default()), decode)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_cut_reads_what_the_long_way_reads() {
        let mut nest = Vec::new();
        for (_, length, kind) in LAYOUT {
            nest.extend((length + 4).to_ne_bytes());
            nest.extend(kind.to_ne_bytes());
            nest.extend((u64::from(kind) * 0x0101_0101_0101_0101).to_ne_bytes());
        }
        let layout: &[u8; 120] = nest.as_slice().try_into().unwrap();
        assert!(layout::fits(layout, &LAYOUT));
        assert_eq!(decode_layout(layout, 0), decode_any(&nest).unwrap());
        for offset in 0..nest.len() {
            let mut changed = nest.clone();
            changed[offset] ^= 0x10;
            assert_eq!(decode(&changed).ok(), decode_any(&changed).ok(), "byte {offset}");
        }
    }
}
