use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::model::InvalidValue;

const RULE: &str = "must be like 10.0.0.0/8 or 2001:db8::/32, with no bits after the prefix";

/// An IP network in CIDR notation, such as `192.0.2.0/24`.
///
/// ```
/// use ipvs_netlink::table::Network;
///
/// let network: Network = "192.0.2.0/24".parse()?;
/// assert!(network.contains([192, 0, 2, 10].into()));
/// assert!("192.0.2.1/24".parse::<Network>().is_err());
/// # Ok::<(), ipvs_netlink::InvalidValue>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// Creates the network of the addresses that share the first `prefix` bits with `address`.
    ///
    /// # Errors
    ///
    /// The prefix is longer than an address of the family, or `address` has bits set after the
    /// prefix.
    pub fn new(address: IpAddr, prefix: u8) -> Result<Self, InvalidValue> {
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let network = Self { address, prefix };
        if prefix > longest || bits(address) & !network.mask() != 0 {
            return Err(InvalidValue::new("network", format!("{address}/{prefix}"), RULE));
        }
        Ok(network)
    }

    /// Returns the first address.
    #[must_use]
    pub const fn address(&self) -> IpAddr {
        self.address
    }

    /// Returns the length of the prefix in bits.
    #[must_use]
    pub const fn prefix(&self) -> u8 {
        self.prefix
    }

    /// Returns `true` if the network contains `address`.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.address.is_ipv4() == address.is_ipv4()
            && bits(address) & self.mask() == bits(self.address)
    }

    /// The bits that they share, at the upper end.
    fn mask(&self) -> u128 {
        let rest = u32::from(128 - self.prefix.min(128));
        u128::MAX.checked_shl(rest).unwrap_or(0)
    }
}

/// The bits of an address, at the upper end.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()) << 96,
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

impl From<IpAddr> for Network {
    /// The one address.
    fn from(address: IpAddr) -> Self {
        Self { address, prefix: if address.is_ipv4() { 32 } else { 128 } }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl FromStr for Network {
    type Err = InvalidValue;

    /// Reads what `Display` writes, and an address alone.
    ///
    /// # Errors
    ///
    /// When the text is anything else.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidValue::new("network", format!("{text:?}"), RULE);
        let Some((address, prefix)) = text.split_once('/') else {
            return text.parse::<IpAddr>().map(Self::from).map_err(|_| invalid());
        };
        let digits = prefix.bytes().all(|byte| byte.is_ascii_digit());
        let prefix = digits.then(|| prefix.parse().ok()).flatten().ok_or_else(invalid)?;
        Self::new(address.parse().map_err(|_| invalid())?, prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::Network;

    #[test]
    fn text_round_trips() {
        for text in ["10.0.0.0/8", "0.0.0.0/0", "192.0.2.1/32", "::/0", "2001:db8::/32", "::1/128"]
        {
            assert_eq!(text.parse::<Network>().unwrap().to_string(), text);
        }
        assert_eq!("192.0.2.1".parse::<Network>().unwrap().to_string(), "192.0.2.1/32");
        for text in
            ["", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.1/8", "::1/0", "::/129", "10.0.0.0/+8"]
        {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }

    #[test]
    fn families_are_apart() {
        let everything: Network = "0.0.0.0/0".parse().unwrap();
        assert!(everything.contains([1, 2, 3, 4].into()));
        assert!(!everything.contains("::1".parse().unwrap()));
        let half: Network = "128.0.0.0/1".parse().unwrap();
        assert!(half.contains([255, 0, 0, 0].into()) && !half.contains([127, 0, 0, 0].into()));
    }
}
