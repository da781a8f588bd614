//! Reads mappings, and refuses keys that are not safe to print.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, Visitor,
};

use crate::table::document::written::LONGEST;

/// Reads a struct that has a field for each key of the mapping.
pub(crate) fn shape<'de, S, A>(mapping: A) -> Result<S, A::Error>
where
    S: Deserialize<'de>,
    A: MapAccess<'de>,
{
    S::deserialize(MapAccessDeserializer::new(Plain(mapping)))
}

/// Wraps a mapping, and refuses keys that are not safe to print.
pub(super) const fn plain<A>(mapping: A) -> Plain<A> {
    Plain(mapping)
}

/// A mapping that refuses keys with anything but visible ASCII characters. The message about an
/// unknown key quotes the key without escapes. Control characters in the key could move a
/// terminal's cursor or change the direction of the text.
pub(super) struct Plain<A>(A);

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Plain<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        self.0.next_key_seed(Key(seed))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.0.next_value_seed(seed)
    }
}

/// Reads a key while the format visits it, so that the format can add the line to an error.
struct Key<K>(K);

impl<'de, K: DeserializeSeed<'de>> DeserializeSeed<'de> for Key<K> {
    type Value = K::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<K::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl<'de, K: DeserializeSeed<'de>> Visitor<'de> for Key<K> {
    type Value = K::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<K::Value, E> {
        if key.len() > LONGEST {
            return Err(E::invalid_length(key.len(), &self));
        }
        if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(E::custom(format_args!(
                "key {key:?}: must be of visible ASCII characters"
            )));
        }
        self.0.deserialize(key.into_deserializer())
    }
}
