//! Reads addresses and networks as the Go programs of Kubernetes do.

use std::net::{IpAddr, Ipv4Addr};

use crate::kubernetes::excerpt::Excerpt;
use crate::model::{AddressFamily, InvalidValue, Network};

/// The field with the addresses of endpoints.
pub(crate) const ENDPOINT_ADDRESSES: &str = "endpoints.addresses";

/// Reads an address: leading zeros of IPv4 numbers have no meaning, and an IPv4 address mapped to
/// IPv6 is an IPv4 address. Source: `net.ParseIPSloppy`.
pub(crate) fn parse(text: &str) -> Option<IpAddr> {
    match text.parse::<IpAddr>() {
        Ok(address) => Some(address.to_canonical()),
        Err(_) => sloppy(text).map(IpAddr::V4),
    }
}

fn sloppy(text: &str) -> Option<Ipv4Addr> {
    let mut parts = text.split('.');
    let mut next = || {
        let part = parts.next()?;
        let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let number = part.trim_start_matches('0');
        match digits {
            true if number.is_empty() => Some(0),
            true => number.parse::<u8>().ok(),
            false => None,
        }
    };
    let address = [next()?, next()?, next()?, next()?];
    parts.next().is_none().then(|| address.into())
}

/// Reads a network. Bits after the prefix have no meaning. Source: `net.ParseCIDRSloppy`.
pub(crate) fn parse_network(text: &str) -> Option<Network> {
    let (address, prefix) = text.trim().split_once('/')?;
    let digits = !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_digit());
    let prefix: u8 = digits.then(|| prefix.parse().ok())??;
    let masked = match parse(address)? {
        IpAddr::V4(v4) => {
            let rest = 32_u32.checked_sub(prefix.into())?;
            IpAddr::from(
                v4.to_bits().checked_shr(rest).map_or([0; 4], |it| (it << rest).to_be_bytes()),
            )
        }
        IpAddr::V6(v6) => {
            let rest = 128_u32.checked_sub(prefix.into())?;
            IpAddr::from(
                v6.to_bits().checked_shr(rest).map_or([0; 16], |it| (it << rest).to_be_bytes()),
            )
        }
    };
    Network::new(masked, prefix).ok()
}

pub(crate) const fn family(address: IpAddr) -> AddressFamily {
    match address {
        IpAddr::V4(_) => AddressFamily::Ipv4,
        IpAddr::V6(_) => AddressFamily::Ipv6,
    }
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => is_link_local_v6(v6.segments()),
    }
}

const fn is_link_local_v6(segments: [u16; 8]) -> bool {
    segments[0] & 0xffc0 == 0xfe80
}

/// Returns `true` for addresses at which no node serves node ports without being told so.
pub(crate) fn is_link_local_ipv6(address: IpAddr) -> bool {
    address.is_ipv6() && is_link_local(address)
}

fn is_no_host(address: IpAddr) -> bool {
    address.is_unspecified()
        || address.is_loopback()
        || address.is_multicast()
        || address == IpAddr::V4(Ipv4Addr::BROADCAST)
}

fn read(
    field: &'static str,
    text: &str,
    special: fn(IpAddr) -> bool,
    rule: &'static str,
) -> Result<IpAddr, InvalidValue> {
    match parse(text) {
        Some(address) if special(address) => {
            Err(InvalidValue::new(field, address.to_string(), rule))
        }
        Some(address) => Ok(address),
        None => Err(InvalidValue::new(field, Excerpt::of(text).quoted(), "must be an IP address")),
    }
}

/// Reads the address of a virtual service.
pub(crate) fn of_service(field: &'static str, text: &str) -> Result<IpAddr, InvalidValue> {
    let rule = "must be a unicast address, neither loopback nor link-local IPv6";
    read(field, text, |address| is_no_host(address) || is_link_local_ipv6(address), rule)
}

/// Reads the address of an endpoint. The rule is that of the API server, which has it since
/// CVE-2021-25737: with such an endpoint a user would reach services of the node itself.
pub(crate) fn of_endpoint(text: &str) -> Result<IpAddr, InvalidValue> {
    let rule = "must be a unicast address, neither loopback nor link-local";
    read(ENDPOINT_ADDRESSES, text, |address| is_no_host(address) || is_link_local(address), rule)
}

/// Reads a port of the API, which is a signed number.
pub(crate) fn port(field: &'static str, number: i32) -> Result<u16, InvalidValue> {
    match u16::try_from(number) {
        Ok(port @ 1..) => Ok(port),
        _ => Err(InvalidValue::new(field, number.to_string(), "must be 1 to 65535")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Follows `netutils.ParseIPSloppy`.
    #[test]
    fn leading_zeros_are_accepted() {
        for (text, address) in [
            ("10.0.0.1", "10.0.0.1"),
            ("010.000.0.01", "10.0.0.1"),
            ("000000010.0.0.1", "10.0.0.1"),
            ("::ffff:10.0.0.1", "10.0.0.1"),
            ("2001:DB8:0::1", "2001:db8::1"),
        ] {
            assert_eq!(parse(text), Some(address.parse().unwrap()), "{text}");
        }
        for text in [
            "",
            "10.0.0",
            "10.0.0.256",
            "10.0.0.1.1",
            "10.0.0.+1",
            "10..0.1",
            "a",
            "::g",
            "fe80::1%eth0",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    /// Follows `netutils.ParseCIDRSloppy`.
    #[test]
    fn networks_need_no_clean_prefix() {
        for (text, network) in [
            ("10.1.2.3/8", "10.0.0.0/8"),
            (" 010.0.0.0/24 ", "10.0.0.0/24"),
            ("1.2.3.4/0", "0.0.0.0/0"),
            ("1.2.3.4/32", "1.2.3.4/32"),
            ("2001:db8::1/32", "2001:db8::/32"),
            ("::1/0", "::/0"),
            ("::1/128", "::1/128"),
        ] {
            assert_eq!(parse_network(text), Some(network.parse().unwrap()), "{text}");
        }
        for text in ["", "10.0.0.1", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/", "x/8"] {
            assert_eq!(parse_network(text), None, "{text}");
        }
    }

    #[test]
    fn special_addresses_serve_nobody() {
        for text in [
            "0.0.0.0",
            "127.0.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "ff02::1",
        ] {
            assert!(of_service("x", text).is_err(), "{text}");
            assert!(of_endpoint(text).is_err(), "{text}");
        }
        assert!(of_service("x", "169.254.20.10").is_ok());
        assert!(of_endpoint("169.254.169.254").is_err());
        assert!(of_endpoint("10.0.0.1").is_ok());
    }
}
