//! Kubernetes: services and their endpoints as a table, by the rules of kube-proxy.
//!
#![doc = include_str!("converting_services.md")]

mod address;
mod annotations;
mod convert;
mod converter;
mod excerpt;
mod object_name;
mod objects;
mod options;
mod rank;
mod rules;
pub mod scopes;
mod skipped;
mod surroundings;
#[cfg(test)]
mod tests;
mod told;
mod virtual_service;

pub use annotations::Drain;
pub use convert::{Converted, Objects, convert};
pub use converter::{Changes, Converter, Event};
pub use object_name::ObjectName;
pub use objects::{
    AddressType, ClientIpConfig, Endpoint, EndpointConditions, EndpointHints, EndpointPort,
    EndpointSlice, Hint, IpFamily, IpMode, LoadBalancerIngress, LoadBalancerStatus, Metadata, Node,
    NodeAddress, NodeSpec, NodeStatus, Object, ObjectReference, Pod, PortProtocol, Service,
    ServicePort, ServiceSpec, ServiceStatus, ServiceType, SessionAffinity, SessionAffinityConfig,
    Taint, TrafficPolicy,
};
pub use options::{NodePortAddresses, Options};
pub use skipped::{Item, ObjectKind, Reason, Skipped};
pub use virtual_service::{Exposure, HealthCheckNodePort, ServiceFacts, VirtualService};
