//! Decides what the daemon does: by the configuration, orders, what is saved, and what happens.
//!
//! The desk has no socket, no clock and no thread. The daemon tells it what happens and when, takes
//! out the [effects](Desk::effects) after each call, and has them done.

mod effect;
mod observed;
mod orders;
mod passive;
mod reload;
mod reporting;
#[cfg(test)]
mod tests;
mod trouble;
mod wanted;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant, SystemTime};

use ipvs_netlink::ServiceId;
use ipvs_netlink::health::Maintenance;
use ipvs_netlink::health::passive::Sign;

use crate::configuration::Configuration;
use crate::event::{Event, Severity, one_line};
use crate::moment::Moment;
use crate::state::{Place, Saved, SavedMaintenance};

pub use effect::{Effect, Keeping};
pub use reload::valid;
pub use trouble::Trouble;

/// Decides what the daemon does.
#[derive(Debug)]
pub struct Desk {
    configuration: Configuration,
    saved: Saved,
    /// Grows with each change of what is saved.
    version: u64,
    since: SystemTime,
    loaded: SystemTime,
    /// When maintenances end by themselves.
    ends: BTreeMap<Place, Instant>,
    /// The services that the table has with a usable destination.
    serving: BTreeSet<ServiceId>,
    /// Whether all services are to leave, because the daemon ends.
    is_withdrawn: bool,
    troubles: BTreeMap<Trouble, String>,
    /// The signs in the traffic that destinations do not work.
    signs: BTreeMap<Place, Vec<Sign>>,
    /// How the table is kept, as was said last.
    keeping: Keeping,
    effects: Vec<Effect>,
}

impl Desk {
    /// Begins with a configuration that is [valid], and what is saved. The effects are to watch all
    /// services and to go on with the maintenances.
    #[must_use]
    pub fn new(configuration: Configuration, saved: Saved, now: Moment) -> Self {
        let mut desk = Self {
            configuration: Configuration::default(),
            saved,
            version: 0,
            since: now.wall,
            loaded: now.wall,
            ends: BTreeMap::new(),
            serving: BTreeSet::new(),
            is_withdrawn: false,
            troubles: BTreeMap::new(),
            signs: BTreeMap::new(),
            keeping: Keeping::of(&Configuration::default()),
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

    /// Returns what is to be in the state file, and the number of its version. Services are in it before
    /// they enter the table.
    #[must_use]
    pub const fn saved(&self) -> (&Saved, u64) {
        (&self.saved, self.version)
    }

    /// Gives out what is saved for a change.
    const fn edit(&mut self) -> &mut Saved {
        self.version += 1;
        &mut self.saved
    }

    /// Returns the services of an earlier run that are not in the configuration: they leave the table.
    pub fn former(&self) -> impl Iterator<Item = ServiceId> {
        let marks = self.configuration.marks;
        let former = self.saved.owned.iter().copied().filter(|id| !self.is_configured(*id));
        // The runner removes those of checks by itself.
        former.filter(move |id| marks.is_none_or(|marks| !marks.contains(*id)))
    }

    /// Forgets that services of an earlier run are the daemon's.
    pub fn disown_former(&mut self) {
        let former: Vec<_> = self.former().collect();
        for id in former {
            let saved = self.edit();
            saved.owned.remove(&id);
            saved.withdrawals.remove(&id);
        }
    }

    /// Withdraws the services of earlier runs that are not in the configuration, by their former
    /// commands. The table may have them no more: then the command has failed until the end of the run.
    pub fn withdraw_former(&mut self) {
        let withdrawals = self.saved.withdrawals.iter();
        let former = withdrawals.filter(|(service, _)| !self.is_configured(**service));
        let former: Vec<_> =
            former.map(|(service, it)| (*service, it.clone().commands())).collect();
        for (service, commands) in former {
            let (commands, settles) = (Some(commands), Duration::ZERO);
            self.effects.push(Effect::Announce { service, commands, settles });
            self.effects.push(Effect::Forget(service));
        }
    }

    /// Returns the configuration.
    #[must_use]
    pub const fn configuration(&self) -> &Configuration {
        &self.configuration
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
            self.edit().maintenances.remove(&place);
        }
    }

    /// Notes that all services are to leave, because the daemon ends.
    pub const fn withdraw(&mut self) {
        self.is_withdrawn = true;
    }

    /// Returns the state in one line.
    #[must_use]
    pub fn summary(&self) -> String {
        let services = self.configuration.services.len();
        let serving = self.configuration.services.keys().filter(|id| self.serving.contains(id));
        let serving = serving.count();
        match self.troubles.values().next() {
            None => format!("{serving} of {services} services serve"),
            Some(first) => {
                let count = match self.troubles.len() {
                    1 => "1 trouble".to_owned(),
                    count => format!("{count} troubles, such as"),
                };
                let first = one_line(first);
                format!("{serving} of {services} services serve; {count}: {first}")
            }
        }
    }

    fn is_configured(&self, id: ServiceId) -> bool {
        self.configuration.services.contains_key(&id)
    }

    fn maintenance(&self, place: Place, saved: &SavedMaintenance) -> Maintenance {
        let maintenance = Maintenance::new(saved.kind, saved.by.clone());
        match self.ends.get(&place) {
            Some(until) => maintenance.until(*until),
            None => maintenance,
        }
    }
}
