//! What follows from changes of the conversion, and in what order.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use ipvs_netlink::ServiceId;
use ipvs_netlink::kubernetes::{Changes, ObjectName, VirtualService};
use ipvs_netlink::table::TableService;
use ipvs_netlink::table::controller::Event;

use super::addresses::Addresses;
use super::unserved::Unserved;
use crate::serving::NotServed;

/// After this time the log names what waits.
const SILENCE: Duration = Duration::from_secs(10);

/// Whether a virtual service is to be wished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Yes.
    Serve,
    /// Not yet: it, or its newer version, waits until another verdict is given. What is served already stays.
    Hold,
    /// No, and the log names it. It leaves if it is served.
    Refuse {
        /// Why, for metrics.
        reason: &'static str,
        /// Why, for the log.
        why: String,
    },
}

/// What is to be done, in the order of the fields.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Decided {
    /// Lines for the log, with the services that they are about.
    pub(super) told: Vec<(ObjectName, String)>,
    /// Lines for the log about what has waited for long.
    pub(super) waiting: Vec<String>,
    /// Addresses to remove from the interface, before their virtual services leave.
    pub(super) addresses_removed: Vec<IpAddr>,
    /// Virtual services to wish.
    pub(super) wishes: Vec<(TableService, VirtualService)>,
    /// Virtual services that are to leave.
    pub(super) forgotten: Vec<ServiceId>,
    /// Virtual services that wait from now on, or whose newer version does.
    pub(super) held: Vec<ServiceId>,
    /// Virtual services that are not to be wished.
    pub(super) refused: Vec<ServiceId>,
    /// Virtual services that the cluster has no more, and that were not wished.
    pub(super) dropped: Vec<ServiceId>,
    /// Those of `dropped` that are not leaving either: nothing will be told of them.
    pub(super) absent: Vec<ServiceId>,
    /// Addresses to add to the interface, whose virtual services were there before.
    pub(super) addresses_added: Vec<IpAddr>,
}

/// A virtual service that waits for another verdict.
#[derive(Debug)]
struct Held {
    service: TableService,
    facts: VirtualService,
    /// Since when it or an older version has waited.
    since: Instant,
    /// The log has named it.
    told: bool,
}

/// Decides what follows from changes of the conversion.
#[derive(Debug, Default)]
pub(super) struct Order {
    addresses: Addresses,
    /// What waits for another verdict.
    held: BTreeMap<ServiceId, Held>,
    wished: HashSet<ServiceId>,
    /// What was wished, and has not left yet.
    leaving: HashSet<ServiceId>,
    /// What the log has said about virtual services that are refused.
    told: BTreeMap<ServiceId, String>,
    unserved: Unserved,
}

impl Order {
    /// Returns `true` if a virtual service waits for another verdict.
    pub(super) fn holds(&self) -> bool {
        !self.held.is_empty()
    }

    /// Returns `true` if this virtual service waits for another verdict.
    pub(super) fn holds_back(&self, id: ServiceId) -> bool {
        self.held.contains_key(&id)
    }

