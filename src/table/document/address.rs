//! Addresses of services and destinations, which are complete only with the rest of the document:
//! the port can come from the defaults.
//!
//! The parameter `OPEN` of the types tells whether the document can complete addresses. If it cannot,
//! an incomplete address is refused while it is read, so that the format names its line.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU16;

use serde::ser::Serializer;

use crate::model::InvalidValue;
use crate::model::address_text::{self, End};
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

    fn resolve(
        &self,
        end: End,
        field: &'static str,
        port: Option<NonZeroU16>,
    ) -> Result<SocketAddr, InvalidValue> {
        let text = match self {
            Self::Complete(address) => return Ok(*address),
            Self::Open(text) => text,
        };
        match (Parts::of(text), port) {
            (Some(Parts { ip }), Some(port)) => Ok(SocketAddr::new(ip, port.get())),
            // The parser tells what is missing.
            _ => address_text::parse(end, field, text),
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

/// An address without a port: `10.0.0.2` or `[2001:db8::2]`. IPv6 needs its brackets: without
/// them a reader cannot tell a port from the last part of the address.
struct Parts {
    ip: IpAddr,
}

impl Parts {
    fn of(text: &str) -> Option<Self> {
        let ip = match text.strip_prefix('[') {
            Some(inner) => inner.strip_suffix(']')?.parse::<Ipv6Addr>().ok()?.into(),
            None => text.parse::<Ipv4Addr>().ok()?.into(),
        };
        Some(Self { ip })
    }
}

macro_rules! addresses {
    ($($(#[$doc:meta])* $name:ident: $end:ident, $field:literal, $expected:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(super) struct $name<const OPEN: bool>(Text);

        impl<const OPEN: bool> $name<OPEN> {
            /// Returns the address, at `port` if it is written without one.
            pub(super) fn resolve(
                &self,
                port: Option<NonZeroU16>,
            ) -> Result<SocketAddr, InvalidValue> {
                self.0.resolve(End::$end, $field, port)
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
