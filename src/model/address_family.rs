use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::model::InvalidValue;

/// The family of an IP address: IPv4 or IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AddressFamily {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

impl AddressFamily {
    /// Returns the family of `address`. An IPv4-mapped IPv6 address is IPv6, as in the
    /// kernel.
    #[must_use]
    pub const fn of(address: &IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::Ipv4,
            IpAddr::V6(_) => Self::Ipv6,
        }
    }
}

impl fmt::Display for AddressFamily {
    /// `IPv4` or `IPv6`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ipv4 => "IPv4",
            Self::Ipv6 => "IPv6",
        })
    }
}

impl FromStr for AddressFamily {
    type Err = InvalidValue;

    /// Parses the output of `Display`.
    ///
    /// # Errors
    ///
    /// The text is neither `IPv4` nor `IPv6`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "IPv4" => Ok(Self::Ipv4),
            "IPv6" => Ok(Self::Ipv6),
            _ => {
                let rule = "must be IPv4 or IPv6";
                Err(InvalidValue::new("address family", format!("{text:?}"), rule))
            }
        }
    }
}
