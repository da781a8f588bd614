//! Services with a traffic policy `Local` and no endpoint on this node.

use std::collections::{BTreeMap, HashMap};

use ipvs_netlink::ServiceId;
use ipvs_netlink::kubernetes::{Changes, Exposure, ObjectName, VirtualService};

/// Which policy is `Local`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Policy {
    Internal,
    External,
}

impl Policy {
    pub(super) const ALL: [Self; 2] = [Self::Internal, Self::External];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::External => "external",
        }
    }
}

/// The virtual services with a policy `Local` and no endpoint on this node.
///
/// Source: `pkg/proxy/ipvs/proxier.go:syncEndpoint`.
#[derive(Debug, Default)]
pub(super) struct LocalPolicies {
    lacking: HashMap<ServiceId, (Policy, ObjectName)>,
    /// How many virtual services of a service lack endpoints.
    services: BTreeMap<(Policy, ObjectName), usize>,
}

impl LocalPolicies {
    /// Takes in a conversion.
    pub(super) fn take(&mut self, changes: &Changes) {
        for id in &changes.removed {
            self.remove(*id);
        }
        for (service, facts) in &changes.set {
            self.remove(service.id());
            if let Some(policy) = lacking(facts) {
                let lacks = (policy, facts.service.clone());
                *self.services.entry(lacks.clone()).or_default() += 1;
                self.lacking.insert(service.id(), lacks);
            }
        }
    }

    fn remove(&mut self, id: ServiceId) {
        let Some(lacks) = self.lacking.remove(&id) else { return };
        if let Some(count) = self.services.get_mut(&lacks) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.services.remove(&lacks);
            }
        }
    }

    /// Returns how many services lack endpoints on this node.
    pub(super) fn count(&self, policy: Policy) -> usize {
        self.services.keys().filter(|(of, _)| *of == policy).count()
    }
}

fn lacking(facts: &VirtualService) -> Option<Policy> {
    let lacks = facts.local_only && facts.local_endpoints == 0;
    lacks.then_some(match facts.exposure {
        Exposure::ClusterIp => Policy::Internal,
        _ => Policy::External,
    })
}

#[cfg(test)]
mod tests {
    use ipvs_netlink::kubernetes::{
        Converter, Endpoint, EndpointPort, EndpointSlice, Event, Options, Service, ServicePort,
    };

    use super::*;

    fn service() -> Service {
        let mut service = Service::new("shop", "web");
        service.spec.service_type = "NodePort".into();
        service.spec.cluster_ip = "10.96.0.10".into();
        for port in [80, 443] {
            let mut of = ServicePort::new(port);
            of.name = port.to_string();
            of.node_port = 30000 + of.port;
            service.spec.ports.push(of);
        }
        service
    }

    fn slice(node: &str) -> Event {
        let mut slice = EndpointSlice::new("shop", "web-1", "web");
        for port in [80, 443] {
            let mut of = EndpointPort::new(port);
            of.name = port.to_string();
            slice.ports.push(of);
        }
        let mut endpoint = Endpoint::new("10.244.1.1");
        endpoint.node_name = Some(node.into());
        slice.endpoints.push(endpoint);
        Event::Slice(slice)
    }

    #[test]
    fn services_are_counted_once() {
        let mut options = Options::new("node-a");
        options.node_addresses = vec!["192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap()];
        let mut converter = Converter::new(&options);
        let mut policies = LocalPolicies::default();
        let mut counts = |event| {
            policies.take(&converter.apply(event));
            Policy::ALL.map(|policy| policies.count(policy))
        };
        assert_eq!(counts(Event::Service(service())), [0, 0]);
        let mut local = service();
        local.spec.external_traffic_policy = "Local".into();
        assert_eq!(counts(Event::Service(local.clone())), [0, 1]);
        local.spec.internal_traffic_policy = "Local".into();
        assert_eq!(counts(Event::Service(local.clone())), [1, 1]);
        assert_eq!(counts(slice("node-b")), [1, 1]);
        assert_eq!(counts(slice("node-a")), [0, 0]);
        assert_eq!(counts(slice("node-b")), [1, 1]);
        assert_eq!(counts(Event::ServiceDeleted(local.metadata.object_name())), [0, 0]);
        assert!(policies.services.is_empty() && policies.lacking.is_empty());
    }
}
