use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};

use crate::ipvsadm::{CachedNames, Names};
use crate::table::Table;
use crate::table::document::written::{self, Written};

/// Reads a [`Table`] as its `Deserialize` does, and can look up names of hosts and ports.
///
/// A host is looked up once, also when one value by reference (`&seed`) reads several texts: a
/// resolver could answer with another address each time. Lookups block.
///
/// ```
/// use ipvs_netlink::SystemNames;
/// use ipvs_netlink::table::document::TableSeed;
/// use serde::de::DeserializeSeed;
///
/// let names = SystemNames::new();
/// let text = r#"{"services": [{"tcp": "127.0.0.1:80"}]}"#;
/// let mut json = serde_json::Deserializer::from_str(text);
/// let table = TableSeed::with_names(&names).deserialize(&mut json)?;
/// json.end()?;
/// assert_eq!(table.len(), 1);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
///
/// Beside the errors of `Deserialize for Table`: a name that is not found. The message names the
/// service or destination, the name and the reason. With names looked up, an address that has
/// neither a port nor a default port is an error at the place of its service.
#[derive(Default)]
pub struct TableSeed<'n> {
    names: Option<CachedNames<'n>>,
}

impl<'n> TableSeed<'n> {
    /// Refuses names, as `Deserialize for Table` does.
    #[must_use]
    pub const fn new() -> Self {
        Self { names: None }
    }

    /// Looks up names with `names`.
    #[must_use]
    pub fn with_names(names: &'n dyn Names) -> Self {
        Self { names: Some(CachedNames::new(names)) }
    }
}

impl fmt::Debug for TableSeed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TableSeed").field("names", &self.names.is_some()).finish()
    }
}

impl<'de> DeserializeSeed<'de> for TableSeed<'_> {
    type Value = Table;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Table, D::Error> {
        (&self).deserialize(deserializer)
    }
}

impl<'de> DeserializeSeed<'de> for &TableSeed<'_> {
    type Value = Table;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Table, D::Error> {
        let names = self.names.as_ref().map(|names| names as &dyn Names);
        deserializer.deserialize_any(Reader(names))
    }
}

/// Reads a mapping. Gives any other value to [`written::Reader`], which refuses it.
struct Reader<'n>(Option<&'n dyn Names>);

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Table;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Table::EXPECTED)
    }

    fn visit_map<A: MapAccess<'de>>(self, mapping: A) -> Result<Table, A::Error> {
        super::table(mapping, self.0)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Table, E> {
        written::Reader::new().visit_str(text)
    }

    fn visit_unit<E: Error>(self) -> Result<Table, E> {
        written::Reader::new().visit_unit()
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Table, E> {
        written::Reader::new().visit_f64(number)
    }
}
