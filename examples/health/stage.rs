//! The network with its servers, and what is seen of the table and of connections.

use std::fmt;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::thread::sleep;
use std::time::{Duration, Instant};

use ipvs_netlink::{Client, DestinationId, Service};

use super::Result;
use super::clients::Clients;
use super::greeting::{Server, serve};
use super::network::{Namespace, Network, server_addresses, virtual_addresses};

/// The longest wait for a change, long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The names of the servers. The last one serves while no other works.
pub(crate) const NAMES: [&str; 4] = ["alice", "bob", "carol", "sorry"];

/// The weights of the servers in the table. `None` is not there.
pub(crate) type Weights = [Option<u32>; NAMES.len()];

/// Where the scenes are played.
#[derive(Debug)]
pub(crate) struct Stage<'n> {
    clients: &'n Clients,
    hosts: Vec<Host<'n>>,
    /// Looks at the table.
    ipvs: Client,
    /// The connections of which the policy promises that none fails.
    pub(crate) promised: usize,
    /// Those of them that failed.
    pub(crate) broken: usize,
}

/// A host with a server that can be stopped and started.
#[derive(Debug)]
struct Host<'n> {
    name: &'static str,
    namespace: &'n Namespace,
    address: SocketAddr,
    server: Option<Server>,
}

impl<'n> Stage<'n> {
    /// Starts the servers.
    pub(crate) fn new(network: &'n Network, clients: &'n Clients) -> Result<Self> {
        let hosts = (0..).zip(NAMES).zip(&network.servers).map(|((n, name), namespace)| Host {
            name,
            namespace,
            address: server(n),
            server: None,
        });
        let mut stage = Self {
            clients,
            hosts: hosts.collect(),
            ipvs: Client::in_namespace_fd(&network.director)?,
            promised: 0,
            broken: 0,
        };
        stage.start(&NAMES)?;
        Ok(stage)
    }

    /// Starts servers.
    pub(crate) fn start(&mut self, names: &[&str]) -> Result<()> {
        for host in self.hosts.iter_mut().filter(|host| names.contains(&host.name)) {
            host.server = Some(serve(host.namespace, host.address, host.name)?);
        }
        Ok(())
    }

    /// Stops servers: their hosts refuse connections.
    pub(crate) fn stop(&mut self, names: &[&str]) {
        for host in self.hosts.iter_mut().filter(|host| names.contains(&host.name)) {
            host.server = None;
        }
    }

    /// Reads the weights in the kernel's table.
    pub(crate) fn weights(&mut self) -> Result<Weights> {
        let entries = match self.ipvs.destinations(Service::tcp(web()).id) {
            Err(error) if error.is_not_found() => return Ok(Weights::default()),
            entries => entries?,
        };
        let weight = |n| {
            let id = DestinationId::from(server(n));
            let entry = entries.iter().find(|entry| entry.id() == id);
            entry.map(|entry| entry.destination.weight)
        };
        Ok([0, 1, 2, 3].map(weight))
    }

    /// Waits until the table has such weights. Returns the time since `begin`.
    pub(crate) fn wait_for(
        &mut self,
        begin: Instant,
        what: impl Fn(Weights) -> bool,
    ) -> Result<Millis> {
        loop {
            let weights = self.weights()?;
            let took = begin.elapsed();
            if what(weights) {
                return Ok(Millis(took));
            }
            if took > PATIENCE {
                return Err(format!("after {} the weights are {weights:?}", Millis(took)).into());
            }
            sleep(Duration::from_millis(1));
        }
    }

    /// Waits until a server has no connections.
    pub(crate) fn wait_until_idle(&mut self, n: u8) -> Result<()> {
        let web = Service::tcp(web()).id;
        let begin = Instant::now();
        while self.ipvs.destination(web, server(n).into())?.connections.active > 0 {
            if begin.elapsed() > PATIENCE {
                return Err(format!("{} still has connections", server(n)).into());
            }
            sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// Prints what became of the connections since `begin`. None of them may have failed.
    pub(crate) fn none_fails(&mut self, what: &str, begin: Instant) -> Result<()> {
        let (failed, attempted) = self.row(what, begin)?;
        self.broken += failed;
        self.promised += attempted;
        Ok(())
    }

    /// Prints what became of the connections since `begin`. Some had to fail.
    pub(crate) fn some_fail(&mut self, what: &str, begin: Instant) -> Result<()> {
        self.row(what, begin).map(drop)
    }

    /// Returns how many connections failed, and how many there were.
    fn row(&mut self, what: &str, begin: Instant) -> Result<(usize, usize)> {
        let tally = self.clients.tally(begin, Instant::now());
        let [alice, bob, carol, sorry] = tally.answered;
        let failed = format!("{} of {}", tally.failed, tally.attempted);
        say(format_args!("  {what:43}{alice:6}{bob:6}{carol:6}{sorry:6}{failed:>11}"))?;
        Ok((tally.failed, tally.attempted))
    }
}

/// A time in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Millis(pub(crate) Duration);

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0.as_millis())
    }
}

/// The address that clients connect to.
pub(crate) fn web() -> SocketAddr {
    SocketAddr::new(virtual_addresses(0).v4, 80)
}

/// The address of the server with this number.
pub(crate) fn server(n: u8) -> SocketAddr {
    SocketAddr::new(server_addresses(n).v4, 8080)
}

/// Prints the title of a scene, above the columns of its rows.
pub(crate) fn heading(title: &str) -> Result<()> {
    let [alice, bob, carol, sorry] = NAMES;
    say(format_args!("\n{title:45}{alice:>6}{bob:>6}{carol:>6}{sorry:>6}{:>11}", "failed"))
}

/// Prints a line. Fails if standard output is closed.
pub(crate) fn say(text: impl fmt::Display) -> Result<()> {
    Ok(writeln!(io::stdout(), "{text}")?)
}
