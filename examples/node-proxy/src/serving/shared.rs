use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hyper::StatusCode;
use ipvs_netlink::AddressFamily;
use ipvs_netlink::kubernetes::{ObjectName, Options};
use tokio::sync::{Notify, watch};

use super::http::{self, Answer};
use super::proxy_health::ProxyHealth;
use super::service_health::ServiceHealth;
use super::sockets::{Page, Place};
use super::{BindAddress, Moment, ServingArguments, readiness};
use crate::cluster::TableState;

/// What the agent and the thread that answers share.
#[derive(Debug)]
pub(crate) struct Shared {
    state: Mutex<State>,
    sockets_changed: Notify,
    families: Vec<AddressFamily>,
    /// How the kernel's table is.
    table: watch::Receiver<TableState>,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) health: ProxyHealth,
    /// The node is to get traffic from load balancers.
    pub(crate) is_eligible: bool,
    pub(crate) services: ServiceHealth,
    /// Where the ports of services are served. `None` stands for everywhere.
    pub(crate) addresses: Option<Vec<IpAddr>>,
    /// The lists of the cluster are complete.
    pub(crate) is_listed: bool,
    /// The table has held all that was wished. No load balancer is told of endpoints before.
    pub(crate) is_synchronized: bool,
}

impl Shared {
    pub(crate) fn new(options: &Options, table: watch::Receiver<TableState>) -> Self {
        let state = State {
            health: ProxyHealth::default(),
            is_eligible: true,
            services: ServiceHealth::default(),
            addresses: None,
            is_listed: false,
            is_synchronized: false,
        };
        let families = options.families.clone();
        Self { state: Mutex::new(state), sockets_changed: Notify::new(), families, table }
    }

    /// Nothing is half done under the lock.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that other sockets may be wanted now.
    pub(crate) fn sockets_changed(&self) {
        self.sockets_changed.notify_one();
    }

    /// Waits until other sockets may be wanted.
    pub(crate) async fn wait_for_sockets(&self) {
        self.sockets_changed.notified().await;
    }

    /// Returns which sockets are wanted.
    pub(crate) fn wanted(&self, arguments: &ServingArguments) -> BTreeSet<Place> {
        let BindAddress(health) = arguments.healthz_bind_address;
        let BindAddress(metrics) = arguments.metrics_bind_address;
        let own = [(Page::Health, health), (Page::Metrics, metrics)];
        let mut wanted: BTreeSet<Place> =
            own.into_iter().filter_map(|(page, address)| Some((page, address?))).collect();
        let state = self.lock();
        if state.is_synchronized {
            let everywhere = [IpAddr::V4(Ipv4Addr::UNSPECIFIED)];
            let addresses = state.addresses.as_deref().unwrap_or(&everywhere);
            for (name, port) in state.services.ports() {
                let at = |ip: &IpAddr| (Page::Service(name.clone()), SocketAddr::new(*ip, port));
                wanted.extend(addresses.iter().map(at));
            }
        }
        wanted
    }

    /// Answers `/healthz`, or `/livez` that does not look at the node. Returns whether all is well, too.
    pub(crate) fn answer_health(&self, with_node: bool) -> (bool, Answer) {
        let state = self.lock();
        let is_eligible = with_node.then_some(state.is_eligible);
        let report = state.health.report(is_eligible, &self.families, Moment::now());
        drop(state);
        (report.is_ok, http::json(report.is_ok, &report))
    }

    /// Answers `/readyz`.
    pub(crate) fn answer_readiness(&self) -> Answer {
        let state = self.lock();
        let now = Moment::now().instant;
        match readiness::trouble(state.is_listed, &self.table.borrow(), &state.health, now) {
            None => http::plain(StatusCode::OK, "ok\n"),
            Some(reason) => http::plain(StatusCode::SERVICE_UNAVAILABLE, reason + "\n"),
        }
    }

    /// Answers for a service.
    pub(crate) fn answer_service(&self, name: &ObjectName) -> Answer {
        let state = self.lock();
        let is_healthy = state.health.is_healthy(Moment::now().instant);
        match state.services.report(name, is_healthy) {
            Some(report) => {
                let mut answer = http::json(report.is_ok(), &report);
                let weight = report.local_endpoints.into();
                answer.headers_mut().insert("x-load-balancing-endpoint-weight", weight);
                answer
            }
            None => http::plain(StatusCode::SERVICE_UNAVAILABLE, "no such service\n"),
        }
    }
}
