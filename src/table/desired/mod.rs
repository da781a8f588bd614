//! What a program wants: tables, their services, and the destinations of those.

mod destination;
mod service;

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::model::{Service, ServiceId, ServiceSnapshot, Settings, Snapshot, Timeouts};
use crate::table::iter;

pub use destination::TableDestination;
pub use service::TableService;

/// A set of services with their destinations: a desired table, or a copy of the kernel's.
///
/// Build a table in code, make it from a [`Snapshot`], or read it from text. Each id occurs
/// once, and services are in the order of their [`ServiceId`]. Settings are stored in their
/// canonical form ([`Service::canonical`]).
///
/// ```
/// use ipvs_netlink::table::{Table, TableService};
/// use ipvs_netlink::{Destination, Service};
///
/// let mut table = Table::new();
/// table.insert(
///     TableService::new(Service::tcp("192.0.2.10:80".parse()?))
///         .with(Destination::masquerade("10.0.0.2:8080".parse()?).weight(3))
///         .with(Destination::masquerade("10.0.0.3:8080".parse()?)),
/// );
/// assert_eq!(table.len(), 1);
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    services: BTreeMap<ServiceId, TableService>,
    timeouts: Timeouts,
    settings: Settings,
}

impl Table {
    /// Creates a table without services.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            services: BTreeMap::new(),
            timeouts: Timeouts { tcp: None, tcp_fin: None, udp: None },
            settings: Settings::new(),
        }
    }

    /// Returns the number of services.
    #[must_use]
    pub fn len(&self) -> usize {
        self.services.len()
    }

    /// Returns `true` if the table has no services.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.services.is_empty()
    }

    /// Returns the timeouts that the table declares. `None` leaves the kernel's as it is.
    #[must_use]
    pub const fn timeouts(&self) -> Timeouts {
        self.timeouts
    }

    /// Declares timeouts of the network namespace, in place of those before.
    ///
    /// [`Plan::new`](crate::table::Plan::new), `apply` and `reconcile` do not know them:
    /// [`settings_plan`](Self::settings_plan) compares them, and the program decides whether they are
    /// written.
    pub const fn set_timeouts(&mut self, timeouts: Timeouts) {
        self.timeouts = timeouts;
    }

    /// Returns the settings `net.ipv4.vs.*` that the table declares. Others stay as they are.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Declares settings of the network namespace, in place of those before. See
    /// [`set_timeouts`](Self::set_timeouts).
    pub fn set_settings(&mut self, settings: Settings) {
        self.settings = settings;
    }

    /// Returns `true` if the table declares timeouts or settings.
    #[must_use]
    pub fn declares_settings(&self) -> bool {
        self.timeouts != Timeouts::default() || !self.settings.is_empty()
    }

    /// Adds a service with its destinations. Replaces and returns the service of the same id, if
    /// the table has one.
    pub fn insert(&mut self, service: TableService) -> Option<TableService> {
        self.services.insert(service.id(), service)
    }

    /// Removes a service with its destinations and returns it.
    pub fn remove(&mut self, id: ServiceId) -> Option<TableService> {
        self.services.remove(&id)
    }

    /// Returns the service with this id, or `None` if the table has none.
    #[must_use]
    pub fn get(&self, id: ServiceId) -> Option<&TableService> {
        self.services.get(&id)
    }

    /// Returns the service with this id, as [`get`](Self::get) does.
    #[must_use]
    pub fn service(&self, id: ServiceId) -> Option<&TableService> {
        self.get(id)
    }

    /// Changes the service with this id in place. Returns what `edit` returns, or `None` if the
    /// table has no such service.
    ///
    /// If `edit` puts another service in its place, that service is stored under its own id.
    ///
    /// ```
    /// use ipvs_netlink::table::Table;
    /// use ipvs_netlink::{Destination, Service};
    ///
    /// let web = Service::tcp("192.0.2.10:80".parse()?);
    /// let mut table: Table = [web.clone()].into_iter().collect();
    /// let server = Destination::masquerade("10.0.0.2:8080".parse()?);
    /// table.edit(web.id, |service| service.insert(server));
    /// assert_eq!(table.get(web.id).map(|service| service.destinations().len()), Some(1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn edit<R>(
        &mut self,
        id: ServiceId,
        edit: impl FnOnce(&mut TableService) -> R,
    ) -> Option<R> {
        let mut service = self.services.remove(&id)?;
        let result = edit(&mut service);
        self.insert(service);
        Some(result)
    }

    /// Keeps only the services for which `keep` returns `true`.
    pub fn retain(&mut self, mut keep: impl FnMut(&TableService) -> bool) {
        self.services.retain(|_, service| keep(service));
    }

    /// Returns every destination of the table together with its service, in their order.
    pub fn destinations(&self) -> impl Iterator<Item = (&TableService, &TableDestination)> {
        self.services()
            .flat_map(|service| service.destinations().map(move |server| (service, server)))
    }

    /// Returns the service with this id, to change it.
    #[deprecated(note = "use `edit`: another service put in this place has a wrong key")]
    pub fn service_mut(&mut self, id: ServiceId) -> Option<&mut TableService> {
        self.services.get_mut(&id)
    }

    /// Rebuilds the map if a caller of `service_mut` replaced a service, so that its key is now
    /// wrong.
    pub(crate) fn by_name(&self) -> Cow<'_, Self> {
        match self.services.iter().all(|(id, service)| *id == service.id()) {
            true => Cow::Borrowed(self),
            false => Cow::Owned(Self {
                timeouts: self.timeouts,
                settings: self.settings.clone(),
                ..self.services().cloned().collect()
            }),
        }
    }

    /// Returns the services in the order of their ids.
    pub fn services(&self) -> iter::Services<'_> {
        iter::Services(self.services.values())
    }
}

