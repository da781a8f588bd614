//! Decides what the daemon does: by the configuration, orders, what is saved, and what happens.
//!
//! The desk has no socket, no clock and no thread. The daemon tells it what happens and when, takes
//! out the [effects](Desk::effects) after each call, and has them done.

mod effect;
mod observed;
mod orders;
mod reload;
mod reporting;
#[cfg(test)]
mod tests;
mod wanted;

use std::collections::BTreeMap;
use std::time::{Instant, SystemTime};

use ipvs_netlink::ServiceId;
use ipvs_netlink::health::Maintenance;

use crate::configuration::Configuration;
use crate::desk::observed::Observed;
use crate::event::{Event, Severity};
use crate::moment::Moment;
use crate::state::{Place, Saved, SavedMaintenance};

pub use effect::Effect;
pub use reload::valid;

/// Decides what the daemon does.
#[derive(Debug)]
pub struct Desk {
    configuration: Configuration,
    saved: Saved,
    since: SystemTime,
    loaded: SystemTime,
    /// When maintenances end by themselves.
    ends: BTreeMap<Place, Instant>,
    observed: BTreeMap<ServiceId, Observed>,
    /// What is wrong with all of it, by what it is about.
    troubles: BTreeMap<Trouble, String>,
    effects: Vec<Effect>,
}

/// What a trouble is about. A newer one takes the place of the older.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// The kernel, or the privilege.
    Kernel,
    /// The timeouts or the synchronization daemons.
    Settings,
    /// The last reload.
    Reload,
    /// The state file.
    State,
    /// The thread of the checks.
    Checks,
    /// One service.
    Service(ServiceId),
}

impl Desk {
    /// Begins with a configuration that [`examine`](Self::examine) has found good, and what is saved.
    /// The effects are to watch all services and to go on with the maintenances.
    #[must_use]
    pub fn new(configuration: Configuration, saved: Saved, now: Moment) -> Self {
        let mut desk = Self {
            configuration: Configuration::default(),
            saved,
            since: now.wall,
            loaded: now.wall,
            ends: BTreeMap::new(),
            observed: BTreeMap::new(),
            troubles: BTreeMap::new(),
            effects: Vec::new(),
        };
        desk.saved.maintenances.retain(|_, saved| saved.until.is_none_or(|until| until > now.wall));
        for (place, saved) in &desk.saved.maintenances {
            let until = saved.until.and_then(|until| now.instant_of(until));
            desk.ends.extend(until.map(|until| (*place, until)));
        }
        for line in desk.take_over(configuration, now) {
            desk.tell(Event::new(now.wall, Severity::Note, "started", &line));
        }
        desk
    }

    /// Takes out the effects, in their order.
    pub fn effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Returns what is to be in the state file. Before services enter the table they are in it.
    #[must_use]
    pub const fn saved(&self) -> &Saved {
        &self.saved
    }

    /// Returns the services of an earlier run that are not in the configuration: they leave the table.
    pub fn former(&self) -> impl Iterator<Item = ServiceId> {
        let configured = &self.configuration.services;
        self.saved.owned.iter().copied().filter(|id| !configured.contains_key(id))
    }

    /// Returns the configuration.
    #[must_use]
    pub const fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// Notes a trouble, or with `None` that it is over. Tells it if it is news.
    pub fn trouble(&mut self, about: Trouble, text: Option<String>, now: Moment) {
        match text {
            Some(text) if self.troubles.get(&about) == Some(&text) => {}
            Some(text) => {
                let event = Event::new(now.wall, Severity::Error, "trouble", &text);
                self.tell(about.named(event));
                self.troubles.insert(about, text);
            }
            None => {
                if let Some(text) = self.troubles.remove(&about) {
                    let text = format!("over: {text}");
                    let event = Event::new(now.wall, Severity::Note, "trouble-over", &text);
                    self.tell(about.named(event));
                }
            }
        }
    }

    /// Tells an event.
    pub fn tell(&mut self, event: Event) {
        self.effects.push(Effect::Tell(event));
    }

    /// Returns when [`pass`](Self::pass) has something to do.
    #[must_use]
    pub fn next(&self) -> Option<Instant> {
        self.ends.values().min().copied()
    }

    /// Lets time pass: maintenances end by themselves.
    pub fn pass(&mut self, now: Moment) {
        let over = |(place, end): (&Place, &Instant)| (*end <= now.instant).then_some(*place);
        let over: Vec<_> = self.ends.iter().filter_map(over).collect();
        for place in over {
            // The runner knows the end, too.
            self.ends.remove(&place);
            self.saved.maintenances.remove(&place);
        }
    }

    fn maintenance(&self, place: Place, saved: &SavedMaintenance) -> Maintenance {
        let maintenance = Maintenance::new(saved.kind, saved.by.clone());
        match self.ends.get(&place) {
            Some(until) => maintenance.until(*until),
            None => maintenance,
        }
    }
}

impl Trouble {
    fn named(self, event: Event) -> Event {
        match self {
            Self::Service(service) => event.of(service),
            _ => event,
        }
    }
}
