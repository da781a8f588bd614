//! Endpoints that go away under load: first they terminate and still serve, then they are gone. Beside it, in
//! the same run, a table whose destinations are deleted at once.
//!
//! `ROUNDS` is how often all pods are replaced, once by default. The figures are printed:
//!
//! ```text
//! cargo test -p node-proxy --test live_rolling -- --nocapture
//! ```
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
#[path = "../../src/demo/cluster.rs"]
mod cluster;
#[path = "../../src/demo/local_addresses.rs"]
mod local_addresses;
#[path = "../../../quickstart/network.rs"]
#[allow(dead_code, reason = "what only other programs need")]
mod network;
#[path = "../../src/demo/pods.rs"]
mod pods;
#[path = "../../src/demo/stage.rs"]
#[allow(dead_code, reason = "what only the demo needs")]
mod stage;
#[path = "../stage/started.rs"]
mod started;
#[path = "../../src/demo/traffic.rs"]
#[allow(dead_code, reason = "what only the demo needs")]
mod traffic;

use std::error::Error;
use std::thread::sleep;
use std::time::{Duration, Instant};

use ipvs_netlink::{Destination, Service};
use node_proxy::api_server::{self, ApiServer};

use agent::Agent;
use cluster::{cluster_ip, put_objects};
use pods::Phase;
use stage::{Stage, address};
use started::start;
use traffic::{Load, Traffic};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const REPLICAS: u8 = 3;
/// How long a pod serves after it was told to end.
const GRACE: Duration = Duration::from_millis(600);

fn rounds() -> u8 {
    std::env::var("ROUNDS").map_or(1, |text| text.parse().unwrap())
}

/// A cluster with pods on the first hosts, and the agent.
struct Scene {
    agent: Agent,
    server: ApiServer,
    stage: Stage,
}

impl Scene {
    fn new(pods: u8) -> Self {
        let mut stage = Stage::new(2 * pods).unwrap();
        let server = stage.network.director.run(ApiServer::start).unwrap();
        put_objects(&server).unwrap();
        for n in 0..pods {
            stage.start(n).unwrap();
        }
        stage.publish(&server).unwrap();
        let agent = start(&stage.network.director, &stage.state, &server);
        agent.synchronized().unwrap();
        Self { agent, server, stage }
    }

    fn traffic(&self) -> Traffic {
        let load = Load { to: vec![cluster_ip()], rate: 50, long: 6, lifetime: Duration::MAX };
        Traffic::start(&self.stage.network.client, load).unwrap()
    }

    fn start(&mut self, n: u8) {
        self.stage.start(n).unwrap();
        self.stage.publish(&self.server).unwrap();
    }

    fn enter(&self, n: u8, phase: Phase) {
        self.stage.enter(n, phase);
        self.stage.publish(&self.server).unwrap();
    }

    /// Waits until the table sends new connections to a pod, or to it no more.
    fn wait(&mut self, n: u8, serves: bool) -> Duration {
        let begin = Instant::now();
        let usable = |weight: Option<u32>| weight.is_some_and(|it| it > 0);
        self.stage.wait_for(n, begin, |weight| usable(weight) == serves).unwrap_or_else(|error| {
            panic!("{error}\n{}", self.agent.end_of_log());
        })
    }
}

#[test]
fn no_connection_fails_while_a_deployment_rolls() {
    let mut scene = Scene::new(REPLICAS);
    let traffic = scene.traffic();
    let (mut ready, mut ended) = (Vec::new(), Vec::new());
    for round in 0..rounds() {
        let (from, to) = if round.is_multiple_of(2) { (0, REPLICAS) } else { (REPLICAS, 0) };
        for n in 0..REPLICAS {
            let (old, new) = (from + n, to + n);
            scene.start(new);
            ready.push(scene.wait(new, true));
            sleep(GRACE / 2);
            scene.enter(old, Phase::Terminating);
            ended.push(scene.wait(old, false));
            sleep(GRACE);
            scene.enter(old, Phase::Gone);
            sleep(GRACE / 2);
        }
    }
    let (ours, why) = traffic.stop();
    ready.sort();
    ended.sort();
    let (ready, ended) = (ready.last().unwrap(), ended.last().unwrap());
    println!(
        "at most {ready:.1?} until a new pod serves, {ended:.1?} until an old one is left alone"
    );
    println!("as the agent does it: {ours}");
    assert!(ours.short > 50 && ours.long > 6, "{ours:?}");
    assert_eq!(ours.failed(), 0, "{why:#?}\n{}", scene.agent.end_of_log());

    // The same with a table whose destinations are deleted as soon as their pods are not ready.
    let Scene { agent, mut stage, .. } = scene;
    agent.terminate().unwrap();
    let (from, to) = if rounds().is_multiple_of(2) { (0, REPLICAS) } else { (REPLICAS, 0) };
    let load = Load { to: vec![cluster_ip()], rate: 50, long: 6, lifetime: Duration::MAX };
    let traffic = Traffic::start(&stage.network.client, load).unwrap();
    let service = Service::tcp(cluster_ip()).id;
    for n in 0..REPLICAS {
        let (old, new) = (from + n, to + n);
        stage.start(new).unwrap();
        let _ = stage.ipvs.delete_destination(service, address(new).into());
        stage.ipvs.add_destination(service, &Destination::masquerade(address(new))).unwrap();
        sleep(GRACE / 2);
        stage.ipvs.delete_destination(service, address(old).into()).unwrap();
        stage.enter(old, Phase::Terminating);
        sleep(GRACE);
        stage.enter(old, Phase::Gone);
        sleep(GRACE / 2);
    }
    let (theirs, _) = traffic.stop();
    println!("deleted at once: {theirs}");
    assert!(theirs.failed() > 0, "the clients do not notice that connections break: {theirs:?}");
}

/// While no pod is ready, those that terminate and serve get the new connections
/// (`pkg/proxy/topology.go:CategorizeEndpoints`).
#[test]
fn the_only_pod_serves_until_the_next_one_is_ready() {
    let mut scene = Scene::new(1);
    let traffic = scene.traffic();
    sleep(GRACE);
    scene.enter(0, Phase::Terminating);
    sleep(GRACE);
    assert_eq!(scene.stage.weight(0).unwrap(), Some(1));
    scene.start(1);
    scene.wait(1, true);
    scene.wait(0, false);
    sleep(GRACE);
    scene.enter(0, Phase::Gone);
    sleep(GRACE);
    let (tally, why) = traffic.stop();
    println!("the only pod: {tally}");
    assert!(tally.short > 30, "{tally:?}");
    assert_eq!(tally.failed(), 0, "{why:#?}\n{}", scene.agent.end_of_log());
}
