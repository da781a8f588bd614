//! When the table is written, and which virtual services wait for it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use ipvs_netlink::ServiceId;
use ipvs_netlink::kubernetes::{Changes, ObjectName};

use crate::firewall::generation::next;
use crate::firewall::ruleset::{self, Transaction};
use crate::firewall::{Entry, FirewallOptions, Need, Rules};

/// The shortest time from one writing to the next.
const BETWEEN: Duration = Duration::from_secs(1);

/// The longest pause after failures.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How long after a writing or a look the table is looked at again. That costs one request to the kernel.
const LOOK: Duration = Duration::from_secs(5);

/// The same, if the kernel does not tell its generation, and `nft` has to look.
const COSTLY_LOOK: Duration = Duration::from_secs(60);

/// How often the whole table is written because others have changed some table.
const REWRITE: Duration = Duration::from_secs(60);

/// What is to be done now.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Apply this transaction, and tell the outcome by [`Schedule::applied`].
    Apply(Box<Transaction>),
    /// Look whether the table is as it was at this generation, and tell the outcome by [`Schedule::looked`].
    Look(Option<u32>),
}

/// What a look has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// Nobody has changed any table.
    Same,
    /// The table is there with its rules. If there is a generation, somebody has changed some table, perhaps this one,
    /// and the kernel is at this generation now.
    Intact(Option<u32>),
    /// The table is not there, or its rules are not.
    Lost,
}

/// Whether a virtual service may be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// The table has what the service needs, or has had it and is about to have it again.
    Served,
    /// The table has it soon.
    Waits,
    /// There is no firewall.
    Refused(Need),
}

/// What is known of a virtual service.
#[derive(Clone, Debug)]
struct Known {
    entry: Entry,
    /// The number of the change that it needs.
    change: u64,
    /// The number of the change with which it came.
    came: u64,
    /// It is wished no more, and the kernel may still have it.
    leaving: bool,
}

/// The number of the last change, and what the table holds with it.
#[derive(Clone, Debug)]
struct Written {
    change: u64,
    rules: Rules,
}

/// A step whose outcome is not known yet.
#[derive(Clone, Debug)]
enum Underway {
    /// A transaction, and what the table holds if it is applied.
    Apply {
        written: Written,
        is_whole: bool,
    },
    Look,
}

/// Decides when the table is written and with what: at most once a second, and only if its contents change. What
/// a virtual service needs is written before the service comes, and stays until it has left.
///
/// Pure: the caller takes one step at a time, and tells its outcome and the time.
#[derive(Debug)]
pub struct Schedule {
    options: FirewallOptions,
    available: bool,
    known: BTreeMap<ServiceId, Known>,
    /// The addresses of the node for which the entries are.
    node_addresses: Vec<IpAddr>,
    addresses: BTreeSet<IpAddr>,
    /// Addresses of other interfaces, in order.
    elsewhere: Vec<IpAddr>,
    health_check_ports: HashMap<ObjectName, u16>,
    /// The number of the last change.
    change: u64,
    /// There may be something to write.
    dirty: bool,
    /// What the table holds, if that is known.
    written: Option<Written>,
    /// The number of the last change that was ever written.
    ever_written: u64,
    underway: Option<Underway>,
    /// Until then nothing is written.
    rest: Instant,
    failures: u32,
    look: Option<Instant>,
    /// The generation of the kernel at the last writing or look, if it is known.
    seen: Option<u32>,
    /// When the whole table may be written again because others may have changed it.
    rewrite_from: Instant,
    /// Others may have changed the table.
    doubtful: bool,
}

impl Schedule {
    /// Creates a schedule. Without a usable `nft`, nothing is ever written, and services that need the
    /// firewall are refused.
    #[must_use]
    pub fn new(options: &FirewallOptions, available: bool, now: Instant) -> Self {
        Self {
            options: options.clone(),
            available,
            known: BTreeMap::new(),
            node_addresses: Vec::new(),
            addresses: BTreeSet::new(),
            elsewhere: Vec::new(),
            health_check_ports: HashMap::new(),
            change: 0,
            // A table of an earlier run is replaced.
            dirty: available,
            written: None,
            ever_written: 0,
            underway: None,
            rest: now,
            failures: 0,
            look: None,
            seen: None,
            rewrite_from: now,
            doubtful: false,
        }
    }

    /// Takes in changes of the conversion, and the addresses of the node itself, which all services follow.
    pub fn take(&mut self, changes: &Changes, node_addresses: &[IpAddr]) {
        if !self.is_for(node_addresses) {
            // No service waits for that: it is about connections of the node only, and what is served already would
            // keep endpoints that are gone.
            self.known.values_mut().for_each(|known| known.entry.follow(node_addresses));
            self.node_addresses = node_addresses.to_vec();
        }
        for (service, facts) in &changes.set {
            self.set(service.id(), Entry::of(service, facts, node_addresses));
        }
        for id in &changes.removed {
            self.remove(*id);
        }
        self.addresses.extend(&changes.addresses_added);
        for address in &changes.addresses_removed {
            self.addresses.remove(address);
        }
        for (name, facts) in &changes.services {
            match facts.as_ref().and_then(|it| it.health_check_node_port) {
                Some(port) => self.health_check_ports.insert(name.clone(), port.port),
                None => self.health_check_ports.remove(name),
            };
        }
        self.dirty = self.available;
    }

