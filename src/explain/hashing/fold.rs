use std::net::IpAddr;

use crate::model::AddressFamily;

/// Returns the 32 bits of an address that the schedulers hash. The kernel folds an IPv6 address
/// by exclusive or.
///
/// `mh` hashes its destinations by the family of the service. A destination of the other family
/// is then read as an address of that family: the first 32 bits of an IPv6 address, or an IPv4
/// address followed by zeros.
pub(crate) fn fold(address: IpAddr, family: AddressFamily) -> u32 {
    match (address, family) {
        (IpAddr::V4(v4), _) => v4.to_bits(),
        (IpAddr::V6(v6), AddressFamily::Ipv6) => words(v6.to_bits()).fold(0, |fold, it| fold ^ it),
        (IpAddr::V6(v6), AddressFamily::Ipv4) => words(v6.to_bits()).next().unwrap_or_default(),
    }
}

/// The 32-bit words of an IPv6 address, the first one first.
fn words(bits: u128) -> impl Iterator<Item = u32> {
    [96, 64, 32, 0].into_iter().map(move |shift| {
        let word = (bits >> shift) & u128::from(u32::MAX);
        u32::try_from(word).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_folds_to_32_bits() {
        let v4: IpAddr = "1.2.3.4".parse().unwrap();
        assert_eq!(fold(v4, AddressFamily::Ipv4), 0x0102_0304);
        assert_eq!(fold(v4, AddressFamily::Ipv6), 0x0102_0304);
        let v6: IpAddr = "2001:db8::1:2".parse().unwrap();
        assert_eq!(fold(v6, AddressFamily::Ipv6), 0x2001_0db8 ^ 0x0001_0002);
        assert_eq!(fold(v6, AddressFamily::Ipv4), 0x2001_0db8);
    }
}
