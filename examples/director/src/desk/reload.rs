//! Takes over a configuration: all of it, or nothing.

use std::collections::BTreeSet;
use std::iter;
use std::time::Duration;

use ipvs_netlink::ServiceId;
use ipvs_netlink::health::probe::ProbeKind;

use crate::configuration::{Checks, Configuration, ServiceConfiguration};
use crate::desk::observed::Observed;
use crate::desk::wanted::{policy, watched};
use crate::desk::{Desk, Effect, Trouble};
use crate::event::{Event, Severity};
use crate::moment::Moment;
use crate::state::{Place, Saved};

/// What is added to the time that the checks of a service need at its start.
const SLACK: Duration = Duration::from_secs(2);

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
        fixed("`drain`", configuration.drain == self.configuration.drain);
        fixed("`resync`", configuration.resync == self.configuration.resync);
        if !faults.is_empty() {
            return Err(faults);
        }
        let known = &self.configuration.services;
        Ok(configuration.services.keys().copied().filter(|id| !known.contains_key(id)).collect())
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
            "the reload was refused, and the configuration of {} counts on: {}",
            crate::moment::text(self.loaded),
            reasons.join("; ")
        );
        self.trouble(Trouble::Reload, Some(text), now);
    }

    pub(super) fn take_over(&mut self, configuration: Configuration, now: Moment) -> Vec<String> {
        let former = std::mem::replace(&mut self.configuration, configuration);
        let mut told = self.drop_orders_without_destination();
        let gone: Vec<_> = former.services.keys().copied().collect();
        let gone: Vec<_> = gone.into_iter().filter(|id| !self.is_configured(*id)).collect();
        for id in &gone {
            self.effects.push(Effect::Forget(*id));
            self.troubles.remove(&Trouble::Service(*id));
            if let Some(observed) = self.observed.get_mut(id) {
                observed.leaves();
            }
        }
        let (mut new, mut changed) = (0_usize, 0_usize);
        let ids: Vec<_> = self.configuration.services.keys().copied().collect();
        for id in ids {
            let (Some(service), before) =
                (self.configuration.services.get(&id), former.services.get(&id))
            else {
                continue;
            };
            if before == Some(service) {
                continue;
            }
            let table = service.table.clone();
            let announce = announce(id, service);
            let differs = before.is_none_or(|before| !is_watched_alike(before, service));
            new += usize::from(before.is_none());
            changed += usize::from(before.is_some());
            let observed = self.observed.entry(id).or_insert_with(|| Observed::new(now.wall));
            observed.is_to_have(&table, now.wall);
            self.saved.owned.insert(id);
            self.effects.push(announce);
            if differs {
                let watched = self.watched(id).map(Box::new);
                self.effects.extend(watched.map(Effect::Watch));
                self.go_on_with_maintenances(id);
            }
        }
        if former.timeouts != self.configuration.timeouts
            || former.synchronization != self.configuration.synchronization
        {
            self.effects.push(Effect::Settings);
        }
        let count = self.configuration.services.len();
        told.insert(
            0,
            format!(
                "{count} services: {new} new, {changed} changed, {} gone, {} as before",
                gone.len(),
                count - new - changed
            ),
        );
        told
    }

    fn is_configured(&self, id: ServiceId) -> bool {
        self.configuration.services.contains_key(&id)
    }

    /// Forgets the orders about destinations that are not in the configuration any more.
    fn drop_orders_without_destination(&mut self) -> Vec<String> {
        let services = &self.configuration.services;
        let has = |(service, destination): &Place| {
            let service = services.get(service);
            service.is_some_and(|service| service.table.destination(*destination).is_some())
        };
        let maintenances = self.saved.maintenances.keys().filter(|place| !has(place));
        let weights = self.saved.weights.keys().filter(|place| !has(place));
        let mut lines: Vec<_> = maintenances
            .map(|(service, destination)| {
                format!("the maintenance of {service} -> {destination} ends: it is not in the file")
            })
            .collect();
        lines.extend(weights.map(|(service, destination)| {
            let of = format!("{service} -> {destination}");
            format!("the ordered weight of {of} ends: it is not in the file")
        }));
        let gone: BTreeSet<_> =
            self.saved.maintenances.keys().copied().filter(|it| !has(it)).collect();
        self.saved.maintenances.retain(|place, _| !gone.contains(place));
        self.ends.retain(|place, _| !gone.contains(place));
        let services = &self.configuration.services;
        self.saved.weights.retain(|(service, destination), _| {
            let service = services.get(service);
            service.is_some_and(|service| service.table.destination(*destination).is_some())
        });
        lines
    }

    /// Begins the maintenances of a service with the runner. Those that it has already stay the same.
    fn go_on_with_maintenances(&mut self, id: ServiceId) {
        let of = self.saved.maintenances.iter().filter(|((service, _), _)| *service == id);
        let effects: Vec<_> = of
            .map(|(place, saved)| Effect::Maintain(id, place.1, self.maintenance(*place, saved)))
            .collect();
        self.effects.extend(effects);
    }
}

