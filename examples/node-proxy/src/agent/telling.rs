//! Brings what the controller tells to everybody whom it concerns.

use std::time::Instant;

use ipvs_netlink::table::controller::Event;
use ipvs_netlink::{Change, ErrorKind, Scheduler, ServiceId};

use super::Agent;
use crate::log;

impl Agent {
    /// Takes in the events of the controller.
    pub(super) async fn take_events(&mut self) {
        let now: Instant = self.ipvs.now();
        let (mut addresses, mut lacking) = (Vec::new(), Vec::new());
        for event in self.controller.events() {
            addresses.extend(self.order.event(&event));
            self.hooks.event(&event, self.incoming.caches.converter(), now);
            lacking.extend(lacking_scheduler(&event));
            if let Some((id, is_absent)) = rejected(&event)
                && let Some((_, facts)) = self.incoming.caches.converter().get(id)
            {
                self.order.rejected(id, &facts.service, is_absent);
            }
            match &event {
                Event::Left(id) => self.owned.left(*id),
                Event::Settled(id) | Event::Refused { service: id, .. } => {
                    self.completeness.settle(*id);
                }
                // It is tried again, but nobody waits for that.
                Event::Failed { change, .. } => {
                    change.service().into_iter().for_each(|id| self.completeness.settle(id));
                }
                Event::Resynchronized { .. } => self.completeness.read(true),
                Event::BackingOff { .. } => self.completeness.read(false),
                _ => {}
            }
            if is_trouble(&event) {
                log::line(event);
            }
        }
        self.tell_unserved();
        self.hooks.add_addresses(&addresses);
        lacking.retain(|it| self.schedulers.lacks(*it));
        self.lack(lacking).await;
    }
}

/// Returns the virtual service that the kernel, or the controller before it, does not take as it is wished, and whether
/// the table is known not to have it. A new one without any of its destinations is deleted again.
fn rejected(event: &Event) -> Option<(ServiceId, bool)> {
    match event {
        Event::Failed { change: Change::AddService(it), error, .. } => {
            Some((it.id, !error.is_already_exists()))
        }
        Event::Failed { change: Change::AddDestination(id, _), .. } => Some((*id, false)),
        Event::Refused { service, .. } => Some((*service, false)),
        _ => None,
    }
}

/// Returns the scheduler for whose absence the kernel has refused a change.
fn lacking_scheduler(event: &Event) -> Option<Scheduler> {
    match event {
        Event::Failed {
            change: Change::AddService(it) | Change::UpdateService(it), error, ..
        } if error.kind() == ErrorKind::UnknownScheduler => Some(it.scheduler),
        _ => None,
    }
}

const fn is_trouble(event: &Event) -> bool {
    matches!(
        event,
        Event::Failed { .. }
            | Event::Refused { .. }
            | Event::Unread { .. }
            | Event::Contested { .. }
            | Event::BackingOff { .. }
            | Event::Recovered
            | Event::Cut { .. }
    )
}
