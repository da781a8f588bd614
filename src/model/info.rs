use std::fmt;

/// Version and size of the IPVS of a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[doc(alias = "IPVS_CMD_GET_INFO")]
pub struct Info {
    /// The version of IPVS. It is 1.2.1 in Linux 6.1 to 7.3.
    pub version: Version,
    /// The number of buckets of the connection table. Up to Linux 7.0 it is a constant of the
    /// module `ip_vs`. From Linux 7.1 it is the present size of the table of the network
    /// namespace, and 0 before the first service is added.
    pub connection_table_size: u32,
}

/// The version of IPVS, such as 1.2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// The first number.
    pub major: u8,
    /// The second number.
    pub minor: u8,
    /// The third number.
    pub patch: u8,
}

impl Version {
    /// Splits the kernel's word `(major << 16) | (minor << 8) | patch`.
    pub(crate) const fn reported(word: u32) -> Self {
        let [_, major, minor, patch] = word.to_be_bytes();
        Self { major, minor, patch }
    }
}

impl fmt::Display for Version {
    /// The three numbers, joined by dots: `1.2.1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn the_word_is_not_a_palindrome_for_every_version() {
        let version = Version { major: 1, minor: 2, patch: 3 };
        assert_eq!(Version::reported(0x01_0203), version);
        assert_eq!(version.to_string(), "1.2.3");
    }
}
