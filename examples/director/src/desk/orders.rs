//! Carries out orders.

use std::time::Duration;

use ipvs_netlink::health::MaintenanceKind;
use ipvs_netlink::{DestinationId, ServiceId};

use crate::control::protocol::{Answer, Order};
use crate::desk::{Desk, Effect};
use crate::event::{Event, Severity, one_line};
use crate::moment::{self, Moment};
use crate::state::{GREATEST_WEIGHT, SavedMaintenance};

/// The most bytes of who has begun a maintenance.
const LONGEST_BY: usize = 256;

impl Desk {
    /// Carries out an order about destinations. `by` is who is at the other end of the socket.
    ///
    /// The daemon carries out the other orders, because they need the file or the kernel's table.
    pub fn order(&mut self, order: Order, by: &str, now: Moment) -> Answer {
        let done = match order {
            Order::Maintain { service, destination, kind, by, lasts } => {
                self.maintain(service, destination, (kind, &by, lasts), now)
            }
            Order::EndMaintenance { service, destination } => {
                self.end_maintenance(service, destination)
            }
            Order::Weight { service, destination, weight } => {
                self.weigh(service, destination, weight)
            }
            Order::CheckNow(destination) => self.hasten(destination),
            Order::Status { .. } | Order::Events { .. } | Order::Reload => {
                Err(vec!["this order is not for the desk".to_owned()])
            }
        };
        match done {
            Ok(lines) => {
                for line in &lines {
                    let text = format!("{line}, by {by}");
                    self.tell(Event::new(now.wall, Severity::Note, "order", &text));
                }
                Answer::done(lines)
            }
            Err(lines) => Answer::Refused(lines),
        }
    }

    fn maintain(
        &mut self,
        service: Option<ServiceId>,
        destination: DestinationId,
        (kind, by, lasts): (MaintenanceKind, &str, Option<Duration>),
        now: Moment,
    ) -> Result<Vec<String>, Vec<String>> {
        let services = self.services_with(service, destination)?;
        let end = match lasts.map(|lasts| now.after(lasts)) {
            None => None,
            Some(Some(end)) => Some(end),
            Some(None) => {
                return Err(vec!["no clock can show the end of the maintenance".to_owned()]);
            }
        };
        let mut by = one_line(by);
        by.truncate(by.floor_char_boundary(LONGEST_BY));
        let mut lines = Vec::new();
        for service in services {
            let place = (service, destination);
            let until = end.map(|end| end.wall);
            let saved = SavedMaintenance { kind, by: by.clone(), until };
            self.ends.remove(&place);
            self.ends.extend(end.map(|end| (place, end.instant)));
            let maintenance = self.maintenance(place, &saved);
            self.edit().maintenances.insert(place, saved);
            self.effects.push(Effect::Maintain(service, destination, maintenance));
            let until = match until {
                Some(until) => format!(" until {}", moment::text(until)),
                None => String::new(),
            };
            lines.push(format!("{service} -> {destination} is in maintenance ({kind}){until}"));
        }
        Ok(lines)
    }

    fn end_maintenance(
        &mut self,
        service: Option<ServiceId>,
        destination: DestinationId,
    ) -> Result<Vec<String>, Vec<String>> {
        let services = self.services_with(service, destination)?;
        let mut lines = Vec::new();
        for service in services {
            let place = (service, destination);
            if self.edit().maintenances.remove(&place).is_some() {
                self.ends.remove(&place);
                self.effects.push(Effect::EndMaintenance(service, destination));
                lines.push(format!("the maintenance of {service} -> {destination} has ended"));
            }
        }
        if lines.is_empty() {
            return Err(vec![format!("{destination} is not in maintenance")]);
        }
        Ok(lines)
    }

    fn weigh(
        &mut self,
        service: Option<ServiceId>,
        destination: DestinationId,
        weight: Option<u32>,
    ) -> Result<Vec<String>, Vec<String>> {
        let services = self.services_with(service, destination)?;
        if let Some(weight) = weight.filter(|weight| *weight > GREATEST_WEIGHT) {
            let most = format!("the weight is {weight}, and the greatest is {GREATEST_WEIGHT}");
            return Err(vec![most]);
        }
        let mut lines = Vec::new();
        for service in services {
            let place = (service, destination);
            let before = match weight {
                Some(weight) => self.edit().weights.insert(place, weight),
                None => self.edit().weights.remove(&place),
            };
            if before != weight {
                let watched = self.watched(service).map(Box::new);
                self.effects.extend(watched.map(Effect::Watch));
            }
            lines.push(match weight {
                Some(weight) => format!("{service} -> {destination} has weight {weight}"),
                None => format!("{service} -> {destination} has the weight of the file"),
            });
        }
        Ok(lines)
    }

    fn hasten(&mut self, destination: DestinationId) -> Result<Vec<String>, Vec<String>> {
        self.services_with(None, destination)?;
        self.effects.push(Effect::Hasten(destination));
        Ok(vec![format!("the checks of {destination} are due now")])
    }

    /// Returns the service, or all that have the destination.
    fn services_with(
        &self,
        service: Option<ServiceId>,
        destination: DestinationId,
    ) -> Result<Vec<ServiceId>, Vec<String>> {
        let services = &self.configuration.services;
        let has = |id: &ServiceId| {
            services.get(id).is_some_and(|it| it.table.destination(destination).is_some())
        };
        let with: Vec<_> = services.keys().copied().filter(has).collect();
        match service {
            Some(id) if has(&id) => Ok(vec![id]),
            Some(id) if services.contains_key(&id) => {
                Err(vec![format!("{id} has no destination {destination}"), others(&with)])
            }
            Some(id) => Err(vec![
                format!("the file has no service {id}"),
                format!("the file has: {}", some(services.keys())),
            ]),
            None if with.is_empty() => {
                let same = services.values().flat_map(|it| it.table.destinations());
                let mut same: Vec<_> = same
                    .map(ipvs_netlink::table::TableDestination::id)
                    .filter(|id| id.address.ip() == destination.address.ip())
                    .collect();
                same.sort_unstable();
                same.dedup();
                let mut lines = vec![format!("no service has a destination {destination}")];
                if !same.is_empty() {
                    lines.push(format!("of this address there are: {}", some(same.iter())));
                }
                Err(lines)
            }
            None => Ok(with),
        }
    }
}

fn others(with: &[ServiceId]) -> String {
    match with {
        [] => "no other service has it either".to_owned(),
        with => format!("these services have it: {}", some(with.iter())),
    }
}

/// Lists the first few.
fn some<T: ToString>(all: impl Iterator<Item = T> + Clone) -> String {
    const FEW: usize = 8;
    let count = all.clone().count();
    let mut text = all.take(FEW).map(|it| it.to_string()).collect::<Vec<_>>().join(", ");
    match count {
        0 => text.push_str("none"),
        1..=FEW => {}
        _ => text.push_str(&format!(" and {} more", count - FEW)),
    }
    text
}
