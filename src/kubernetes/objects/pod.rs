use crate::kubernetes::objects::Metadata;
use crate::kubernetes::objects::lenient::or_default;

/// A Pod (`v1`), for weights: only its annotation `ipvs-netlink/weight` counts. Pods are of use only
/// with [`Options::pod_weights`](crate::kubernetes::Options::pod_weights).
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Pod {
    /// Name and annotations.
    #[serde(deserialize_with = "or_default")]
    pub metadata: Metadata,
}

impl Pod {
    /// Creates a pod without annotations.
    #[must_use]
    pub fn new(namespace: &str, name: &str) -> Self {
        Self { metadata: Metadata::new(namespace, name) }
    }
}
