//! Endpoints that change all the time under live traffic: no connection fails, and how soon the kernel's table
//! follows.
//!
//! The figures of the README are those of a release build with 10,000 services for a minute:
//!
//! ```text
//! SERVICES=10000 RATE=100 SECONDS=60 IPVS_KERNEL_MEM=3G \
//!     cargo test --release -p node-proxy --test live_churn -- --nocapture
//! ```
//!
//! `SERVICES` is 200 by default, `SECONDS` 5, and `RATE`, how many endpoints change in a second, 20.
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
#[path = "../../src/demo/local_addresses.rs"]
mod local_addresses;
#[path = "../../../quickstart/network.rs"]
#[allow(dead_code, reason = "what only other programs need")]
mod network;
#[path = "../stage/objects.rs"]
mod objects;
#[path = "../../src/demo/pods.rs"]
#[allow(dead_code, reason = "what only the demo needs")]
mod pods;
mod restless;
#[path = "../stage/started.rs"]
mod started;
#[path = "../../src/demo/traffic.rs"]
#[allow(dead_code, reason = "what only the demo needs")]
mod traffic;

use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::thread::sleep;
use std::time::{Duration, Instant};

use ipvs_netlink::Client;
use node_proxy::api_server::ApiServer;

use agent::StateDir;
use cost::Cost;
use local_addresses::make_cluster_ips_local;
use network::{Network, server_addresses};
use pods::Pod;
use restless::{POOL, Restless};
use started::start;
use traffic::{Load, Traffic};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// How many services have clients, and pods that serve.
const LIVE: u32 = 4;

/// How long a long connection lasts: less than the deadline of drains, after which those to an endpoint that has
/// gone are cut.
const LIFETIME: Duration = Duration::from_secs(5);

/// The longest wait for the table, long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

fn number(variable: &str, default: u32) -> u32 {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap())
}

/// Returns the value that so many of a thousand do not exceed.
fn quantile(sorted: &[Duration], per_mille: usize) -> Duration {
    sorted[(sorted.len() * per_mille).div_ceil(1000).max(1) - 1]
}

#[test]
fn no_connection_fails_while_endpoints_change() {
    let (services, seconds, rate) =
        (number("SERVICES", 200), number("SECONDS", 5), number("RATE", 20));
    let network = Network::with_servers(u8::try_from(POOL).unwrap()).unwrap();
    make_cluster_ips_local(&network.director).unwrap();
    let addresses: Vec<IpAddr> = (0..).take(POOL).map(|n| server_addresses(n).v4).collect();
    let serve = |(host, ip): (_, &IpAddr), index| {
        let address = SocketAddr::new(*ip, objects::port(index));
        Pod::start(host, address, &format!("pod-{address}")).unwrap()
    };
    let hosts = || network.servers.iter().zip(&addresses);
    let _pods: Vec<Pod> = hosts().flat_map(|at| (0..LIVE).map(move |it| serve(at, it))).collect();
    let pool = std::array::from_fn(|n| addresses[n]);
    let server = network.director.run(ApiServer::start).unwrap();
    server.put(objects::node()).unwrap();
    let ipvs = Client::in_namespace_fd(&network.director).unwrap();
    let mut restless = Restless::new(&server, ipvs, services, LIVE, pool);

    let state = StateDir::new().unwrap();
    let agent = start(&network.director, &state, &server);
    agent.wait_for("synchronized", PATIENCE).unwrap();
    let to = (0..LIVE).map(objects::cluster_ip).collect();
    let load = Load { to, rate: 50, long: 2, lifetime: LIFETIME };
    let traffic = Traffic::start(&network.client, load).unwrap();
    sleep(Duration::from_millis(300));

    let before = Cost::of(agent.process());
    let begin = Instant::now();
    for n in 0..rate * seconds {
        let due = begin + Duration::from_secs(1) * n / rate;
        restless.watch_until(due);
        restless.change();
    }
    let changing = begin.elapsed();
    let after = Cost::of(agent.process());
    restless.watch_all(PATIENCE);
    let (tally, why) = traffic.stop();

    let mut took = std::mem::take(&mut restless.took);
    took.sort();
    println!(
        "{services} services, {} changes in {:.1} s: {:.1?} (p50), {:.1?} (p99), {:.1?} (most) from the API \
         server's write to the kernel's table",
        took.len(),
        changing.as_secs_f64(),
        quantile(&took, 500),
        quantile(&took, 990),
        took.last().unwrap(),
    );
    println!(
        "the agent: {:.1} % of a processor, {:.0} MB at most",
        100.0 * (after.seconds - before.seconds) / changing.as_secs_f64(),
        after.peak,
    );
    println!("{tally}");
    assert_eq!(took.len(), (rate * seconds) as usize);
    restless.assert_table();
    assert!(tally.short > 20 * seconds as usize, "{tally:?}");
    assert_eq!(tally.failed(), 0, "{why:#?}\n{}", agent.end_of_log());
    agent.terminate().unwrap();
}
