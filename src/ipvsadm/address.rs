//! Parses addresses with ports, in numbers or names.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::command_error::CommandError;
use super::names::{NameError, Names};
use super::option_parser::Value;
use super::option_values::port_number;
use crate::model::{AddressFamily, Protocol};

/// Parses an address with an optional port: `192.0.2.10:80`, `[2001:db8::1]:80`, `2001:db8::1`,
/// `www.example.com:http`.
pub(super) fn parse_address(
    value: Value<'_>,
    protocol: Protocol,
    names: &dyn Names,
) -> Result<(IpAddr, Option<u16>), CommandError> {
    // As in `ipvsadm`, an IPv6 address without brackets is the whole word and has no port.
    if value.text.bytes().filter(|byte| *byte == b':').nth(1).is_some() {
        if let Ok(whole) = value.text.parse::<Ipv6Addr>() {
            return Ok((whole.into(), None));
        }
    }
    let (host, family, rest) = match value.text.strip_prefix('[') {
        Some(inner) => {
            let (host, rest) = inner
                .split_once(']')
                .ok_or_else(|| value.expected("an address with its closing bracket"))?;
            (Value { text: host, place: value.place.after(1) }, AddressFamily::Ipv6, rest)
        }
        None => {
            let colon = value.text.find(':').unwrap_or(value.text.len());
            let (host, rest) = value.text.split_at(colon);
            (Value { text: host, place: value.place }, AddressFamily::Ipv4, rest)
        }
    };
    let ip = parse_host(host, family, names)?;
    if rest.is_empty() {
        return Ok((ip, None));
    }
    let rest_place = value.place.after(value.text.len() - rest.len());
    let Some(text) = rest.strip_prefix(':') else {
        return Err(Value { text: rest, place: rest_place }.expected("a colon and a port"));
    };
    let port = parse_port(Value { text, place: rest_place.after(1) }, protocol, names)?;
    Ok((ip, Some(port)))
}

fn parse_host(
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
    let wrong = || value.expected(format!("an {family} address"));
    if !may_be_host(value.text) {
        return Err(wrong());
    }
    let ip = names.host(value.text, family).map_err(|error| wrong().because(error))?;
    if AddressFamily::of(&ip) != family {
        return Err(wrong().because(NameError::Unknown));
    }
    Ok(ip)
}

fn parse_port(
    value: Value<'_>,
    protocol: Protocol,
    names: &dyn Names,
) -> Result<u16, CommandError> {
    if value.text.bytes().all(|byte| byte.is_ascii_digit()) {
        return port_number(value, 0);
    }
    let wrong = || value.expected("a port of 0 to 65535");
    if !value.text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(wrong());
    }
    names.port(value.text, protocol).map_err(|error| wrong().because(error))
}

/// Whether the text can be the name of a host. A number cannot: a resolver would read `10.9`,
/// `012` and `0x7f.1` as addresses.
pub(crate) fn may_be_host(text: &str) -> bool {
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

    /// Knows every name, each as the same address and port.
    struct EveryName;

    impl Names for EveryName {
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
        parse_address(Value { text, place }, Protocol::TCP, &EveryName)
    }

    #[test]
    fn numbers_and_names_are_parsed() {
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
    fn wrong_text_is_an_error_at_its_place() {
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
