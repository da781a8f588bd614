//! Health and metrics over HTTP.
//!
//! - `/healthz` and `/livez` say whether the program keeps up with the cluster (`proxy_health`).
//! - `/readyz` says whether the table is as the cluster wants it (`readiness`).
//! - The health check node ports of services say how many endpoints the node has (`service_health`).
//! - `/metrics` shows what the program counts, and the kernel's table (`metrics`).
//!
//! `progress` and `rounds` follow changes until the table has them, and `sockets` decides which sockets are
//! open. They have no clock and no socket. `http` and `thread` serve, on a thread of their own, so that no
//! answer waits for the loop that keeps the table.

mod arguments;
mod cluster_changes;
mod http;
mod moment;
mod node_state;
mod not_served;
mod progress;
mod proxy_health;
mod readiness;
mod rounds;
mod service_health;
mod shared;
mod silent;
mod sockets;
mod thread;
mod triggers;
mod wished;

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use ipvs_netlink::ServiceId;
use ipvs_netlink::kubernetes::{Changes, Event, NodePortAddresses, Options};
use ipvs_netlink::table::controller;
use tokio::sync::watch;

use crate::cluster::{Notice, Source, TableState};
use crate::host::Cleaned;
use crate::metrics::Metrics;

pub use self::arguments::{BindAddress, ServingArguments};
pub(crate) use self::cluster_changes::ClusterChanges;
pub(crate) use self::http::{Answer, plain, with_type};
pub(crate) use self::moment::Moment;
use self::node_state::NodeState;
pub(crate) use self::not_served::NotServed;
use self::progress::Progress;
pub(crate) use self::rounds::Round;
use self::shared::Shared;
use self::thread::Thread;
pub(crate) use self::wished::Wished;

/// What the agent tells, for health and metrics.
#[derive(Debug)]
pub(crate) struct Serving {
    progress: Progress,
    node: NodeState,
    shared: Arc<Shared>,
    metrics: Arc<Metrics>,
    /// It ends with this value.
    thread: Option<Thread>,
    /// When the conversion began that is to be wished.
    begun: Option<Moment>,
}

impl Serving {
    /// Creates what the agent tells. Nothing is served yet.
    pub(crate) fn new(options: &Options, table: watch::Receiver<TableState>) -> Self {
        Self {
            progress: Progress::new(Moment::now().time),
            node: NodeState::default(),
            shared: Arc::new(Shared::new(options, table)),
            metrics: Arc::new(Metrics::new()),
            thread: None,
            begun: None,
        }
    }

    /// Starts the thread that serves, in the network namespace of the calling one. A socket that cannot be
    /// opened is tried again, and the log says so.
    ///
    /// # Errors
    ///
    /// The system has no thread or no memory.
    pub(crate) fn start(&mut self, arguments: &ServingArguments) -> io::Result<()> {
        let (shared, metrics) = (Arc::clone(&self.shared), Arc::clone(&self.metrics));
        self.thread = Some(Thread::start(arguments, shared, metrics)?);
        Ok(())
    }

    /// Says that the lists of the cluster are complete.
    pub(crate) fn listed(&self) {
        self.shared.lock().is_listed = true;
    }

    /// Says that the table holds all that is wished.
    pub(crate) fn synchronized(&self) {
        if !std::mem::replace(&mut self.shared.lock().is_synchronized, true) {
            self.shared.sockets_changed();
        }
    }

    /// Says that the main loop works, until it [waits](Self::waits) again.
    pub(crate) fn works(&self) {
        self.shared.lock().health.set_busy(Some(Moment::now()));
    }

    /// Says that the main loop waits for something to do.
    pub(crate) fn waits(&self) {
        self.shared.lock().health.set_busy(None);
    }

    /// Takes in what a watch tells.
    pub(crate) fn noticed(&mut self, source: Source, notice: &Notice) {
        match notice {
            Notice::Listed(event) | Notice::Changed(event) => self.told(event),
            Notice::Failed(_) => self.metrics.watch_failed(source),
            Notice::Watching => self.metrics.watch_goes(source),
            Notice::Begun | Notice::Complete => {}
        }
        if source == Source::Node {
            self.node.take(source, notice);
            self.shared.lock().is_eligible = self.node.is_eligible();
        }
    }

    fn told(&mut self, event: &Event) {
        self.progress.told(event);
        self.metrics.cluster_changed(event, Moment::now());
        self.metrics.set_pending(self.progress.pending());
    }

    /// Takes in a conversion, before any of it is wished.
    pub(crate) fn changed(&mut self, changes: &Changes, options: &Options) {
        self.begun = Some(Moment::now());
        self.metrics.converted(changes);
        let addresses = addresses(options, &self.node);
        let mut state = self.shared.lock();
        let mut is_new = state.services.take(&changes.services);
        if state.addresses != addresses {
            (state.addresses, is_new) = (addresses, true);
        }
        drop(state);
        if is_new {
            self.shared.sockets_changed();
        }
    }

    /// Takes in what is not served.
    pub(crate) fn unserved(&self, not_served: NotServed) {
        self.metrics.set_not_served(&not_served);
        self.shared.lock().services.set_unserved(not_served.services);
    }

    /// Takes in what was done about stale flows.
    pub(crate) fn flows_cleaned(&self, cleaned: &[Cleaned]) {
        cleaned.iter().for_each(|it| self.metrics.flows_cleaned(it));
    }

    /// Takes in whether `nft` works.
    pub(crate) fn firewall(&self, usable: bool) {
        self.metrics.set_firewall_usable(usable);
    }

    /// Takes in what the controller has been told to do. `is_open` says of which virtual services it is to tell an
    /// event.
    pub(crate) fn wished(&mut self, wished: Wished, is_open: impl Fn(ServiceId) -> bool) {
        let now = Moment::now();
        let begun = self.begun.take().unwrap_or(now);
        let ended = self.progress.wished(wished, is_open, begun);
        self.ended(ended, now);
    }

    /// Takes in that the table has a virtual service of which no event tells.
    pub(crate) fn settled(&mut self, id: ServiceId) {
        let ended = self.progress.event(&controller::Event::Settled(id));
        self.ended(ended, Moment::now());
    }

    /// Takes in an event of the controller.
    pub(crate) fn event(&mut self, event: &controller::Event) {
        let now = Moment::now();
        self.metrics.table_event(event, now);
        let ended = self.progress.event(event);
        if !ended.is_empty() {
            self.ended(ended, now);
        }
    }

    fn ended(&mut self, rounds: impl IntoIterator<Item = Round<ClusterChanges>>, now: Moment) {
        for round in rounds {
            self.metrics.round_ended(&round, now);
        }
        self.shared.lock().health.set_waiting(self.progress.oldest(), now);
        self.metrics.set_pending(self.progress.pending());
    }
}

/// Returns where health check node ports are served: at the addresses of node ports, or if node ports are served
/// everywhere, at all addresses.
///
/// Source: `pkg/proxy/healthcheck/service_health.go:newServiceHealthServer`.
fn addresses(options: &Options, node: &NodeState) -> Option<Vec<IpAddr>> {
    if options.node_port_addresses == NodePortAddresses::All {
        return None;
    }
    let of_family = |family| options.node_port_ips(node.node(), family);
    Some(options.families.iter().copied().flat_map(of_family).collect())
}
