//! A network with servers and clients, and the daemon as a process of its own in it: for tests of
//! the daemon as a whole.

mod clients;
mod daemon;
mod file;
pub(crate) mod manager;

#[path = "../../../quickstart/network.rs"]
mod network;
mod patience;
#[path = "../../../../tests/live_health/pulse.rs"]
mod pulse;
mod servers;
mod watcher;

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use ipvs_netlink::{DestinationId, Service, ServiceId};
use tokio::runtime::Runtime;

pub(crate) use self::clients::{Crowd, Tally, Visit};
pub(crate) use self::daemon::{Daemon, Usage, program};
pub(crate) use self::file::{PACE, file, service, to_down, to_up};
pub(crate) use self::network::Namespace;
pub(crate) use self::patience::{PATIENCE, wait_for};
pub(crate) use self::pulse::Pulse;
pub(crate) use self::servers::{Manner, Server};
pub(crate) use self::watcher::{Watcher, Weights};

use self::network::{Network, server_addresses, virtual_addresses};

pub(crate) const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A network, and servers in it.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) network: Arc<Network>,
    runtime: Runtime,
    folder: PathBuf,
}

impl Stage {
    /// Builds a network with so many hosts for servers.
    pub(crate) fn with_hosts(count: u8) -> Self {
        let network = Arc::new(Network::with_servers(count).expect("CAP_SYS_ADMIN"));
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).enable_all().build().unwrap();
        let nanos = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos();
        // The host's disk has the host's user as owner, whom the daemon does not trust.
        let folder = PathBuf::from(format!("/run/director-{nanos}"));
        fs::create_dir(&folder).unwrap();
        Self { network, runtime, folder }
    }

    /// The folder for files, which ends with the stage.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Starts a server on a host.
    pub(crate) fn serve(&self, host: u8, port: u16) -> Server {
        self.serve_at(host, at(host, port))
    }

    /// Starts a server on a host, at an address.
    pub(crate) fn serve_at(&self, host: u8, address: SocketAddr) -> Server {
        let network = Arc::clone(&self.network);
        let bind = move || network.servers[usize::from(host)].run(|| TcpListener::bind(address));
        Server::start(self.runtime.handle(), bind, &name(host))
    }

    /// Gives a host all addresses of a network.
    pub(crate) fn give(&self, host: u8, network: &str) {
        self.ip(host, &format!("route add local {network} dev lo"));
        let to = format!("route add {network} via {}", at(host, 0).ip());
        let run = || Command::new("ip").args(to.split(' ')).status();
        assert!(self.network.director.run(run).unwrap().success(), "{to}");
    }

    fn host(&self, host: u8) -> &Namespace {
        &self.network.servers[usize::from(host)]
    }

    /// Starts clients that connect to each address `rate` times a second.
    pub(crate) fn crowd(&self, to: &[SocketAddr], rate: u32) -> Crowd {
        Crowd::start(&self.network.client, to, rate)
    }

    /// Starts to read these services of the table all the time.
    pub(crate) fn watch(&self, services: &[ServiceId]) -> Watcher {
        Watcher::start(&self.network.director, services)
    }

    /// Runs iproute2 on a host.
    pub(crate) fn ip(&self, host: u8, arguments: &str) {
        let run = || Command::new("ip").args(arguments.split(' ')).status();
        assert!(self.host(host).run(run).unwrap().success(), "{arguments}");
    }

    /// Makes a host silent, or lets it speak again: its answers get lost.
    pub(crate) fn silence(&self, host: u8, is_silent: bool) {
        let verb = if is_silent { "add" } else { "del" };
        let director = format!("10.2.{}.1", host + 1);
        for to in ["10.1.0.0/24", &director] {
            self.ip(host, &format!("route {verb} blackhole {to}"));
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The name that a server on a host answers with.
pub(crate) fn name(host: u8) -> String {
    format!("server {host}")
}

/// A virtual address, 0 to 2, with a port.
pub(crate) fn vip(n: u8, port: u16) -> SocketAddr {
    (virtual_addresses(n).v4, port).into()
}

/// The id of the service of a virtual address.
pub(crate) fn id(vip: SocketAddr) -> ServiceId {
    Service::tcp(vip).id
}

/// The address of a server.
pub(crate) fn at(host: u8, port: u16) -> SocketAddr {
    (server_addresses(host).v4, port).into()
}

/// The id of the destination that a server is.
pub(crate) fn there(host: u8, port: u16) -> DestinationId {
    at(host, port).into()
}
