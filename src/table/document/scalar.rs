//! Reads and writes names and numbers.

use std::fmt::Display;
use std::net::Ipv4Addr;
use std::num::NonZeroU16;
use std::str::FromStr;

use serde::ser::Serializer;

use crate::model::{AddressFamily, InvalidValue, PersistenceEngine, Scheduler, ServiceId};
use crate::table::document::plain_types::{numbers, switches};
use crate::table::document::written::{Refused, Written};

fn parse<T: FromStr>(field: &'static str, text: &str, rule: &'static str) -> Result<T, Refused> {
    text.parse().map_err(|_| InvalidValue::new(field, format!("{text:?}"), rule).into())
}

fn write_text<S: Serializer>(text: impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&text)
}

impl Written for ServiceId {
    const EXPECTED: &'static str = "service, like \"IP_50 192.0.2.10:0\"";

    fn of_text(text: &str) -> Result<Self, Refused> {
        Ok(text.parse()?)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write_text(self, serializer)
    }
}

impl Written for AddressFamily {
    const EXPECTED: &'static str = "family, ipv4 or ipv6";

    fn of_text(text: &str) -> Result<Self, Refused> {
        match text {
            "ipv4" => Ok(Self::Ipv4),
            "ipv6" => Ok(Self::Ipv6),
            _ => Err(InvalidValue::new("family", format!("{text:?}"), "must be ipv4 or ipv6"))?,
        }
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
        })
    }
}

/// The netmask of a persistent IPv4 service.
impl Written for Ipv4Addr {
    const EXPECTED: &'static str = "netmask, like \"255.255.255.0\"";

    fn of_text(text: &str) -> Result<Self, Refused> {
        parse("persistence netmask", text, "must be like 255.255.255.0")
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write_text(self, serializer)
    }
}

/// Reads a name as it prints, with escapes for bytes that are not plain. Validation refuses such
/// names later, unless the entry is `unchecked`.
impl Written for Scheduler {
    const EXPECTED: &'static str = "scheduler, a name like \"wrr\"";

    fn of_text(text: &str) -> Result<Self, Refused> {
        let odd = || unescaped(text).and_then(|name| Self::reported(&name));
        Ok(Self::new(text).or_else(|invalid| odd().ok_or(invalid))?)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write_text(self, serializer)
    }
}

impl Written for PersistenceEngine {
    const EXPECTED: &'static str = "engine, a name like \"sip\"";

    fn of_text(text: &str) -> Result<Self, Refused> {
        let odd = || unescaped(text).and_then(|name| Self::reported(&name));
        Ok(Self::new(text).or_else(|invalid| odd().ok_or(invalid))?)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write_text(self, serializer)
    }
}

/// Returns the bytes of a name that [`u8::escape_ascii`] printed.
fn unescaped(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut name = Vec::new();
    while let Some(byte) = bytes.next() {
        name.push(match byte {
            b'\\' => match bytes.next()? {
                b't' => b'\t',
                b'r' => b'\r',
                b'n' => b'\n',
                b'x' => {
                    let digit = |byte: u8| char::from(byte).to_digit(16);
                    let (high, low) = (digit(bytes.next()?)?, digit(bytes.next()?)?);
                    u8::try_from(high * 16 + low).ok()?
                }
                quoted @ (b'\\' | b'\'' | b'"') => quoted,
                _ => return None,
            },
            0 => return None,
            plain => plain,
        });
    }
    Some(name)
}

switches! {
    /// The key `unchecked`: if true, reading does not validate the entry.
    Unchecked: "unchecked",
}

/// The port of addresses that are written without one.
impl Written for NonZeroU16 {
    const EXPECTED: &'static str = "default port, 1 to 65535, a whole number";

    fn of_number(number: i128) -> Result<Self, Refused> {
        u16::try_from(number).ok().and_then(Self::new).ok_or(Refused::Value)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u16(self.get())
    }
}

numbers! {
    Mark(u32): "fwmark, 1 to 4294967295",
    Prefix(u8): "prefix, 1 to 128",
    Weight(u32): "weight, 0 to 2147483647",
    Upper(u32): "upper threshold, 0 to 2147483647",
    Lower(u32): "lower threshold, 0 to the upper one",
    Port(u16): "tunnel port, 1 to 65535",
    TunnelFlags(u16): "tunnel flags, 0 to 65535",
}

#[cfg(test)]
mod tests {
    use super::unescaped;

    #[test]
    fn escapes_are_undone() {
        let all: Vec<u8> = (1..=u8::MAX).collect();
        assert_eq!(unescaped(&all.escape_ascii().to_string()), Some(all));
        for text in ["\\", "\\x", "\\xg0", "\\x1", "\\q", "a\0"] {
            assert_eq!(unescaped(text), None, "{text:?}");
        }
    }
}
