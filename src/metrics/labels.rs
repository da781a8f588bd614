use std::collections::HashMap;

use crate::model::ServiceId;
use crate::table::{Labels, Table};

/// Labels of the user's own by service, such as a name and a team.
///
/// ```
/// use ipvs_netlink::Service;
/// use ipvs_netlink::metrics::ServiceLabels;
/// use ipvs_netlink::table::{Labels, Table, TableService};
///
/// let mut labels = Labels::new();
/// labels.insert("team", "checkout")?;
/// let web = TableService::new(Service::tcp("192.0.2.10:80".parse()?)).labelled(labels);
/// let id = web.id();
/// let labels = ServiceLabels::of(&Table::from_iter([web]));
/// assert_eq!(labels.of_service(id).and_then(|labels| labels.get("team")), Some("checkout"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceLabels(HashMap<ServiceId, Labels>);

impl ServiceLabels {
    /// Creates an empty collection.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the labels of all services of a table.
    #[must_use]
    pub fn of(table: &Table) -> Self {
        let mut all = Self::new();
        for service in table.services() {
            all.insert(service.id(), service.labels().clone());
        }
        all
    }

    /// Sets the labels of a service. They replace the former ones.
    pub fn insert(&mut self, service: ServiceId, labels: Labels) {
        match labels.is_empty() {
            true => self.0.remove(&service),
            false => self.0.insert(service, labels),
        };
    }

    /// Returns the labels of a service, or `None` if it has none.
    #[must_use]
    pub fn of_service(&self, service: ServiceId) -> Option<&Labels> {
        self.0.get(&service)
    }

    /// Returns the number of services with labels.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns `true` if no service has labels.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
