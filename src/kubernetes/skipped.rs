use std::fmt;

use crate::kubernetes::ObjectName;
use crate::kubernetes::address::ENDPOINT_ADDRESSES;
use crate::model::{AddressFamily, InvalidValue, Network, ServiceId};

/// Something that a conversion left out, with the reason: the answer to "why is my service not
/// there".
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Skipped {
    /// The kind of the object.
    pub kind: ObjectKind,
    /// The object.
    pub name: ObjectName,
    /// What of the object was left out.
    pub item: Item,
    /// Why.
    pub reason: Reason,
    /// For how many items of the object this holds. `item` is the first one.
    pub count: usize,
}

impl Skipped {
    pub(crate) const fn new(
        kind: ObjectKind,
        name: ObjectName,
        item: Item,
        reason: Reason,
    ) -> Self {
        Self { kind, name, item, reason, count: 1 }
    }
}

impl fmt::Display for Skipped {
    /// One line: the object, the item, the reason.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)?;
        if self.item != Item::Object {
            write!(f, ", {}", self.item)?;
        }
        if self.count > 1 {
            write!(f, " and {} more", self.count - 1)?;
        }
        match &self.reason {
            Reason::Invalid(invalid) if self.item.says(invalid) => {
                write!(f, ": {}", invalid.rule())
            }
            reason => write!(f, ": {reason}"),
        }
    }
}

/// The kind of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ObjectKind {
    /// A Service.
    Service,
    /// An EndpointSlice.
    EndpointSlice,
    /// A Pod.
    Pod,
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Service => "Service",
            Self::EndpointSlice => "EndpointSlice",
            Self::Pod => "Pod",
        })
    }
}

/// What of an object was left out. Texts are excerpts of at most 100 bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Item {
    /// The whole object.
    Object,
    /// A port, by its name, or by its number if it has no name.
    Port(String),
    /// An address or another value, and the field that has it.
    Address {
        /// The field, such as `spec.externalIPs`.
        field: &'static str,
        /// The value as it is written there.
        text: String,
    },
    /// A virtual service.
    VirtualService(ServiceId),
    /// An endpoint, by its address.
    Endpoint(String),
    /// Endpoints of a port, in all slices together.
    Endpoints(String),
    /// An annotation, by its name.
    Annotation(String),
}

impl Item {
    /// Returns `true` if the item says which value is invalid.
    fn says(&self, invalid: &InvalidValue) -> bool {
        match self {
            Self::Address { field, .. } => *field == invalid.field(),
            Self::Endpoint(_) => invalid.field() == ENDPOINT_ADDRESSES,
            _ => false,
        }
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object => f.write_str("all of it"),
            Self::Port(port) => write!(f, "port {}", port.escape_debug()),
            Self::Address { field, text } => write!(f, "{field} {text:?}"),
            Self::VirtualService(id) => write!(f, "{id}"),
            Self::Endpoint(address) => write!(f, "endpoint {address:?}"),
            Self::Endpoints(port) => write!(f, "endpoints of port {}", port.escape_debug()),
            Self::Annotation(name) => write!(f, "annotation {}", name.escape_debug()),
        }
    }
}

/// Why something was left out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// A value that breaks a rule. An API server of a known version lets few of them through.
    Invalid(InvalidValue),
    /// The service is headless: `clusterIP` is `None`, or the object has the label
    /// `service.kubernetes.io/headless`.
    Headless,
    /// The service has no cluster IP. The API server assigns one.
    NoClusterIp,
    /// The service is a name (`ExternalName`).
    ExternalName,
    /// The label `service.kubernetes.io/service-proxy-name` gives the object to another proxy.
    OtherProxy,
    /// The service has no cluster IP of this family, and so does not exist for it.
    NoClusterIpOfFamily(AddressFamily),
    /// The node does not serve this family.
    FamilyNotServed(AddressFamily),
    /// The load balancer delivers packets to the address of the node or pod (`ipMode: Proxy`).
    ProxyMode,
    /// The load balancer has a name and no address.
    HostnameOnly,
    /// The node has no address at which node ports are served.
    NoNodeAddress,
    /// The address is in a network that [`Options::exclude`](crate::kubernetes::Options::exclude)
    /// has.
    Excluded(Network),
    /// The address is in no network of [`Options::within`](crate::kubernetes::Options::within).
    NotWithin,
    /// Another service has this virtual service. Cluster IPs win, then addresses of load balancers,
    /// node ports, and external IPs (so CVE-2020-8554 takes over nobody's addresses and ports);
    /// among equals the older service, then the one whose name comes first.
    Claimed {
        /// The service that has it.
        by: ObjectName,
    },
    /// The same is there twice in one object, or an object of this name comes again. The first item
    /// counts, and the last object.
    Doubled,
    /// The object asks for more than a conversion makes of one service.
    TooLarge {
        /// What it asks for.
        what: &'static str,
        /// How many of it.
        count: usize,
        /// The limit.
        limit: usize,
    },
    /// The slice has no label `kubernetes.io/service-name`.
    NoServiceName,
    /// There is no service of the name that the slice has in its label.
    NoService,
    /// The addresses of the slice are names.
    Fqdn,
    /// The slice does not say the number of the port.
    NoPortNumber,
    /// The service has no port of this name and protocol.
    NoSuchPort,
    /// The endpoint has no address.
    NoAddress,
    /// The address is not of the family that the slice states.
    OtherFamily,
    /// The endpoint has several addresses, and only the first one counts.
    MoreAddresses,
    /// The service or the slice has no ports.
    NoPorts,
    /// The slices of the endpoints have no port of the name and protocol of the service's port, or
    /// none that can be used.
    NoSlicePort,
    /// The endpoint does not take new connections.
    NotReady,
    /// The traffic policy is `Local`, and the endpoint is on another node. Virtual services to which
    /// the policy does not apply have the endpoint.
    NotLocal,
    /// Hints give the endpoint to other nodes or zones.
    HintedElsewhere,
    /// No annotation of this name is known. The others hold.
    UnknownAnnotation,
    /// Weights of pods are asked for, and
    /// [`Options::pod_weights`](crate::kubernetes::Options::pod_weights) does not allow them.
    PodWeightsNotAllowed,
}

