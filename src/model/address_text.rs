//! Parses addresses with ports, and finds out which part of a text is wrong.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::model::InvalidValue;

/// Whether an address is that of a service or of a destination. Error texts differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Service,
    Destination,
}

/// Parses an address and a port in numbers. The error says which part is wrong.
pub(crate) fn parse(end: End, field: &'static str, text: &str) -> Result<SocketAddr, InvalidValue> {
    text.parse().map_err(|_| InvalidValue::new(field, format!("{text:?}"), fault(end, text)))
}

/// Returns the rule that `text` breaks. `text` must not be an address with a port.
fn fault(end: End, text: &str) -> &'static str {
    match text.parse() {
        Ok(IpAddr::V4(_)) => return no_port(end),
        Ok(IpAddr::V6(_)) => {
            return "an IPv6 address must be in brackets, followed by the port, as in \
                    [2001:db8::2]:8080";
        }
        Err(_) => {}
    }
    let (host_fault, port) = match text.strip_prefix('[') {
        Some(inner) => match inner.split_once(']') {
            Some((host, port)) => (ipv6_fault(host), port),
            None => return "the closing bracket is missing",
        },
        None => {
            let colon = text.rfind(':').unwrap_or(text.len());
            let (host, port) = text.split_at_checked(colon).unwrap_or((text, ""));
            (ipv4_fault(end, host), port)
        }
    };
    host_fault.unwrap_or_else(|| match port.strip_prefix(':') {
        None | Some("") => no_port(end),
        Some(port) => port_fault(port),
    })
}

const fn no_port(end: End) -> &'static str {
    match end {
        End::Service => "needs a port, as in 192.0.2.10:80 or [2001:db8::1]:80",
        End::Destination => {
            "needs a port, as in 10.0.0.2:8080 or [2001:db8::2]:8080, or port 0 in a service \
             of a firewall mark, as in 10.0.0.2:0"
        }
    }
}

const fn shape(end: End) -> &'static str {
    match end {
        End::Service => "must be like 192.0.2.10:80 or [2001:db8::1]:80",
        End::Destination => "must be like 10.0.0.2:8080 or [2001:db8::2]:8080",
    }
}

fn ipv4_fault(end: End, host: &str) -> Option<&'static str> {
    if host.parse::<Ipv4Addr>().is_ok() {
        return None;
    }
    let numeric = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    let named = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    Some(if host.is_empty() {
        shape(end)
    } else if host.bytes().all(numeric) {
        "an IPv4 address must be four numbers of 0 to 255 without leading zeros"
    } else if host.bytes().all(named) {
        "the host must be a numeric address; names are not looked up here"
    } else if host.contains(':') {
        "an IPv6 address must be in brackets, as in [2001:db8::2]:8080"
    } else {
        shape(end)
    })
}

fn ipv6_fault(host: &str) -> Option<&'static str> {
    if host.parse::<Ipv6Addr>().is_ok() {
        None
    } else if host.contains('%') {
        Some("must not have a scope")
    } else {
        Some("the text in brackets must be an IPv6 address")
    }
}

fn port_fault(port: &str) -> &'static str {
    match port.bytes().all(|byte| byte.is_ascii_digit()) {
        true => "the port must be at most 65535",
        false => "the port must be a number; names are not looked up here",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_that_is_wrong_is_named() {
        let cases = [
            ("10.0.0.2", "needs a port"),
            ("10.0.0.2:", "needs a port"),
            ("[2001:db8::2]", "needs a port"),
            ("[2001:db8::2]:", "needs a port"),
            ("10.0.0.2:65536", "at most 65535"),
            ("10.0.0.2:99999999999999999999", "at most 65535"),
            ("[::1]:65536", "at most 65535"),
            ("10.0.0.2:http", "must be a number"),
            ("10.0.0.2:-1", "must be a number"),
            ("2001:db8::1:80", "in brackets"),
            ("2001:db8:::80", "in brackets"),
            ("web1:80", "names are not looked up"),
            ("www.example.com", "names are not looked up"),
            ("10.0.0.256:80", "0 to 255"),
            ("010.0.0.1:80", "leading zeros"),
            ("10.9:80", "four numbers"),
            ("[fe80::2%lo]:80", "scope"),
            ("[web1]:80", "in brackets must be"),
            ("[::1:80", "closing bracket"),
            ("", "must be like"),
            (":80", "must be like"),
            ("10.0.0.2 :80", "must be like"),
            ("\u{7f}", "must be like"),
        ];
        for (text, rule) in cases {
            for end in [End::Service, End::Destination] {
                let invalid = parse(end, "address", text).unwrap_err();
                assert!(invalid.rule().contains(rule), "{invalid}");
                assert_eq!(invalid.value(), format!("{text:?}"));
            }
        }
    }

    #[test]
    fn a_destination_without_a_port_is_told_of_firewall_marks() {
        let invalid = parse(End::Destination, "destination", "10.255.0.9").unwrap_err();
        assert!(invalid.rule().contains("port 0 in a service of a firewall mark"), "{invalid}");
    }
}
