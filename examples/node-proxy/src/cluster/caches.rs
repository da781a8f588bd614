//! Gathers what the watches tell, and converts it when it is complete.

use std::collections::HashSet;
use std::fmt;
use std::net::IpAddr;

use ipvs_netlink::kubernetes::{
    Changes, Converter, Event, Node, NodePortAddresses, ObjectName, Options,
};

use super::waiting::Waiting;
use super::{Notice, Source};

/// What is known of the cluster.
#[derive(Debug)]
pub(crate) struct Caches {
    converter: Converter,
    /// The options that the next conversion has.
    options: Options,
    sources: [Cache; 4],
    /// Events that have not been converted.
    waiting: Waiting,
    /// The node's addresses are those of its object.
    addresses_of_node: bool,
    /// The node's object names addresses without which node ports would go.
    awaits_node: bool,
    /// The log knows that the node's object is absent.
    told_absent: bool,
}

/// What the log is to say of the node's own object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remark {
    /// It is not there, and nothing is converted without its addresses.
    Awaited,
    /// It is not there, and its labels are not needed.
    Absent,
    /// It is gone. What it said still holds.
    Gone,
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Awaited => {
                "there is no Node object of the name --node-name; nothing is written without its \
                 addresses, or those of --node-address"
            }
            Self::Absent => {
                "there is no Node object of the name --node-name, so hints of zones do not count"
            }
            Self::Gone => "the Node object is gone; what it said still holds",
        })
    }
}

/// What is known of one kind.
#[derive(Debug, Default)]
struct Cache {
    /// A whole list has been seen.
    complete: bool,
    /// The objects that are there.
    known: HashSet<ObjectName>,
    /// The list that comes in.
    listed: Option<Vec<Event>>,
}

impl Caches {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            converter: Converter::new(options),
            options: options.clone(),
            sources: [
                Cache::default(),
                Cache::default(),
                Cache::default(),
                Cache { complete: !options.pod_weights, ..Cache::default() },
            ],
            waiting: Waiting::default(),
            addresses_of_node: options.node_addresses.is_empty(),
            awaits_node: options.node_addresses.is_empty()
                || options.node_port_addresses == NodePortAddresses::Primary,
            told_absent: false,
        }
    }

    pub(crate) const fn converter(&self) -> &Converter {
        &self.converter
    }

    /// Replaces the addresses of the node. A host without addresses leaves those of the node's object.
    pub(crate) fn set_node_addresses(&mut self, addresses: Vec<IpAddr>) {
        if !addresses.is_empty() || !self.addresses_of_node {
            self.addresses_of_node = false;
            self.options.node_addresses = addresses;
        }
    }

    /// Changes the options of the next conversion.
    pub(crate) fn set_options(&mut self, set: impl FnOnce(&mut Options)) {
        set(&mut self.options);
    }

    /// Returns `true` if every kind has been listed as a whole.
    pub(crate) fn are_complete(&self) -> bool {
        self.missing().is_empty()
    }

    /// Returns the kinds that have not been listed as a whole.
    pub(crate) fn missing(&self) -> Vec<Source> {
        let kinds = [Source::Services, Source::Slices, Source::Node, Source::Pods];
        let caches = kinds.into_iter().zip(&self.sources);
        caches.filter(|(_, cache)| !cache.complete).map(|(source, _)| source).collect()
    }

    /// Takes a notice in. Returns what the log is to say once.
    pub(crate) fn take(&mut self, source: Source, notice: Notice) -> Option<Remark> {
        let [services, slices, node, pods] = &mut self.sources;
        let cache = match source {
            Source::Services => services,
            Source::Slices => slices,
            Source::Node => node,
            Source::Pods => pods,
        };
        match notice {
            Notice::Begun => cache.listed = Some(Vec::new()),
            Notice::Listed(event) => cache.listed.get_or_insert_default().push(*event),
            // A node that has lost its object still has its addresses and its pods.
            Notice::Complete if source == Source::Node && cache.lists_nothing() => {
                cache.listed = None;
                cache.complete |= !self.awaits_node;
                return self.note_absent();
            }
            Notice::Changed(event) if matches!(*event, Event::NodeDeleted(_)) => {
                return self.note_absent();
            }
            Notice::Complete => {
                self.told_absent &= source != Source::Node;
                self.waiting.extend(cache.replace(source));
            }
            Notice::Changed(event) => {
                if source == Source::Node {
                    (cache.complete, self.told_absent) = (true, false);
                }
                cache.learn(&event);
                self.waiting.push(*event);
            }
            Notice::Watching | Notice::Failed(_) => {}
        }
        None
    }

    /// Notes that the node's object is not there.
    fn note_absent(&mut self) -> Option<Remark> {
        let [_, _, node, _] = &self.sources;
        let remark = match (node.known.is_empty(), self.awaits_node) {
            (true, true) => Remark::Awaited,
            (true, false) => Remark::Absent,
            (false, _) => Remark::Gone,
        };
        (!std::mem::replace(&mut self.told_absent, true)).then_some(remark)
    }

    /// Converts what has been taken in. Returns `None` until every kind has been listed as a whole,
    /// because what is not listed yet looks like what is gone.
    pub(crate) fn convert(&mut self) -> Option<Changes> {
        if !self.are_complete() {
            return None;
        }
        let mut events = self.waiting.take();
        let node = events.iter().rev().find_map(|event| match event {
            Event::Node(node) => Some(node),
            _ => None,
        });
        if let Some(node) = node.filter(|_| self.addresses_of_node) {
            self.options.node_addresses = internal_addresses(node);
        }
        if self.options != *self.converter.options() {
            events.push(Event::Options(self.options.clone()));
        }
        Some(self.converter.apply_all(events))
    }
}

impl Cache {
    fn lists_nothing(&self) -> bool {
        self.listed.as_ref().is_none_or(Vec::is_empty)
    }

    /// Puts the list in the place of what was known. Returns what follows from that.
    fn replace(&mut self, source: Source) -> Vec<Event> {
        let listed = self.listed.take().unwrap_or_default();
        let present: HashSet<ObjectName> = listed.iter().filter_map(name).collect();
        let gone = self.known.difference(&present).cloned().map(|name| match source {
            Source::Services => Event::ServiceDeleted(name),
            Source::Slices => Event::SliceDeleted(name),
            Source::Node => Event::NodeDeleted(name.name().to_owned()),
            Source::Pods => Event::PodDeleted(name),
        });
        let events = gone.chain(listed).collect();
        self.known = present;
        self.complete = true;
        events
    }

    fn learn(&mut self, event: &Event) {
        match (name(event), event) {
            (Some(name), _) => {
                self.known.insert(name);
            }
            (
                None,
                Event::ServiceDeleted(name) | Event::SliceDeleted(name) | Event::PodDeleted(name),
            ) => {
                self.known.remove(name);
            }
            (None, _) => {}
        }
    }
}

/// Returns the name of an object that is there.
fn name(event: &Event) -> Option<ObjectName> {
    match event {
        Event::Service(it) => Some(it.metadata.object_name()),
        Event::Slice(it) => Some(it.metadata.object_name()),
        Event::Node(it) => Some(it.metadata.object_name()),
        Event::Pod(it) => Some(it.metadata.object_name()),
        _ => None,
    }
}

/// Returns the internal addresses that a node's object names.
pub(crate) fn internal_addresses(node: &Node) -> Vec<IpAddr> {
    let all = node.status.addresses.iter();
    let internal = all.filter(|address| address.address_type == "InternalIP");
    internal.filter_map(|address| address.address.parse().ok()).collect()
}
