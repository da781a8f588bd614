use std::collections::BTreeMap;

use crate::explain::{Answer, Attempt, Availability, Explanation, Note, Reason, Tables};
use crate::explain::{choosing, standing};
use crate::model::{
    Change, Connections, DestinationEntry, DestinationId, Forwarding, Service, ServiceId, Setting,
    Settings, Stats,
};
use crate::procfs::Connection;
use crate::table::DrainedWeights;

/// What is known of a service: what the kernel shows, and inputs that it does not show.
///
/// [`explain`](Self::explain) answers where a new connection would go. [`after`](Self::after) and
/// [`moves`](Self::moves) tell how many clients a change would move.
///
/// The destinations must be in the order of the kernel, for the order decides. `Client::destinations`
/// returns them so. A [`Snapshot`](crate::Snapshot) does not: it sorts them.
///
/// ```no_run
/// use ipvs_netlink::Client;
/// use ipvs_netlink::explain::{Attempt, Tables, View};
///
/// let mut ipvs = Client::connect()?;
/// let attempt = Attempt::new("198.51.100.7".parse()?, "TCP 192.0.2.10:80".parse()?);
/// let services = ipvs.services()?;
/// let view = match attempt.service_in(&services) {
///     Some(entry) => View::new(&entry.service, ipvs.destinations(entry.id())?.into_vec()),
///     None => View::without_service(),
/// };
/// println!("{}", view.tables(Tables::DEFAULT_BUILD).explain(&attempt));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    service: Option<Service>,
    destinations: Vec<DestinationEntry>,
    tables: Tables,
    old_hash: bool,
    last_weights: BTreeMap<DestinationId, u32>,
    overloads: BTreeMap<DestinationId, bool>,
    local: Option<bool>,
    rows: Vec<Connection>,
    kept: Kept,
}

/// The kernel's default of `conn_reuse_mode`.
const REUSE_MODE: u32 = 1;

/// The settings `net.ipv4.vs.*` that say whether what the kernel keeps of a client decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) conn_reuse_mode: u32,
    pub(super) expire_nodest_conn: bool,
    pub(super) expire_quiescent_template: bool,
}

impl View {
    /// Creates the view of a service with its destinations, in the order of the kernel. All inputs
    /// that the kernel does not show are unknown.
    #[must_use]
    pub fn new(service: &Service, destinations: Vec<DestinationEntry>) -> Self {
        Self { service: Some(service.clone()), destinations, ..Self::without_service() }
    }

    /// Creates the view for packets that no service takes.
    #[must_use]
    pub const fn without_service() -> Self {
        Self {
            service: None,
            destinations: Vec::new(),
            tables: Tables::UNKNOWN,
            old_hash: false,
            last_weights: BTreeMap::new(),
            overloads: BTreeMap::new(),
            local: None,
            rows: Vec::new(),
            kept: Kept {
                conn_reuse_mode: REUSE_MODE,
                expire_nodest_conn: false,
                expire_quiescent_template: false,
            },
        }
    }

    /// Sets the connections and templates that the kernel keeps, which decide before the scheduler
    /// does. [`concerns`](Self::concerns) chooses them from all that
    /// [`Procfs::connections`](crate::procfs::Procfs::connections) reads.
    #[must_use]
    pub fn connections(mut self, connections: Vec<Connection>) -> Self {
        self.rows = connections;
        self
    }

    /// Returns `true` if `connection` can decide where an attempt goes: it has the same client
    /// address and port, or is a template of persistence for the client.
    #[must_use]
    pub fn concerns(&self, attempt: &Attempt, connection: &Connection) -> bool {
        let of_service = |service: &Service| {
            let has_engine = service.persistence.is_some_and(|it| it.engine.is_some());
            standing::is_template(service, attempt, connection)
                || has_engine && standing::is_template_of(service, attempt, connection)
        };
        standing::is_connection(attempt, connection)
            || self.service.as_ref().is_some_and(of_service)
    }

