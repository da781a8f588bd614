use std::time::Duration;

use crate::fake::netlink::writer::Writer;
use crate::fake::table::counters::{Counters, Five, Shown};
use crate::uapi::{
    IPVS_STATS_ATTR_CONNS, IPVS_STATS_ATTR_CPS, IPVS_STATS_ATTR_INBPS, IPVS_STATS_ATTR_INBYTES,
    IPVS_STATS_ATTR_INPKTS, IPVS_STATS_ATTR_INPPS, IPVS_STATS_ATTR_OUTBPS,
    IPVS_STATS_ATTR_OUTBYTES, IPVS_STATS_ATTR_OUTPKTS, IPVS_STATS_ATTR_OUTPPS, IPVS_SVC_ATTR_STATS,
    IPVS_SVC_ATTR_STATS64,
};

const IPVS_STATS_ATTR_PAD: u16 = 11;

const TOTALS: [u16; 5] = [
    IPVS_STATS_ATTR_CONNS,
    IPVS_STATS_ATTR_INPKTS,
    IPVS_STATS_ATTR_OUTPKTS,
    IPVS_STATS_ATTR_INBYTES,
    IPVS_STATS_ATTR_OUTBYTES,
];
const RATES: [u16; 5] = [
    IPVS_STATS_ATTR_CPS,
    IPVS_STATS_ATTR_INPPS,
    IPVS_STATS_ATTR_OUTPPS,
    IPVS_STATS_ATTR_INBPS,
    IPVS_STATS_ATTR_OUTBPS,
];

/// Writes both kinds of counters. Services and destinations have the same types for them.
///
/// Source: `ip_vs_ctl.c:ip_vs_genl_fill_stats` and `ip_vs_genl_fill_stats64`.
pub(super) fn write(writer: &mut Writer<'_>, counters: Option<&mut Box<Counters>>, now: Duration) {
    let shown = counters.map(|counters| counters.shown(now)).unwrap_or_default();
    if shown == Shown::default() && writer.is_dense() && cfg!(target_endian = "little") {
        writer.bytes(&ZEROS);
        return;
    }
    let Shown { totals, rates } = shown;
    let nest = writer.begin_nest(IPVS_SVC_ATTR_STATS);
    for (kind, value) in TOTALS.into_iter().zip(totals) {
        match kind {
            IPVS_STATS_ATTR_INBYTES | IPVS_STATS_ATTR_OUTBYTES => {
                writer.put_u64(kind, value, IPVS_STATS_ATTR_PAD);
            }
            _ => writer.put_u32(kind, low(value)),
        }
    }
    for (kind, value) in RATES.into_iter().zip(rates) {
        writer.put_u32(kind, low(value));
    }
    writer.end_nest(nest);
    let nest = writer.begin_nest(IPVS_SVC_ATTR_STATS64);
    let all: [(_, Five); 2] = [(TOTALS, totals), (RATES, rates)];
    for (kind, value) in all.into_iter().flat_map(|(kinds, values)| kinds.into_iter().zip(values)) {
        writer.put_u64(kind, value, IPVS_STATS_ATTR_PAD);
    }
    writer.end_nest(nest);
}

/// The low 32 bits.
const fn low(value: u64) -> u32 {
    let [.., a, b, c, d] = value.to_be_bytes();
    u32::from_be_bytes([a, b, c, d])
}

/// What [`write`] writes for counters that are 0: most are, in tests.
const ZEROS: [u8; 216] = zeros();

#[allow(clippy::indexing_slicing, reason = "an index out of range does not compile here")]
const fn zeros() -> [u8; 216] {
    let mut bytes = [0; 216];
    let mut at = 0;
    let mut wide = 0;
    while wide < 2 {
        let (nest, length) =
            if wide == 0 { (IPVS_SVC_ATTR_STATS, 92) } else { (IPVS_SVC_ATTR_STATS64, 124) };
        (bytes[at], bytes[at + 2]) = (length, nest.to_le_bytes()[0]);
        at += 4;
        let mut kind = IPVS_STATS_ATTR_CONNS;
        while kind <= IPVS_STATS_ATTR_OUTBPS {
            let bytes_of_traffic =
                kind == IPVS_STATS_ATTR_INBYTES || kind == IPVS_STATS_ATTR_OUTBYTES;
            let length = if wide == 1 || bytes_of_traffic { 12 } else { 8 };
            (bytes[at], bytes[at + 2]) = (length, kind.to_le_bytes()[0]);
            at += length as usize;
            kind += 1;
        }
        wide += 1;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_are_what_would_be_written() {
        let write_with = |alignment| {
            let mut bytes = Vec::new();
            write(&mut Writer::new(&mut bytes, alignment), None, Duration::ZERO);
            bytes
        };
        // Aligned, but never at a multiple of eight: the long way without PAD attributes.
        let mut long = Vec::new();
        let mut writer = Writer::new(&mut long, Some(2));
        write(&mut writer, None, Duration::ZERO);
        assert_eq!(write_with(None), long);
    }
}
