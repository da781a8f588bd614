//! Numbers and addresses in attributes.
//!
//! Like the kernel, reading uses the first bytes of a value that is too long, and refuses one that
//! is too short.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use byteorder::{ByteOrder, NativeEndian, NetworkEndian};

use crate::model::AddressFamily;
use crate::uapi::{AF_INET, AF_INET6};
use crate::wire::Malformed;

const SHORT: Malformed = "an attribute is too short";

fn head(value: &[u8], len: usize) -> Result<&[u8], Malformed> {
    value.get(..len).ok_or(SHORT)
}

pub(crate) fn u8(value: &[u8]) -> Result<u8, Malformed> {
    value.first().copied().ok_or(SHORT)
}

pub(crate) fn u16(value: &[u8]) -> Result<u16, Malformed> {
    head(value, 2).map(NativeEndian::read_u16)
}

pub(crate) fn u16_be(value: &[u8]) -> Result<u16, Malformed> {
    head(value, 2).map(NetworkEndian::read_u16)
}

pub(crate) fn u32(value: &[u8]) -> Result<u32, Malformed> {
    head(value, 4).map(NativeEndian::read_u32)
}

/// Reads a counter of 64 bits, or of 32 bits if the value is shorter.
pub(crate) fn counter(value: &[u8]) -> Result<u64, Malformed> {
    match head(value, 8) {
        Ok(value) => Ok(NativeEndian::read_u64(value)),
        Err(_) => u32(value).map(u64::from),
    }
}

pub(crate) fn ipv4(value: &[u8]) -> Result<Ipv4Addr, Malformed> {
    value.first_chunk::<4>().map(|octets| Ipv4Addr::from(*octets)).ok_or(SHORT)
}

pub(crate) fn ipv6(value: &[u8]) -> Result<Ipv6Addr, Malformed> {
    value.first_chunk::<16>().map(|octets| Ipv6Addr::from(*octets)).ok_or(SHORT)
}

/// Reads an address of `family` from the kernel's 16-byte field. IPv4 uses the first four bytes.
pub(crate) fn address(family: AddressFamily, value: &[u8]) -> Result<IpAddr, Malformed> {
    match family {
        AddressFamily::Ipv4 => ipv4(value).map(IpAddr::V4),
        AddressFamily::Ipv6 => ipv6(value).map(IpAddr::V6),
    }
}

/// Returns the kernel's 16-byte field for an address.
#[inline(always)]
pub(crate) fn address_field(address: &SocketAddr) -> [u8; 16] {
    match address {
        SocketAddr::V4(v4) => {
            let [a, b, c, d] = v4.ip().octets();
            [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        }
        SocketAddr::V6(v6) => v6.ip().octets(),
    }
}

pub(crate) fn family(value: &[u8]) -> Result<AddressFamily, Malformed> {
    match u16(value)? {
        AF_INET => Ok(AddressFamily::Ipv4),
        AF_INET6 => Ok(AddressFamily::Ipv6),
        _ => Err("an address family is neither IPv4 nor IPv6"),
    }
}

pub(crate) const fn family_number(family: AddressFamily) -> u16 {
    match family {
        AddressFamily::Ipv4 => AF_INET,
        AddressFamily::Ipv6 => AF_INET6,
    }
}
