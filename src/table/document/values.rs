//! Serde traits of values outside of tables: ids and names as text, timeouts as durations.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::ser::{Error as _, Serialize, Serializer};

use crate::model::{
    DestinationId, InvalidValue, PersistenceEngine, Scheduler, ServiceFlags, ServiceId, Setting,
    Settings, Timeouts,
};
use crate::table::Network;
use crate::table::document::duration::Seconds;
use crate::table::document::mapping;
use crate::table::document::written::{Written, given, read};

struct Parser<T>(&'static str, PhantomData<T>);

impl<T: FromStr<Err = InvalidValue>> Visitor<'_> for Parser<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

macro_rules! as_printed {
    ($($type:ty: $expected:literal,)*) => {$(
        #[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
        impl Serialize for $type {
            /// Writes the text that `Display` writes.
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        #[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
        impl<'de> Deserialize<'de> for $type {
            /// Reads text with `FromStr`.
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Parser($expected, PhantomData))
            }
        }
    )*};
}

as_printed! {
    ServiceId: "a service, like \"TCP 192.0.2.10:80\"",
    DestinationId: "a destination, like \"10.0.0.2:8080\"",
    Scheduler: "the name of a scheduler",
    PersistenceEngine: "the name of a persistence engine",
    ServiceFlags: "flags, like \"ops,sh-port\"",
    Setting: "the name of a setting, like \"conntrack\"",
    Network: "a network, like \"10.0.0.0/8\"",
}

#[derive(serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
struct TimeoutsShape {
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    tcp: Option<Seconds>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    tcp_fin: Option<Seconds>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    udp: Option<Seconds>,
}

impl Written for Timeouts {
    const EXPECTED: &'static str = "timeouts, a mapping with the keys tcp, tcp_fin and udp";

    fn of_mapping<'de, A: MapAccess<'de>>(entries: A) -> Result<Self, A::Error> {
        let shape: TimeoutsShape = mapping::shape(entries)?;
        let [tcp, tcp_fin, udp] =
            [shape.tcp, shape.tcp_fin, shape.udp].map(|given| given.map(Seconds::duration));
        Ok(Self { tcp, tcp_fin, udp })
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let seconds = |field, timeout: Option<_>| {
            timeout.map(|it| Seconds::whole(field, it)).transpose().map_err(S::Error::custom)
        };
        TimeoutsShape {
            tcp: seconds("tcp timeout", self.tcp)?,
            tcp_fin: seconds("tcp fin timeout", self.tcp_fin)?,
            udp: seconds("udp timeout", self.udp)?,
        }
        .serialize(serializer)
    }
}

/// Writes a mapping of durations: `{tcp: 15m, tcp_fin: 2m, udp: 5m}`. A timeout that is `None` is
/// left out.
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
impl Serialize for Timeouts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.write(serializer)
    }
}

/// Reads a mapping of durations. The range is not checked here, because a kernel can report
/// timeouts that this crate would not set. The methods that set timeouts check the range.
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
impl<'de> Deserialize<'de> for Timeouts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer)
    }
}

/// Writes a mapping of names to values: `{conntrack: 1, sync_threshold: [3, 50]}`.
///
/// Returns an error for a value that breaks the rule of its setting.
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
impl Serialize for Settings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.write(serializer)
    }
}

/// Reads a mapping of names to values. A switch may be `true` or `false`. Returns an error for a
/// value that breaks the rule of its setting.
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
impl<'de> Deserialize<'de> for Settings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer)
    }
}
