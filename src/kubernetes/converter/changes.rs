use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::kubernetes::{ObjectName, ServiceFacts, Skipped, VirtualService};
use crate::model::ServiceId;
use crate::table::TableService;

/// What events changed of a conversion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Changes {
    /// The virtual services that are new or changed, in the order of their ids. Each is a wish for
    /// [`Controller::wish`](crate::table::controller::Controller::wish). Only the facts may have
    /// changed.
    pub set: Vec<(TableService, VirtualService)>,
    /// The virtual services that are gone, in order. For
    /// [`Controller::forget`](crate::table::controller::Controller::forget).
    pub removed: Vec<ServiceId>,
    /// The addresses that the dummy interface needs now, in order. Add them after the table has
    /// the services of [`set`](Self::set).
    pub addresses_added: Vec<IpAddr>,
    /// The addresses that the dummy interface needs no more, in order. Remove them before the
    /// services of [`removed`](Self::removed) leave the table.
    pub addresses_removed: Vec<IpAddr>,
    /// The Kubernetes services whose facts changed. `None` means that there are none any more.
    pub services: BTreeMap<ObjectName, Option<ServiceFacts>>,
    /// What is left out now and was not before.
    pub skipped_added: Vec<Skipped>,
    /// What was left out before and is not now.
    pub skipped_removed: Vec<Skipped>,
}

impl Changes {
    /// Returns `true` if nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
