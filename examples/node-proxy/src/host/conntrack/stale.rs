//! Decides which tracked UDP flows are stale, and when to look for them.

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ipvs_netlink::table::TableService;
use ipvs_netlink::{AddressFamily, Forwarding, Protocol, ServiceId};

/// The least time between two looks, because each lists all UDP flows.
const PAUSE: Duration = Duration::from_secs(1);

/// The pause after a failure.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(30);

/// A tracked UDP flow, by what counts here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flow {
    /// Where the client sends to.
    pub(crate) to: SocketAddr,
    /// Where answers come from.
    pub(crate) from: SocketAddr,
}

/// The UDP services whose endpoints changed, and their endpoints.
///
/// A flow to a service is stale if its answers come from none of its endpoints: from an endpoint that is gone,
/// or from the virtual address itself, if the flow began before there was a service. A client that keeps its port
/// would stay with it as long as it goes on sending. From Linux 5.9 on, IPVS itself deletes those of removed
/// endpoints if `expire_nodest_conn` is set.
///
/// A service without endpoints has no stale flows, as with kube-proxy. Nor has one that forwards by direct routing
/// or through a tunnel, where answers come from the virtual address.
///
/// Source: `pkg/proxy/conntrack/cleanup.go:CleanStaleEntries`.
#[derive(Debug)]
pub(crate) struct Stale {
    /// Those that the table may not have as wished yet.
    unsettled: HashMap<ServiceId, BTreeSet<SocketAddr>>,
    /// Those that are looked for at the next look.
    due: HashMap<ServiceId, BTreeSet<SocketAddr>>,
    /// The time before which nothing is looked for.
    not_before: Instant,
}

impl Stale {
    /// Begins without a service.
    pub(crate) fn new(now: Instant) -> Self {
        Self { unsettled: HashMap::new(), due: HashMap::new(), not_before: now }
    }

    /// A service is new or changed, before the controller writes it.
    pub(crate) fn change(&mut self, service: &TableService) {
        let id = service.id();
        if !matches!(id, ServiceId::Address { protocol: Protocol::UDP, .. }) {
            return;
        }
        self.forget(id);
        let destinations = || service.destinations();
        let masquerade =
            destinations().all(|it| it.destination().forwarding == Forwarding::Masquerade);
        let endpoints: BTreeSet<SocketAddr> = destinations().map(|it| it.id().address).collect();
        if masquerade && !endpoints.is_empty() {
            self.unsettled.insert(id, endpoints);
        }
    }

    /// A service is gone.
    pub(crate) fn forget(&mut self, id: ServiceId) {
        self.unsettled.remove(&id);
        self.due.remove(&id);
    }

    /// The table has the service as wished.
    pub(crate) fn settled(&mut self, id: ServiceId) {
        if let Some(endpoints) = self.unsettled.remove(&id) {
            self.due.insert(id, endpoints);
        }
    }

    /// Returns the time from which on to look, if there is a reason to.
    pub(crate) fn next(&self) -> Option<Instant> {
        (!self.due.is_empty()).then_some(self.not_before)
    }

    /// Returns `true` if a flow is stale.
    pub(crate) fn is_stale(&self, flow: Flow) -> bool {
        let endpoints = self.due.get(&ServiceId::udp(flow.to));
        endpoints.is_some_and(|endpoints| !endpoints.contains(&flow.from))
    }

    /// Returns `true` if there is a reason to look at a family.
    pub(crate) fn concerns(&self, family: AddressFamily) -> bool {
        self.due.keys().any(|id| id.family() == family)
    }

    /// The look is over. If it failed, it is repeated.
    pub(crate) fn looked(&mut self, done: bool, now: Instant) {
        if done {
            self.due.clear();
        }
        let pause = if done { PAUSE } else { PAUSE_AFTER_FAILURE };
        self.not_before = now.checked_add(pause).unwrap_or(now);
    }
}