    /// Sets the settings `net.ipv4.vs.*` that decide whether connections and templates count that
    /// the kernel keeps: `conn_reuse_mode`, `expire_nodest_conn`, `expire_quiescent_template`.
    /// What is absent has the kernel's default.
    #[must_use]
    pub fn settings(mut self, settings: &Settings) -> Self {
        let mode = settings.number(Setting::CONN_REUSE_MODE);
        let is_on = |setting| settings.is_on(setting).unwrap_or_default();
        self.kept = Kept {
            conn_reuse_mode: mode.and_then(|mode| mode.try_into().ok()).unwrap_or(REUSE_MODE),
            expire_nodest_conn: is_on(Setting::EXPIRE_NODEST_CONN),
            expire_quiescent_template: is_on(Setting::EXPIRE_QUIESCENT_TEMPLATE),
        };
        self
    }

    /// Sets the sizes of the tables of `sh` and `mh`.
    #[must_use]
    pub const fn tables(mut self, tables: Tables) -> Self {
        self.tables = tables;
        self
    }

    /// Says that the kernel is older than Linux 4.18, where `sh` and `dh` hash otherwise. This
    /// crate does not know how, so their answers become
    /// [`Undetermined`](Answer::Undetermined).
    #[must_use]
    pub const fn before_linux_4_18(mut self, before: bool) -> Self {
        self.old_hash = before;
        self
    }

    /// Sets the last weight of a destination that was not 0. It matters to `mh` while the weight
    /// is 0. 0 means that the destination was added with weight 0.
    ///
    /// Source: `ip_vs_ctl.c:__ip_vs_update_dest`.
    #[must_use]
    pub fn last_weight(mut self, id: DestinationId, weight: u32) -> Self {
        self.last_weights.insert(id, weight);
        self
    }

    /// Takes the last weights of destinations that plans of this crate let drain. Weights that
    /// were set otherwise stay.
    #[must_use]
    pub fn drained_weights(mut self, weights: &DrainedWeights) -> Self {
        let Some(service) = &self.service else { return self };
        for entry in &self.destinations {
            if let Some(weight) = weights.of(service.id, entry.id()) {
                self.last_weights.entry(entry.id()).or_insert(weight);
            }
        }
        self
    }

    /// Says whether a destination is overloaded. It matters while the kernel does not show it: see
    /// [`Availability`].
    #[must_use]
    pub fn overloaded(mut self, id: DestinationId, overloaded: bool) -> Self {
        self.overloads.insert(id, overloaded);
        self
    }

    /// Says whether the address of the service is an address of this host. If not, packets of
    /// other hosts do not come to IPVS. `None` means unknown.
    #[must_use]
    pub const fn address_is_local(mut self, local: Option<bool>) -> Self {
        self.local = local;
        self
    }

    /// Returns where a new connection would go, and why.
    ///
    /// For `sh`, `dh` and `mh` the answer is one destination, or a refusal with the reason. It is
    /// [`Undetermined`](Answer::Undetermined) only where an input is unknown and matters. For
    /// `lc`, `wlc`, `sed`, `nq`, `fo` and `ovf` the answer holds for the connections that were
    /// read. For the other schedulers it is [`OneOf`](Answer::OneOf), unless only one is
    /// available.
    #[must_use]
    pub fn explain(&self, attempt: &Attempt) -> Explanation {
        let mut explanation = Explanation {
            attempt: *attempt,
            service: self.service.clone(),
            answer: Answer::Nowhere(Reason::NoService),
            candidates: Vec::new(),
            notes: Vec::new(),
        };
        choosing::choose(self, &mut explanation);
        if let Some(service) = &self.service {
            self.note(service, &mut explanation);
        }
        explanation
    }

