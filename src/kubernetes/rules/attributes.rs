//! The settings of virtual services and their destinations.

use std::sync::Arc;
use std::time::Duration;

use crate::kubernetes::annotations::Settings;
use crate::kubernetes::objects::{Service, SessionAffinity};
use crate::kubernetes::rules::endpoints::Candidate;
use crate::kubernetes::surroundings::Surroundings;
use crate::model::{
    self, AddressFamily, Destination, Forwarding, InvalidValue, Persistence, Protocol, Scheduler,
    ServiceFlags, ServiceId,
};

/// What the API server sets where a service does not say for how long.
const DEFAULT_TIMEOUT: i32 = 10_800;

/// Returns for how long a client keeps its endpoint.
///
/// Source: `serviceport.go:newBaseServiceInfo`, `defaults.go:SetDefaults_Service`.
pub(crate) fn affinity(service: &Service) -> Result<Option<Duration>, InvalidValue> {
    if service.spec.session_affinity != SessionAffinity::ClientIp {
        return Ok(None);
    }
    let config = &service.spec.session_affinity_config.client_ip;
    let seconds = config.timeout_seconds.unwrap_or(DEFAULT_TIMEOUT);
    match u64::try_from(seconds) {
        Ok(seconds @ 1..=86_400) => Ok(Some(Duration::from_secs(seconds))),
        _ => {
            let field = "spec.sessionAffinityConfig.clientIP.timeoutSeconds";
            Err(InvalidValue::new(field, seconds.to_string(), "must be 1 to 86400"))
        }
    }
}

/// Returns the flags that a scheduler gets. Source: `proxier.go:syncProxyRules`, `FlagSourceHash`:
/// `mh-port` for `mh`, and nothing for `sh`.
pub(crate) fn flags(scheduler: Scheduler) -> ServiceFlags {
    match scheduler {
        Scheduler::MAGLEV_HASHING => ServiceFlags::MH_PORT,
        _ => ServiceFlags::empty(),
    }
}

/// Returns the service of the table.
///
/// Source: `proxier.go:syncProxyRules`: the same attributes for all four exposures.
pub(crate) fn service(
    id: ServiceId,
    settings: &Settings,
    affinity: Option<Duration>,
) -> model::Service {
    let mut flags = settings.flags;
    let udp = matches!(id, ServiceId::Address { protocol: Protocol::UDP, .. });
    flags.set(ServiceFlags::ONE_PACKET, settings.one_packet && udp);
    let service = model::Service::new(id).scheduler(settings.scheduler).flags(flags);
    let Some(timeout) = affinity else { return service };
    let mut persistence = Persistence::new(timeout);
    persistence.netmask = match id.family() {
        AddressFamily::Ipv4 => settings.ipv4_netmask,
        AddressFamily::Ipv6 => settings.ipv6_netmask,
    };
    service.persistence(persistence)
}

/// Returns the destinations for endpoints, in their order.
///
/// Source: `proxier.go:syncEndpoint`: masquerading, weight 1, no thresholds.
pub(crate) fn destinations(
    endpoints: &[&Candidate<'_>],
    forwarding: Forwarding,
    settings: &Settings,
    around: &Surroundings,
) -> Arc<[Destination]> {
    let destination = |candidate: &&Candidate<'_>| {
        let mut destination = Destination::new(candidate.address, forwarding);
        destination.weight = settings.weights.of(&candidate.member, around);
        destination.thresholds = settings.thresholds;
        destination
    };
    endpoints.iter().map(destination).collect()
}
