//! The objects of the API, reduced to what counts.
//!
//! Reading is lenient to unknown fields and to nulls, and strict to types. A value of the right type
//! that cannot work, such as port 0, is read; conversion tells why the object is left out.

mod endpoint_slice;
mod lenient;
mod metadata;
mod node;
mod object;
mod pod;
mod service;
#[cfg(test)]
mod tests;
mod words;

pub use endpoint_slice::{
    Endpoint, EndpointConditions, EndpointHints, EndpointPort, EndpointSlice, Hint, ObjectReference,
};
pub use metadata::Metadata;
pub(crate) use metadata::{PREFIX, SOURCE_RANGES};
pub use node::{Node, NodeAddress, NodeSpec, NodeStatus, Taint};
pub use object::Object;
pub use pod::Pod;
pub use service::{
    ClientIpConfig, LoadBalancerIngress, LoadBalancerStatus, Service, ServicePort, ServiceSpec,
    ServiceStatus, SessionAffinityConfig,
};
pub use words::{
    AddressType, IpFamily, IpMode, PortProtocol, ServiceType, SessionAffinity, TrafficPolicy,
};
