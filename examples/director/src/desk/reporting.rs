//! The state of everything, for `director status`.

use ipvs_netlink::health::{MaintenanceKind, Verdict};
use ipvs_netlink::{DestinationEntry, ServiceId, Snapshot};

use crate::desk::Desk;
use crate::desk::observed::{Observed, ObservedDestination};
use crate::event::one_line;
use crate::moment::Moment;
use crate::state::{Place, SavedMaintenance};
use crate::status::{
    Connections, DestinationState, DestinationStatus, MaintenanceStatus, ServiceStatus, Status,
};

impl Desk {
    /// Returns the state of all services. `snapshot` is the kernel's table, if it could be
    /// read. `announced` returns the state of the commands of a service.
    #[must_use]
    pub fn status(
        &self,
        snapshot: Option<&Snapshot>,
        announced: impl Fn(ServiceId) -> String,
        now: Moment,
    ) -> Status {
        let services = self.observed.iter();
        Status {
            taken: now.wall,
            since: self.since,
            loaded: self.loaded,
            troubles: self.troubles.values().map(|text| one_line(text)).collect(),
            is_table_read: snapshot.is_some(),
            services: services
                .map(|(id, observed)| {
                    let mut status = self.service_status(*id, observed, snapshot);
                    status.announcement = announced(*id);
                    status
                })
                .collect(),
        }
    }

    fn service_status(
        &self,
        id: ServiceId,
        observed: &Observed,
        snapshot: Option<&Snapshot>,
    ) -> ServiceStatus {
        let held = snapshot.and_then(|snapshot| snapshot.service(id));
        let configured = self.configuration.services.get(&id);
        let scheduler = match (configured, held) {
            (Some(configured), _) => configured.table.service().scheduler.to_string(),
            (None, Some(held)) => held.entry.service.scheduler.to_string(),
            (None, None) => String::new(),
        };
        let mut destinations = Vec::new();
        for desired in configured.iter().flat_map(|it| it.table.destinations()) {
            let place = (id, desired.id());
            let ordered = self.saved.weights.get(&place).copied();
            let entry = held.and_then(|held| held.destination(desired.id()));
            let known = observed.destinations.get(&desired.id());
            let (state, reason) = self.destination_state(place, known);
            destinations.push(DestinationStatus {
                id: desired.id(),
                state,
                since: known.and_then(|known| known.since),
                reason,
                maintenance: self.maintenance_status(place),
                weight: ordered.unwrap_or(desired.destination().weight),
                is_weight_ordered: ordered.is_some(),
                in_table: entry.map(|entry| entry.destination.weight),
                connections: entry.map(connections),
            });
        }
        // What leaves, and the sorry server.
        for entry in held.iter().flat_map(|held| &held.destinations) {
            let destination = entry.destination.id;
            if configured.is_some_and(|it| it.table.destination(destination).is_some()) {
                continue;
            }
            let sorry = configured.and_then(|it| it.policy.sorry.as_ref());
            let is_sorry = sorry.is_some_and(|sorry| sorry.id == destination);
            let (state, reason) = match is_sorry {
                true => (DestinationState::Up, "it is the sorry server".to_owned()),
                false => (DestinationState::Leaving, "it is not in the file".to_owned()),
            };
            destinations.push(DestinationStatus {
                id: destination,
                state,
                since: None,
                reason,
                maintenance: None,
                weight: 0,
                is_weight_ordered: false,
                in_table: Some(entry.destination.weight),
                connections: Some(connections(entry)),
            });
        }
        destinations.sort_by_key(|destination| destination.id);
        ServiceStatus {
            id,
            scheduler,
            is_available: observed.is_available == Some(true),
            is_serving: observed.is_serving == Some(true),
            has_sorry_server: observed.has_sorry_server,
            reason: observed.reason().to_owned(),
            announcement: String::new(),
            destinations,
        }
    }

    fn maintenance_status(&self, place: Place) -> Option<MaintenanceStatus> {
        let SavedMaintenance { kind, by, until } = self.saved.maintenances.get(&place)?.clone();
        Some(MaintenanceStatus { kind, by, until })
    }

    fn destination_state(
        &self,
        place: Place,
        known: Option<&ObservedDestination>,
    ) -> (DestinationState, String) {
        let checks = match known {
            None => String::new(),
            Some(known) => match known.verdict {
                Verdict::Unknown => "no check has decided yet".to_owned(),
                Verdict::Up => String::new(),
                Verdict::Down => one_line(&known.reason),
            },
        };
        if let Some(saved) = self.saved.maintenances.get(&place) {
            let state = match saved.kind {
                MaintenanceKind::Drain => DestinationState::Drained,
                _ => DestinationState::Out,
            };
            return (state, checks);
        }
        let state = match known {
            Some(known) if known.is_kept => DestinationState::Kept,
            Some(known) => match known.verdict {
                Verdict::Unknown => DestinationState::Unknown,
                Verdict::Up => DestinationState::Up,
                Verdict::Down => DestinationState::Down,
            },
            None => DestinationState::Unknown,
        };
        (state, checks)
    }
}

fn connections(entry: &DestinationEntry) -> Connections {
    let ipvs_netlink::Connections { active, inactive, .. } = entry.connections;
    Connections { active, inactive }
}
