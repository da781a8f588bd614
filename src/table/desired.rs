use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::model::{
    Connections, Destination, DestinationEntry, DestinationId, Persistence, Service, ServiceEntry,
    ServiceId, ServiceSnapshot, Snapshot, Stats,
};
use crate::table::iter;

/// Services with their destinations, each by what names it: the table that is wanted,
/// or the one that is there.
///
/// It is put together in code, taken from a [`Snapshot`], or read from text. Nothing is
/// in it twice, and it is in the order of [`ServiceId`]. Settings are in their canonical
/// form ([`Service::canonical`]).
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
}

impl Table {
    /// A table without services.
    #[must_use]
    pub const fn new() -> Self {
        Self { services: BTreeMap::new() }
    }

    /// How many services there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.services.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.services.is_empty()
    }

    /// Puts a service with its destinations into the table. Returns the one of the same
    /// identity that was there.
    pub fn insert(&mut self, service: TableService) -> Option<TableService> {
        self.services.insert(service.id(), service)
    }

    /// Takes a service with its destinations out of the table.
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
            false => Cow::Owned(self.services().cloned().collect()),
        }
    }

    /// The services in their order.
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
    /// Of services with the same identity the last one stays.
    fn from_iter<I: IntoIterator<Item = TableService>>(services: I) -> Self {
        let mut table = Self::new();
        table.extend(services);
        table
    }
}

impl From<&Snapshot> for Table {
    /// The settings of what is there, with all weights.
    fn from(snapshot: &Snapshot) -> Self {
        snapshot.services().map(TableService::from).collect()
    }
}

impl From<&Table> for Snapshot {
    /// The table as if it were there, without connections and with counters of 0: to try
    /// plans without a kernel.
    fn from(table: &Table) -> Self {
        table.services().map(ServiceSnapshot::from).collect()
    }
}

impl From<&TableService> for ServiceSnapshot {
    fn from(service: &TableService) -> Self {
        let destinations = service.destinations().map(|destination| {
            let destination = destination.destination().clone();
            DestinationEntry::new(destination, Connections::default(), Stats::default())
        });
        let entry = ServiceEntry::new(service.service().clone(), Stats::default());
        Self::new(entry, destinations.collect())
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

/// A service of a [`Table`] with its destinations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableService {
    service: Service,
    destinations: BTreeMap<DestinationId, TableDestination>,
}

impl TableService {
    /// A service without destinations.
    #[must_use]
    pub fn new(service: Service) -> Self {
        Self { service: service.canonical(), destinations: BTreeMap::new() }
    }

    /// Adds a destination, in place of one of the same identity.
    ///
    /// A [`Destination`] asks for the weight that it has, 1 where none was set. One whose
    /// weight somebody else sees to, such as a health check, is a
    /// [`TableDestination::of_any_weight`].
    #[must_use]
    pub fn with(mut self, destination: impl Into<TableDestination>) -> Self {
        self.insert(destination);
        self
    }

    /// What names the service.
    #[must_use]
    pub const fn id(&self) -> ServiceId {
        self.service.id
    }

    /// The service's settings.
    #[must_use]
    pub const fn service(&self) -> &Service {
        &self.service
    }

    /// Changes the service's settings. Its identity stays: another one is another service.
    pub fn update(&mut self, edit: impl FnOnce(&mut Service)) {
        let id = self.service.id;
        edit(&mut self.service);
        self.service.id = id;
        self.service.persistence = self.service.persistence.map(Persistence::canonical);
    }

    /// Puts a destination into the service. Returns the one of the same identity that
    /// was there.
    pub fn insert(&mut self, destination: impl Into<TableDestination>) -> Option<TableDestination> {
        let destination = destination.into();
        self.destinations.insert(destination.id(), destination)
    }

    /// Takes a destination out of the service.
    pub fn remove(&mut self, id: DestinationId) -> Option<TableDestination> {
        self.destinations.remove(&id)
    }