    /// Takes in which addresses other interfaces hold, in order. Programs of the host are meant to be reached there.
    pub fn take_elsewhere(&mut self, held: impl Iterator<Item = IpAddr> + Clone) {
        if !held.clone().eq(self.elsewhere.iter().copied()) {
            self.elsewhere = held.collect();
            self.dirty = self.available;
        }
    }

    /// Returns `true` if the addresses of the node are these.
    #[must_use]
    pub fn is_for(&self, node_addresses: &[IpAddr]) -> bool {
        self.node_addresses == node_addresses
    }

    fn set(&mut self, id: ServiceId, entry: Entry) {
        match self.known.get_mut(&id) {
            Some(known) => {
                known.leaving = false;
                if !entry.is_served_by(&known.entry) {
                    self.change += 1;
                    known.change = self.change;
                }
                known.entry = entry;
            }
            None => {
                self.change += 1;
                let known = Known { entry, change: self.change, came: self.change, leaving: false };
                self.known.insert(id, known);
            }
        }
    }

    fn remove(&mut self, id: ServiceId) {
        let Some(known) = self.known.get_mut(&id) else { return };
        let was_admitted =
            known.came <= self.ever_written || known.entry.need(&self.options).is_none();
        if was_admitted {
            known.leaving = true;
        } else {
            self.known.remove(&id);
        }
    }

    /// Notes that the kernel's table does not have a service that was removed, be it no more or never.
    pub fn left(&mut self, id: ServiceId) {
        if self.known.get(&id).is_some_and(|known| known.leaving) {
            self.known.remove(&id);
            self.dirty = self.available;
        }
    }

    /// Returns whether a virtual service may be served.
    #[must_use]
    pub fn admission(&self, id: ServiceId) -> Admission {
        let Some(known) = self.known.get(&id) else { return Admission::Waits };
        if !self.available {
            return known.entry.need(&self.options).map_or(Admission::Served, Admission::Refused);
        }
        // A table that was lost since is written again. Whoever waited for that would only miss changes of endpoints.
        let was_written = self.ever_written >= known.change;
        match was_written || known.entry.need(&self.options).is_none() {
            true => Admission::Served,
            false => Admission::Waits,
        }
    }

    /// Returns when [`next`](Self::next) has something to do, if nothing else happens.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        match self.underway {
            Some(_) => None,
            None if self.dirty => Some(self.rest),
            None if self.doubtful => self.look.map(|look| look.min(self.rewrite_from)),
            None => self.look,
        }
    }

    /// Returns what is to be done now, if there is anything.
    pub fn next(&mut self, now: Instant) -> Option<Step> {
        if self.due().is_none_or(|due| due > now) {
            return None;
        }
        if self.doubtful && self.rewrite_from <= now {
            self.lose();
        }
        if !self.dirty {
            self.underway = Some(Underway::Look);
            return Some(Step::Look(self.seen));
        }
        self.dirty = false;
        self.transaction().map(|transaction| Step::Apply(Box::new(transaction)))
    }

    /// Returns the transaction that brings the table up to date, if there is something to change.
    fn transaction(&mut self) -> Option<Transaction> {
        let rules = Rules::of(
            &self.options,
            self.known.iter().map(|(id, known)| (*id, &known.entry)),
            self.addresses.iter().copied().filter(|it| self.elsewhere.binary_search(it).is_err()),
            self.health_check_ports.values().copied(),
        );
        let is_whole = self.written.is_none();
        let transaction = match &mut self.written {
            Some(written) if written.rules == rules => {
                written.change = self.change;
                self.ever_written = self.change;
                return None;
            }
            Some(written) => ruleset::change(&self.options, &written.rules, &rules),
            None => ruleset::replacement(&self.options, &rules),
        };
        self.underway =
            Some(Underway::Apply { written: Written { change: self.change, rules }, is_whole });
        Some(transaction)
    }

    /// Takes in whether the last transaction was applied, and the generations of the kernel before and after it, if
    /// they are known.
    pub fn applied(&mut self, done: bool, generations: Option<(u32, u32)>, now: Instant) {
        let underway = self.underway.take();
        if let (true, Some(Underway::Apply { written, is_whole })) = (done, underway) {
            self.ever_written = self.ever_written.max(written.change);
            self.written = Some(written);
            self.failures = 0;
            self.rest = now + BETWEEN;
            if is_whole {
                self.rewrite_from = now + REWRITE;
                self.doubtful = false;
            }
            if let Some((before, after)) = generations {
                let was_changed = !is_whole && self.seen != Some(before);
                self.doubtful |= was_changed || after != next(before);
            }
            self.seen = generations.map(|(_, after)| after);
            self.look_later(now);
        } else {
            // Another program may have changed the table: the whole of it is written next.
            self.lose();
            let pause = BETWEEN * 2_u32.saturating_pow(self.failures.min(10));
            self.failures += 1;
            self.rest = now + pause.min(LONGEST_PAUSE);
        }
    }

    /// Takes in what a look has shown.
    pub fn looked(&mut self, sight: Sight, now: Instant) {
        self.underway = None;
        match sight {
            Sight::Same => {}
            Sight::Intact(generation) => {
                self.doubtful |= generation.is_some();
                self.seen = generation;
            }
            Sight::Lost => self.lose(),
        }
        self.look_later(now);
    }

    fn look_later(&mut self, now: Instant) {
        self.look = Some(now + self.seen.map_or(COSTLY_LOOK, |_| LOOK));
    }

    /// The whole table is written next.
    fn lose(&mut self) {
        self.written = None;
        self.dirty = true;
    }
}
