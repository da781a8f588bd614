/// The release of Linux that a fake kernel behaves like, where releases differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Version {
    /// Linux 6.1.176 as user-mode Linux: counters of 64 bits are aligned by PAD attributes, a
    /// daemon that is stopped at once after its start gives no answer, and the scheduler `twos`
    /// is missing.
    V6_1,
    /// Linux 6.12 on x86-64: no PAD attributes, all schedulers.
    #[default]
    V6_12,
}

impl Version {
    /// `CONFIG_HZ`.
    pub(super) const fn ticks_per_second(self) -> u32 {
        match self {
            Self::V6_1 => 100,
            Self::V6_12 => 250,
        }
    }

    /// Whether PAD attributes align values of 64 bits.
    pub(super) const fn aligns(self) -> bool {
        matches!(self, Self::V6_1)
    }

    pub(super) const fn schedulers(self) -> &'static [&'static str] {
        const ALL: &[&str] = &[
            "rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh",
            "twos",
        ];
        match (self, ALL) {
            (Self::V6_1, [most @ .., _]) => most,
            _ => ALL,
        }
    }

    /// Whether an upper threshold over 2^31 - 1 is refused.
    pub(super) const fn limits_upper_threshold(self) -> bool {
        matches!(self, Self::V6_12)
    }

    /// Whether a command that has no such variant is refused before the sender's privilege is
    /// looked at.
    pub(super) const fn misses_variants_first(self) -> bool {
        matches!(self, Self::V6_12)
    }

    /// Whether a daemon that is stopped before its thread ran gives no answer.
    pub(super) const fn loses_early_stops(self) -> bool {
        matches!(self, Self::V6_1)
    }

    /// What a datagram with `length` bytes is charged in the receive buffer.
    pub(super) const fn charge(self, length: usize) -> usize {
        // The descriptor of a buffer, and the data at its end.
        const DESCRIPTOR: usize = 256;
        const SHARED_INFO: usize = 320;
        // Linux 6.3 and later have a cache for small buffers.
        const SMALL: usize = 704;
        let needed = length.next_multiple_of(64) + SHARED_INFO;
        match self {
            Self::V6_12 if needed <= SMALL => SMALL + DESCRIPTOR,
            _ => needed.next_power_of_two() + DESCRIPTOR,
        }
    }
}