    /// Keeps only the destinations for which `keep` returns `true`.
    pub fn retain(&mut self, mut keep: impl FnMut(&TableDestination) -> bool) {
        self.destinations.retain(|_, destination| keep(destination));
    }

    /// The destination named `id`.
    #[must_use]
    pub fn destination(&self, id: DestinationId) -> Option<&TableDestination> {
        self.destinations.get(&id)
    }

    /// The destinations in their order.
    pub fn destinations(&self) -> iter::Destinations<'_> {
        iter::Destinations(self.destinations.values())
    }
}

impl<D: Into<TableDestination>> Extend<D> for TableService {
    fn extend<I: IntoIterator<Item = D>>(&mut self, destinations: I) {
        for destination in destinations {
            self.insert(destination);
        }
    }
}

impl From<Service> for TableService {
    fn from(service: Service) -> Self {
        Self::new(service)
    }
}

impl From<&ServiceSnapshot> for TableService {
    fn from(snapshot: &ServiceSnapshot) -> Self {
        let destinations = snapshot.destinations.iter().map(TableDestination::from);
        Self {
            service: snapshot.entry.service.clone(),
            destinations: destinations.map(|destination| (destination.id(), destination)).collect(),
        }
    }
}

/// A destination of a [`TableService`], whose weight may be left open.
///
/// ```
/// use ipvs_netlink::Destination;
/// use ipvs_netlink::table::TableDestination;
///
/// let server = Destination::masquerade("10.0.0.2:8080".parse()?);
/// assert_eq!(TableDestination::from(server.clone().weight(0)).weight(), Some(0));
/// let open = TableDestination::of_any_weight(server).initially(3);
/// assert_eq!(open.weight(), None);
/// assert_eq!(open.destination().weight, 3); // what it is added with
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableDestination {
    destination: Destination,
    weighted: bool,
}

impl TableDestination {
    /// A destination whose weight somebody else sees to, such as a health check.
    ///
    /// It is added with the weight that `destination` has, 1 where none was set; see
    /// [`initially`](Self::initially). Whether it keeps another weight that it has in the
    /// kernel is a choice of planning,
    /// [`PlanOptions::keep_weights`](crate::table::PlanOptions::keep_weights).
    #[must_use]
    pub const fn of_any_weight(destination: Destination) -> Self {
        Self { destination, weighted: false }
    }

    /// Sets the weight for the beginning, 0 to 2147483647: the one with which a destination
    /// [of any weight](Self::of_any_weight) is added, and which it gets where weights are not
    /// kept. 0 adds it out of rotation. A destination with a weight of its own keeps that
    /// weight as the only one: for it this sets the weight.
    #[must_use]
    pub fn initially(mut self, weight: u32) -> Self {
        self.destination.weight = weight;
        self
    }

    /// What names the destination.
    #[must_use]
    pub const fn id(&self) -> DestinationId {
        self.destination.id
    }

    /// The destination's settings, with the weight for the beginning where no other is
    /// given.
    #[must_use]
    pub const fn destination(&self) -> &Destination {
        &self.destination
    }

    /// The weight, if one is given. 0 is a weight: it takes the destination out of
    /// rotation.
    #[must_use]
    pub const fn weight(&self) -> Option<u32> {
        if self.weighted { Some(self.destination.weight) } else { None }
    }
}

impl From<Destination> for TableDestination {
    /// A destination of the weight that it has.
    fn from(destination: Destination) -> Self {
        Self { destination, weighted: true }
    }
}

impl From<&DestinationEntry> for TableDestination {
    fn from(entry: &DestinationEntry) -> Self {
        Self::from(entry.destination.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

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
    fn settings_are_kept_as_they_are_read_back() {
        let mut whole = Persistence::new(Duration::from_secs(60));
        whole.netmask = Some(crate::model::Netmask::Ipv6Prefix(128));
        let service = Service::tcp("[2001:db8::1]:80".parse().unwrap()).persistence(whole);
        assert_eq!(TableService::new(service.clone()).service(), &service.canonical());
    }
}
