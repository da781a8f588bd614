use std::fmt;

/// What the kernel says of its IPVS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[doc(alias = "IPVS_CMD_GET_INFO")]
pub struct Info {
    /// The version of IPVS, 1.2.1 in every kernel of the last decade.
    pub version: Version,
    /// The number of buckets of the connection table. Up to Linux 7.0 a constant
    /// of the module; from 7.1 on the present size of this namespace's table, 0
    /// until there is a service.
    pub connection_table_size: u32,
}

/// A version of IPVS.
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
    /// Takes apart the kernel's `(major << 16) | (minor << 8) | patch`.
    pub(crate) const fn reported(word: u32) -> Self {
        let [_, major, minor, patch] = word.to_be_bytes();
        Self { major, minor, patch }
    }
}

impl fmt::Display for Version {
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
