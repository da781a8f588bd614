//! The node with its pods, and what is seen of the kernel's table.

use std::fs;
use std::net::SocketAddr;
use std::thread::sleep;
use std::time::{Duration, Instant};

use ipvs_netlink::{Client, DestinationId, Service};

use super::Result;
use super::agent::StateDir;
use super::cluster::{cluster_ip, put_slice};
use super::local_addresses::make_cluster_ips_local;
use super::network::{Network, server_addresses};
use super::pods::{PORT, Phase, Pod};
use crate::api_server::ApiServer;

/// The longest wait for a change, long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The node with its pods.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) network: Network,
    /// The pods, by the number of their namespace.
    pods: Vec<Option<Pod>>,
    /// What the node's agents remember.
    pub(super) state: StateDir,
    /// Looks at the table.
    pub(super) ipvs: Client,
}

impl Stage {
    /// Builds the network, with room for so many pods.
    pub(super) fn new(count: u8) -> Result<Self> {
        let network = Network::with_servers(count).map_err(|error| {
            format!("cannot make a network of namespaces, as root can: {error}")
        })?;
        make_cluster_ips_local(&network.director)?;
        let ipvs = Client::in_namespace_fd(&network.director)?;
        // As kube-proxy sets it: a connection whose destination is gone is reset, and does not hang.
        network.director.run(|| fs::write("/proc/sys/net/ipv4/vs/expire_nodest_conn", "1"))?;
        Ok(Self {
            network,
            pods: (0..count).map(|_| None).collect(),
            state: StateDir::new()?,
            ipvs,
        })
    }

    /// Starts a pod.
    pub(super) fn start(&mut self, n: u8) -> Result<()> {
        let namespace = self.network.servers.get(usize::from(n)).ok_or("there is no such host")?;
        let pod = Pod::start(namespace, address(n), &name(n))?;
        if let Some(place) = self.pods.get_mut(usize::from(n)) {
            *place = Some(pod);
        }
        Ok(())
    }

    /// Changes the phase of a pod.
    pub(super) fn enter(&self, n: u8, phase: Phase) {
        if let Some(pod) = self.pods.get(usize::from(n)).and_then(Option::as_ref) {
            pod.enter(phase);
        }
    }

    /// Writes the endpoint slice of the pods as they are.
    pub(super) fn publish(&self, server: &ApiServer) -> Result<()> {
        let pods = self.pods.iter().flatten();
        put_slice(server, &pods.map(|pod| (pod.address, pod.phase())).collect::<Vec<_>>())
    }

    /// Reads the weight of a pod in the kernel's table. `None` is not there.
    pub(super) fn weight(&mut self, n: u8) -> Result<Option<u32>> {
        let entries = match self.ipvs.destinations(Service::tcp(cluster_ip()).id) {
            Err(error) if error.is_not_found() => return Ok(None),
            entries => entries?,
        };
        let id = DestinationId::from(address(n));
        let entry = entries.iter().find(|entry| entry.id() == id);
        Ok(entry.map(|entry| entry.destination.weight))
    }

    /// Waits until a pod has such a weight. Returns the time since `begin`.
    pub(super) fn wait_for(
        &mut self,
        n: u8,
        begin: Instant,
        what: impl Fn(Option<u32>) -> bool,
    ) -> Result<Duration> {
        loop {
            let weight = self.weight(n)?;
            let took = begin.elapsed();
            if what(weight) {
                return Ok(took);
            }
            if took > PATIENCE {
                return Err(format!("the weight of {} stays {weight:?}", name(n)).into());
            }
            sleep(Duration::from_millis(1));
        }
    }
}

/// Returns the name of a pod.
pub(super) fn name(n: u8) -> String {
    format!("web-{}", n + 1)
}

/// Returns the address of a pod.
pub(super) fn address(n: u8) -> SocketAddr {
    SocketAddr::new(server_addresses(n).v4, PORT)
}
