use std::path::Path;

use serde::de::{Error, MapAccess};
use serde::ser::{Error as _, Serialize, Serializer};

use crate::health::document::probe::scalar::{Interface, Mark, Namespace, Source};
use crate::health::probe::Origin;
use crate::table::document::mapping;
use crate::table::document::written::{Written, given};

#[derive(serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    source: Option<Source>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    interface: Option<Interface>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    mark: Option<Mark>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    namespace: Option<Namespace>,
}

impl Written for Origin {
    const EXPECTED: &'static str =
        "origin, a mapping with the keys source, interface, mark and namespace";

    fn of_mapping<'de, A: MapAccess<'de>>(entries: A) -> Result<Self, A::Error> {
        let shape: Shape = mapping::shape(entries)?;
        let mut origin = Self::new();
        origin.source = shape.source.map(|Source(address)| address);
        origin.interface = shape.interface.map(|Interface(name)| name);
        origin.mark = shape.mark.map(|Mark(mark)| mark);
        origin.namespace = shape.namespace.map(|Namespace(path)| path.into());
        origin.validate().map_err(A::Error::custom)?;
        Ok(origin)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let namespace = match self.namespace.as_deref().map(Path::to_str) {
            Some(None) => return Err(S::Error::custom("a namespace with a path that is no text")),
            Some(Some(path)) => Some(Namespace(path.to_owned())),
            None => None,
        };
        Shape {
            source: self.source.map(Source),
            interface: self.interface.clone().map(Interface),
            mark: self.mark.map(Mark),
            namespace,
        }
        .serialize(serializer)
    }
}
