//! Reads fields of objects: null counts as absent, and maps keep only what counts.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor,
};

/// Reads a value, or the default in the place of null.
pub(super) fn or_default<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Default + Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// What of a map is kept.
pub(super) trait Kept {
    fn keeps(key: &str) -> bool;
}

/// Reads the entries of a map of texts that `K` keeps. The others cost no memory.
pub(super) fn kept<'de, K, D>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error>
where
    K: Kept,
    D: Deserializer<'de>,
{
    deserializer.deserialize_option(Map(PhantomData::<K>))
}

struct Map<K>(PhantomData<K>);

impl<'de, K: Kept> Visitor<'de> for Map<K> {
    type Value = BTreeMap<String, String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of texts")
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(BTreeMap::new())
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(BTreeMap::new())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut all = BTreeMap::new();
        while let Some(key) = map.next_key_seed(Key(PhantomData::<K>))? {
            match key {
                Some(key) => {
                    all.insert(key, map.next_value::<Option<String>>()?.unwrap_or_default());
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(all)
    }
}

/// Reads a key, if it is kept.
struct Key<K>(PhantomData<K>);

impl<'de, K: Kept> DeserializeSeed<'de> for Key<K> {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<K: Kept> Visitor<'_> for Key<K> {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok(K::keeps(key).then(|| key.to_owned()))
    }
}
