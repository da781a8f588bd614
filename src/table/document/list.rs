//! Reads lists of services and destinations, and refuses an element that occurs twice.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::Serializer;

use crate::table::document::written::{self, AsWritten, Written};

/// An element of a list: a mapping with an id.
pub(super) trait Element: Written {
    type Id: Clone + Ord + fmt::Display;
    /// The settings that all elements of a list share.
    type Shared<'s>: Copy + Default;
    /// The kind of element, for the message about an element that occurs twice.
    const KIND: &'static str;
    /// The expected list, for the message about a value that is not a list.
    const LIST: &'static str;

    fn id(&self) -> Self::Id;

    /// Reads an element. `shared` has the settings that it shares with the others.
    fn of_shared<'de, A: MapAccess<'de>>(
        mapping: A,
        shared: Self::Shared<'_>,
    ) -> Result<Self, A::Error>;
}

/// Elements in the order of their ids.
pub(super) struct List<T: Element>(pub(super) BTreeMap<T::Id, T>);

impl<T: Element> Written for List<T> {
    const EXPECTED: &'static str = T::LIST;

    fn of_list<'de, A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        Self::of_shared(&mut list, T::Shared::default())
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.values().map(AsWritten))
    }
}

impl<T: Element> List<T> {
    fn of_shared<'de, A: SeqAccess<'de>>(
        list: &mut A,
        shared: T::Shared<'_>,
    ) -> Result<Self, A::Error> {
        let mut elements = BTreeMap::new();
        while list.next_element_seed(Reader(&mut elements, shared))?.is_some() {}
        Ok(Self(elements))
    }
}

/// Reads a list of elements with shared settings.
pub(super) struct Sharing<'s, T: Element>(pub(super) T::Shared<'s>);

impl<'de, T: Element> DeserializeSeed<'de> for Sharing<'_, T> {
    type Value = List<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<List<T>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// Gives a value that is not a list to [`written::Reader`], which refuses it.
impl<'de, T: Element> Visitor<'de> for Sharing<'_, T> {
    type Value = List<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::LIST)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<List<T>, A::Error> {
        List::of_shared(&mut list, self.0)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<List<T>, E> {
        written::Reader::new().visit_str(text)
    }

    fn visit_unit<E: Error>(self) -> Result<List<T>, E> {
        written::Reader::new().visit_unit()
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<List<T>, E> {
        written::Reader::new().visit_f64(number)
    }

    fn visit_map<A: MapAccess<'de>>(self, mapping: A) -> Result<List<T>, A::Error> {
        written::Reader::new().visit_map(mapping)
    }
}

/// Reads one element into the list. Refuses an element that occurs twice while the format visits
/// it, so that the format can add its line to the error.
struct Reader<'l, 's, T: Element>(&'l mut BTreeMap<T::Id, T>, T::Shared<'s>);

impl<'de, T: Element> DeserializeSeed<'de> for Reader<'_, '_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Element> Visitor<'de> for Reader<'_, '_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_map<A: MapAccess<'de>>(self, mapping: A) -> Result<(), A::Error> {
        let element = T::of_shared(mapping, self.1)?;
        match self.0.entry(element.id()) {
            Entry::Vacant(place) => {
                place.insert(element);
                Ok(())
            }
            Entry::Occupied(place) => {
                let (kind, id) = (T::KIND, place.key());
                Err(A::Error::custom(format_args!("{kind} {id}: must not be given twice")))
            }
        }
    }
}
