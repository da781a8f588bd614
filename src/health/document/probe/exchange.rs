use serde::de::MapAccess;
use serde::ser::{Serialize, Serializer};

use crate::health::document::probe::bytes::{Expect, Send};
use crate::health::document::probe::scalar::MostShare;
use crate::health::probe::Exchange;
use crate::table::document::mapping;
use crate::table::document::written::{Written, given, needed};

#[derive(serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    send: Option<Send>,
    #[serde(with = "needed")]
    expect: Expect,
}

impl Written for Exchange {
    const EXPECTED: &'static str = "an exchange, a mapping with the keys send and expect";

    fn of_mapping<'de, A: MapAccess<'de>>(entries: A) -> Result<Self, A::Error> {
        let shape: Shape = mapping::shape(entries)?;
        Ok(Self::new(shape.send.map(|Send(bytes)| bytes).unwrap_or_default(), shape.expect.0))
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { send, expect } = self.clone();
        let send = Some(Send(send)).filter(|Send(bytes)| !bytes.is_empty());
        Shape { send, expect: Expect(expect) }.serialize(serializer)
    }
}

/// What is sent and expected, each if something is.
#[derive(Default, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub(in crate::health) struct Bytes {
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    pub(in crate::health) send: Option<Send>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    pub(in crate::health) expect: Option<Expect>,
}

impl Bytes {
    pub(in crate::health) fn of(exchange: &Exchange) -> Self {
        let Exchange { send, expect } = exchange.clone();
        let send = Some(Send(send)).filter(|Send(bytes)| !bytes.is_empty());
        Self { send, expect: Some(Expect(expect)) }
    }

    /// Returns what is sent, and what is expected if something is.
    pub(in crate::health) fn parts(self) -> (Vec<u8>, Option<Vec<u8>>) {
        (self.send.map(|Send(bytes)| bytes).unwrap_or_default(), self.expect.map(|it| it.0))
    }
}

/// What is sent to an agent, and how much the agent can ask for.
#[derive(serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub(in crate::health) struct Sent {
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    pub(in crate::health) send: Option<Send>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    pub(super) most: Option<MostShare>,
}

/// A kind of check without settings: `{}`.
#[derive(serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub(in crate::health) struct Nothing {}

/// Reads and writes types whose fields are their keys.
macro_rules! mappings {
    ($($name:ident: $expected:literal,)*) => {$(
        impl Written for $name {
            const EXPECTED: &'static str = $expected;

            fn of_mapping<'de, A: MapAccess<'de>>(entries: A) -> Result<Self, A::Error> {
                mapping::shape(entries)
            }

            fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.serialize(serializer)
            }
        }
    )*};
}

mappings! {
    Bytes: "a mapping with the keys send and expect, {} for none",
    Sent: "agent, a mapping with the keys send and most, {} for none",
    Nothing: "icmp, an empty mapping: {}",
}
