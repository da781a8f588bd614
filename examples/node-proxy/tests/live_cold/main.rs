//! The start of the whole program in a large cluster: from the last object that the API server delivers to the
//! right table. Beside it, `ipvsadm -R` of the same table in the same guest.
//!
//! The figures of the README are those of a release build with 44,125 services:
//!
//! ```text
//! SERVICES=44125 IPVS_KERNEL_MEM=4G \
//!     cargo test --release -p node-proxy --test live_cold -- --nocapture
//! ```
//!
//! `SERVICES` is 500 by default, and `ENDPOINTS`, of each service, 3.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that fails panics, and this one prints figures"
)]

#[path = "../../src/demo/agent.rs"]
#[allow(dead_code, reason = "what only the demo needs")]
mod agent;
#[path = "../stage/cost.rs"]
mod cost;
#[path = "../../../quickstart/network.rs"]
#[allow(dead_code, reason = "what only other programs need")]
mod network;
#[path = "../stage/objects.rs"]
mod objects;
#[path = "../stage/started.rs"]
mod started;

use std::error::Error;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use ipvs_netlink::table::{Table, TableService};
use ipvs_netlink::{Client, Destination, Scheduler, Service};
use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use node_proxy::api_server::ApiServer;

use agent::{Agent, StateDir};
use cost::Cost;
use network::Namespace;
use started::start;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The longest wait for the table, long enough for a guest that is emulated.
const PATIENCE: Duration = Duration::from_secs(1200);

fn number(variable: &str, default: u32) -> u32 {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap())
}

fn addresses(index: u32, endpoints: u32) -> Vec<IpAddr> {
    let address = |n| Ipv4Addr::from_bits(0x0af4_0001 + index * endpoints + n).into();
    (0..endpoints).map(address).collect()
}

/// The table that the agent has to make.
fn wanted(services: u32, endpoints: u32) -> Table {
    let service = |index| {
        let service = Service::tcp(objects::cluster_ip(index)).scheduler(Scheduler::ROUND_ROBIN);
        addresses(index, endpoints).into_iter().fold(TableService::new(service), |service, it| {
            service.with(Destination::masquerade(SocketAddr::new(it, objects::port(index))))
        })
    };
    (0..services).map(service).collect()
}

/// Waits until the lists of all objects are delivered. Returns when the last page was, and what the agent had
/// cost by then.
fn last_page(server: &ApiServer, agent: &Agent, pages: usize) -> (Instant, Cost) {
    let end = Instant::now() + PATIENCE;
    while server.begun().pages < pages {
        assert!(Instant::now() < end, "{:?} of {pages} pages", server.begun());
        thread::sleep(Duration::from_millis(1));
    }
    (Instant::now(), Cost::of(agent.process()))
}

#[test]
fn figures_of_a_cold_start() {
    let (services, endpoints) = (number("SERVICES", 500), number("ENDPOINTS", 3));
    let home = Namespace::new().unwrap();
    let server = home.run(ApiServer::start).unwrap();
    server.put(objects::node()).unwrap();
    for index in 0..services {
        server.put(objects::service(index)).unwrap();
        server.put(objects::slice(index, &addresses(index, endpoints))).unwrap();
    }
    // What `kube` asks for at once; services, slices and the node.
    let pages = 2 * services.div_ceil(500) as usize + 1;

    let begin = Instant::now();
    let state = StateDir::new().unwrap();
    let agent = start(&home, &state, &server);
    let (delivered, before) = last_page(&server, &agent, pages);
    agent.wait_for("synchronized", PATIENCE).unwrap_or_else(|error| {
        panic!("{error}\n{}", agent.end_of_log());
    });
    let took = delivered.elapsed();
    let after = Cost::of(agent.process());
    println!(
        "{services} services with {endpoints} endpoints each: {:.2} s and {:.2} s of processor from the last page \
         to the right table; {:.2} s and {:.2} s of processor from the start; {:.0} MB at most",
        took.as_secs_f64(),
        after.seconds - before.seconds,
        begin.elapsed().as_secs_f64(),
        after.seconds,
        after.peak,
    );
    wait_for_addresses(&home, services);
    println!(
        "all addresses: {:.2} s and {:.2} s of processor from the start",
        begin.elapsed().as_secs_f64(),
        Cost::of(agent.process()).seconds,
    );
    let wanted = wanted(services, endpoints);
    let made = Table::from(&Client::in_namespace_fd(&home).unwrap().snapshot().unwrap());
    assert!(made == wanted, "the table is wrong: {} services", made.len());
    assert_eq!(server.begun().pages, pages);
    agent.terminate().unwrap();
    ipvsadm(&wanted);
}

/// Waits until the interface has the address of each service.
fn wait_for_addresses(home: &Namespace, services: u32) {
    let end = Instant::now() + PATIENCE;
    let show = || Command::new("ip").args(["-4", "-o", "address", "show", "ipvs-node0"]).output();
    loop {
        let shown = String::from_utf8(home.run(show).unwrap().stdout).unwrap();
        let count = shown.lines().count();
        if count == services as usize {
            return;
        }
        assert!(Instant::now() < end, "{count} addresses");
        // To list many takes some of the same processor.
        thread::sleep(Duration::from_millis(500));
    }
}

/// Measures `ipvsadm -R` of the same table, where there is one.
fn ipvsadm(table: &Table) {
    let file = std::env::temp_dir().join(format!("live_cold-{}", std::process::id()));
    fs::write(&file, table.to_string()).unwrap();
    let other = Namespace::new().unwrap();
    let mut command = Command::new("ipvsadm");
    command.arg("-R").stdin(File::open(&file).unwrap()).stdout(Stdio::null());
    fs::remove_file(&file).unwrap();
    let before = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    let begin = Instant::now();
    let status = match other.run(|| command.status()) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            println!("ipvsadm is not there");
            return;
        }
        status => status.unwrap(),
    };
    let took = begin.elapsed();
    let after = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    assert!(status.success(), "ipvsadm -R: {status}");
    println!(
        "ipvsadm -R of the same table: {:.2} s and {:.2} s of processor",
        took.as_secs_f64(),
        processor(&after) - processor(&before),
    );
    let snapshot = Client::in_namespace_fd(&other).unwrap().snapshot().unwrap();
    assert_eq!(snapshot.services().len(), table.len());
}

fn processor(usage: &Usage) -> f64 {
    let seconds = |time: nix::sys::time::TimeVal| time.num_microseconds() as f64 / 1e6;
    seconds(usage.user_time()) + seconds(usage.system_time())
}
