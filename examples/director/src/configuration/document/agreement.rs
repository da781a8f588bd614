//! Whether the parts of a configuration go together.

use std::collections::HashMap;
use std::net::IpAddr;

use ipvs_netlink::health::probe::Probe;
use ipvs_netlink::health::through::{MarkRange, ThroughError};
use ipvs_netlink::health::{Combination, Watched};
use ipvs_netlink::table::{TableDestination, TableService};
use ipvs_netlink::{AddressFamily, DestinationId, Object, ServiceId};

use super::super::tree::Finding;
use super::super::{Checks, SharedAddress};
use super::levels::Level;
use super::reading::Reading;
use super::service::{Defaults, Read};

impl Reading<'_> {
    /// Checks whether the parts of a service go together.
    pub(super) fn agrees(
        &mut self,
        read: &Read,
        defaults: &Defaults,
        marks: Option<MarkRange>,
        synchronizes: bool,
    ) {
        let mut places = Places { read, defaults, known: None };
        let service = &read.configuration;
        for invalid in service.table.validate() {
            let at = places.of(self, invalid.object);
            self.error(at, invalid);
        }
        for warning in service.table.warnings() {
            let at = places.of(self, warning.object);
            self.warn(at, warning);
        }
        if synchronizes {
            let family = is_ipv6(read.id());
            let others = service.table.destinations().map(TableDestination::id);
            let others: Vec<_> = others.filter(|id| id.address.is_ipv6() != family).collect();
            for id in others {
                let at = places.of(self, Object::Destination(read.id(), id));
                let text = "is of another family than its service, which the kernel refuses beside \
                            synchronization";
                self.error(at, format_args!("destination {id} {text}"));
            }
        }
        let policy = service.policy.clone();
        let watched = Watched::<Probe>::new(TableService::new(service.table.service().clone()))
            .policy(policy);
        if let Err(invalid) = watched.validate() {
            self.error(read.sorry_at, format_args!("service {}: {invalid}", read.id()));
        }
        let count = service.table.destinations().len();
        let needed = u64::from(service.policy.quorum) + u64::from(service.policy.hysteresis);
        if needed > count as u64 && count > 0 {
            let text = format_args!(
                "service {} is never available: {needed} live destinations are needed, and {count} are \
                 there",
                read.id()
            );
            self.warn(read.policy_at, text);
        }
        self.level_agrees(read, &read.level, &service.checks, marks);
        for (id, level) in &read.levels_of {
            let checks = service.checks_of.get(id).unwrap_or(&service.checks);
            self.level_agrees(read, level, checks, marks);
        }
        let mut refused = Vec::new();
        for there in service.table.destinations().map(TableDestination::destination) {
            let checks = &read.level_of(there.id).checks;
            // What is wrong with the check itself is told at its place.
            let mut probes = checks
                .iter()
                .map(|check| &check.probe)
                .filter(|probe| probe.validate_through(read.id()).is_ok());
            let error = probes.find_map(|it| it.validate_through_to(read.id(), there).err());
            refused.extend(error.map(|error| (there.id, error)));
        }
        for (id, error) in refused {
            let at = places.of(self, Object::Destination(read.id(), id));
            self.error(at, format_args!("destination {id}: {error}"));
        }
        let without_port: Vec<DestinationId> = service
            .table
            .destinations()
            .map(|destination| destination.id())
            .filter(|id| id.address.port() == 0)
            .collect();
        for id in without_port {
            let level = read.level_of(id);
            if level.checks.iter().any(|check| check.probe.needs_port()) {
                let at = places.of(self, Object::Destination(read.id(), id));
                let text = "has port 0, so its checks need a port of their own";
                self.error(at, format_args!("destination {id} {text}"));
            }
        }
    }

    fn level_agrees(
        &mut self,
        read: &Read,
        level: &Level,
        checks: &Checks,
        marks: Option<MarkRange>,
    ) {
        let count = checks.checks.len();
        if let (Combination::AtLeast(number), Some(at)) = (checks.combination, level.combination_at)
            && number > count
            && count > 0
        {
            let text =
                format_args!("combination {number}: must be at most {count}, the number of checks");
            self.error(at, text);
        }
        for check in level.checks.iter().filter(|check| check.probe.through) {
            if marks.is_none() {
                let text =
                    format_args!("{}: write marks: {{from: .., to: ..}}", ThroughError::NoMarks);
                self.error(check.at, text);
            }
            if let Err(error) = check.probe.validate_through(read.id()) {
                self.error(check.at, error);
            }
        }
    }

    /// Checks whether services go together.
    pub(super) fn agree_together(&mut self, all: &[Read], marks: Option<MarkRange>) {
        let pairs: usize = all.iter().map(pairs_of).sum();
        if let (Some(marks), Some(read)) = (marks, all.iter().find(|read| pairs_of(read) > 0)) {
            let (first, last) = marks.marks().into_inner();
            let there = u64::from(last - first) + 1;
            let needed = pairs as u64;
            if there < needed {
                let text = format_args!(
                    "{needed} checks through virtual addresses need a mark each, and {there} are there"
                );
                self.error(read.at, text);
            } else if there < 2 * needed {
                let text = format_args!(
                    "{needed} checks through virtual addresses and {there} marks: give twice as many \
                     marks as checks, for reloads"
                );
                self.warn(read.at, text);
            }
        }
        let mut shared: HashMap<IpAddr, (SharedAddress, u32)> = HashMap::new();
        for read in all {
            let (Some(commands), Some(address)) =
                (&read.configuration.commands, read.id().address())
            else {
                continue;
            };
            let own = (commands.shared_address, read.commands_at);
            let (first, first_at) = *shared.entry(address.ip()).or_insert(own);
            if first != own.0 {
                let text = format!(
                    "service {}: shared_address must be the same for all services of {}",
                    read.id(),
                    address.ip()
                );
                self.errors.push(Finding { first: Some(first_at), ..Finding::new(own.1, text) });
            }
        }
    }
}

fn pairs_of(read: &Read) -> usize {
    let table = &read.configuration.table;
    let through = |id| read.level_of(id).checks.iter().filter(|check| check.probe.through).count();
    table.destinations().map(|destination| through(destination.id())).sum()
}

fn is_ipv6(service: ServiceId) -> bool {
    match service {
        ServiceId::Address { address, .. } => address.is_ipv6(),
        ServiceId::Fwmark { family, .. } => family == AddressFamily::Ipv6,
    }
}

/// The places of the destinations of a service, which are looked up when they are needed.
struct Places<'r> {
    read: &'r Read,
    defaults: &'r Defaults,
    known: Option<HashMap<DestinationId, u32>>,
}

impl Places<'_> {
    fn of(&mut self, reading: &mut Reading<'_>, object: Object) -> u32 {
        let Object::Destination(_, id) = object else { return self.read.at };
        let known = self.known.get_or_insert_with(|| reading.places(self.read, self.defaults));
        known.get(&id).copied().unwrap_or(self.read.at)
    }
}
