//! What kernels may send beside what is known: it changes nothing.

use proptest::prelude::*;
use proptest::sample::Index;

use crate::model::strategies;
use crate::model::{ServiceEntry, Stats};
use crate::uapi::*;
use crate::wire::Reported;
use crate::wire::tests::any_report::{AnyReport, any_report};
use crate::wire::tests::raw::{Attribute, NESTED, NET_BYTEORDER, attribute, join, split, within};

type Edit<'a> = dyn FnMut(Vec<Attribute>, &[u16]) -> Vec<Attribute> + 'a;

/// Rewrites the attributes at every level, the innermost first. `edit` is told the
/// kinds of the nests among them.
fn rewrite(bytes: &[u8], nests: &[&[u16]], edit: &mut Edit<'_>) -> Vec<u8> {
    let mut attributes = split(bytes);
    let Some((here, below)) = nests.split_first() else {
        return join(&edit(attributes, &[]));
    };
    for (kind, value) in &mut attributes {
        if here.contains(kind) {
            *value = rewrite(value, below, edit);
        }
    }
    join(&edit(attributes, here))
}

fn reads_the_same(
    report: &AnyReport,
    mut edit: impl FnMut(Vec<Attribute>, &[u16]) -> Vec<Attribute>,
) -> Result<(), TestCaseError> {
    let edited = rewrite(&report.bytes(), report.nests(), &mut edit);
    prop_assert_eq!(AnyReport::decode(report.command(), &edited), Ok(report.clone()));
    Ok(())
}

/// Attributes of kinds that nothing knows, and where to put them.
fn unknown() -> impl Strategy<Value = Vec<(Index, Attribute)>> {
    let kind = prop_oneof![Just(0_u16), 16..0x4000_u16];
    let value = prop::collection::vec(any::<u8>(), 0..12);
    prop::collection::vec((any::<Index>(), (kind, value)), 1..6)
}

/// The same attributes with other values. Families stay families, which are judged
/// where they stand.
fn other_values(attributes: &[Attribute], is_family: impl Fn(u16) -> bool) -> Vec<Attribute> {
    let other = |(kind, value): &Attribute| {
        let flip = if is_family(*kind) { (AF_INET ^ AF_INET6).to_ne_bytes() } else { [0xff; 2] };
        let value = value.iter().zip(flip.iter().cycle()).map(|(byte, flip)| byte ^ flip);
        (*kind, value.collect())
    };
    attributes.iter().map(other).collect()
}

/// 32-bit counters, with the 64-bit bytes that kernels have always had.
fn narrow(stats: &Stats) -> Vec<u8> {
    let word = |value: u64| u32::try_from(value).unwrap().to_ne_bytes().to_vec();
    let rates = stats.rates;
    join(&[
        (IPVS_STATS_ATTR_CONNS, word(stats.connections)),
        (IPVS_STATS_ATTR_INPKTS, word(stats.incoming_packets)),
        (IPVS_STATS_ATTR_OUTPKTS, word(stats.outgoing_packets)),
        (IPVS_STATS_ATTR_INBYTES, stats.incoming_bytes.to_ne_bytes().to_vec()),
        (IPVS_STATS_ATTR_OUTBYTES, stats.outgoing_bytes.to_ne_bytes().to_vec()),
        (IPVS_STATS_ATTR_CPS, word(rates.connections)),
        (IPVS_STATS_ATTR_INPPS, word(rates.incoming_packets)),
        (IPVS_STATS_ATTR_OUTPPS, word(rates.outgoing_packets)),
        (IPVS_STATS_ATTR_INBPS, word(rates.incoming_bytes)),
        (IPVS_STATS_ATTR_OUTBPS, word(rates.outgoing_bytes)),
    ])
}

fn fit_32_bits(stats: &mut Stats) {
    let mask = u64::from(u32::MAX);
    let Stats { connections, incoming_packets, outgoing_packets, rates, .. } = stats;
    for counter in [
        connections,
        incoming_packets,
        outgoing_packets,
        &mut rates.connections,
        &mut rates.incoming_packets,
        &mut rates.outgoing_packets,
        &mut rates.incoming_bytes,
        &mut rates.outgoing_bytes,
    ] {
        *counter &= mask;
    }
}

