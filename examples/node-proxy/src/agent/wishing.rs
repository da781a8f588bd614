//! Wishes of the controller from what the conversion says.

use std::collections::BTreeMap;

use ipvs_netlink::kubernetes::{Changes, Drain, ObjectName};
use ipvs_netlink::table::DrainPolicy;
use ipvs_netlink::table::controller::Wish;
use ipvs_netlink::{Protocol, ServiceId};

/// How endpoints leave.
#[derive(Debug)]
pub(super) struct Wishing {
    usual: Drain,
    /// What annotations say.
    services: BTreeMap<ObjectName, Drain>,
}

impl Wishing {
    /// Begins with what holds for services without the annotation.
    pub(super) const fn new(usual: Drain) -> Self {
        Self { usual, services: BTreeMap::new() }
    }

    /// Returns what holds for services without the annotation. `None` means that endpoints are deleted at once.
    pub(super) fn usual(&self) -> Option<DrainPolicy> {
        self.usual.policy(DrainPolicy::new())
    }

    /// Takes in the annotations. Returns the services whose endpoints leave in another way now.
    pub(super) fn change(&mut self, changes: &Changes) -> Vec<ObjectName> {
        let mut changed = Vec::new();
        for (name, facts) in &changes.services {
            let drain = facts.as_ref().and_then(|facts| facts.drain);
            let before = match drain {
                Some(drain) => self.services.insert(name.clone(), drain),
                None => self.services.remove(name),
            };
            if before != drain {
                changed.push(name.clone());
            }
        }
        changed
    }

    /// Returns the wish for a virtual service with how its endpoints leave. Those of UDP and SCTP leave at once,
    /// as with kube-proxy: a client of UDP that goes on sending stays with an endpoint that drains.
    ///
    /// Source: `pkg/proxy/ipvs/util/ipvs.go:IsRsGracefulTerminationNeeded`.
    pub(super) fn leaving(&self, wish: Wish, service: Option<&ObjectName>) -> Wish {
        let is_tcp = match wish.id() {
            ServiceId::Address { protocol, .. } => protocol == Protocol::TCP,
            ServiceId::Fwmark { .. } => false,
        };
        let of_service = service.and_then(|name| self.services.get(name));
        let drain = of_service.copied().unwrap_or(self.usual);
        match drain.policy(DrainPolicy::new()).filter(|_| is_tcp) {
            Some(policy) => wish.drain(policy),
            None => wish.all_at_once(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ipvs_netlink::kubernetes::{Converter, Event, Options, Service, ServicePort};

    use super::*;

    const USUAL: Drain = Drain::Within(Duration::from_secs(30));

    /// The deadlines of a service with a TCP and a UDP port whose annotation says this.
    fn deadlines(usual: Drain, annotation: Option<&str>) -> [Option<Option<u64>>; 2] {
        let mut web = Service::new("shop", "web");
        web.spec.cluster_ip = "10.96.0.10".to_owned();
        for (name, protocol) in [("tcp", "TCP"), ("udp", "UDP")] {
            let mut port = ServicePort::new(53);
            port.name = name.to_owned();
            port.protocol = protocol.into();
            web.spec.ports.push(port);
        }
        let annotation = annotation.map(|text| ("ipvs-netlink/drain".to_owned(), text.to_owned()));
        web.metadata.annotations.extend(annotation);
        let changes = Converter::new(&Options::new("node-a")).apply(Event::Service(web));
        let mut wishing = Wishing::new(usual);
        wishing.change(&changes);
        let destination = "10.244.1.2:53".parse().unwrap();
        let mut all = changes.set.into_iter().map(|(service, facts)| {
            let wish = wishing.leaving(Wish::new(service), Some(&facts.service));
            let policy = wish.drain_policy().filter(|_| !wish.leaves_at_once(destination));
            policy.map(|policy| policy.deadline.map(|it| it.as_secs()))
        });
        let both = [all.next().unwrap(), all.next().unwrap()];
        assert_eq!(all.next(), None);
        both
    }

    #[test]
    fn an_annotation_says_how_endpoints_of_tcp_leave() {
        for (usual, annotation, tcp) in [
            (USUAL, None, Some(Some(30))),
            (USUAL, Some("90s"), Some(Some(90))),
            (USUAL, Some("forever"), Some(None)),
            (USUAL, Some("at-once"), None),
            (Drain::AtOnce, None, None),
            (Drain::AtOnce, Some("5m"), Some(Some(300))),
            (Drain::Forever, None, Some(None)),
        ] {
            assert_eq!(deadlines(usual, annotation), [tcp, None], "{usual:?} {annotation:?}");
        }
    }

    #[test]
    fn an_annotation_that_comes_or_goes_changes_the_service() {
        let mut converter = Converter::new(&Options::new("node-a"));
        let mut wishing = Wishing::new(USUAL);
        let mut web = Service::new("shop", "web");
        web.spec.ports.push(ServicePort::new(80));
        let mut change = |annotation: Option<&str>| {
            let annotation = annotation.map(|it| ("ipvs-netlink/drain".to_owned(), it.to_owned()));
            web.metadata.annotations = annotation.into_iter().collect();
            web.spec.cluster_ip = "10.96.0.10".to_owned();
            let changes = converter.apply(Event::Service(web.clone()));
            wishing.change(&changes).len()
        };
        let seen = [None, Some("5m"), Some("5m"), Some("1m"), Some("wrong"), None].map(&mut change);
        assert_eq!(seen, [0, 1, 0, 1, 1, 0]);
    }
}
