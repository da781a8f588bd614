use std::collections::BTreeSet;
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::model::ServiceId;
use crate::table::{Network, Table, TableService};

/// The services that a plan may change and delete ("our" services).
///
/// There are two kinds of scope:
///
/// - [`Scope::new`] starts with the services of the desired table. The setters add services that a
///   plan may delete. It is **no boundary**: a plan changes every desired service, even if another
///   program added it. Use it if one program writes the whole table and you trust its text.
/// - [`Scope::only`] is a boundary. A desired service outside it is refused as
///   [`PlanError::OutOfScope`](crate::table::PlanError::OutOfScope) before anything is written. Use
///   it if several programs share the kernel's table, or if the author of the desired table may not
///   change all services.
///
/// By default, with `Scope::new()`, a plan deletes no service, only destinations of desired services.
/// With both kinds, [`except`](Self::except) excludes services, whatever the other rules say.
///
/// ```
/// use ipvs_netlink::ServiceId;
/// use ipvs_netlink::table::{Scope, Table};
///
/// // All of 192.0.2.0/24 except a service of another program.
/// let foreign = ServiceId::tcp("192.0.2.99:22".parse()?);
/// let scope = Scope::new().network("192.0.2.0/24".parse()?).except(Scope::new().service(foreign));
/// assert!(scope.contains(ServiceId::tcp("192.0.2.10:80".parse()?), &Table::new()));
/// assert!(!scope.contains(foreign, &Table::new()));
///
/// // Nothing outside 192.0.2.0/24, desired or not.
/// let boundary = Scope::only(Scope::new().network("192.0.2.0/24".parse()?));
/// let outside: Table = "-A -t 198.51.100.1:80".parse()?;
/// assert!(!boundary.contains(ServiceId::tcp("198.51.100.1:80".parse()?), &outside));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct Scope {
    services: BTreeSet<ServiceId>,
    networks: Vec<Network>,
    ports: Vec<RangeInclusive<u16>>,
    marks: Vec<RangeInclusive<u32>>,
    predicates: Vec<Predicate>,
    everything: bool,
    /// Whether desired services are ours only where the rules take them in.
    bounded: bool,
    except: Option<Arc<Self>>,
}

type Predicate = Arc<dyn Fn(ServiceId) -> bool + Send + Sync>;

impl Scope {
    /// Creates a scope with the services of the desired table, whatever they are.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a boundary: only the services that the rules of `scope` include, by
    /// [`service`](Self::service), [`formerly`](Self::formerly), [`network`](Self::network),
    /// [`ports`](Self::ports), [`marks`](Self::marks), [`matching`](Self::matching) or
    /// [`everything`](Self::everything), and that [`except`](Self::except) does not exclude. Rules
    /// that are added later extend the boundary.
    ///
    /// A desired service outside is refused as
    /// [`PlanError::OutOfScope`](crate::table::PlanError::OutOfScope). `Scope::only` of a
    /// scope without rules refuses every desired service.
    ///
    /// A service must satisfy **one** rule: `network(a).ports(p)` includes all ports of `a`, and the
    /// ports `p` of all addresses. To include only the ports `p` of `a`, use
    /// [`matching`](Self::matching).
    pub fn only(scope: Self) -> Self {
        Self { bounded: true, ..scope }
    }

    /// Adds a service, such as one that was desired before.
    pub fn service(mut self, id: ServiceId) -> Self {
        self.services.insert(id);
        self
    }

    /// Adds the services of a table, such as the table that was applied before.
    pub fn formerly(mut self, table: &Table) -> Self {
        self.services.extend(table.services().map(|service| service.id()));
        self
    }

    /// Adds the services at addresses of a network.
    pub fn network(mut self, network: Network) -> Self {
        self.networks.push(network);
        self
    }

    /// Adds the services at these ports.
    pub fn ports(mut self, ports: RangeInclusive<u16>) -> Self {
        self.ports.push(ports);
        self
    }

    /// Adds the services of these firewall marks.
    pub fn marks(mut self, marks: RangeInclusive<u32>) -> Self {
        self.marks.push(marks);
        self
    }

    /// Adds the services for which `predicate` returns `true`.
    pub fn matching(
        mut self,
        predicate: impl Fn(ServiceId) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.predicates.push(Arc::new(predicate));
        self
    }

    /// Adds all services, also those of other programs.
    pub fn everything(mut self) -> Self {
        self.everything = true;
        self
    }

    /// Excludes the services that the rules of `other` include. A plan refuses a desired service
    /// among them.
    pub fn except(mut self, other: Self) -> Self {
        let other = match self.except.take() {
            Some(except) => {
                let first = Arc::unwrap_or_clone(except);
                let (a, b) = (first, other);
                Self::new().matching(move |id| a.names(id) || b.names(id))
            }
            None => other,
        };
        self.except = Some(Arc::new(other));
        self
    }

    /// Returns `true` if the scope contains the service `id` when `desired` is the desired table.
    #[must_use]
    pub fn contains(&self, id: ServiceId, desired: &Table) -> bool {
        (desired.service(id).is_some() || self.includes(id)) && !self.excludes(id)
    }

