use std::net::IpAddr;

use serde::ser::Serializer;

use crate::health::document::names::names;
use crate::health::probe::CommandAnswer;
use crate::model::InvalidValue;
use crate::table::document::plain_types::{numbers, switches};
use crate::table::document::written::{Refused, Written};

numbers! {
    Port(u16): "port, 1 to 65535",
    Mark(u32): "mark, 0 to 4294967295",
    MostShare(u16): "most, 0 to 65535",
}

switches! {
    Through: "through",
}

names! {
    CommandAnswer, "answer", "code, weight-code or line" {
        "code" => CommandAnswer::Code,
        "weight-code" => CommandAnswer::WeightCode,
        "line" => CommandAnswer::Line,
    }
}

/// Defines types of texts, each with the longest one in bytes.
macro_rules! texts {
    ($($name:ident: $expected:literal, $longest:literal;)*) => {$(
        #[derive(Clone)]
        pub(super) struct $name(pub(super) String);

        impl Written for $name {
            const EXPECTED: &'static str = concat!($expected, ", a text");
            const LONGEST: usize = $longest;

            fn of_text(text: &str) -> Result<Self, Refused> {
                Ok(Self(text.to_owned()))
            }

            fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
    )*};
}
#[cfg(any(
    feature = "health-dns",
    feature = "health-grpc",
    feature = "health-http",
    feature = "health-tls"
))]
pub(in crate::health) use texts;

texts! {
    Interface: "interface", 255;
    Namespace: "namespace, the path of a network namespace", 4096;
    Program: "program, a path or a name", 4096;
    Argument: "an argument", 65_536;
}

/// The source address of a check.
#[derive(Clone, Copy)]
pub(super) struct Source(pub(super) IpAddr);

impl Written for Source {
    const EXPECTED: &'static str = "source, an address like \"192.0.2.1\"";

    fn of_text(text: &str) -> Result<Self, Refused> {
        let rule = "must be an address like 192.0.2.1 or 2001:db8::1";
        let address = text.parse().map(Self);
        Ok(address.map_err(|_| InvalidValue::new("source", format!("{text:?}"), rule))?)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}
