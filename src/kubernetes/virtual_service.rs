use std::net::IpAddr;
use std::sync::Arc;

use crate::kubernetes::{Drain, ObjectName};
use crate::model::{AddressFamily, Destination, Network, Service, ServiceId};
use crate::table::TableService;

/// How a service is reached.
///
/// The order is that in which claims to the same address and port win.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Exposure {
    /// At a cluster IP.
    ClusterIp,
    /// At an address of a load balancer (`status.loadBalancer.ingress`).
    LoadBalancer,
    /// At a node port of an address of the node.
    NodePort,
    /// At an external IP (`spec.externalIPs`).
    ExternalIp,
}

/// What a node proxy has to know of a virtual service beside its entry in the table.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VirtualService {
    /// How the Kubernetes service is reached here.
    pub exposure: Exposure,
    /// The Kubernetes service.
    pub service: ObjectName,
    /// The name of the service's port. Empty if it has none.
    pub port: Arc<str>,
    /// The addresses of the endpoints of this node, ready or not, in order. Each may be a client of the
    /// service itself, and get its own packets back.
    pub local_addresses: Arc<[IpAddr]>,
    /// `true` if the traffic policy for this exposure is `Local`. If the node has no local endpoint,
    /// the table has all endpoints, so that pods of the node reach the service, and the node proxy
    /// must drop what comes from outside.
    pub local_only: bool,
    /// The number of local endpoints that take traffic.
    pub local_endpoints: usize,
    /// For [`Exposure::LoadBalancer`]: the networks whose clients may use the address
    /// (`spec.loadBalancerSourceRanges`), of the family of the address. `None` means that the
    /// service names no networks, and all clients may use the address. An empty list means that it
    /// names networks of the other family only, and no client may use the address.
    pub source_ranges: Option<Arc<[Network]>>,
}

/// What a Kubernetes service asks for beside virtual services.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceFacts {
    /// The port at which the node tells how many local endpoints it has. For services of type
    /// `LoadBalancer` whose external traffic policy is `Local`.
    pub health_check_node_port: Option<HealthCheckNodePort>,
    /// The annotation `ipvs-netlink/health-checks`, as it is written.
    pub health_checks: Option<Arc<str>>,
    /// The annotation `ipvs-netlink/drain`: how endpoints leave.
    pub drain: Option<Drain>,
}

impl ServiceFacts {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The port at which load balancers ask a node for local endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HealthCheckNodePort {
    /// The port of `spec.healthCheckNodePort`.
    pub port: u16,
    /// The number of addresses of ready IPv4 endpoints of the node.
    pub ipv4_endpoints: usize,
    /// The number of addresses of ready IPv6 endpoints of the node.
    pub ipv6_endpoints: usize,
}

impl HealthCheckNodePort {
    /// Returns the number of addresses of ready endpoints of the node, of a family.
    #[must_use]
    pub const fn local_endpoints(&self, family: AddressFamily) -> usize {
        match family {
            AddressFamily::Ipv4 => self.ipv4_endpoints,
            AddressFamily::Ipv6 => self.ipv6_endpoints,
        }
    }
}

/// A virtual service that a Kubernetes service asks for. It gets it if no other service has a better
/// claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) service: Service,
    /// In the order of their ids. Virtual services of one port share them.
    pub(crate) destinations: Arc<[Destination]>,
    pub(crate) facts: VirtualService,
}

impl Claim {
    pub(crate) const fn id(&self) -> ServiceId {
        self.service.id
    }

    pub(crate) fn table_service(&self) -> TableService {
        let mut service = TableService::new(self.service.clone());
        service.extend(self.destinations.iter().cloned());
        service
    }
}