#[cfg(test)]
mod tests {
    use ipvs_netlink::{Destination, Service};

    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn service(id: ServiceId, endpoints: &[Destination]) -> TableService {
        let mut service = TableService::new(Service::new(id));
        service.extend(endpoints.iter().cloned());
        service
    }

    fn dns() -> ServiceId {
        ServiceId::udp(address("10.96.0.10:53"))
    }

    fn endpoint(text: &str) -> Destination {
        Destination::masquerade(address(text))
    }

    fn flow(to: &str, from: &str) -> Flow {
        Flow { to: address(to), from: address(from) }
    }

    #[test]
    fn flows_to_endpoints_that_are_gone_are_stale_when_the_table_has_the_others() {
        let now = Instant::now();
        let mut stale = Stale::new(now);
        stale.change(&service(dns(), &[endpoint("10.244.1.3:53"), endpoint("10.244.1.4:53")]));
        assert_eq!(stale.next(), None);
        stale.settled(dns());
        assert_eq!(stale.next(), Some(now));
        assert!(!stale.is_stale(flow("10.96.0.10:53", "10.244.1.3:53")));
        assert!(stale.is_stale(flow("10.96.0.10:53", "10.244.1.5:53")));
        assert!(stale.is_stale(flow("10.96.0.10:53", "10.244.1.3:5353")), "another port");
        assert!(stale.is_stale(flow("10.96.0.10:53", "10.96.0.10:53")), "from before the service");
        assert!(!stale.is_stale(flow("10.96.0.10:54", "10.244.1.5:53")), "another service");
        stale.looked(true, now);
        assert!(!stale.is_stale(flow("10.96.0.10:53", "10.244.1.5:53")));
        assert_eq!(stale.next(), None);
    }

    #[test]
    fn ipv6_services_are_as_others() {
        let now = Instant::now();
        let id = ServiceId::udp(address("[2001:db8::a]:53"));
        let mut stale = Stale::new(now);
        stale.change(&service(id, &[endpoint("[2001:db8:1::3]:53")]));
        stale.settled(id);
        assert!(stale.is_stale(flow("[2001:db8::a]:53", "[2001:db8:1::4]:53")));
        assert!(!stale.is_stale(flow("[2001:db8::a]:53", "[2001:db8:1::3]:53")));
    }

    #[test]
    fn other_protocols_other_methods_and_services_without_endpoints_have_none() {
        let now = Instant::now();
        let mut stale = Stale::new(now);
        let tcp = ServiceId::tcp(address("10.96.0.10:53"));
        stale.change(&service(tcp, &[endpoint("10.244.1.3:53")]));
        stale.settled(tcp);
        for endpoints in [&[][..], &[Destination::direct_route(address("10.244.1.3:53"))]] {
            stale.change(&service(dns(), endpoints));
            stale.settled(dns());
        }
        assert_eq!(stale.next(), None);
    }

    #[test]
    fn a_service_that_is_gone_or_changed_again_is_not_looked_for() {
        let now = Instant::now();
        let mut stale = Stale::new(now);
        stale.change(&service(dns(), &[endpoint("10.244.1.3:53")]));
        stale.settled(dns());
        stale.change(&service(dns(), &[endpoint("10.244.1.4:53")]));
        assert_eq!(stale.next(), None);
        stale.settled(dns());
        stale.forget(dns());
        assert_eq!(stale.next(), None);
    }

    #[test]
    fn looks_are_a_second_apart_and_repeated_after_a_failure() {
        let now = Instant::now();
        let mut stale = Stale::new(now);
        let change = |stale: &mut Stale| {
            stale.change(&service(dns(), &[endpoint("10.244.1.3:53")]));
            stale.settled(dns());
        };
        change(&mut stale);
        stale.looked(true, now);
        change(&mut stale);
        assert_eq!(stale.next(), Some(now + PAUSE));
        stale.looked(false, now + PAUSE);
        assert_eq!(stale.next(), Some(now + PAUSE + PAUSE_AFTER_FAILURE));
    }
}