impl Extend<TableService> for Table {
    fn extend<I: IntoIterator<Item = TableService>>(&mut self, services: I) {
        self.services.extend(services.into_iter().map(|service| (service.id(), service)));
    }
}

impl Extend<Service> for Table {
    /// Adds services without destinations.
    fn extend<I: IntoIterator<Item = Service>>(&mut self, services: I) {
        self.extend(services.into_iter().map(TableService::new));
    }
}

impl FromIterator<Service> for Table {
    /// Makes a table of services without destinations. If two services have the same id, the
    /// last one stays.
    fn from_iter<I: IntoIterator<Item = Service>>(services: I) -> Self {
        services.into_iter().map(TableService::new).collect()
    }
}

impl FromIterator<TableService> for Table {
    /// If two services have the same id, the last one stays.
    fn from_iter<I: IntoIterator<Item = TableService>>(services: I) -> Self {
        // Collecting fills the nodes of the map. Inserting in order would leave half of each empty.
        let services = services.into_iter().map(|service| (service.id(), service));
        Self { services: services.collect(), ..Self::new() }
    }
}

impl From<&Snapshot> for Table {
    /// Copies the settings of a snapshot, with every weight.
    fn from(snapshot: &Snapshot) -> Self {
        snapshot.services().map(TableService::from).collect()
    }
}

impl From<&Table> for Snapshot {
    /// Makes a snapshot of this table with no connections and with counters of 0, to try plans
    /// without a kernel.
    fn from(table: &Table) -> Self {
        table.services().map(ServiceSnapshot::from).collect()
    }
}

impl<'t> IntoIterator for &'t Table {
    type Item = &'t TableService;
    type IntoIter = iter::Services<'t>;

    fn into_iter(self) -> Self::IntoIter {
        self.services()
    }
}

impl IntoIterator for Table {
    type Item = TableService;
    type IntoIter = iter::IntoServices;

