use crate::kubernetes::objects::lenient::or_default;
use crate::kubernetes::objects::{AddressType, Metadata, PortProtocol};

/// The label that names the service of a slice.
pub(crate) const SERVICE_NAME: &str = "kubernetes.io/service-name";

/// An EndpointSlice (`discovery.k8s.io/v1`): some endpoints of a service.
///
/// ```
/// use ipvs_netlink::kubernetes::{Endpoint, EndpointPort, EndpointSlice};
///
/// let mut slice = EndpointSlice::new("shop", "web-x7k2p", "web");
/// slice.ports.push(EndpointPort::new(8080));
/// slice.endpoints.push(Endpoint::new("10.244.1.2"));
/// assert_eq!(slice.service(), Some("web"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct EndpointSlice {
    /// Name, and the label `kubernetes.io/service-name`.
    #[serde(deserialize_with = "or_default")]
    pub metadata: Metadata,
    /// What the addresses are. `IPv4` by default.
    #[serde(deserialize_with = "or_default")]
    pub address_type: AddressType,
    /// The endpoints.
    #[serde(deserialize_with = "or_default")]
    pub endpoints: Vec<Endpoint>,
    /// The ports that each endpoint of the slice has.
    #[serde(deserialize_with = "or_default")]
    pub ports: Vec<EndpointPort>,
}

impl EndpointSlice {
    /// Creates a slice of the service `service` in the same namespace, without endpoints.
    #[must_use]
    pub fn new(namespace: &str, name: &str, service: &str) -> Self {
        let mut metadata = Metadata::new(namespace, name);
        metadata.labels.insert(SERVICE_NAME.to_owned(), service.to_owned());
        Self { metadata, ..Self::default() }
    }

    /// Returns the name of the service, from the label `kubernetes.io/service-name`.
    #[must_use]
    pub fn service(&self) -> Option<&str> {
        self.metadata.labels.get(SERVICE_NAME).map(String::as_str).filter(|name| !name.is_empty())
    }
}

/// An endpoint: usually a pod.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Endpoint {
    /// The addresses. Only the first one counts.
    #[serde(deserialize_with = "or_default")]
    pub addresses: Vec<String>,
    /// Whether the endpoint takes traffic.
    #[serde(deserialize_with = "or_default")]
    pub conditions: EndpointConditions,
    /// The node that the endpoint runs on.
    pub node_name: Option<String>,
    /// The zone of the node.
    pub zone: Option<String>,
    /// The pod.
    pub target_ref: Option<ObjectReference>,
    /// The nodes and zones whose clients are to use the endpoint.
    #[serde(deserialize_with = "or_default")]
    pub hints: EndpointHints,
}

impl Endpoint {
    /// Creates a ready endpoint that names no node.
    #[must_use]
    pub fn new(address: &str) -> Self {
        Self { addresses: vec![address.to_owned()], ..Self::default() }
    }
}

/// Whether an endpoint takes traffic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct EndpointConditions {
    /// Takes new connections. Absent means `true`.
    pub ready: Option<bool>,
    /// Passes its checks, also while it terminates. Absent means `true`.
    pub serving: Option<bool>,
    /// Is about to end. Absent means `false`.
    pub terminating: Option<bool>,
}

impl EndpointConditions {
    /// Creates conditions that say all three.
    #[must_use]
    pub const fn new(ready: bool, serving: bool, terminating: bool) -> Self {
        Self { ready: Some(ready), serving: Some(serving), terminating: Some(terminating) }
    }
}

/// The object behind an endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ObjectReference {
    /// The kind, such as `Pod`.
    #[serde(deserialize_with = "or_default")]
    pub kind: String,
    /// The namespace. Empty means that of the slice.
    #[serde(deserialize_with = "or_default")]
    pub namespace: String,
    /// The name.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
}

impl ObjectReference {
    /// Creates a reference to a pod of the slice's namespace.
    #[must_use]
    pub fn pod(name: &str) -> Self {
        Self { kind: "Pod".to_owned(), namespace: String::new(), name: name.to_owned() }
    }
}

/// The nodes and zones whose clients are to use an endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct EndpointHints {
    /// The zones.
    #[serde(deserialize_with = "or_default")]
    pub for_zones: Vec<Hint>,
    /// The nodes.
    #[serde(deserialize_with = "or_default")]
    pub for_nodes: Vec<Hint>,
}

/// A node or a zone that a hint names.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Hint {
    /// The name.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
}

impl Hint {
    /// Creates a hint.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned() }
    }
}

/// A port that each endpoint of a slice has.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct EndpointPort {
    /// The name of the service's port. Empty by default.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// The protocol. `TCP` by default.
    #[serde(deserialize_with = "or_default")]
    pub protocol: PortProtocol,
    /// The port of the endpoints, 1 to 65535. A port that is absent or 0 is ignored.
    pub port: Option<i32>,
}

impl EndpointPort {
    /// Creates a port of TCP without a name.
    #[must_use]
    pub fn new(port: u16) -> Self {
        Self { port: Some(port.into()), ..Self::default() }
    }
}
