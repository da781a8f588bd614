//! Parses arguments of options that are numbers, masks, addresses or names.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::RangeInclusive;
use std::time::Duration;

use super::command_error::CommandError;
use super::option_parser::Value;
use crate::model::{AddressFamily, InvalidValue, Netmask, Scheduler, ServiceFlags};

/// The weights that the kernel accepts. It stores a weight in a signed number.
pub(super) const WEIGHTS: RangeInclusive<u32> = 0..=i32::MAX.unsigned_abs();

/// Parses a number in decimal digits. Leading zeros mean nothing.
fn number(value: Value<'_>, what: &str, range: RangeInclusive<u32>) -> Result<u32, CommandError> {
    let digits = value.text.bytes().all(|byte| byte.is_ascii_digit());
    let number = value.text.parse().ok().filter(|number| digits && range.contains(number));
    number.ok_or_else(|| value.expected(format!("{what} of {} to {}", range.start(), range.end())))
}

fn number_u16(
    value: Value<'_>,
    what: &str,
    range: RangeInclusive<u16>,
) -> Result<u16, CommandError> {
    let number = number(value, what, (*range.start()).into()..=(*range.end()).into())?;
    u16::try_from(number).map_err(|_| value.expected(what))
}

pub(super) fn port_number(value: Value<'_>, least: u16) -> Result<u16, CommandError> {
    number_u16(value, "a port", least..=u16::MAX)
}

pub(super) fn weight(value: Value<'_>) -> Result<u32, CommandError> {
    number(value, "a weight", WEIGHTS)
}

pub(super) fn threshold(value: Value<'_>) -> Result<u32, CommandError> {
    number(value, "a threshold", 0..=u32::MAX)
}

pub(super) fn seconds(value: Value<'_>) -> Result<Duration, CommandError> {
    let seconds = number(value, "a number of seconds", 0..=u32::MAX)?;
    Ok(Duration::from_secs(seconds.into()))
}

pub(super) fn sync_id(value: Value<'_>) -> Result<u32, CommandError> {
    number(value, "a synchronization id", 0..=255)
}

pub(super) fn max_length(value: Value<'_>) -> Result<u16, CommandError> {
    number_u16(value, "a length", 1..=u16::MAX)
}

pub(super) fn ttl(value: Value<'_>) -> Result<u8, CommandError> {
    let ttl = number_u16(value, "a TTL", 1..=255)?;
    u8::try_from(ttl).map_err(|_| value.expected("a TTL"))
}

/// Parses a firewall mark. `ipvsadm -S` prints a mark over 2147483647 as a negative number, which
/// `ipvsadm -R` then refuses.
pub(super) fn mark(value: Value<'_>) -> Result<u32, CommandError> {
    if let Some(text) = value.text.strip_prefix('-') {
        let below = 1..=i32::MIN.unsigned_abs();
        let wrong = || value.expected("a firewall mark of 1 to 4294967295");
        let negative = number(Value { text, ..value }, "", below).map_err(|_| wrong())?;
        return Ok(negative.wrapping_neg());
    }
    number(value, "a firewall mark", 1..=u32::MAX)
}

pub(super) fn netmask(value: Value<'_>, family: AddressFamily) -> Result<Netmask, CommandError> {
    match family {
        AddressFamily::Ipv4 => {
            let mask = value.text.parse::<Ipv4Addr>();
            mask.map(Netmask::Ipv4).map_err(|_| value.expected("a mask such as 255.255.255.0"))
        }
        AddressFamily::Ipv6 => {
            let length = number_u16(value, "a prefix length", 1..=128)?;
            let length = u8::try_from(length).map_err(|_| value.expected("a prefix length"))?;
            Ok(Netmask::Ipv6Prefix(length))
        }
    }
}

pub(super) fn group(value: Value<'_>) -> Result<IpAddr, CommandError> {
    let group = value.text.parse::<IpAddr>().ok().filter(IpAddr::is_multicast);
    group.ok_or_else(|| value.expected("a multicast address"))
}

/// Parses names of scheduler flags with commas between them. Each scheduler has names of its own.
/// An empty name is skipped, as by `ipvsadm`.
pub(super) fn scheduler_flags(
    value: Value<'_>,
    scheduler: Scheduler,
) -> Result<ServiceFlags, CommandError> {
    let mut flags = ServiceFlags::empty();
    let mut place = value.place;
    for text in value.text.split(',') {
        if !text.is_empty() {
            let known = ServiceFlags::scheduler_flag(text, scheduler);
            let expected = || format!("a flag of scheduler {scheduler}");
            flags |= known.ok_or_else(|| Value { text, place }.expected(expected()))?;
        }
        place = place.after(text.len() + 1);
    }
    Ok(flags)
}

/// Parses an argument with a function of the model.
pub(super) fn with_model<T>(
    value: Value<'_>,
    what: &'static str,
    parse: impl FnOnce(&str) -> Result<T, InvalidValue>,
) -> Result<T, CommandError> {
    parse(value.text).map_err(|invalid| value.expected(what).because(invalid.rule()))
}