    fn into_iter(self) -> Self::IntoIter {
        iter::IntoServices(self.services.into_values())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{Destination, Persistence};

    #[test]
    fn nothing_is_in_a_table_twice() {
        let id = "192.0.2.10:80".parse().unwrap();
        let server = Destination::masquerade("10.0.0.2:8080".parse().unwrap());
        let service =
            TableService::new(Service::tcp(id)).with(server.clone()).with(server.clone().weight(5));
        assert_eq!(service.destinations().len(), 1);
        assert_eq!(service.destination(server.id).unwrap().weight(), Some(5));
        let table: Table = [service, TableService::new(Service::tcp(id))].into_iter().collect();
        assert_eq!(table.len(), 1);
        assert_eq!(table.services().next().unwrap().destinations().len(), 0);
    }

    #[test]
    fn an_edit_keeps_each_service_under_its_own_id() {
        let service = |port| Service::tcp(([192, 0, 2, 10], port).into());
        let mut table: Table = [service(80), service(81)].into_iter().collect();
        assert_eq!(table.edit(service(82).id, |_| ()), None);
        table.edit(service(80).id, |there| *there = TableService::new(service(82)));
        let ids: Vec<ServiceId> = table.services().map(TableService::id).collect();
        assert_eq!(ids, [service(81).id, service(82).id]);
        assert!(table.get(service(82).id).is_some());
    }

    #[test]
    fn destinations_come_with_their_services_and_may_be_taken_out() {
        let server = |host| Destination::masquerade(([10, 0, 0, host], 8080).into());
        let service = |port| Service::tcp(([192, 0, 2, 10], port).into());
        let mut table: Table = [
            TableService::new(service(80)).with(server(1)).with(server(2)),
            TableService::new(service(81)).with(server(3)),
        ]
        .into_iter()
        .collect();
        let all: Vec<_> = table.destinations().map(|(of, to)| (of.id(), to.id())).collect();
        let expected = [(80, 1), (80, 2), (81, 3)];
        assert_eq!(all, expected.map(|(port, host)| (service(port).id, server(host).id)));
        table.edit(service(80).id, |there| there.retain(|to| to.id() != server(1).id));
        table.retain(|there| there.id() != service(81).id);
        let all: Vec<_> = table.destinations().map(|(_, to)| to.id()).collect();
        assert_eq!(all, [server(2).id]);
    }

    #[test]
    fn destinations_are_in_order_however_they_come_and_the_last_of_an_id_stays() {
        let service = || TableService::new(Service::tcp("192.0.2.10:80".parse().unwrap()));
        let server = |(host, weight)| {
            Destination::masquerade(([10, 0, 0, host], 8080).into()).weight(weight)
        };
        let there = |service: &TableService| -> Vec<(String, Option<u32>)> {
            service.destinations().map(|it| (it.id().to_string(), it.weight())).collect()
        };
        let added = [(3, 1), (1, 1), (4, 1), (1, 2), (2, 1), (3, 5), (1, 3)].map(server);
        let one_by_one = added.iter().cloned().fold(service(), TableService::with);
        let expected = [(1, 3), (2, 1), (3, 5), (4, 1)]
            .map(|(host, weight)| (format!("10.0.0.{host}:8080"), Some(weight)));
        assert_eq!(there(&one_by_one), expected);
        let mut together = service().with(server((2, 9)));
        together.extend(added);
        assert_eq!(together, one_by_one);

        let id = server((3, 0)).id;
        assert_eq!(together.insert(server((3, 6))).unwrap().weight(), Some(5));
        assert_eq!(together.remove(id).unwrap().weight(), Some(6));
        assert_eq!((together.remove(id), together.destination(id)), (None, None));
        assert_eq!(together.destinations().len(), 3);
    }

    #[test]
    fn settings_are_kept_as_they_are_read_back() {
        let mut whole = Persistence::new(Duration::from_secs(60));
        whole.netmask = Some(crate::model::Netmask::Ipv6Prefix(128));
        let service = Service::tcp("[2001:db8::1]:80".parse().unwrap()).persistence(whole);
        assert_eq!(TableService::new(service.clone()).service(), &service.canonical());
    }
}
