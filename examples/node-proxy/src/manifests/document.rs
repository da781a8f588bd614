//! One document: an object, or a list of objects.

use std::fmt;

use ipvs_netlink::kubernetes::{EndpointSlice, Node, Pod, Service};
use serde::de::{Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, Error, MapAccess};
use serde::de::{SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::kind::Kind;

const KIND: &str = "kind";
const VERSION: &str = "apiVersion";
const ITEMS: &str = "items";

/// How the kinds of lists end.
const LIST: &str = "List";

/// The longest name of a kind, in bytes. Longer ones are cut.
const LONGEST_KIND: usize = 100;

/// An object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Service(Box<Service>),
    EndpointSlice(Box<EndpointSlice>),
    Node(Box<Node>),
    Pod(Box<Pod>),
    /// An object of another kind, by its version and kind.
    Other(String),
}

/// The objects of a document, or what is wrong with one of them. It is no error of the deserializer, which
/// would not know the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Document(pub(super) Result<Vec<Item>, String>);

/// An element of a list.
enum Element {
    Read(Result<Item, String>),
    /// Its kind is that of the list, which may come later. Or it is no object at all.
    Unread(Value),
}

impl Item {
    fn of(object: Map<String, Value>) -> Result<Self, String> {
        let (Some(version), Some(kind)) = (text(&object, VERSION), text(&object, KIND)) else {
            return Err("an object has no apiVersion or no kind".to_owned());
        };
        if kind.ends_with(LIST) && object.contains_key(ITEMS) {
            return Err("a list is in a list".to_owned());
        }
        let is = |a: &str, b: &str| a == kind && b == version;
        if is(Service::KIND, Service::API_VERSION) {
            read(object).map(Self::Service)
        } else if is(EndpointSlice::KIND, EndpointSlice::API_VERSION) {
            read(object).map(Self::EndpointSlice)
        } else if is(Node::KIND, Node::API_VERSION) {
            read(object).map(Self::Node)
        } else if is(Pod::KIND, Pod::API_VERSION) {
            read(object).map(Self::Pod)
        } else {
            let named: String = format!("{version} {kind}").escape_debug().collect();
            Ok(Self::Other(named.chars().take(LONGEST_KIND).collect()))
        }
    }
}

fn read<T: Kind + DeserializeOwned>(object: Map<String, Value>) -> Result<Box<T>, String> {
    let name = named(&object);
    let read: Result<T, _> = serde_path_to_error::deserialize(Value::Object(object));
    let object = read.map_err(|error| {
        let (path, error) = (error.path().to_string(), error.into_inner());
        format!("{} {name}: {}: {error}", T::KIND, path.escape_debug())
    })?;
    match object.metadata().name.is_empty() {
        true => Err(format!("{} {name}: has no name", T::KIND)),
        false => Ok(Box::new(object)),
    }
}

/// Returns namespace and name for errors.
fn named(object: &Map<String, Value>) -> String {
    let field = |field| object.get("metadata").and_then(|it| it.get(field)?.as_str());
    let name = field("name").unwrap_or("without a name");
    let named = match field("namespace") {
        Some(namespace) => format!("{namespace}/{name}"),
        None => name.to_owned(),
    };
    named.escape_debug().take(2 * LONGEST_KIND).collect()
}

fn text<'o>(object: &'o Map<String, Value>, field: &str) -> Option<&'o str> {
    object.get(field).and_then(Value::as_str)
}

/// Reads the elements of a list whose `kind` and `apiVersion` are known.
fn items(elements: Vec<Element>, list: &Map<String, Value>) -> Result<Vec<Item>, String> {
    let items = elements.into_iter().enumerate().map(|(index, element)| match element {
        Element::Read(item) => item,
        Element::Unread(Value::Object(mut object)) => {
            // The items of a `ServiceList` do not say their kind, those of a `List` do.
            let kind = text(list, KIND).and_then(|kind| kind.strip_suffix(LIST));
            let kind = kind.filter(|kind| !kind.is_empty());
            if let (Some(kind), Some(version)) = (kind, text(list, VERSION)) {
                object.insert(KIND.to_owned(), kind.into());
                object.insert(VERSION.to_owned(), version.into());
            }
            Item::of(object)
        }
        Element::Unread(_) => Err(format!("items[{index}]: must be an object")),
    });
    items.collect()
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(DocumentVisitor)
    }
}

struct DocumentVisitor;

impl<'de> Visitor<'de> for DocumentVisitor {
    type Value = Document;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of the API")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Document, A::Error> {
        let mut object = Map::new();
        let mut elements: Option<Vec<Element>> = None;
        while let Some(key) = map.next_key::<String>()? {
            if object.contains_key(&key) || (key == ITEMS && elements.is_some()) {
                return Err(A::Error::custom(format!("duplicate key {key:?}")));
            }
            if key == ITEMS {
                elements = Some(map.next_value_seed(Elements)?);
            } else {
                object.insert(key, map.next_value()?);
            }
        }
        let is_list = text(&object, KIND).is_some_and(|kind| kind.ends_with(LIST));
        Ok(Document(match elements.filter(|_| is_list) {
            Some(elements) => items(elements, &object),
            None => Item::of(object).map(|item| vec![item]),
        }))
    }
}

/// Reads the elements of a list one by one, so that only one of them is in memory as it is written.
struct Elements;

impl<'de> DeserializeSeed<'de> for Elements {
    type Value = Vec<Element>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Elements {
    type Value = Vec<Element>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = seq.next_element()? {
            elements.push(match element {
                Value::Object(object)
                    if object.contains_key(KIND) && object.contains_key(VERSION) =>
                {
                    Element::Read(Item::of(object))
                }
                other => Element::Unread(other),
            });
        }
        Ok(elements)
    }
}