proptest! {
    #[test]
    fn unknown_attributes_are_skipped_at_every_level(report in any_report(), unknown in unknown()) {
        reads_the_same(&report, |mut attributes, _| {
            for (place, attribute) in &unknown {
                attributes.insert(place.index(attributes.len() + 1), attribute.clone());
            }
            attributes
        })?;
    }

    #[test]
    fn the_flags_on_a_kind_do_not_matter(report in any_report(), flags in any::<u64>()) {
        let mut flags = flags;
        reads_the_same(&report, |mut attributes, _| {
            for (kind, _) in &mut attributes {
                *kind |= if flags & 1 == 0 { 0 } else { NESTED };
                *kind |= if flags & 2 == 0 { 0 } else { NET_BYTEORDER };
                flags = flags.rotate_right(2);
            }
            attributes
        })?;
    }

    #[test]
    fn the_order_of_attributes_does_not_matter(report in any_report(), by in any::<Index>()) {
        reads_the_same(&report, |mut attributes, _| {
            if !attributes.is_empty() {
                let by = by.index(attributes.len());
                attributes.rotate_left(by);
            }
            attributes
        })?;
    }

    #[test]
    fn of_an_attribute_that_comes_twice_the_last_counts(report in any_report()) {
        let destination = matches!(report, AnyReport::Destination(_));
        let is_family = |kind| destination && kind == IPVS_DEST_ATTR_ADDR_FAMILY;
        reads_the_same(&report, |attributes, _| {
            let before = other_values(&attributes, is_family);
            [before, attributes].concat()
        })?;
    }

    #[test]
    fn of_a_value_that_is_too_long_the_first_bytes_count(report in any_report()) {
        // A name ends at its NUL.
        reads_the_same(&report, |mut attributes, nests| {
            for (_, value) in attributes.iter_mut().filter(|(kind, _)| !nests.contains(kind)) {
                value.extend([0; 4]);
            }
            attributes
        })?;
    }

    #[test]
    fn counters_of_32_bits_are_read_where_there_are_no_others(
        entry in strategies::service_entry(),
        entry2 in strategies::destination_entry(),
    ) {
        let (mut service, mut destination) = (entry, entry2);
        fit_32_bits(&mut service.stats);
        fit_32_bits(&mut destination.stats);
        for report in [AnyReport::Service(service), AnyReport::Destination(destination)] {
            let stats = match &report {
                AnyReport::Service(entry) => entry.stats,
                AnyReport::Destination(entry) => entry.stats,
                _ => unreachable!(),
            };
            let old = within(&report.bytes(), |mut attributes| {
                attributes.retain(|(kind, _)| *kind != IPVS_SVC_ATTR_STATS64);
                attributes.push((IPVS_SVC_ATTR_STATS, narrow(&stats)));
                attributes
            });
            prop_assert_eq!(AnyReport::decode(report.command(), &old), Ok(report));
        }
    }

    #[test]
    fn counters_of_64_bits_win_wherever_they_stand(
        entry in strategies::service_entry(),
        mut other in strategies::stats(),
        first in any::<bool>(),
    ) {
        fit_32_bits(&mut other);
        let both = within(&AnyReport::Service(entry.clone()).bytes(), |mut attributes| {
            let at = if first { 0 } else { attributes.len() };
            attributes.insert(at, (IPVS_SVC_ATTR_STATS, narrow(&other)));
            attributes
        });
        prop_assert_eq!(ServiceEntry::decode(&both, None), Ok(entry));
    }

    #[test]
    fn padding_between_counters_is_skipped(entry in strategies::destination_entry()) {
        const PAD: u16 = 11;
        let report = AnyReport::Destination(entry);
        let padded = within(&report.bytes(), |mut attributes| {
            for (_, value) in attributes.iter_mut().filter(|(kind, _)| *kind == IPVS_DEST_ATTR_STATS64) {
                let counters = split(value);
                *value = counters.iter().flat_map(|(kind, counter)| {
                    [attribute(PAD, &[]), attribute(*kind, counter)].concat()
                }).collect();
            }
            attributes
        });
        prop_assert_eq!(AnyReport::decode(report.command(), &padded), Ok(report));
    }
}
