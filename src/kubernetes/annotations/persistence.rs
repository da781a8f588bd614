//! Which part of a client's address session affinity compares.

use std::net::Ipv4Addr;
use std::time::Duration;

use crate::kubernetes::excerpt::Excerpt;
use crate::model::{AddressFamily, InvalidValue, Netmask, Persistence};

const MINUTE: Duration = Duration::from_secs(60);

fn bits(field: &'static str, rule: &'static str, text: &str) -> Result<u8, InvalidValue> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let bits = digits.then(|| text.parse().ok()).flatten();
    bits.ok_or_else(|| InvalidValue::new(field, Excerpt::of(text).quoted(), rule))
}

/// Reads a number of leading bits, 1 to 32. 32 is the whole address.
pub(super) fn ipv4(text: &str) -> Result<Netmask, InvalidValue> {
    let (field, rule) = ("persistence-prefix-ipv4", "must be 1 to 32");
    match bits(field, rule, text)? {
        bits @ 1..=32 => Ok(Netmask::Ipv4(Ipv4Addr::from_bits(u32::MAX << (32 - u32::from(bits))))),
        bits => Err(InvalidValue::new(field, bits.to_string(), rule)),
    }
}

/// Reads a number of leading bits, 1 to 128. 128 is the whole address.
pub(super) fn ipv6(text: &str) -> Result<Netmask, InvalidValue> {
    let bits = bits("persistence-prefix-ipv6", "must be 1 to 128", text)?;
    let netmask = Netmask::Ipv6Prefix(bits);
    let persistence = Persistence { netmask: Some(netmask), ..Persistence::new(MINUTE) };
    persistence.check_netmask(AddressFamily::Ipv6)?;
    Ok(netmask)
}