impl Reason {
    /// Returns the name for programs, logs and metrics, such as `not-ready`. The name of a reason
    /// never changes.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid",
            Self::Headless => "headless",
            Self::NoClusterIp => "no-cluster-ip",
            Self::ExternalName => "external-name",
            Self::OtherProxy => "other-proxy",
            Self::NoClusterIpOfFamily(_) => "no-cluster-ip-of-family",
            Self::FamilyNotServed(_) => "family-not-served",
            Self::ProxyMode => "proxy-mode",
            Self::HostnameOnly => "hostname-only",
            Self::NoNodeAddress => "no-node-address",
            Self::Excluded(_) => "excluded",
            Self::NotWithin => "not-within",
            Self::Claimed { .. } => "claimed",
            Self::Doubled => "doubled",
            Self::TooLarge { .. } => "too-large",
            Self::NoServiceName => "no-service-name",
            Self::NoService => "no-service",
            Self::Fqdn => "fqdn",
            Self::NoPortNumber => "no-port-number",
            Self::NoSuchPort => "no-such-port",
            Self::NoAddress => "no-address",
            Self::OtherFamily => "other-family",
            Self::NotReady => "not-ready",
            Self::HintedElsewhere => "hinted-elsewhere",
            Self::UnknownAnnotation => "unknown-annotation",
            Self::PodWeightsNotAllowed => "pod-weights-not-allowed",
            Self::MoreAddresses => "more-addresses",
            Self::NoPorts => "no-ports",
            Self::NoSlicePort => "no-slice-port",
            Self::NotLocal => "not-local",
        }
    }
}

impl From<InvalidValue> for Reason {
    fn from(invalid: InvalidValue) -> Self {
        Self::Invalid(invalid)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(invalid) => invalid.fmt(f),
            Self::Headless => f.write_str("is headless"),
            Self::NoClusterIp => f.write_str("has no cluster IP"),
            Self::ExternalName => f.write_str("is of type ExternalName"),
            Self::OtherProxy => f.write_str("a label gives it to another proxy"),
            Self::NoClusterIpOfFamily(family) => {
                write!(f, "the service has no {family} cluster IP")
            }
            Self::FamilyNotServed(family) => write!(f, "the node does not serve {family}"),
            Self::ProxyMode => f.write_str("ipMode is Proxy"),
            Self::HostnameOnly => f.write_str("the load balancer has a name and no address"),
            Self::NoNodeAddress => f.write_str("the node has no address for node ports"),
            Self::Excluded(network) => write!(f, "{network} is excluded"),
            Self::NotWithin => f.write_str("the address is in no network that is served"),
            Self::Claimed { by } => write!(f, "belongs to Service {by}"),
            Self::Doubled => f.write_str("is there twice"),
            Self::TooLarge { what, count, limit } => {
                write!(f, "asks for {count} {what}, more than {limit}")
            }
            Self::NoServiceName => f.write_str("has no label kubernetes.io/service-name"),
            Self::NoService => f.write_str("there is no service of this name"),
            Self::Fqdn => f.write_str("its addresses are names"),
            Self::NoPortNumber => f.write_str("has no number"),
            Self::NoSuchPort => f.write_str("the service has no port of this name and protocol"),
            Self::NoAddress => f.write_str("has no address"),
            Self::OtherFamily => f.write_str("is not of the family of the slice"),
            Self::MoreAddresses => f.write_str("only the first address of an endpoint counts"),
            Self::NoPorts => f.write_str("has no ports"),
            Self::NoSlicePort => {
                f.write_str("their slices have no usable port of this name and protocol")
            }
            Self::NotReady => f.write_str("not ready"),
            Self::NotLocal => {
                f.write_str("the traffic policy is Local, and they are on other nodes")
            }
            Self::HintedElsewhere => f.write_str("hints give them to other nodes or zones"),
            Self::UnknownAnnotation => f.write_str("no annotation of this name is known"),
            Self::PodWeightsNotAllowed => f.write_str("the node does not allow weights of pods"),
        }
    }
}
