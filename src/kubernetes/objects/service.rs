use crate::kubernetes::objects::lenient::or_default;
use crate::kubernetes::objects::{
    IpFamily, IpMode, Metadata, PortProtocol, ServiceType, SessionAffinity, TrafficPolicy,
};

/// A Service (`v1`): addresses and ports at which pods are reached.
///
/// Fields that the API server would set are given their defaults when they are absent.
///
/// ```
/// use ipvs_netlink::kubernetes::{Service, ServicePort};
///
/// let mut web = Service::new("shop", "web");
/// web.spec.cluster_ip = "10.96.0.10".to_owned();
/// web.spec.ports.push(ServicePort::new(80));
///
/// let read: Service = serde_json::from_str(
///     r#"{"metadata": {"namespace": "shop", "name": "web"},
///         "spec": {"clusterIP": "10.96.0.10", "ports": [{"port": 80}]}}"#,
/// )?;
/// assert_eq!(read, web);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Service {
    /// Name, labels and annotations.
    #[serde(deserialize_with = "or_default")]
    pub metadata: Metadata,
    /// What the user asks for.
    #[serde(deserialize_with = "or_default")]
    pub spec: ServiceSpec,
    /// What the load balancer reports.
    #[serde(deserialize_with = "or_default")]
    pub status: ServiceStatus,
}

impl Service {
    /// Creates a service without addresses and ports.
    #[must_use]
    pub fn new(namespace: &str, name: &str) -> Self {
        Self { metadata: Metadata::new(namespace, name), ..Self::default() }
    }
}

/// What the user asks for of a [`Service`].
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ServiceSpec {
    /// The type. `ClusterIP` by default.
    #[serde(rename = "type", deserialize_with = "or_default")]
    pub service_type: ServiceType,
    /// The cluster IP: an address, `None` for a headless service, or empty.
    #[serde(rename = "clusterIP", deserialize_with = "or_default")]
    pub cluster_ip: String,
    /// The cluster IPs, at most one of each family, in the order of
    /// [`ip_families`](Self::ip_families). Empty means [`cluster_ip`](Self::cluster_ip) alone.
    #[serde(rename = "clusterIPs", deserialize_with = "or_default")]
    pub cluster_ips: Vec<String>,
    /// The families of the cluster IPs.
    #[serde(deserialize_with = "or_default")]
    pub ip_families: Vec<IpFamily>,
    /// The ports.
    #[serde(deserialize_with = "or_default")]
    pub ports: Vec<ServicePort>,
    /// Addresses beside the cluster IPs at which the service is reached.
    #[serde(rename = "externalIPs", deserialize_with = "or_default")]
    pub external_ips: Vec<String>,
    /// Whether a client keeps its endpoint. `None` by default.
    #[serde(deserialize_with = "or_default")]
    pub session_affinity: SessionAffinity,
    /// For how long. Void if the affinity is `None`.
    #[serde(deserialize_with = "or_default")]
    pub session_affinity_config: SessionAffinityConfig,
    /// Which endpoints serve traffic from outside. `Cluster` by default.
    #[serde(deserialize_with = "or_default")]
    pub external_traffic_policy: TrafficPolicy,
    /// Which endpoints serve traffic to the cluster IPs. `Cluster` by default.
    #[serde(deserialize_with = "or_default")]
    pub internal_traffic_policy: TrafficPolicy,
    /// The networks whose clients may use the addresses of the load balancer. Empty means those of
    /// the annotation `service.beta.kubernetes.io/load-balancer-source-ranges`, separated by commas,
    /// or all if there is no such annotation. With networks of one family only, nobody may use the
    /// addresses of the other family.
    #[serde(deserialize_with = "or_default")]
    pub load_balancer_source_ranges: Vec<String>,
    /// The port at which a node tells how many local endpoints it has. 0 means none.
    #[serde(deserialize_with = "or_default")]
    pub health_check_node_port: i32,
}

/// A port of a [`Service`].
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ServicePort {
    /// The name, which ports of slices have too. Empty by default.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// The protocol. `TCP` by default.
    #[serde(deserialize_with = "or_default")]
    pub protocol: PortProtocol,
    /// The port of the virtual service, 1 to 65535.
    #[serde(deserialize_with = "or_default")]
    pub port: i32,
    /// The port at the addresses of nodes, 1 to 65535. 0 means none.
    #[serde(deserialize_with = "or_default")]
    pub node_port: i32,
}

impl ServicePort {
    /// Creates a port of TCP without a name.
    #[must_use]
    pub fn new(port: u16) -> Self {
        Self { port: port.into(), ..Self::default() }
    }
}

/// How a client keeps its endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct SessionAffinityConfig {
    /// For the affinity `ClientIP`.
    #[serde(rename = "clientIP", deserialize_with = "or_default")]
    pub client_ip: ClientIpConfig,
}

/// How long a client keeps its endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ClientIpConfig {
    /// Seconds, 1 to 86400. 10800 by default.
    pub timeout_seconds: Option<i32>,
}

/// What the load balancer of a [`Service`] reports.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ServiceStatus {
    /// The load balancer.
    #[serde(deserialize_with = "or_default")]
    pub load_balancer: LoadBalancerStatus,
}

/// The addresses of a load balancer.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct LoadBalancerStatus {
    /// Where traffic comes in.
    #[serde(deserialize_with = "or_default")]
    pub ingress: Vec<LoadBalancerIngress>,
}

/// An address of a load balancer.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct LoadBalancerIngress {
    /// The address, or empty if the load balancer has only a name.
    #[serde(deserialize_with = "or_default")]
    pub ip: String,
    /// The name.
    #[serde(deserialize_with = "or_default")]
    pub hostname: String,
    /// Whether packets still have the address when they reach the node. `VIP` by default.
    #[serde(deserialize_with = "or_default")]
    pub ip_mode: IpMode,
}

impl LoadBalancerIngress {
    /// Creates an address whose packets reach the node unchanged.
    #[must_use]
    pub fn new(ip: &str) -> Self {
        Self { ip: ip.to_owned(), ..Self::default() }
    }
}
