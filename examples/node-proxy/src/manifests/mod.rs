//! Reads objects of the API from files: YAML with one or more documents, JSON, and lists of objects.

mod document;
mod error;
mod folder;
mod read;
#[path = "../../../table/regular_file.rs"]
mod regular_file;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use ipvs_netlink::kubernetes::{EndpointSlice, Node, Pod, Service};

use self::document::Item;
pub use self::error::{ManifestError, ManifestErrors};
pub(crate) use self::read::{load, told};
pub use self::read::{parse, read};

/// The objects of some files that count, and how many others there are of each kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Objects {
    /// The services.
    pub services: Vec<Service>,
    /// The endpoint slices.
    pub slices: Vec<EndpointSlice>,
    /// The nodes.
    pub nodes: Vec<Node>,
    /// The pods.
    pub pods: Vec<Pod>,
    /// The other kinds, such as `apps/v1 Deployment`, with the number of their objects.
    pub others: BTreeMap<String, usize>,
}

impl Extend<Item> for Objects {
    fn extend<I: IntoIterator<Item = Item>>(&mut self, items: I) {
        for item in items {
            match item {
                Item::Service(service) => self.services.push(*service),
                Item::EndpointSlice(slice) => self.slices.push(*slice),
                Item::Node(node) => self.nodes.push(*node),
                Item::Pod(pod) => self.pods.push(*pod),
                Item::Other(kind) => *self.others.entry(kind).or_default() += 1,
            }
        }
    }
}
