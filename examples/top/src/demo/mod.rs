//! `--demo`: the program over a network of namespaces in which clients, servers and an operator are busy.
//!
//! `cargo run -p top -- --demo` needs neither root nor a host with IPVS: Cargo's runner boots a kernel that
//! has it. Everything happens in network namespaces of this process, which end with it.

#[path = "../../../quickstart/greeting.rs"]
#[allow(dead_code, reason = "what only other programs need")]
mod greeting;
#[path = "../../../quickstart/network.rs"]
#[allow(dead_code, reason = "what only other programs need")]
mod network;
mod operator;
mod table;
mod traffic;

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use ipvs_netlink::Client;

use self::network::{Network, virtual_addresses};
use self::operator::operate;
use self::table::Played;
use self::traffic::Flow;
use crate::arguments::Arguments;
use crate::program::{self, Failure};
use crate::reading::Source;

/// The longest wait for traffic and rates, for a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many virtual addresses the table uses.
const VIRTUALS: u8 = 5;

/// Runs the program on a network of the demo's own.
///
/// # Errors
///
/// The network cannot be made, and all of [`Failure`].
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let network = Network::with_servers(4).map_err(|error| {
        let reason = format!("cannot make a network of namespaces, as root can: {error}");
        Failure::Start(io::Error::new(error.kind(), reason))
    })?;
    // The network has the first three.
    let more: Vec<_> = (3..VIRTUALS).map(virtual_addresses).collect();
    network.director.assign("lo", &more).map_err(Failure::Start)?;
    let network = Arc::new(network);
    let mut ipvs = Client::in_namespace_fd(&network.director)?;
    let services = table::services();
    table::write(&mut ipvs, &services)?;
    begin(&network, services).map_err(Failure::Start)?;
    if arguments.once || arguments.json {
        wait_for_rates(&mut ipvs)?;
    }
    let source = Source::of(move || Client::in_namespace_fd(&network.director));
    let mut arguments = arguments.clone();
    // Neither the director of the host nor what its user looks at has to do with the demo.
    (arguments.no_director, arguments.forget) = (true, true);
    program::run_on(&arguments, source)
}

/// Starts servers, clients and the operator. They end with the process.
fn begin(network: &Arc<Network>, services: Vec<Played>) -> io::Result<()> {
    for server in services.iter().flat_map(|it| &it.servers) {
        traffic::serve(network, server)?;
    }
    for Played { service, pace, .. } in services.iter().filter(|it| !it.servers.is_empty()) {
        let (flow, network) = (Flow { service: service.id, pace: *pace }, Arc::clone(network));
        thread::Builder::new().name("client".to_owned()).spawn(move || flow.run(&network))?;
    }
    let network = Arc::clone(network);
    let work = move || operate(&network, &services);
    thread::Builder::new().name("operator".to_owned()).spawn(work)?;
    Ok(())
}

/// Waits until there is something to see. The kernel brings its rates up to date every two seconds.
fn wait_for_rates(ipvs: &mut Client) -> Result<(), Failure> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let snapshot = ipvs.snapshot()?;
        let busy = snapshot.services().filter(|it| it.entry.stats.rates.connections > 0);
        let mut destinations = snapshot.services().flat_map(|it| &it.destinations);
        if busy.count() >= 4 && destinations.any(|it| it.destination.weight == 0) {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(Failure::Start(io::ErrorKind::TimedOut.into()));
        }
        thread::sleep(Duration::from_millis(100));
    }
}
