//! The tables of `sh` and `dh`: slots in the order of the destinations.

/// The number of slots of `dh`, as a power of two. No build option of the kernel changes it.
pub(crate) const DESTINATION_BITS: u8 = 8;

/// Returns the owner of each slot of `sh`: each destination takes as many slots in a row as its
/// weight, in turn until the table is full. A destination of weight 0 takes one.
///
/// Source: `ip_vs_sh.c:ip_vs_sh_reassign`.
pub(crate) fn by_weight(weights: &[u32], bits: u8) -> Vec<Option<usize>> {
    fill(weights.iter().map(|&weight| weight_of(weight).max(1)), weights.len(), bits)
}

/// Returns the owner of each slot of `dh`: the destinations in turn.
///
/// Source: `ip_vs_dh.c:ip_vs_dh_reassign`.
pub(crate) fn in_turn(count: usize, bits: u8) -> Vec<Option<usize>> {
    fill(std::iter::repeat_n(1, count), count, bits)
}

/// The kernel stores weights as signed numbers. Larger ones count as negative.
fn weight_of(weight: u32) -> usize {
    i32::try_from(weight).ok().and_then(|weight| usize::try_from(weight).ok()).unwrap_or_default()
}

fn fill(shares: impl Iterator<Item = usize> + Clone, count: usize, bits: u8) -> Vec<Option<usize>> {
    let size = 1_usize << bits;
    if count == 0 {
        return vec![None; size];
    }
    let round = shares.enumerate().flat_map(|(at, share)| std::iter::repeat_n(Some(at), share));
    round.cycle().take(size).collect()
}

/// Returns the slot of an address, whose 32 bits are `folded`. `port` is 0 unless the service
/// hashes the port too.
///
/// Linux has hashed so since 4.18. Source: `ip_vs_sh.c:ip_vs_sh_hashkey`, `linux/hash.h:hash_32`.
pub(crate) fn slot(folded: u32, port: u16, bits: u8) -> usize {
    let hash = folded.wrapping_add(u32::from(port)).wrapping_mul(0x61C8_8647);
    usize::try_from(hash >> (32 - u32::from(bits))).unwrap_or_default()
}

/// Returns the owners that `sh` tries with its flag `sh-fallback`: the owner of the slot, and
/// then those of all slots from twice the slot on.
///
/// Source: `ip_vs_sh.c:ip_vs_sh_get_fallback`.
pub(crate) fn with_fallback(
    owners: &[Option<usize>],
    slot: usize,
) -> impl Iterator<Item = Option<usize>> {
    let size = owners.len().max(1);
    let later = (0..size).map(move |offset| (slot + (slot + offset) % size) % size);
    std::iter::once(slot).chain(later).map(|at| owners.get(at).copied().flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_destination_takes_as_many_slots_as_its_weight() {
        let owners: Vec<_> = by_weight(&[2, 0, 3], 3).into_iter().flatten().collect();
        assert_eq!(owners, [0, 0, 1, 2, 2, 2, 0, 0]);
        assert_eq!(by_weight(&[], 3), [None; 8]);
        assert_eq!(by_weight(&[u32::MAX, u32::MAX], 2), [Some(0), Some(1), Some(0), Some(1)]);
        assert_eq!(by_weight(&[i32::MAX.unsigned_abs()], 2), [Some(0); 4]);
        assert_eq!(in_turn(3, 2), [Some(0), Some(1), Some(2), Some(0)]);
    }

    #[test]
    fn a_fallback_tries_every_slot() {
        let owners: Vec<_> = (0..8).map(Some).collect();
        let tried: Vec<_> = with_fallback(&owners, 5).flatten().collect();
        assert_eq!(tried, [5, 2, 3, 4, 5, 6, 7, 0, 1]);
    }

    #[test]
    fn a_slot_is_in_the_table() {
        for folded in [0, 1, 0x7f00_0001, u32::MAX] {
            for bits in 4..=20 {
                assert!(slot(folded, 65535, bits) < 1 << bits);
            }
        }
    }
}
