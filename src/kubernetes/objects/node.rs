use crate::kubernetes::objects::Metadata;
use crate::kubernetes::objects::lenient::or_default;

/// A Node (`v1`). Only the node that [`Options::node_name`](crate::kubernetes::Options::node_name)
/// names counts: its zone, from the label `topology.kubernetes.io/zone`, and its primary addresses. A
/// program also sees whether the node is about to leave: see [`is_leaving`](Self::is_leaving).
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Node {
    /// Name and labels.
    #[serde(deserialize_with = "or_default")]
    pub metadata: Metadata,
    /// The taints.
    #[serde(deserialize_with = "or_default")]
    pub spec: NodeSpec,
    /// The addresses.
    #[serde(deserialize_with = "or_default")]
    pub status: NodeStatus,
}

/// The taint that the cluster autoscaler puts on a node before it deletes the node.
const TO_BE_DELETED: &str = "ToBeDeletedByClusterAutoscaler";

impl Node {
    /// Creates a node without labels and addresses.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { metadata: Metadata::new("", name), ..Self::default() }
    }

    /// Returns `true` if the node is being deleted, or has the taint `ToBeDeletedByClusterAutoscaler`. Load
    /// balancers are then to send it no new connections. Conversion does not follow it.
    ///
    /// Source: `pkg/proxy/healthcheck/proxy_health.go:NodeEligible`.
    ///
    /// ```
    /// use ipvs_netlink::kubernetes::{Node, Taint};
    ///
    /// let mut node = Node::new("node-a");
    /// assert!(!node.is_leaving());
    /// node.spec.taints.push(Taint::new("ToBeDeletedByClusterAutoscaler"));
    /// assert!(node.is_leaving());
    /// ```
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        let is_to_be_deleted = |taint: &Taint| taint.key == TO_BE_DELETED;
        !self.metadata.deletion_timestamp.is_empty()
            || self.spec.taints.iter().any(is_to_be_deleted)
    }
}

/// What administrators and controllers ask for of a [`Node`].
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct NodeSpec {
    /// The taints.
    #[serde(deserialize_with = "or_default")]
    pub taints: Vec<Taint>,
}

/// A taint of a node, reduced to its key.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Taint {
    /// The key, such as `node.kubernetes.io/unschedulable`.
    #[serde(deserialize_with = "or_default")]
    pub key: String,
}

impl Taint {
    /// Creates a taint.
    #[must_use]
    pub fn new(key: &str) -> Self {
        Self { key: key.to_owned() }
    }
}

/// What a node reports.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct NodeStatus {
    /// The addresses.
    #[serde(deserialize_with = "or_default")]
    pub addresses: Vec<NodeAddress>,
}

/// An address of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct NodeAddress {
    /// The kind, such as `InternalIP`, `ExternalIP` or `Hostname`.
    #[serde(rename = "type", deserialize_with = "or_default")]
    pub address_type: String,
    /// The address or name.
    #[serde(deserialize_with = "or_default")]
    pub address: String,
}

impl NodeAddress {
    /// Creates an address of the kind `InternalIP`.
    #[must_use]
    pub fn internal(address: &str) -> Self {
        Self { address_type: "InternalIP".to_owned(), address: address.to_owned() }
    }
}
