//! Health checks by annotation on a real kernel: servers die while their pods stay ready.
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
#[allow(dead_code, reason = "what only the demo needs")]
mod cluster;
#[path = "../../src/demo/local_addresses.rs"]
mod local_addresses;
#[path = "../../../quickstart/network.rs"]
#[allow(dead_code, reason = "what only other programs need")]
mod network;
#[path = "../../src/demo/pods.rs"]
#[allow(dead_code, reason = "what only other tests need")]
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

use node_proxy::api_server::{self, ApiServer};
use serde_json::json;

use agent::{Agent, StateDir};
use cluster::cluster_ip;
use pods::Phase;
use stage::Stage;
use started::start;
use traffic::{Load, Traffic};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The longest wait for a line of the log, long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

const CHECKS: &str = "checks:\n- tcp: {}\n  timeout: 1s\n\
                      pace: {interval: 1s, changing: 1s, down: 1s, fall: 2, damping: false}\n";

/// A cluster with two pods, and the agent.
struct Scene {
    agent: Option<Agent>,
    server: ApiServer,
    stage: Stage,
    state: StateDir,
}

impl Scene {
    fn new(annotation: Option<&str>) -> Self {
        let mut stage = Stage::new(3).unwrap();
        let server = stage.network.director.run(ApiServer::start).unwrap();
        let mut scene = {
            stage.start(0).unwrap();
            stage.start(1).unwrap();
            stage.publish(&server).unwrap();
            Self { agent: None, server, stage, state: StateDir::new().unwrap() }
        };
        scene.annotate(annotation);
        scene.start_agent();
        scene
    }

    fn start_agent(&mut self) {
        self.agent = Some(start(&self.stage.network.director, &self.state, &self.server));
        self.agent().synchronized().unwrap();
    }

    fn agent(&self) -> &Agent {
        self.agent.as_ref().unwrap()
    }

    fn annotate(&self, annotation: Option<&str>) {
        let annotations = match annotation {
            Some(text) => json!({"ipvs-netlink/health-checks": text}),
            None => json!({}),
        };
        let address = cluster_ip();
        let service = json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"namespace": "shop", "name": "web", "annotations": annotations},
            "spec": {"clusterIP": address.ip(), "ports": [{"port": address.port()}]},
        });
        self.server.put(service).unwrap();
    }

    /// The server of a pod dies. Kubernetes does not notice it.
    fn kill(&self, n: u8) {
        self.stage.enter(n, Phase::Gone);
    }

    /// Waits until the table sends new connections to a pod, or to it no more.
    fn wait(&mut self, n: u8, serves: bool) -> Duration {
        let usable = |weight: Option<u32>| weight.is_some_and(|it| it > 0);
        let begin = Instant::now();
        self.stage.wait_for(n, begin, |weight| usable(weight) == serves).unwrap_or_else(|error| {
            panic!("{error}\n{}", self.agent.as_ref().unwrap().end_of_log());
        })
    }

    fn weights(&mut self) -> [Option<u32>; 2] {
        [0, 1].map(|n| self.stage.weight(n).unwrap())
    }
}

#[test]
fn a_server_that_dies_is_taken_out_until_it_answers_again() {
    let mut scene = Scene::new(Some(CHECKS));
    assert_eq!(scene.weights(), [Some(1), Some(1)]);
    scene.kill(0);
    println!("taken out after {:.1?}", scene.wait(0, false));
    let load = Load { to: vec![cluster_ip()], rate: 50, long: 4, lifetime: Duration::MAX };
    let traffic = Traffic::start(&scene.stage.network.client, load).unwrap();
    // An agent that begins anew keeps what the last one has found.
    scene.agent.take().unwrap().terminate().unwrap();
    assert_eq!(scene.weights(), [Some(0), Some(1)]);
    scene.start_agent();
    for _ in 0..100 {
        assert_eq!(scene.weights(), [Some(0), Some(1)]);
        sleep(Duration::from_millis(5));
    }
    // Another endpoint comes, after its first check.
    scene.stage.start(2).unwrap();
    scene.server.put(slice(&[0, 1, 2])).unwrap();
    scene.wait(2, true);
    assert_eq!(scene.weights(), [Some(0), Some(1)]);
    scene.stage.start(0).unwrap();
    println!("put back after {:.1?}", scene.wait(0, true));
    sleep(Duration::from_millis(300));
    let (tally, why) = traffic.stop();
    println!("{} of {} connections failed", tally.failed(), tally.all());
    assert!(tally.short > 30, "{tally:?}");
    assert_eq!(tally.failed(), 0, "{why:#?}\n{}", scene.agent().end_of_log());
}

/// The endpoint slice of these pods, which all are ready.
fn slice(pods: &[u8]) -> serde_json::Value {
    let endpoints: Vec<_> =
        pods.iter().map(|n| json!({"addresses": [stage::address(*n).ip()]})).collect();
    json!({
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "namespace": "shop",
            "name": "web-1",
            "labels": {"kubernetes.io/service-name": "web"},
        },
        "addressType": "IPv4",
        "ports": [{"port": pods::PORT}],
        "endpoints": endpoints,
    })
}

#[test]
fn an_annotation_comes_and_goes_and_kubernetes_stays_the_master() {
    let mut scene = Scene::new(None);
    scene.kill(0);
    scene.annotate(Some(CHECKS));
    scene.wait(0, false);
    // The one that answers is not ready any more: the other one is all that there is.
    scene.server.put(slice(&[0])).unwrap();
    scene.wait(1, false);
    scene.wait(0, true);
    scene.server.put(slice(&[0, 1])).unwrap();
    scene.wait(1, true);
    scene.wait(0, false);
    // All servers are dead.
    scene.kill(1);
    scene.wait(0, true);
    assert_eq!(scene.weights(), [Some(1), Some(1)]);
    scene.stage.start(1).unwrap();
    scene.wait(0, false);
    scene.annotate(None);
    scene.wait(0, true);
    assert_eq!(scene.weights(), [Some(1), Some(1)]);
}

#[test]
fn hostile_annotations_are_refused_and_the_service_is_served() {
    let mut scene = Scene::new(Some("checks:\n- command: {program: /bin/sh}\n"));
    let begin = "left out: Service shop/web, annotation ipvs-netlink/health-checks: ";
    for (text, reason) in [
        ("checks:\n- {tcp: {}, through: true}", "line 2: through: "),
        ("checks: &all [tcp]\npolicy: *all", ""),
        ("checks: [tcp]\npace: {interval: 1ms}", "line 2: pace: interval 1ms"),
    ] {
        scene.annotate(Some(text));
        scene.agent().wait_for(&format!("{begin}{reason}"), PATIENCE).unwrap();
    }
    let log = scene.agent().end_of_log();
    assert!(log.contains("command: an annotation runs no programs"), "{log}");
    scene.kill(0);
    for _ in 0..100 {
        assert_eq!(scene.weights(), [Some(1), Some(1)]);
        sleep(Duration::from_millis(5));
    }
    // A right one in its place is followed.
    scene.annotate(Some(CHECKS));
    scene.wait(0, false);
}
