//! Addresses with ports, in numbers or names.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::command_error::CommandError;
use super::names::{NameError, Names};
use super::option_parser::Value;
use super::option_values::port_number;
use crate::model::{AddressFamily, Protocol};

/// An address, and the port if there is one: `192.0.2.10:80`, `[2001:db8::1]:80`,
/// `2001:db8::1`, `www.example.com:http`.
pub(super) fn address(
    value: Value<'_>,
    protocol: Protocol,
    names: &dyn Names,
) -> Result<(IpAddr, Option<u16>), CommandError> {
    // Without brackets an IPv6 address takes all of the word, as `ipvsadm` has it.
    if value.text.bytes().filter(|byte| *byte == b':').nth(1).is_some() {
        if let Ok(whole) = value.text.parse::<Ipv6Addr>() {
            return Ok((whole.into(), None));
        }
    }
    let (host, family, rest) = match value.text.strip_prefix('[') {
        Some(inner) => {
            let (host, rest) = inner
                .split_once(']')
                .ok_or_else(|| value.refused("an address with its closing bracket"))?;
            (Value { text: host, place: value.place.after(1) }, AddressFamily::Ipv6, rest)
        }
        None => {
            let colon = value.text.find(':').unwrap_or(value.text.len());
            let (host, rest) = value.text.split_at(colon);
            (Value { text: host, place: value.place }, AddressFamily::Ipv4, rest)
        }
    };
    let ip = self::host(host, family, names)?;
    if rest.is_empty() {
        return Ok((ip, None));
    }
    let rest_place = value.place.after(value.text.len() - rest.len());
    let Some(text) = rest.strip_prefix(':') else {
        return Err(Value { text: rest, place: rest_place }.refused("a colon and a port"));
    };
    let port = port(Value { text, place: rest_place.after(1) }, protocol, names)?;
    Ok((ip, Some(port)))
}

fn host(
    value: Value<'_>,
    family: AddressFamily,
    names: &dyn Names,
) -> Result<IpAddr, CommandError> {
    let number = match family {
        AddressFamily::Ipv4 => value.text.parse::<Ipv4Addr>().map(IpAddr::from),
        AddressFamily::Ipv6 => value.text.parse::<Ipv6Addr>().map(IpAddr::from),
    };
    if let Ok(ip) = number {
        return Ok(ip);
    }
    let refused = || value.refused(format!("an {family} address"));
    if !may_be_host(value.text) {
        return Err(refused());
    }
    let ip = names.host(value.text, family).map_err(|error| refused().because(error))?;
    if AddressFamily::of(&ip) != family {
        return Err(refused().because(NameError::Unknown));
    }
    Ok(ip)
}

fn port(value: Value<'_>, protocol: Protocol, names: &dyn Names) -> Result<u16, CommandError> {
    if value.text.bytes().all(|byte| byte.is_ascii_digit()) {
        return port_number(value, 0);
    }
    let refused = || value.refused("a port of 0 to 65535");
    if !value.text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(refused());
    }
    names.port(value.text, protocol).map_err(|error| refused().because(error))
}

/// Whether it is no number: the resolver would take `10.9`, `012` and `0x7f.1` for
/// addresses.
fn may_be_host(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let last = text.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    let number = last.bytes().all(|byte| byte.is_ascii_digit())
        || last.starts_with("0x")
        || last.starts_with("0X");
    text.len() <= 253 && text.bytes().all(plain) && !text.starts_with('-') && !number
}

#[cfg(test)]
mod tests {
    use super::super::command_error::Place;
    use super::*;

    /// Gives every name the same number.
    struct Some80;

    impl Names for Some80 {
        fn host(&self, _: &str, family: AddressFamily) -> Result<IpAddr, NameError> {
            Ok(match family {
                AddressFamily::Ipv4 => [192, 0, 2, 10].into(),
                AddressFamily::Ipv6 => "2001:db8::10".parse().unwrap(),
            })
        }

        fn port(&self, _: &str, _: Protocol) -> Result<u16, NameError> {
            Ok(80)
        }
    }

    fn read(text: &str) -> Result<(IpAddr, Option<u16>), CommandError> {
        let place = Place { word: 0, offset: 0 };
        address(Value { text, place }, Protocol::TCP, &Some80)
    }

    #[test]
    fn addresses_are_numbers_or_names() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let cases = [
            ("10.0.0.1:80", ip("10.0.0.1"), Some(80)),
            ("10.0.0.1", ip("10.0.0.1"), None),
            ("10.0.0.1:080", ip("10.0.0.1"), Some(80)),
            ("[2001:db8::1]:80", ip("2001:db8::1"), Some(80)),
            ("[2001:db8::1]", ip("2001:db8::1"), None),
            ("2001:db8::1:80", ip("2001:db8::1:80"), None),
            ("www.example.com:http", ip("192.0.2.10"), Some(80)),
            ("www", ip("192.0.2.10"), None),
            ("[www]:80", ip("2001:db8::10"), Some(80)),
        ];
        for (text, ip, port) in cases {
            assert_eq!(read(text), Ok((ip, port)), "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_an_address_is_refused_at_its_place() {
        let cases = [
            ("", 0),
            (":80", 0),
            ("10.0.0.1:", 9),
            ("10.0.0.1:65536", 9),
            ("10.0.0.1:8 0", 9),
            ("10.0.0.1:\u{e9}", 9),
            ("10.9:80", 0),
            ("010.0.0.1:80", 0),
            ("0x0a000001:80", 0),
            ("167772161", 0),
            ("a b:80", 0),
            ("-a:80", 0),
            ("10.0.0.1.:80", 0),
            ("[10.0.0.1]:80", 1),
            ("[fe80::1%lo]:80", 1),
            ("[::1", 0),
            ("[::1]80", 5),
            ("[]:80", 1),
        ];
        for (text, offset) in cases {
            let error = read(text).unwrap_err();
            assert_eq!(error.offset(), offset, "{text}: {error}");
        }
    }
}