    /// Returns the view as it will be after a change of the service or its destinations. Other
    /// changes, and those that the kernel would refuse, change nothing.
    ///
    /// The kernel puts a new destination before the others.
    #[must_use]
    pub fn after(&self, change: &Change) -> Self {
        let mut after = self.clone();
        let Some(service) = &mut after.service else { return after };
        let at = |id: DestinationId| self.destinations.iter().position(|entry| entry.id() == id);
        match change {
            Change::UpdateService(new) if new.id == service.id => *service = new.clone(),
            Change::DeleteService(id) if *id == service.id => {
                after.service = None;
                after.destinations.clear();
            }
            Change::Flush => {
                after.service = None;
                after.destinations.clear();
            }
            Change::AddDestination(id, new) if *id == service.id && at(new.id).is_none() => {
                let entry =
                    DestinationEntry::new(new.clone(), Connections::default(), Stats::default());
                after.last_weights.insert(new.id, new.weight);
                after.overloads.remove(&new.id);
                after.destinations.insert(0, entry);
            }
            Change::UpdateDestination(id, new) if *id == service.id => {
                let entry = at(new.id).and_then(|at| after.destinations.get_mut(at));
                if let Some(entry) = entry {
                    let weight = entry.destination.weight;
                    if new.weight == 0 && weight != 0 {
                        after.last_weights.insert(new.id, weight);
                    }
                    let (former, upper) = (entry.destination.thresholds, new.thresholds.upper);
                    if upper == 0 || upper > former.upper {
                        after.overloads.remove(&new.id);
                    }
                    entry.destination = new.clone();
                }
            }
            Change::DeleteDestination(id, gone) if *id == service.id => {
                after.destinations.retain(|entry| entry.id() != *gone);
                after.last_weights.remove(gone);
                after.overloads.remove(gone);
            }
            _ => {}
        }
        after
    }

    /// Returns the service, or `None` if the view has none.
    #[must_use]
    pub const fn service(&self) -> Option<&Service> {
        self.service.as_ref()
    }

    /// Returns the destinations, in the order of the kernel.
    #[must_use]
    pub fn destinations(&self) -> &[DestinationEntry] {
        &self.destinations
    }

    pub(super) fn rows(&self) -> &[Connection] {
        &self.rows
    }

    pub(super) const fn kept(&self) -> Kept {
        self.kept
    }

    pub(super) const fn sizes(&self) -> Tables {
        self.tables
    }

    pub(super) const fn has_old_hash(&self) -> bool {
        self.old_hash
    }

    pub(super) const fn is_local(&self) -> Option<bool> {
        self.local
    }

    /// The weight by which `mh` gives slots, if it is known.
    pub(super) fn maglev_weight(&self, entry: &DestinationEntry) -> Option<u32> {
        match entry.destination.weight {
            0 => self.last_weights.get(&entry.id()).copied(),
            weight => Some(weight),
        }
    }

    pub(super) fn availability(&self, entry: &DestinationEntry) -> Availability {
        let shown = Availability::of(&entry.destination, entry.connections);
        match (shown, self.overloads.get(&entry.id())) {
            (Availability::Quiesced, _) | (_, None) => shown,
            (_, Some(true)) => Availability::Overloaded,
            (_, Some(false)) => Availability::Available,
        }
    }

    pub(super) fn entry(&self, id: DestinationId) -> Option<&DestinationEntry> {
        self.destinations.iter().find(|entry| entry.id() == id)
    }

    fn note(&self, service: &Service, explanation: &mut Explanation) {
        let attempt = explanation.attempt;
        let mut notes = Vec::new();
        let asked_for_mark = matches!(attempt.target, ServiceId::Fwmark { .. });
        if asked_for_mark && attempt.target != service.id {
            notes.push(Note::MarkWithoutService(attempt.target));
        }
        for id in explanation.possible() {
            let Some(entry) = self.entry(*id) else { continue };
            let keeps_port = !matches!(entry.destination.forwarding, Forwarding::Masquerade)
                || service.persistence.is_some()
                    && attempt.address.map(|it| it.port())
                        != service.id.address().map(|it| it.port());
            let address = attempt.address.filter(|_| keeps_port);
            if let Some(address) = address {
                let port = address.port();
                if id.address.port() != 0 && port != 0 && id.address.port() != port {
                    notes.push(Note::PortStays { id: *id, port });
                }
            }
            if id.family() != service.id.family() {
                notes.push(Note::MixedFamilies(*id));
            }
        }
        if let (Some(address), None) = (attempt.address, self.local) {
            notes.push(Note::PerhapsNotLocal(address));
        }
        explanation.notes.extend(notes);
    }
}
