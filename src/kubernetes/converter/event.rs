use crate::kubernetes::{EndpointSlice, Node, ObjectName, Options, Pod, Service};

/// Something that happened in the cluster, or a change of the options.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[allow(clippy::large_enum_variant, reason = "most events are of services and slices")]
pub enum Event {
    /// A service is there, for the first time or changed.
    Service(Service),
    /// A service is gone.
    ServiceDeleted(ObjectName),
    /// A slice is there, for the first time or changed.
    Slice(EndpointSlice),
    /// A slice is gone.
    SliceDeleted(ObjectName),
    /// A node is there, for the first time or changed. If the zone or the addresses of the own node
    /// change, every service is converted again.
    Node(Node),
    /// The node of this name is gone.
    NodeDeleted(String),
    /// A pod is there, for the first time or changed.
    Pod(Pod),
    /// A pod is gone.
    PodDeleted(ObjectName),
    /// Other options. Every service is converted again.
    Options(Options),
}
