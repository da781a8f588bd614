use std::collections::BTreeMap;

use crate::kubernetes::ObjectName;
use crate::kubernetes::object_name;
use crate::kubernetes::objects::lenient::{Kept, kept, or_default};

/// The prefix of the annotations that this crate reads.
pub(crate) const PREFIX: &str = "ipvs-netlink/";

/// When the endpoints of a slice changed, for the measure of how long a change takes.
const TRIGGER_TIME: &str = "endpoints.kubernetes.io/last-change-trigger-time";

/// The networks whose clients may use a load balancer, where `spec.loadBalancerSourceRanges` is
/// empty.
pub(crate) const SOURCE_RANGES: &str = "service.beta.kubernetes.io/load-balancer-source-ranges";

/// What counts of an object's metadata.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Metadata {
    /// The name.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// The namespace. Empty means `default`; of no use for nodes.
    #[serde(deserialize_with = "or_default")]
    pub namespace: String,
    /// The identity of the object in time: another object of the same name has another one.
    #[serde(deserialize_with = "or_default")]
    pub uid: String,
    /// The version, for watches. Conversion does not read it.
    #[serde(deserialize_with = "or_default")]
    pub resource_version: String,
    /// When the object was created: `2026-11-28T12:00:00Z`. Among services that claim the same
    /// address and port, the older one gets it. A text of another form counts as none.
    #[serde(deserialize_with = "or_default")]
    pub creation_timestamp: String,
    /// When the object will be, or was to be, deleted: `2026-11-28T12:00:00Z`. Empty if nobody has asked for
    /// that. Conversion does not read it.
    #[serde(deserialize_with = "or_default")]
    pub deletion_timestamp: String,
    /// Labels. Reading an object keeps those whose names begin with `kubernetes.io/`,
    /// `service.kubernetes.io/` or `topology.kubernetes.io/`.
    #[serde(deserialize_with = "kept::<Labels, _>")]
    pub labels: BTreeMap<String, String>,
    /// Annotations. Reading an object keeps those whose names begin with `ipvs-netlink/`,
    /// `endpoints.kubernetes.io/last-change-trigger-time`, and
    /// `service.beta.kubernetes.io/load-balancer-source-ranges`.
    #[serde(deserialize_with = "kept::<Annotations, _>")]
    pub annotations: BTreeMap<String, String>,
}

struct Labels;

impl Kept for Labels {
    fn keeps(key: &str) -> bool {
        let kept = ["kubernetes.io/", "service.kubernetes.io/", "topology.kubernetes.io/"];
        kept.iter().any(|prefix| key.starts_with(prefix))
    }
}

struct Annotations;

impl Kept for Annotations {
    fn keeps(key: &str) -> bool {
        key.starts_with(PREFIX) || key == TRIGGER_TIME || key == SOURCE_RANGES
    }
}

impl Metadata {
    /// Creates metadata with a name, and without labels and annotations.
    #[must_use]
    pub fn new(namespace: &str, name: &str) -> Self {
        Self { name: name.to_owned(), namespace: namespace.to_owned(), ..Self::default() }
    }

    /// Returns the namespace and the name.
    #[must_use]
    pub fn object_name(&self) -> ObjectName {
        ObjectName::new(&self.namespace, &self.name)
    }

    /// Returns namespace and name, to look them up.
    pub(crate) fn key(&self) -> (&str, &str) {
        (object_name::or_default(&self.namespace), &self.name)
    }

    /// Returns a number that grows with the time of creation, and the largest one if the time is not
    /// known.
    pub(crate) fn created(&self) -> u64 {
        let text = self.creation_timestamp.as_bytes();
        let form = b"0000-00-00T00:00:00Z";
        let fits = |(byte, form): (&u8, &u8)| match form {
            b'0' => byte.is_ascii_digit(),
            _ => byte == form,
        };
        if text.len() != form.len() || !text.iter().zip(form).all(fits) {
            return u64::MAX;
        }
        let digits = text.iter().filter(|byte| byte.is_ascii_digit());
        digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0'))
    }
}
