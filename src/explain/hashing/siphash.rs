//! The keyed hash of `mh`: SipHash-1-3 of four bytes, folded to 32 bits.
//!
//! Kernels of 64 bits use SipHash-1-3. Kernels of 32 bits use HalfSipHash-1-3, which is not here.

/// Returns the hash of a 32-bit number, with one half of the key for both halves.
///
/// Source: `lib/siphash.c:hsiphash_1u32`.
pub(super) const fn hash(number: u32, half_key: u64) -> u32 {
    // "somepseudorandomlygeneratedbytes", the initial state of SipHash.
    let mut state = [
        0x736f_6d65_7073_6575 ^ half_key,
        0x646f_7261_6e64_6f6d ^ half_key,
        0x6c79_6765_6e65_7261 ^ half_key,
        0x7465_6462_7974_6573 ^ half_key,
    ];
    // The last block holds the length in its highest byte.
    let block = 4 << 56 | number as u64;
    state[3] ^= block;
    state = round(state);
    state[0] ^= block;
    state[2] ^= 0xff;
    state = round(round(round(state)));
    let hash = state[0] ^ state[1] ^ state[2] ^ state[3];
    (hash & 0xffff_ffff) as u32
}

const fn round([mut v0, mut v1, mut v2, mut v3]: [u64; 4]) -> [u64; 4] {
    v0 = v0.wrapping_add(v1);
    v1 = v1.rotate_left(13) ^ v0;
    v0 = v0.rotate_left(32);
    v2 = v2.wrapping_add(v3);
    v3 = v3.rotate_left(16) ^ v2;
    v0 = v0.wrapping_add(v3);
    v3 = v3.rotate_left(21) ^ v0;
    v2 = v2.wrapping_add(v1);
    v1 = v1.rotate_left(17) ^ v2;
    v2 = v2.rotate_left(32);
    [v0, v1, v2, v3]
}

#[cfg(test)]
mod tests {
    #![allow(deprecated, reason = "the standard library has SipHash-2-4 only")]
    use std::hash::{Hasher, SipHasher};

    use super::round;

    /// The same rounds as SipHash-2-4, which the standard library has.
    #[test]
    fn the_rounds_are_those_of_siphash() {
        let (key, block) = (0x0123_4567_89ab_cdef_u64, 4_u64 << 56 | 0xdead_beef);
        let mut state = [
            0x736f_6d65_7073_6575 ^ key,
            0x646f_7261_6e64_6f6d ^ key,
            0x6c79_6765_6e65_7261 ^ key,
            0x7465_6462_7974_6573 ^ key,
        ];
        state[3] ^= block;
        state = round(round(state));
        state[0] ^= block;
        state[2] ^= 0xff;
        state = round(round(round(round(state))));
        let ours = state.into_iter().fold(0, |hash, word| hash ^ word);

        let mut hasher = SipHasher::new_with_keys(key, key);
        hasher.write(&0xdead_beef_u32.to_le_bytes());
        assert_eq!(ours, hasher.finish());
    }
}
