use std::ops::RangeInclusive;

use crate::explain::hashing::maglev;

/// The values that `CONFIG_IP_VS_SH_TAB_BITS` can have.
pub(super) const SOURCE_BITS: RangeInclusive<u8> = 4..=20;
/// The values that `CONFIG_IP_VS_MH_TAB_INDEX` can have.
pub(super) const MAGLEV_INDEXES: RangeInclusive<u8> = 8..=17;

/// The sizes of the tables of `sh` and `mh`, which the kernel does not show: they are options of
/// its build. (The table of `dh` always has 256 slots.)
///
/// The configuration of the running kernel is often in `/boot/config-<release>`.
///
/// ```
/// use ipvs_netlink::explain::TableSizes;
///
/// let tables = TableSizes::from_config("CONFIG_IP_VS_SH_TAB_BITS=10\n");
/// assert_eq!((tables.source_bits, tables.maglev_index), (Some(10), None));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct TableSizes {
    /// The number of slots of `sh` as a power of two, 4 to 20: `CONFIG_IP_VS_SH_TAB_BITS`.
    /// `None` means unknown.
    pub source_bits: Option<u8>,
    /// Which of ten primes is the number of slots of `mh`, 8 (251 slots) to 17 (131071 slots):
    /// `CONFIG_IP_VS_MH_TAB_INDEX`. `None` means unknown.
    pub maglev_index: Option<u8>,
}

impl TableSizes {
    /// Unknown sizes.
    pub const UNKNOWN: Self = Self { source_bits: None, maglev_index: None };

    /// The sizes of a kernel that nobody configured otherwise: 256 slots for `sh`
    /// (`CONFIG_IP_VS_SH_TAB_BITS=8`), 4093 for `mh` (`CONFIG_IP_VS_MH_TAB_INDEX=12`). The kernels
    /// of Debian have them.
    pub const DEFAULT_BUILD: Self = Self { source_bits: Some(8), maglev_index: Some(12) };

    /// Sets the number of slots of `sh`, as a power of two. A number that is not 4 to 20 means
    /// unknown.
    #[must_use]
    pub fn source_bits(mut self, bits: u8) -> Self {
        self.source_bits = Some(bits).filter(|bits| SOURCE_BITS.contains(bits));
        self
    }

    /// Sets the size of the table of `mh`. A number that is not 8 to 17 means unknown.
    #[must_use]
    pub fn maglev_index(mut self, index: u8) -> Self {
        self.maglev_index = Some(index).filter(|index| MAGLEV_INDEXES.contains(index));
        self
    }

    /// Takes the sizes from the configuration of a kernel, the text of `/boot/config-<release>`.
    /// A size that the text does not have, or that no kernel can have, is unknown.
    #[must_use]
    pub fn from_config(config: &str) -> Self {
        let number = |line: &str, key: &str| {
            line.strip_prefix(key)?.strip_prefix('=')?.trim_end().parse::<u8>().ok()
        };
        config.lines().fold(Self::UNKNOWN, |tables, line| {
            if let Some(bits) = number(line, "CONFIG_IP_VS_SH_TAB_BITS") {
                return tables.source_bits(bits);
            }
            match number(line, "CONFIG_IP_VS_MH_TAB_INDEX") {
                Some(index) => tables.maglev_index(index),
                None => tables,
            }
        })
    }

    /// The sizes that `sh` can have.
    pub(super) fn possible_source_bits(self) -> RangeInclusive<u8> {
        let known = self.source_bits.filter(|bits| SOURCE_BITS.contains(bits));
        known.map_or(SOURCE_BITS, |bits| bits..=bits)
    }

    /// The sizes that `mh` can have.
    pub(super) fn possible_maglev_indexes(self) -> RangeInclusive<u8> {
        let known = self.maglev_index.filter(|index| maglev::slots(*index).is_some());
        known.map_or(MAGLEV_INDEXES, |index| index..=index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_tells_the_sizes() {
        let debian =
            "CONFIG_IP_VS_SH=m\nCONFIG_IP_VS_SH_TAB_BITS=8\nCONFIG_IP_VS_MH_TAB_INDEX=12\n";
        assert_eq!(TableSizes::from_config(debian), TableSizes::DEFAULT_BUILD);
        for hostile in [
            "",
            "CONFIG_IP_VS_SH_TAB_BITS=21",
            "CONFIG_IP_VS_SH_TAB_BITS=",
            "\0=8",
            "CONFIG_IP_VS_MH_TAB_INDEX=99999999999",
            "# CONFIG_IP_VS_SH_TAB_BITS=8",
        ] {
            assert_eq!(TableSizes::from_config(hostile), TableSizes::UNKNOWN, "{hostile}");
        }
        let set_by_hand = TableSizes { source_bits: Some(200), maglev_index: Some(0) };
        assert_eq!(set_by_hand.possible_source_bits(), SOURCE_BITS);
        assert_eq!(set_by_hand.possible_maglev_indexes(), MAGLEV_INDEXES);
    }
}
