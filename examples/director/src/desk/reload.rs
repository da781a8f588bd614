//! Takes over a configuration: all of it, or nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use ipvs_netlink::ServiceId;
use ipvs_netlink::health::Watched;
use ipvs_netlink::health::probe::Probe;

use crate::announcement;
use crate::configuration::{Configuration, ServiceConfiguration};
use crate::desk::wanted::{announce, policy, watched};
use crate::desk::{Desk, Effect, Keeping, Trouble};
use crate::event::{Event, Severity};
use crate::moment::Moment;
use crate::state::{Place, Saved, Withdrawal};

impl Desk {
    /// Finds everything that is wrong with a configuration. Returns the services that are new: what
    /// the table holds of them now is to be read before [`reload`](Self::reload).
    ///
    /// # Errors
    ///
    /// The configuration cannot be taken over, for these reasons, one line each.
    pub fn examine(&self, configuration: &Configuration) -> Result<Vec<ServiceId>, Vec<String>> {
        let mut faults = valid(configuration).err().unwrap_or_default();
        let mut fixed = |what: &str, same: bool| {
            if !same {
                faults.push(format!(
                    "{what} cannot change while the daemon runs: restart it instead"
                ));
            }
        };
        fixed("`namespace`", configuration.namespace == self.configuration.namespace);
        fixed("`marks`", configuration.marks == self.configuration.marks);
        if !faults.is_empty() {
            return Err(faults);
        }
        let known = &self.configuration.services;
        Ok(configuration.services.keys().copied().filter(|id| !known.contains_key(id)).collect())
    }

    /// Returns what a reload has the runner watch anew: it must take all of it, or there is no reload.
    #[must_use]
    pub fn to_be_watched(&self, configuration: &Configuration) -> Vec<Watched<Probe>> {
        let known = &self.configuration.services;
        let is_watched = |(id, service): &(&ServiceId, &ServiceConfiguration)| {
            known.get(*id).is_some_and(|before| is_watched_alike(before, service))
        };
        let anew = configuration.services.iter().filter(|service| !is_watched(service));
        anew.map(|(_, service)| watched(service, &self.saved)).collect()
    }

    /// Takes over a configuration that [`examine`](Self::examine) has found good. Returns what was
    /// done, one line each.
    pub fn reload(&mut self, configuration: Configuration, now: Moment) -> Vec<String> {
        self.loaded = now.wall;
        let told = self.take_over(configuration, now);
        self.trouble(Trouble::Reload, None, now);
        for line in &told {
            self.tell(Event::new(now.wall, Severity::Note, "reloaded", line));
        }
        told
    }

    /// Notes that a reload was refused for these reasons.
    pub fn refuse_reload(&mut self, reasons: &[String], now: Moment) {
        let text = format!(
            "the reload was refused, and the configuration of {} stays: {}",
            crate::moment::text(self.loaded),
            reasons.join("; ")
        );
        // Who sends SIGHUP twice sees in the log that both were refused.
        self.troubles.remove(&Trouble::Reload);
        self.trouble(Trouble::Reload, Some(text), now);
    }