    /// Takes in changes, and asks again about what was held.
    pub(super) fn decide(
        &mut self,
        changes: Changes,
        now: Instant,
        verdict: impl Fn(&TableService, &VirtualService) -> Verdict,
    ) -> Decided {
        let mut decided = Decided::default();
        self.addresses.change(&changes);
        let mut touched: BTreeSet<_> = changes.addresses_removed.iter().copied().collect();
        for id in changes.removed {
            self.held.remove(&id);
            self.told.remove(&id);
            self.unserved.wish(id);
            if !self.forget(id, &mut decided) {
                decided.dropped.push(id);
                if !self.leaving.contains(&id) {
                    decided.absent.push(id);
                }
            }
        }
        let changed: HashSet<_> = changes.set.iter().map(|(service, _)| service.id()).collect();
        for (service, facts) in changes.set {
            let id = service.id();
            let former = self.held.get(&id).map(|held| (held.since, held.told));
            let (since, told) = former.unwrap_or((now, false));
            self.held.insert(id, Held { service, facts, since, told });
        }
        for (id, held) in std::mem::take(&mut self.held) {
            let Held { service, facts, since, mut told } = held;
            match verdict(&service, &facts) {
                Verdict::Hold => {
                    if changed.contains(&id) {
                        decided.held.push(id);
                    }
                    if !self.wished.contains(&id) {
                        self.unserved.unwish(id, &facts.service, NotServed::WAITS);
                    }
                    if !told && now.saturating_duration_since(since) >= SILENCE {
                        told = true;
                        let meanwhile = match self.wished.contains(&id) {
                            true => "its former version is served",
                            false => "it is not served",
                        };
                        let name = name(id, &facts);
                        decided
                            .waiting
                            .push(format!("waits for the firewall: {name}: {meanwhile}"));
                    }
                    self.held.insert(id, Held { service, facts, since, told });
                    continue;
                }
                Verdict::Refuse { reason, why } => {
                    self.tell(
                        id,
                        &facts,
                        Some(format!("not served: {}: {why}", name(id, &facts))),
                        &mut decided,
                    );
                    self.forget(id, &mut decided);
                    decided.refused.push(id);
                    self.unserved.unwish(id, &facts.service, reason);
                    continue;
                }
                Verdict::Serve => self.tell(id, &facts, None, &mut decided),
            }
            self.unserved.wish(id);
            self.wished.insert(id);
            self.leaving.remove(&id);
            self.addresses.wish(id);
            decided.wishes.push((service, facts));
        }
        touched.extend(decided.forgotten.iter().filter_map(|id| Some(id.address()?.ip())));
        decided.addresses_removed = self.addresses.take_gone(&touched);
        decided.addresses_added = self.addresses.take_due(&changes.addresses_added);
        decided
    }

    /// Takes in an event of the controller. Returns the address that the interface is to have now because of it.
    pub(super) fn event(&mut self, event: &Event) -> Option<IpAddr> {
        match event {
            // Services without endpoints are settled and never serve.
            Event::Serving(id) | Event::Settled(id) => {
                self.unserved.end_rejection(*id);
                self.addresses.present(*id)
            }
            Event::Left(id) => {
                self.leaving.remove(id);
                None
            }
            _ => None,
        }
    }

    /// Takes in that the kernel does not take a virtual service of this service as it is wished, and whether it is
    /// known not to have it. One that it has had serves on as it was.
    pub(super) fn rejected(&mut self, id: ServiceId, service: &ObjectName, is_absent: bool) {
        if self.wished.contains(&id) && (is_absent || !self.addresses.has(id)) {
            self.unserved.reject(id, service);
        }
    }

    /// Returns the services with virtual services that are not served, if that has changed since this was called last.
    pub(super) fn take_unserved(&mut self) -> Option<NotServed> {
        self.unserved.take()
    }

    /// Returns `false` if the virtual service was not wished.
    fn forget(&mut self, id: ServiceId, decided: &mut Decided) -> bool {
        let was_wished = self.wished.remove(&id);
        if was_wished {
            self.addresses.forget(id);
            self.unserved.end_rejection(id);
            self.leaving.insert(id);
            decided.forgotten.push(id);
        }
        was_wished
    }

    /// Adds a line, unless the log has it already.
    fn tell(
        &mut self,
        id: ServiceId,
        facts: &VirtualService,
        line: Option<String>,
        decided: &mut Decided,
    ) {
        let Some(line) = line else {
            self.told.remove(&id);
            return;
        };
        if self.told.get(&id) != Some(&line) {
            self.told.insert(id, line.clone());
            decided.told.push((facts.service.clone(), line));
        }
    }
}

fn name(id: ServiceId, facts: &VirtualService) -> String {
    format!("Service {}, {id}", facts.service)
}
