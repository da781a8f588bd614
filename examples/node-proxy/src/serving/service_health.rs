//! The answers at the health check node ports of services.

use std::collections::{BTreeMap, BTreeSet};

use ipvs_netlink::kubernetes::{HealthCheckNodePort, ObjectName, ServiceFacts};
use serde::Serialize;

/// The services with a health check node port.
#[derive(Clone, Debug, Default)]
pub(crate) struct ServiceHealth {
    services: BTreeMap<ObjectName, HealthCheckNodePort>,
    /// The services that this node does not serve at all of their addresses. No load balancer is to send to it.
    unserved: BTreeSet<ObjectName>,
}

impl ServiceHealth {
    /// Takes in the facts of services that changed. Returns `true` if ports are to be opened or closed.
    pub(crate) fn take(&mut self, changed: &BTreeMap<ObjectName, Option<ServiceFacts>>) -> bool {
        let mut ports_differ = false;
        for (name, facts) in changed {
            let port = facts.as_ref().and_then(|facts| facts.health_check_node_port);
            let former = match port {
                Some(port) => self.services.insert(name.clone(), port),
                None => self.services.remove(name),
            };
            ports_differ |= former.map(|it| it.port) != port.map(|it| it.port);
        }
        ports_differ
    }

    /// Takes in all services that this node does not serve at all of their addresses.
    pub(crate) fn set_unserved(&mut self, unserved: BTreeSet<ObjectName>) {
        self.unserved = unserved;
    }

    /// Yields the services and their ports, in the order of their names.
    pub(crate) fn ports(&self) -> impl Iterator<Item = (&ObjectName, u16)> {
        self.services.iter().map(|(name, port)| (name, port.port))
    }

    /// Returns the answer for a service, or `None` if it has no such port any more.
    pub(crate) fn report(&self, name: &ObjectName, is_healthy: bool) -> Option<ServiceReport<'_>> {
        let (name, port) = self.services.get_key_value(name)?;
        Some(ServiceReport {
            service: ServiceName { namespace: name.namespace(), name: name.name() },
            // A pod of both families has an address of each. To count both would double its weight.
            local_endpoints: match self.unserved.contains(name) {
                true => 0,
                false => port.ipv4_endpoints.max(port.ipv6_endpoints),
            },
            service_proxy_healthy: is_healthy,
        })
    }
}

/// An answer, with the fields of kube-proxy.
///
/// Source: `pkg/proxy/healthcheck/service_health.go:ServeHTTP`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServiceReport<'a> {
    service: ServiceName<'a>,
    /// The ready endpoints on this node; those that terminate do not count. It is also the value of the header
    /// `X-Load-Balancing-Endpoint-Weight`.
    pub(crate) local_endpoints: usize,
    service_proxy_healthy: bool,
}

#[derive(Debug, Serialize)]
struct ServiceName<'a> {
    namespace: &'a str,
    name: &'a str,
}

impl ServiceReport<'_> {
    /// `true` for the status 200, `false` for 503.
    pub(crate) const fn is_ok(&self) -> bool {
        self.local_endpoints > 0 && self.service_proxy_healthy
    }
}

#[cfg(test)]
mod tests {
    use ipvs_netlink::kubernetes::{
        Endpoint, EndpointPort, EndpointSlice, Event, Options, Service, ServicePort,
    };

    use super::*;

    fn name() -> ObjectName {
        ObjectName::new("edge", "gateway")
    }

    fn service() -> Service {
        let mut service = Service::new("edge", "gateway");
        service.spec.service_type = "LoadBalancer".into();
        service.spec.cluster_ip = "10.96.0.10".into();
        service.spec.external_traffic_policy = "Local".into();
        service.spec.health_check_node_port = 32000;
        service.spec.ports.push(ServicePort::new(80));
        service
    }

    fn slice(terminating: &[bool]) -> EndpointSlice {
        let mut slice = EndpointSlice::new("edge", "gateway-1", "gateway");
        slice.ports.push(EndpointPort::new(8080));
        for (host, terminating) in terminating.iter().enumerate() {
            let mut endpoint = Endpoint::new(&format!("10.244.1.{host}"));
            endpoint.node_name = Some("node-a".into());
            endpoint.conditions.ready = Some(!terminating);
            endpoint.conditions.terminating = Some(*terminating);
            endpoint.conditions.serving = Some(true);
            slice.endpoints.push(endpoint);
        }
        slice
    }

    #[test]
    fn the_answer_follows_the_endpoints() {
        let mut converter = ipvs_netlink::kubernetes::Converter::new(&Options::new("node-a"));
        let mut health = ServiceHealth::default();
        assert!(health.take(&converter.apply(Event::Service(service())).services));
        assert_eq!(health.ports().collect::<Vec<_>>(), [(&name(), 32000)]);
        for (terminating, expected) in
            [(&[][..], 0), (&[false, false], 2), (&[false, true], 1), (&[true, true], 0)]
        {
            let changes = converter.apply(Event::Slice(slice(terminating)));
            assert!(!health.take(&changes.services));
            let report = health.report(&name(), true).unwrap();
            assert_eq!(report.local_endpoints, expected);
            assert_eq!(report.is_ok(), expected > 0);
            assert!(!health.report(&name(), false).unwrap().is_ok());
        }
        let text = serde_json::to_string(&health.report(&name(), true).unwrap()).unwrap();
        let expected = concat!(
            r#"{"service":{"namespace":"edge","name":"gateway"},"#,
            r#""localEndpoints":0,"serviceProxyHealthy":true}"#
        );
        assert_eq!(text, expected);

        // Its source ranges wait for the firewall.
        health.take(&converter.apply(Event::Slice(slice(&[false]))).services);
        health.set_unserved([name()].into());
        let report = health.report(&name(), true).unwrap();
        assert_eq!((report.local_endpoints, report.is_ok()), (0, false));
        health.set_unserved(BTreeSet::new());
        assert!(health.report(&name(), true).unwrap().is_ok());

        let mut moved = service();
        moved.spec.health_check_node_port = 32001;
        assert!(health.take(&converter.apply(Event::Service(moved)).services));
        assert_eq!(health.ports().collect::<Vec<_>>(), [(&name(), 32001)]);
        assert!(health.take(&converter.apply(Event::ServiceDeleted(name())).services));
        assert!(health.report(&name(), true).is_none());
    }
}
