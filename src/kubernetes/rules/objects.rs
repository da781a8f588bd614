//! Which objects count.

use crate::kubernetes::excerpt::Excerpt;
use crate::kubernetes::objects::{
    AddressType, EndpointSlice, IpFamily, Metadata, Service, ServiceType, SessionAffinity,
    TrafficPolicy,
};
use crate::kubernetes::{ObjectName, Options, Reason};
use crate::model::{AddressFamily, InvalidValue};

const PROXY_NAME: &str = "service.kubernetes.io/service-proxy-name";
const HEADLESS: &str = "service.kubernetes.io/headless";

/// The word of a service without a cluster IP.
const NO_ADDRESS: &str = "None";

/// Returns why a service has no virtual services at all, if so.
///
/// Source: `util/utils.go:ShouldSkipService`, `server.go:Run` (the selector of the informers).
pub(crate) fn check_service(service: &Service, name: &ObjectName) -> Result<(), Reason> {
    let spec = &service.spec;
    name.validate()?;
    check_labels(&service.metadata)?;
    if spec.service_type == ServiceType::ExternalName {
        return Err(Reason::ExternalName);
    }
    let first = || spec.cluster_ips.first().map_or("", String::as_str);
    match if spec.cluster_ip.is_empty() { first() } else { &spec.cluster_ip } {
        "" => return Err(Reason::NoClusterIp),
        NO_ADDRESS => return Err(Reason::Headless),
        _ => {}
    }
    let unknown = |field, word: &str, rule| {
        Err(InvalidValue::new(field, Excerpt::of(word).quoted(), rule).into())
    };
    if let ServiceType::Other(word) = &spec.service_type {
        return unknown("spec.type", word, "must be ClusterIP, NodePort or LoadBalancer");
    }
    if let SessionAffinity::Other(word) = &spec.session_affinity {
        return unknown("spec.sessionAffinity", word, "must be None or ClientIP");
    }
    for (field, policy) in [
        ("spec.internalTrafficPolicy", &spec.internal_traffic_policy),
        ("spec.externalTrafficPolicy", &spec.external_traffic_policy),
    ] {
        if let TrafficPolicy::Other(word) = policy {
            return unknown(field, word, "must be Cluster or Local");
        }
    }
    match spec.ip_families.iter().find(|family| matches!(family, IpFamily::Other(_))) {
        Some(family) => unknown("spec.ipFamilies", family.as_str(), "must be IPv4 or IPv6"),
        None if spec.ports.is_empty() => Err(Reason::NoPorts),
        None => Ok(()),
    }
}

/// Returns the family of a slice that has a service, or why it does not count.
///
/// Source: `endpointslicecache.go:endpointSliceCacheKeys`,
/// `endpointschangetracker.go:EndpointSliceUpdate`.
pub(crate) fn slice_family(
    slice: &EndpointSlice,
    options: &Options,
) -> Result<AddressFamily, Reason> {
    check_labels(&slice.metadata)?;
    let family = match &slice.address_type {
        AddressType::Ipv4 => AddressFamily::Ipv4,
        AddressType::Ipv6 => AddressFamily::Ipv6,
        AddressType::Fqdn => return Err(Reason::Fqdn),
        AddressType::Other(word) => {
            let rule = "must be IPv4, IPv6 or FQDN";
            return Err(InvalidValue::new("addressType", Excerpt::of(word).quoted(), rule).into());
        }
    };
    if options.serves(family) { Ok(family) } else { Err(Reason::FamilyNotServed(family)) }
}

/// Refuses objects that the informers of kube-proxy never see.
pub(crate) fn check_labels(metadata: &Metadata) -> Result<(), Reason> {
    if metadata.labels.contains_key(PROXY_NAME) {
        Err(Reason::OtherProxy)
    } else if metadata.labels.contains_key(HEADLESS) {
        Err(Reason::Headless)
    } else {
        Ok(())
    }
}
