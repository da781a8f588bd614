use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess};
use serde::ser::Serializer;

use crate::table::Labels;
use crate::table::document::mapping;
use crate::table::document::written::{Refused, Written, read};

/// The text of a label.
struct Text(String);

impl Written for Text {
    const EXPECTED: &'static str = "text of a label, in quotes if it looks like a number";

    fn of_text(text: &str) -> Result<Self, Refused> {
        Ok(Self(text.to_owned()))
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// Reads the text of a label into the labels while the format visits it, so that the format can add
/// its line to an error.
struct Reader<'l>(&'l mut Labels, String);

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Self(labels, name) = self;
        let Text(text) = read(deserializer)?;
        if labels.get(&name).is_some() {
            return Err(D::Error::custom(format_args!("label {name:?}: must not be given twice")));
        }
        labels.insert(&name, &text).map(drop).map_err(D::Error::custom)
    }
}

impl Written for Labels {
    const EXPECTED: &'static str = "labels, a mapping of names to texts";

    fn of_mapping<'de, A: MapAccess<'de>>(entries: A) -> Result<Self, A::Error> {
        let mut entries = mapping::plain(entries);
        let mut labels = Self::new();
        while let Some(name) = entries.next_key::<String>()? {
            entries.next_value_seed(Reader(&mut labels, name))?;
        }
        Ok(labels)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}
