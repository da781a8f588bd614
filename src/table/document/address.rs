//! Addresses of services and destinations, which are complete only with the rest of the document:
//! the port can come from the defaults, and names are looked up for the protocol of the service.
//!
//! The parameter `OPEN` of the types tells whether the document can complete addresses. If it
//! cannot, an incomplete address is refused while it is read, so that the format names its line.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU16;

use serde::ser::Serializer;

use crate::ipvsadm::{NameError, Names, may_be_host};
use crate::model::address_text::{self, End};
use crate::model::{AddressFamily, InvalidValue, Protocol};
use crate::table::document::written::{Refused, Written};

/// An address as it is written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Text {
    Complete(SocketAddr),
    /// Text that [`Parts::of`] splits, and that is not an address with a port.
    Open(String),
}

impl Text {
    fn read(open: bool, end: End, field: &'static str, text: &str) -> Result<Self, InvalidValue> {
        match address_text::parse(end, field, text) {
            Ok(address) => Ok(Self::Complete(address)),
            Err(_) if open && Parts::of(text).is_some() => Ok(Self::Open(text.to_owned())),
            Err(invalid) => Err(invalid),
        }
    }

    fn resolve(&self, end: End, field: &'static str, rest: Rest<'_>) -> Result<SocketAddr, String> {
        let text = match self {
            Self::Complete(address) => return Ok(*address),
            Self::Open(text) => text,
        };
        let found = Parts::of(text).and_then(|parts| parts.resolve(rest));
        match found {
            Some(found) => found.map_err(|reason| format!("{field} {text:?}: {reason}")),
            // The parser tells what is missing.
            None => address_text::parse(end, field, text).map_err(|invalid| invalid.to_string()),
        }
    }
}

impl fmt::Display for Text {
    /// The address as error messages name it: open text is quoted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Complete(address) => address.fmt(f),
            Self::Open(text) => write!(f, "{text:?}"),
        }
    }
}

/// What completes an address.
#[derive(Clone, Copy)]
pub(super) struct Rest<'n> {
    /// The port of an address that is written without one.
    pub(super) port: Option<NonZeroU16>,
    pub(super) names: Option<&'n dyn Names>,
    /// The protocol of names of ports.
    pub(super) protocol: Protocol,
}

/// The parts of an address: `10.0.0.2`, `[2001:db8::2]:8080`, `www.example.com:http`. IPv6 needs
/// its brackets: without them a reader cannot tell a port from the last part of the address.
struct Parts<'t> {
    host: &'t str,
    family: AddressFamily,
    port: Option<&'t str>,
}

impl<'t> Parts<'t> {
    fn of(text: &'t str) -> Option<Self> {
        let (host, family, rest) = match text.strip_prefix('[') {
            Some(inner) => {
                let (host, rest) = inner.split_once(']')?;
                (host, AddressFamily::Ipv6, rest)
            }
            None => {
                let (host, rest) = text.split_at(text.find(':').unwrap_or(text.len()));
                (host, AddressFamily::Ipv4, rest)
            }
        };
        let port = match rest {
            "" => None,
            rest => Some(rest.strip_prefix(':')?),
        };
        let parts = Self { host, family, port };
        let may_be_port = port.is_none_or(|port| match is_number(port) {
            true => port.parse::<u16>().is_ok(),
            false => port.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':'),
        });
        (may_be_port && (parts.ip().is_some() || may_be_host(host))).then_some(parts)
    }

    /// Returns the host if it is a number.
    fn ip(&self) -> Option<IpAddr> {
        match self.family {
            AddressFamily::Ipv4 => self.host.parse::<Ipv4Addr>().ok().map(IpAddr::from),
            AddressFamily::Ipv6 => self.host.parse::<Ipv6Addr>().ok().map(IpAddr::from),
        }
    }

    /// Returns the address, the reason of a lookup that failed, or `None` if the document does not
    /// complete this address.
    fn resolve(&self, rest: Rest<'_>) -> Option<Result<SocketAddr, String>> {
        let port = match self.port {
            None => Ok(rest.port?.get()),
            Some(number) if is_number(number) => Ok(number.parse().ok()?),
            Some(name) => rest
                .names?
                .port(name, rest.protocol)
                .map_err(|error| format!("port {name:?} of {}: {error}", rest.protocol)),
        };
        let ip = match self.ip() {
            Some(ip) => Ok(ip),
            None => self.look_up(rest.names?),
        };
        Some(ip.and_then(|ip| Ok(SocketAddr::new(ip, port?))))
    }

    fn look_up(&self, names: &dyn Names) -> Result<IpAddr, String> {
        let found = names.host(self.host, self.family).and_then(|ip| {
            match AddressFamily::of(&ip) == self.family {
                true => Ok(ip),
                false => Err(NameError::Unknown),
            }
        });
        found.map_err(|error| format!("host {:?} of {}: {error}", self.host, self.family))
    }
}

/// Returns `true` for the empty text, too: an address may not end in a colon.
fn is_number(port: &str) -> bool {
    port.bytes().all(|byte| byte.is_ascii_digit())
}

macro_rules! addresses {
    ($($(#[$doc:meta])* $name:ident: $end:ident, $field:literal, $expected:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(super) struct $name<const OPEN: bool>(Text);

        impl<const OPEN: bool> $name<OPEN> {
            /// Returns the address, completed by `rest`.
            pub(super) fn resolve(&self, rest: Rest<'_>) -> Result<SocketAddr, String> {
                self.0.resolve(End::$end, $field, rest)
            }
        }

        impl<const OPEN: bool> From<SocketAddr> for $name<OPEN> {
            fn from(address: SocketAddr) -> Self {
                Self(Text::Complete(address))
            }
        }

        impl<const OPEN: bool> fmt::Display for $name<OPEN> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl<const OPEN: bool> Written for $name<OPEN> {
            const EXPECTED: &'static str = $expected;

            fn of_text(text: &str) -> Result<Self, Refused> {
                Ok(Self(Text::read(OPEN, End::$end, $field, text)?))
            }

            fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match &self.0 {
                    Text::Complete(address) => serializer.collect_str(address),
                    Text::Open(text) => serializer.serialize_str(text),
                }
            }
        }
    )*};
}

addresses! {
    /// The address of a service.
    ServiceAddress: Service, "service address",
        "service address, in quotes, like \"192.0.2.10:80\" or \"[2001:db8::1]:80\"";
    /// The address of a destination.
    DestinationAddress: Destination, "destination",
        "destination address, in quotes, like \"10.0.0.2:8080\" or \"[2001:db8::2]:8080\"";
}

impl<const OPEN: bool> DestinationAddress<OPEN> {
    /// Returns the address if it is written with its port.
    pub(super) const fn complete(&self) -> Option<SocketAddr> {
        match self.0 {
            Text::Complete(address) => Some(address),
            Text::Open(_) => None,
        }
    }
}
