mod after;

use std::collections::BTreeMap;

use crate::explain::kept_settings::KeptSettings;
use crate::explain::others::Other;
use crate::explain::{Answer, Attempt, Availability, Explanation, Reason, TableSizes};
use crate::explain::{choosing, notes, rows, standing};
use crate::model::{DestinationEntry, DestinationId, Service, ServiceSnapshot, Settings};
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
/// use ipvs_netlink::explain::{Attempt, TableSizes, View};
///
/// let mut ipvs = Client::connect()?;
/// let attempt = Attempt::new("198.51.100.7".parse()?, "TCP 192.0.2.10:80".parse()?);
/// let services = ipvs.services()?;
/// let view = match attempt.service_in(&services) {
///     Some(entry) => View::new(&entry.service, ipvs.destinations(entry.id())?.into_vec()),
///     None => View::without_service(),
/// };
/// println!("{}", view.table_sizes(TableSizes::DEFAULT_BUILD).explain(&attempt));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    service: Option<Service>,
    destinations: Vec<DestinationEntry>,
    tables: TableSizes,
    old_hash: bool,
    foreign_hash: bool,
    last_weights: BTreeMap<DestinationId, u32>,
    overloads: BTreeMap<DestinationId, bool>,
    local: Option<bool>,
    has_client: Option<bool>,
    rows: Vec<Connection>,
    all_rows: bool,
    others: Option<Vec<Other>>,
    kept: KeptSettings,
}

impl View {
    /// Creates the view of a service with its destinations, in the order of the kernel. All other
    /// inputs are unknown.
    ///
    /// It must be the service that takes the packets of the attempts:
    /// [`Attempt::service_in`] finds it. Of other attempts the view only says that.
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
            tables: TableSizes::UNKNOWN,
            old_hash: false,
            foreign_hash: !cfg!(all(target_pointer_width = "64", target_endian = "little")),
            last_weights: BTreeMap::new(),
            overloads: BTreeMap::new(),
            local: None,
            has_client: None,
            rows: Vec::new(),
            all_rows: false,
            others: None,
            kept: KeptSettings::UNKNOWN,
        }
    }

    /// Sets the connections and templates that the kernel keeps, which decide before the scheduler
    /// does. [`concerns`](Self::concerns) chooses them from all that
    /// [`Procfs::connections`](crate::procfs::Procfs::connections) reads. The rest can be left out.
    ///
    /// Until they are set they are unknown. That matters to an attempt with a client port and to a
    /// persistent service. An empty list means that the kernel keeps nothing of the client.
    #[must_use]
    pub fn connections(mut self, connections: Vec<Connection>) -> Self {
        self.rows = connections;
        self.all_rows = true;
        self
    }

    /// Sets the connections and templates as far as they are known: the reading of the kernel's
    /// list has failed or was ended early. See [`connections`](Self::connections).
    #[must_use]
    pub fn some_connections(mut self, connections: Vec<Connection>) -> Self {
        self.rows = connections;
        self.all_rows = false;
        self
    }

    /// Sets the other services of the table, all of them. They matter where
    /// [`needs_other_services`](Self::needs_other_services) says so, and are unknown until they are
    /// set. A `&`[`Snapshot`](crate::Snapshot) will do if it is
    /// [complete](crate::Snapshot::is_complete), and may have the service itself too.
    #[must_use]
    pub fn other_services<'s>(
        mut self,
        services: impl IntoIterator<Item = &'s ServiceSnapshot>,
    ) -> Self {
        let own = self.service.as_ref().map(|service| service.id);
        let others = services.into_iter().filter(|service| Some(service.id()) != own);
        self.others = Some(others.map(Other::new).collect());
        self
    }

    /// Returns `true` if the kernel keeps a connection of the attempt to a destination that the
    /// service does not have. Then the destination was deleted, or another service has made the
    /// connection, such as one at port 0 of the same address.
    #[must_use]
    pub fn needs_other_services(&self, attempt: &Attempt) -> bool {
        standing::kept_connection(self, attempt).is_some_and(|row| {
            let is_own =
                |entry: &DestinationEntry| standing::is_destination(entry.id(), row.destination);
            !self.destinations.iter().any(is_own)
        })
    }

    /// Returns `true` if `connection` can decide where an attempt goes: it has the same client
    /// address and port, or is a template of persistence for the client.
    #[must_use]
    pub fn concerns(&self, attempt: &Attempt, connection: &Connection) -> bool {
        let of_service = |service: &Service| {
            let has_engine = service.persistence.is_some_and(|it| it.engine.is_some());
            rows::is_template(service, attempt, connection)
                || has_engine && rows::is_template_of(service, attempt, connection)
        };
        rows::is_connection(attempt, connection) || self.service.as_ref().is_some_and(of_service)
    }

    /// Sets the settings `net.ipv4.vs.*` that decide whether connections and templates count that
    /// the kernel keeps: `conn_reuse_mode`, `expire_nodest_conn`, `expire_quiescent_template`.
    /// What is absent is unknown, which matters only where the kernel keeps something of the client.
    #[must_use]
    pub fn settings(mut self, settings: &Settings) -> Self {
        self.kept = KeptSettings::of(settings);
        self
    }

    /// Sets the sizes of the tables of `sh` and `mh`.
    #[must_use]
    pub const fn table_sizes(mut self, sizes: TableSizes) -> Self {
        self.tables = sizes;
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

    /// Says that the kernel is one of 32 bits, or big-endian, where `mh` hashes otherwise. This
    /// crate does not know how, so the answers become [`Undetermined`](Answer::Undetermined). By
    /// default the kernel is taken to be as the machine for which this program was compiled.
    ///
    /// Source: `linux/siphash.h:hsiphash`.
    #[must_use]
    pub const fn is_32_bits_or_big_endian(mut self, is: bool) -> Self {
        self.foreign_hash = is;
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

    /// Says whether the address of the service is an address of this host, or rules of routing
    /// deliver its packets here. If not, packets of other hosts do not come to IPVS. `None`
    /// means unknown.
    #[must_use]
    pub const fn address_is_local(mut self, local: Option<bool>) -> Self {
        self.local = local;
        self
    }

    /// Says whether the client is on this host. Its packets come to IPVS whether the address of
    /// the service is one of this host or not. `None`, the default, means unknown: the client is
    /// taken to be another host.
    #[must_use]
    pub const fn client_is_local(mut self, local: Option<bool>) -> Self {
        self.has_client = local;
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
            notes::add(self, service, &mut explanation);
        }
        explanation
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

    /// Whether no connection is missing among the rows.
    pub(super) const fn knows_all_rows(&self) -> bool {
        self.all_rows
    }

    /// The destinations of the other services, if they are known.
    pub(super) fn others(&self) -> Option<&[Other]> {
        self.others.as_deref()
    }

    pub(super) const fn kept(&self) -> KeptSettings {
        self.kept
    }

    pub(super) const fn sizes(&self) -> TableSizes {
        self.tables
    }

    pub(super) const fn has_old_hash(&self) -> bool {
        self.old_hash
    }

    pub(super) const fn has_foreign_hash(&self) -> bool {
        self.foreign_hash
    }

    /// Whether the client is on this host.
    pub(super) const fn has_client(&self) -> Option<bool> {
        self.has_client
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
}
