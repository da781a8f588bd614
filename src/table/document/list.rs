//! Lists in which nothing is twice.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::Serializer;

use crate::table::document::form::{Form, Formed};

/// A mapping that one of its keys names.
pub(super) trait Element: Form {
    type Id: Copy + Ord + fmt::Display;
    /// What it is, for the message about one that is there twice.
    const KIND: &'static str;
    /// What the list of them is, and where.
    const LIST: &'static str;

    fn id(&self) -> Self::Id;
}

/// Elements in the order of what names them.
pub(super) struct List<T: Element>(pub(super) BTreeMap<T::Id, T>);

impl<T: Element> Form for List<T> {
    const EXPECTED: &'static str = T::LIST;

    fn of_list<'de, A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let mut elements = BTreeMap::new();
        while list.next_element_seed(Reader(&mut elements))?.is_some() {}
        Ok(Self(elements))
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.values().map(Formed))
    }
}

/// Reads one element into the list. One that is there already is refused while it is
/// read, so that the format names its line.
struct Reader<'l, T: Element>(&'l mut BTreeMap<T::Id, T>);

impl<'de, T: Element> DeserializeSeed<'de> for Reader<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Element> Visitor<'de> for Reader<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_map<A: MapAccess<'de>>(self, mapping: A) -> Result<(), A::Error> {
        let element = T::of_mapping(mapping)?;
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