    pub(super) fn take_over(&mut self, configuration: Configuration, now: Moment) -> Vec<String> {
        let former = std::mem::replace(&mut self.configuration, configuration);
        let mut told = self.drop_orders_without_destination();
        let begin = self.effects.len();
        let mut withdrawals = Vec::new();
        let gone: Vec<_> =
            former.services.keys().copied().filter(|id| !self.is_configured(*id)).collect();
        for id in &gone {
            self.effects.push(Effect::Forget(*id));
            self.trouble(Trouble::Service(*id), None, now);
            self.trouble(Trouble::ChecksOf(*id), None, now);
        }
        let (mut new, mut changed) = (0_usize, 0_usize);
        let mut maintained = BTreeMap::<_, Vec<_>>::new();
        for ((service, destination), saved) in &self.saved.maintenances {
            maintained.entry(*service).or_default().push((*destination, saved));
        }
        for (id, service) in &self.configuration.services {
            let before = former.services.get(id);
            if before == Some(service) {
                continue;
            }
            new += usize::from(before.is_none());
            changed += usize::from(before.is_some());
            self.effects.push(announce(*id, service));
            withdrawals.push((*id, service.commands.as_ref().and_then(Withdrawal::of)));
            if before.is_some_and(|before| is_watched_alike(before, service)) {
                continue;
            }
            self.effects.push(Effect::Watch(Box::new(watched(service, &self.saved))));
            // One that the runner has already stays the same.
            for (destination, saved) in maintained.remove(id).unwrap_or_default() {
                let maintenance = self.maintenance((*id, destination), saved);
                self.effects.push(Effect::Maintain(*id, destination, maintenance));
            }
        }
        let all: Vec<_> = self.configuration.services.keys().copied().collect();
        self.edit().owned.extend(all);
        for (id, withdrawal) in withdrawals {
            match withdrawal {
                Some(withdrawal) => self.edit().withdrawals.insert(id, withdrawal),
                None => self.edit().withdrawals.remove(&id),
            };
        }
        let keeping = self.keeping();
        if keeping != self.keeping {
            self.keeping = keeping;
            self.effects.insert(begin, Effect::Keep(keeping));
        }
        if former.timeouts != self.configuration.timeouts
            || former.settings != self.configuration.settings
            || former.write_settings != self.configuration.write_settings
            || former.synchronization != self.configuration.synchronization
        {
            self.effects.push(Effect::ApplySettings);
        }
        let count = self.configuration.services.len();
        let same = count - new - changed;
        let gone = gone.len();
        let services = if count == 1 { "service" } else { "services" };
        let line = format!(
            "the file has {count} {services}: {new} new, {changed} changed, {same} as before; {gone} gone"
        );
        told.insert(0, line);
        told
    }

    /// Returns how the table is to be kept. What leaves it is held for its commands, too.
    fn keeping(&self) -> Keeping {
        let mut keeping = Keeping::of(&self.configuration);
        let withdrawals = self.saved.withdrawals.values();
        let holds = withdrawals.map(|withdrawal| announcement::hold_of(withdrawal.timeout));
        keeping.hold = holds.fold(keeping.hold, Duration::max);
        keeping
    }

    /// Forgets the orders about destinations that are not in the configuration any more.
    fn drop_orders_without_destination(&mut self) -> Vec<String> {
        self.version += 1;
        let services = &self.configuration.services;
        let has = |(service, destination): &Place| {
            let service = services.get(service);
            service.is_some_and(|service| service.table.destination(*destination).is_some())
        };
        let mut lines = Vec::new();
        let mut ends = |what: &str, (service, destination): &Place| {
            lines.push(format!("{what} of {service} -> {destination} ends: it is not in the file"));
        };
        self.saved.maintenances.retain(|place, _| {
            let stays = has(place);
            if !stays {
                ends("the maintenance", place);
            }
            stays
        });
        self.saved.weights.retain(|place, _| {
            let stays = has(place);
            if !stays {
                ends("the ordered weight", place);
            }
            stays
        });
        self.ends.retain(|place, _| self.saved.maintenances.contains_key(place));
        lines
    }
}

/// Whether two configurations of a service differ in nothing that the runner is told.
fn is_watched_alike(one: &ServiceConfiguration, other: &ServiceConfiguration) -> bool {
    one.table == other.table
        && one.checks == other.checks
        && one.checks_of == other.checks_of
        && policy(one) == policy(other)
}

/// Finds everything that is wrong with a configuration, whatever the daemon keeps now.
///
/// # Errors
///
/// The faults, one line each.
pub fn valid(configuration: &Configuration) -> Result<(), Vec<String>> {
    let mut faults = Vec::new();
    if let Err(invalid) = configuration.timeouts.validate() {
        faults.push(format!("`timeouts`: {invalid}"));
    }
    if let Err(invalid) = configuration.settings.validate() {
        faults.push(format!("`settings`: {invalid}"));
    }
    for daemon in configuration.synchronization.iter().flatten() {
        if let Err(invalid) = daemon.validate() {
            faults.push(format!("`synchronization`: {invalid}"));
        }
    }
    for service in configuration.services.values() {
        faults.extend(service.table.validate().iter().map(ToString::to_string));
        let refused = watched(service, &Saved::default()).examine(configuration.marks.is_some());
        faults.extend(refused.err().map(|refused| refused.to_string()));
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}
