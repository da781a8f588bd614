use std::fmt;
use std::time::Duration;

use ipvs_netlink::table::DrainPolicy;
use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess};

/// A duration, read as the library reads those of a drain policy: `500ms`, `90s`, `1h30m`, or a
/// number of seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Time(pub(super) Duration);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let alone = Alone(Some("interval"), Some(deserializer));
        DrainPolicy::deserialize(MapAccessDeserializer::new(alone))
            .map(|policy| Self(policy.interval))
    }
}

/// A mapping of one key.
struct Alone<D>(Option<&'static str>, Option<D>);

impl<'de, D: Deserializer<'de>> MapAccess<'de> for Alone<D> {
    type Error = D::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, D::Error> {
        self.0.take().map(|key| seed.deserialize(StrDeserializer::new(key))).transpose()
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, D::Error> {
        match self.1.take() {
            Some(deserializer) => seed.deserialize(deserializer),
            None => Err(serde::de::Error::custom("a key without a value")),
        }
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}