    /// The ids of all services that are in scope when `desired` is the desired table, in order,
    /// if the scope names each of them. `None` where the scope has another rule, which only the
    /// list of all services can answer. Omits ids that no kernel can have.
    pub(crate) fn named(&self, desired: &Table) -> Option<Vec<ServiceId>> {
        let Self { services, networks, ports, marks, predicates, everything, .. } = self;
        let open = *everything
            || !(networks.is_empty()
                && ports.is_empty()
                && marks.is_empty()
                && predicates.is_empty());
        if open {
            return None;
        }
        let mut ids: Vec<ServiceId> =
            desired.services().map(TableService::id).chain(services.iter().copied()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids.retain(|id| id.check_encodable().is_ok());
        Some(ids)
    }

    /// Returns `true` if no rule includes any service.
    pub(crate) fn names_nothing(&self) -> bool {
        let Self { services, networks, ports, marks, predicates, everything, .. } = self;
        services.is_empty()
            && networks.is_empty()
            && ports.is_empty()
            && marks.is_empty()
            && predicates.is_empty()
            && !everything
    }

    /// Returns `true` if a rule includes the service and no exception excludes it.
    pub(crate) fn names(&self, id: ServiceId) -> bool {
        self.includes(id) && !self.excludes(id)
    }

    /// Returns `true` if the service is out of scope even if it is desired.
    pub(crate) fn excludes(&self, id: ServiceId) -> bool {
        self.except.as_ref().is_some_and(|except| except.names(id))
            || (self.bounded && !self.includes(id))
    }

    fn includes(&self, id: ServiceId) -> bool {
        if self.everything
            || self.services.contains(&id)
            || self.predicates.iter().any(|predicate| predicate(id))
        {
            return true;
        }
        match id {
            ServiceId::Address { address, .. } => {
                self.networks.iter().any(|network| network.contains(address.ip()))
                    || self.ports.iter().any(|ports| ports.contains(&address.port()))
            }
            ServiceId::Fwmark { mark, .. } => self.marks.iter().any(|marks| marks.contains(&mark)),
        }
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            .field("services", &self.services)
            .field("networks", &self.networks)
            .field("ports", &self.ports)
            .field("marks", &self.marks)
            .field("predicates", &self.predicates.len())
            .field("everything", &self.everything)
            .field("bounded", &self.bounded)
            .field("except", &self.except)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AddressFamily, Service};

    fn tcp(text: &str) -> ServiceId {
        ServiceId::tcp(text.parse().unwrap())
    }

    #[test]
    fn a_scope_of_names_tells_all_services() {
        let desired: Table =
            [TableService::new(Service::new(tcp("10.0.0.2:80")))].into_iter().collect();
        let named = Scope::new().service(tcp("10.0.0.1:80")).formerly(&desired);
        let ids = [tcp("10.0.0.1:80"), tcp("10.0.0.2:80")];
        assert_eq!(named.named(&desired).unwrap(), ids);
        let open = [
            Scope::new().everything(),
            Scope::new().ports(1..=2),
            Scope::new().marks(1..=2),
            Scope::new().network("10.0.0.0/8".parse().unwrap()),
            Scope::new().matching(|_| false),
        ];
        assert!(open.iter().all(|scope| scope.named(&desired).is_none()));
        // What is taken out of a scope of names adds nothing to it.
        let except = named.except(Scope::new().everything());
        assert_eq!(except.named(&desired).unwrap(), ids);
    }

    #[test]
    fn only_desired_services_are_ours_unless_more_is_said() {
        let desired: Table =
            [TableService::new(Service::new(tcp("10.0.0.1:80")))].into_iter().collect();
        let scope = Scope::new();
        assert!(scope.contains(tcp("10.0.0.1:80"), &desired));
        assert!(!scope.contains(tcp("10.0.0.1:81"), &desired));
        assert!(scope.formerly(&desired).contains(tcp("10.0.0.1:80"), &Table::new()));
    }

    #[test]
    fn each_rule_takes_its_kind_in() {
        let none = Table::new();
        let mark = |mark| ServiceId::fwmark(mark, AddressFamily::Ipv4);
        let scope =
            Scope::new().network("10.1.0.0/16".parse().unwrap()).ports(80..=90).marks(5..=6);
        assert!(scope.contains(tcp("10.1.2.3:1"), &none));
        assert!(scope.contains(tcp("10.2.0.1:85"), &none));
        assert!(!scope.contains(tcp("10.2.0.1:91"), &none));
        assert!(scope.contains(mark(6), &none) && !scope.contains(mark(7), &none));
        let odd = Scope::new().matching(move |id| id == mark(9));
        assert!(odd.contains(mark(9), &none) && !odd.contains(mark(8), &none));
    }

    #[test]
    fn a_boundary_takes_no_desired_service_in_by_itself() {
        let (inside, outside) = (tcp("10.1.0.1:80"), tcp("10.2.0.1:80"));
        let desired: Table =
            [inside, outside].map(|id| TableService::new(Service::new(id))).into_iter().collect();
        let network = Scope::new().network("10.1.0.0/16".parse().unwrap());
        assert!(network.contains(outside, &desired), "no boundary");
        let scope = Scope::only(network);
        assert!(scope.contains(inside, &desired) && scope.contains(inside, &Table::new()));
        assert!(!scope.contains(outside, &desired) && scope.excludes(outside));
        assert!(Scope::only(Scope::new()).excludes(inside));
        assert!(!Scope::only(Scope::new().everything()).excludes(outside));
        let but = scope.except(Scope::new().service(inside));
        assert!(but.excludes(inside));
        // As an exception it takes out what it would take in.
        let all = Scope::new().everything().except(Scope::only(Scope::new().service(inside)));
        assert!(all.excludes(inside) && !all.excludes(outside));
    }

    #[test]
    fn exceptions_have_the_last_word() {
        let (a, b) = (tcp("10.0.0.1:80"), tcp("10.0.0.2:80"));
        let desired: Table = [TableService::new(Service::new(a))].into_iter().collect();
        let scope = Scope::new()
            .everything()
            .except(Scope::new().service(a))
            .except(Scope::new().service(b));
        assert!(!scope.contains(a, &desired) && !scope.contains(b, &desired));
        assert!(scope.contains(tcp("10.0.0.3:80"), &desired));
    }
}