/// Whether two configurations of a service differ in nothing that the runner is told.
fn is_watched_alike(one: &ServiceConfiguration, other: &ServiceConfiguration) -> bool {
    one.table == other.table
        && one.checks == other.checks
        && one.checks_of == other.checks_of
        && policy(one) == policy(other)
}

/// Says how a service is announced.
fn announce(service: ServiceId, configuration: &ServiceConfiguration) -> Effect {
    let all = iter::once(&configuration.checks).chain(configuration.checks_of.values());
    let checks = all.flat_map(|checks| &checks.checks);
    let settles = checks.map(|(probe, pace)| pace.down_within(probe.timeout)).max();
    let settles = settles.unwrap_or_default().saturating_add(SLACK);
    Effect::Announce { service, commands: configuration.commands.clone(), settles }
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
    for daemon in configuration.synchronization.iter().flatten() {
        if let Err(invalid) = daemon.validate() {
            faults.push(format!("`synchronization`: {invalid}"));
        }
    }
    for (id, service) in &configuration.services {
        if let Err(invalid) = service.table.service().validate() {
            faults.push(format!("{id}: {invalid}"));
        }
        for destination in service.table.destinations() {
            if let Err(invalid) = destination.destination().validate(*id) {
                faults.push(format!("{id} -> {}: {invalid}", destination.id()));
            }
        }
        if let Err(invalid) = watched(service, &Saved::default()).validate() {
            faults.push(format!("{id}: {invalid}"));
        }
        faults.extend(faults_of_checks(*id, service));
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// Finds the checks that the runner would refuse.
fn faults_of_checks(id: ServiceId, service: &ServiceConfiguration) -> Vec<String> {
    let mut faults = Vec::new();
    let all = iter::once(&service.checks).chain(service.checks_of.values());
    for (probe, pace) in all.flat_map(|checks| &checks.checks) {
        let invalid = probe.validate().err().or_else(|| pace.validate().err());
        faults.extend(invalid.map(|invalid| format!("{id}: {invalid}")));
    }
    for destination in service.table.destinations() {
        let of = service.checks_of.get(&destination.id()).unwrap_or(&service.checks);
        if destination.id().address.port() == 0 && needs_port(of) {
            faults.push(format!(
                "{id}: {} has port 0, so the check needs a port of its own",
                destination.id()
            ));
        }
    }
    faults
}

fn needs_port(checks: &Checks) -> bool {
    let has_port = |kind: &ProbeKind| {
        !matches!(kind, ProbeKind::Icmp | ProbeKind::Command(_) | ProbeKind::Custom(_))
    };
    checks.checks.iter().any(|(probe, _)| probe.port.is_none() && has_port(&probe.kind))
}
