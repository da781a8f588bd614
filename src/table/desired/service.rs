use std::mem;

use crate::model::{
    Connections, DestinationEntry, DestinationId, Persistence, Service, ServiceEntry, ServiceId,
    ServiceSnapshot, Stats,
};
use crate::table::{Labels, TableDestination, iter};

/// A service of a [`Table`](crate::table::Table) with its destinations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableService {
    service: Service,
    /// In the order of their ids, each id once.
    destinations: Vec<TableDestination>,
    labels: Labels,
}

impl TableService {
    /// Creates a service without destinations.
    #[must_use]
    pub fn new(service: Service) -> Self {
        Self { service: service.canonical(), destinations: Vec::new(), labels: Labels::new() }
    }

    /// Adds a destination and returns the service. Replaces the destination of the same id.
    ///
    /// A [`Destination`](crate::Destination) has a fixed weight, 1 by default. If another program sets the weight,
    /// such as a health check, pass a [`TableDestination::of_any_weight`].
    #[must_use]
    pub fn with(mut self, destination: impl Into<TableDestination>) -> Self {
        self.insert(destination);
        self
    }

    /// Sets the labels and returns the service. They replace the former ones.
    #[must_use]
    pub fn labelled(mut self, labels: Labels) -> Self {
        self.labels = labels;
        self
    }

    /// Returns the labels for metrics.
    #[must_use]
    pub const fn labels(&self) -> &Labels {
        &self.labels
    }

    /// Returns the labels for metrics, to change them.
    pub const fn labels_mut(&mut self) -> &mut Labels {
        &mut self.labels
    }

    /// Returns the id of the service.
    #[must_use]
    pub const fn id(&self) -> ServiceId {
        self.service.id
    }

    /// Returns the settings of the service.
    #[must_use]
    pub const fn service(&self) -> &Service {
        &self.service
    }

    /// Changes the settings of the service. The id stays as it is, even if `edit` sets another.
    pub fn update(&mut self, edit: impl FnOnce(&mut Service)) {
        let id = self.service.id;
        edit(&mut self.service);
        self.service.id = id;
        self.service.persistence = self.service.persistence.map(Persistence::canonical);
    }

    /// Adds a destination. Replaces and returns the destination of the same id, if the service
    /// has one.
    ///
    /// Costs least in the order of the ids: otherwise all destinations of higher ids move. Add ten
    /// thousands in another order by [`extend`](Extend::extend), which sorts once.
    pub fn insert(&mut self, destination: impl Into<TableDestination>) -> Option<TableDestination> {
        let destination = destination.into();
        let id = destination.id();
        // Mostly destinations come in order.
        if self.destinations.last().is_none_or(|last| last.id() < id) {
            self.destinations.push(destination);
            return None;
        }
        match self.place_of(id) {
            Ok(at) => self.destinations.get_mut(at).map(|known| mem::replace(known, destination)),
            Err(at) => {
                self.destinations.insert(at, destination);
                None
            }
        }
    }

    /// Removes a destination and returns it.
    pub fn remove(&mut self, id: DestinationId) -> Option<TableDestination> {
        self.place_of(id).ok().map(|at| self.destinations.remove(at))
    }

    /// Keeps only the destinations for which `keep` returns `true`.
    pub fn retain(&mut self, mut keep: impl FnMut(&TableDestination) -> bool) {
        self.destinations.retain(|destination| keep(destination));
    }

    /// Returns the destination with this id, or `None` if the service has none.
    #[must_use]
    pub fn destination(&self, id: DestinationId) -> Option<&TableDestination> {
        self.destinations.get(self.place_of(id).ok()?)
    }

    /// Returns the destinations in the order of their ids.
    pub fn destinations(&self) -> iter::Destinations<'_> {
        iter::Destinations(self.destinations.iter())
    }

    fn place_of(&self, id: DestinationId) -> Result<usize, usize> {
        self.destinations.binary_search_by_key(&id, TableDestination::id)
    }
}

impl<D: Into<TableDestination>> Extend<D> for TableService {
    /// Adds destinations. Of those with the same id the last one stays.
    fn extend<I: IntoIterator<Item = D>>(&mut self, destinations: I) {
        self.destinations.extend(destinations.into_iter().map(Into::into));
        if !self.destinations.is_sorted_by(|a, b| a.id() < b.id()) {
            self.destinations.reverse();
            self.destinations.sort_by_key(TableDestination::id);
            self.destinations.dedup_by_key(|destination| destination.id());
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
        let mut service = Self {
            service: snapshot.entry.service.clone(),
            destinations: Vec::new(),
            labels: Labels::new(),
        };
        service.extend(snapshot.destinations.iter());
        service
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
