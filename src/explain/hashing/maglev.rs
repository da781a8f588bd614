//! The table of `mh`: Maglev hashing.

use super::siphash;

/// The numbers of slots that the kernel can be built with, from `CONFIG_IP_VS_MH_TAB_INDEX` 8 on.
const SIZES: [usize; 10] = [251, 509, 1021, 2039, 4093, 8191, 16381, 32749, 65521, 131_071];
const FIRST_INDEX: u8 = 8;

const OFFSET_KEY: u64 = 2_654_435_761;
const SKIP_KEY: u64 = 2_654_446_892;

/// Returns the number of slots for a value of `CONFIG_IP_VS_MH_TAB_INDEX`.
pub(crate) fn slots(index: u8) -> Option<usize> {
    SIZES.get(usize::from(index.checked_sub(FIRST_INDEX)?)).copied()
}

/// A destination as the table sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    /// The 32 bits of the address, see [`fold`](super::fold::fold).
    pub(crate) folded: u32,
    pub(crate) port: u16,
    /// The last weight that was not 0, or 0 if the destination was added with weight 0.
    pub(crate) last_weight: u32,
}

/// Returns the hash of an address and port. `offset` is 0, or says how often a fallback has tried.
///
/// Source: `ip_vs_mh.c:ip_vs_mh_hashkey`.
fn hash(folded: u32, port: u16, offset: usize, key: u64) -> usize {
    let offset = u32::try_from(offset).unwrap_or_default();
    let number = offset.wrapping_add(u32::from(port)).wrapping_add(folded);
    usize::try_from(siphash::hash(number, key)).unwrap_or_default()
}

/// Returns the slot of a client. `port` is 0 unless the service hashes the port too.
pub(crate) fn slot(folded: u32, port: u16, slots: usize) -> usize {
    hash(folded, port, 0, OFFSET_KEY) % slots.max(1)
}

/// Returns the owners that `mh` tries with its flag `mh-fallback`: the owner of the slot, and
/// then those of the slots by other hashes of the client.
///
/// Source: `ip_vs_mh.c:ip_vs_mh_get_fallback`.
pub(crate) fn with_fallback(
    owners: &[Option<usize>],
    folded: u32,
    port: u16,
) -> impl Iterator<Item = Option<usize>> {
    let size = owners.len().max(1);
    let first = slot(folded, port, size);
    let later = (0..size).map(move |offset| {
        let offset = (offset + first) % size;
        hash(folded, port, offset, OFFSET_KEY) % size
    });
    std::iter::once(first).chain(later).map(|at| owners.get(at).copied().flatten())
}

/// Returns the owner of each slot, or `None` if the table has fewer slots than there are
/// destinations: then the kernel keeps the table that it had.
///
/// Each destination prefers the slots in an order of its own. In turn, each takes as many of
/// its preferred free slots as its share of the weights. The index is
/// `CONFIG_IP_VS_MH_TAB_INDEX`, 8 to 17.
///
/// Source: `ip_vs_mh.c:ip_vs_mh_permutate`, `ip_vs_mh_populate`.
pub(crate) fn table(entries: &[Entry], index: u8) -> Option<Vec<Option<usize>>> {
    let size = slots(index)?;
    if entries.len() > size {
        return None;
    }
    let mut owners = vec![None; size];
    let mut claims = claims(entries, index, size);
    if claims.iter().all(|claim| claim.turns == 0) {
        return Some(owners);
    }
    let mut free = size;
    while free > 0 {
        for (at, claim) in claims.iter_mut().enumerate() {
            for _ in 0..claim.turns.min(free) {
                // A free slot is left, and the size is prime: the steps come to every slot.
                while owners.get(claim.next).is_some_and(Option::is_some) {
                    claim.next = (claim.next + claim.skip) % size;
                }
                if let Some(owner) = owners.get_mut(claim.next) {
                    *owner = Some(at);
                }
                free -= 1;
            }
        }
    }
    Some(owners)
}

/// The slots that a destination prefers, and how many it takes in a row.
struct Claim {
    next: usize,
    skip: usize,
    turns: usize,
}

fn claims(entries: &[Entry], index: u8, size: usize) -> Vec<Claim> {
    let weight_of = |entry: &Entry| i32::try_from(entry.last_weight).unwrap_or_default();
    let weights = || entries.iter().map(weight_of).map(|weight| weight.max(0).unsigned_abs());
    let divisor = weights().fold(0, gcd);
    let largest = weights().max().unwrap_or_default().checked_div(divisor).unwrap_or_default();
    let bits = u32::BITS - largest.leading_zeros();
    let shift = bits.saturating_sub(u32::from(index) / 2);
    let claim = |(entry, weight): (&Entry, u32)| {
        let share = weight.checked_div(divisor).unwrap_or_default() >> shift;
        let turns = if weight == 0 { 0 } else { share.max(1) };
        Claim {
            next: hash(entry.folded, entry.port, 0, OFFSET_KEY) % size,
            skip: hash(entry.folded, entry.port, 0, SKIP_KEY) % (size - 1) + 1,
            turns: usize::try_from(turns).unwrap_or_default(),
        }
    };
    entries.iter().zip(weights()).map(claim).collect()
}

/// The greatest common divisor. That of 0 and a number is the number.
fn gcd(a: u32, b: u32) -> u32 {
    let (mut a, mut b) = (a, b);
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(weights: &[u32]) -> Vec<Entry> {
        let entry =
            |(at, &last_weight)| Entry { folded: 0x0a00_0002_u32 + at, port: 80, last_weight };
        (0..).zip(weights).map(entry).collect()
    }

    fn shares(weights: &[u32], index: u8) -> Vec<usize> {
        let owners = table(&entries(weights), index).unwrap();
        let share = |at| owners.iter().filter(|owner| **owner == Some(at)).count();
        (0..weights.len()).map(share).collect()
    }

    #[test]
    fn slots_follow_the_weights() {
        assert_eq!(shares(&[1, 1, 1], 12), [1365, 1364, 1364]);
        assert_eq!(shares(&[2, 4, 0], 8), [84, 167, 0]);
        // The largest weight gets at most 2^(index / 2) slots in a row, the smallest one.
        assert_eq!(shares(&[1, 1000], 8), [16, 235]);
        assert_eq!(shares(&[0, 0], 8), [0, 0]);
        assert_eq!(shares(&[], 8), [0; 0]);
        assert_eq!(shares(&[u32::MAX, 1], 8), [0, 251]);
    }

    #[test]
    fn the_kernel_can_have_ten_sizes() {
        assert_eq!(
            [7, 8, 12, 17, 18].map(slots),
            [None, Some(251), Some(4093), Some(131_071), None]
        );
        assert_eq!(table(&entries(&[1]), 7), None);
        assert_eq!(table(&entries(&[1; 252]), 8), None);
        assert!(table(&entries(&[1; 251]), 8).is_some());
    }
}
