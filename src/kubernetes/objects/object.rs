use serde::de::{Deserialize, Deserializer};

use crate::kubernetes::objects::{EndpointSlice, Node, Pod, Service};

/// An object of any kind, read by its `apiVersion` and `kind`.
///
/// It is for manifests. Who watches one kind reads [`Service`] and the others directly, which
/// is faster. Lists and files of several documents are the program's matter.
///
/// ```
/// use ipvs_netlink::kubernetes::Object;
///
/// let object: Object = serde_saphyr::from_str(
///     "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {clusterIP: 10.96.0.10}}",
/// )?;
/// assert!(matches!(object, Object::Service(_)));
/// let object: Object = serde_saphyr::from_str("{apiVersion: apps/v1, kind: Deployment}")?;
/// assert_eq!(object, Object::Other);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(clippy::large_enum_variant, reason = "most objects are services and slices")]
pub enum Object {
    /// `v1` Service.
    Service(Service),
    /// `discovery.k8s.io/v1` EndpointSlice.
    EndpointSlice(EndpointSlice),
    /// `v1` Node.
    Node(Node),
    /// `v1` Pod.
    Pod(Pod),
    /// Another kind, or another version of these kinds.
    Other,
}

#[derive(serde::Deserialize)]
#[serde(tag = "kind")]
#[allow(clippy::large_enum_variant, reason = "it is converted at once")]
enum Tagged {
    Service(Versioned<Service>),
    EndpointSlice(Versioned<EndpointSlice>),
    Node(Versioned<Node>),
    Pod(Versioned<Pod>),
    #[serde(other)]
    Other,
}

#[derive(serde::Deserialize)]
struct Versioned<T> {
    #[serde(rename = "apiVersion", default)]
    api_version: Option<String>,
    #[serde(flatten)]
    object: T,
}

impl<T> Versioned<T> {
    /// Returns the object if its version is `version`.
    fn of(self, version: &str, made: fn(T) -> Object) -> Object {
        let fits = self.api_version.as_deref() == Some(version);
        if fits { made(self.object) } else { Object::Other }
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Tagged::deserialize(deserializer)? {
            Tagged::Service(service) => service.of("v1", Self::Service),
            Tagged::EndpointSlice(slice) => slice.of("discovery.k8s.io/v1", Self::EndpointSlice),
            Tagged::Node(node) => node.of("v1", Self::Node),
            Tagged::Pod(pod) => pod.of("v1", Self::Pod),
            Tagged::Other => Self::Other,
        })
    }
}
