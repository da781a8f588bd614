//! Services that ask for more than a kernel, a node or a log has.

use std::time::{Duration, Instant};

use ipvs_netlink::Client;
use ipvs_netlink::table::Table;
use node_proxy::api_server::ApiServer;
use serde_json::{Value, json};

use crate::keeping::{cluster, entry, node, service, slice};
use crate::stage::PATIENCE;
use crate::stage::agent::{self, Agent, fresh_namespace};
use crate::stage::kubectl::Kubectl;

fn annotated(mut object: Value, name: &str, value: &str) -> Value {
    object["metadata"]["annotations"][format!("ipvs-netlink/{name}")] = json!(value);
    object
}

#[test]
fn a_scheduler_that_the_kernel_lacks_is_refused_before_anything_is_written() {
    fresh_namespace();
    let server = cluster();
    server.put(service("web", "10.96.0.10")).unwrap();
    let said = agent::fail(&server, &["--ipvs-scheduler=rrr"]);
    let line = "node-proxy: --ipvs-scheduler rrr: the kernel has no scheduler of this name\n";
    assert_eq!(said, line);
    let table = Table::from(&Client::connect().unwrap().snapshot().unwrap());
    assert_eq!(table.to_string(), "");
}

#[test]
fn a_service_whose_scheduler_the_kernel_lacks_is_served_by_the_default_one() {
    fresh_namespace();
    let server = cluster();
    let web = annotated(service("web", "10.96.0.10"), "scheduler", "magic");
    server.put(annotated(web, "drain", "5m")).unwrap();
    server.put(slice("web", &["10.244.1.2"])).unwrap();
    let mut agent = Agent::start(&server, &["--allow-scheduler=magic"]);
    agent.wait_for("left out: Service shop/web, annotation ipvs-netlink/scheduler: ");
    agent.wait_for("synchronized");
    assert_eq!(agent.table(), entry("10.96.0.10", &["10.244.1.2"]));
    server.put(annotated(service("web", "10.96.0.10"), "scheduler", "wlc")).unwrap();
    let served = entry("10.96.0.10", &["10.244.1.2"]).replace("-s rr", "-s wlc");
    agent.wait_for_table(&served);
}

#[test]
fn a_service_of_the_cluster_is_explained() {
    fresh_namespace();
    let server = cluster();
    server.put(service("web", "10.96.0.10")).unwrap();
    let mut endpoints = slice("web", &["10.244.1.2", "10.244.1.3"]);
    endpoints["endpoints"][1]["conditions"] = json!({"ready": false});
    server.put(endpoints).unwrap();
    assert_eq!(
        agent::run(&server, &["--explain=shop/web:80"]),
        "Service shop/web, port 80: 1 virtual service\n  \
           TCP 10.96.0.10:80: cluster IP\n    \
             -A -t 10.96.0.10:80 -s rr\n    \
             -a -t 10.96.0.10:80 -r 10.244.1.2:8080 -m -w 1\n  \
           endpoints:\n    \
             10.244.1.2, ready: chosen\n    \
             10.244.1.3, not ready: not chosen: it is not ready\n  \
           left out:\n    \
             Service shop/web, endpoints of port 80: not ready\n"
    );
    let table = Table::from(&Client::connect().unwrap().snapshot().unwrap());
    assert_eq!(table.to_string(), "");
}

#[test]
fn a_node_without_its_object_is_waited_for() {
    fresh_namespace();
    let server = ApiServer::start().unwrap();
    server.put(service("web", "10.96.0.10")).unwrap();
    let mut agent = Agent::start(&server, &[]);
    agent.wait_for("there is no Node object of the name --node-name; nothing is written");
    agent.assert_table_stays("", Duration::from_millis(300));
    server.put(node()).unwrap();
    agent.wait_for_table(&entry("10.96.0.10", &[]));
    server.delete(&node()).unwrap();
    agent.wait_for("the Node object is gone");
    server.put(service("new", "10.96.0.11")).unwrap();
    agent.wait_for_table(&[entry("10.96.0.10", &[]), entry("10.96.0.11", &[])].concat());
}

#[test]
fn weights_of_pods_are_followed_if_the_option_says_so() {
    fresh_namespace();
    let server = cluster();
    server.put(annotated(service("web", "10.96.0.10"), "weights", "pod")).unwrap();
    let mut endpoints = slice("web", &["10.244.1.2"]);
    endpoints["endpoints"][0]["targetRef"] = json!({"kind": "Pod", "name": "web-a"});
    server.put(endpoints).unwrap();
    let pod = |weight: &str| {
        let metadata = json!({"namespace": "shop", "name": "web-a"});
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata});
        annotated(pod, "weight", weight)
    };
    server.put(pod("7")).unwrap();
    let mut agent = Agent::start(&server, &["--pod-weights"]);
    let weighed = |weight: &str| {
        entry("10.96.0.10", &["10.244.1.2"]).replace("-w 1", &format!("-w {weight}"))
    };
    agent.wait_for_table(&weighed("7"));
    server.put(pod("3")).unwrap();
    agent.wait_for_table(&weighed("3"));
    server.delete(&pod("")).unwrap();
    agent.wait_for_table(&weighed("1"));
}

/// A pipe has 64 KiB, and each of these lines 500 bytes.
#[test]
fn a_log_that_nobody_reads_holds_up_nothing() {
    fresh_namespace();
    let server = cluster();
    for number in 0..1000 {
        let mut web = service(&format!("web-{number}"), "10.96.0.10");
        for name in 0..5 {
            web = annotated(web, &format!("{name}-{}", "x".repeat(80)), "");
        }
        server.put(web).unwrap();
    }
    let mut agent = Agent::start_unread(&server, &[]);
    agent.wait_for_table(&entry("10.96.0.10", &[]));
    server.put(service("new", "10.96.0.11")).unwrap();
    agent.wait_for_table(&[entry("10.96.0.10", &[]), entry("10.96.0.11", &[])].concat());
}

#[test]
fn kubectl_shows_what_is_wrong_with_a_service() {
    fresh_namespace();
    let server = cluster();
    let kubectl = Kubectl(&server);
    server.put(annotated(service("web", "10.96.0.10"), "scheduler", "magic")).unwrap();
    server.put(annotated(service("web-2", "10.96.0.10"), "weights", "pod")).unwrap();
    let agent = Agent::start(&server, &["--events"]);
    agent.wait_for("synchronized");
    let form = "jsonpath={range .items[*]}{.regarding.name} {.reason}: {.note};{end}";
    let end = Instant::now() + PATIENCE;
    let wanted = [
        "web-2 AnnotationNotUsed: ",
        "web Invalid: Service shop/web, annot",
        "web-2 AddressInUse: ",
    ];
    loop {
        let said = kubectl.run(&["get", "events", "-n", "shop", "-o", form], "");
        if wanted.iter().all(|it| said.contains(it)) {
            return;
        }
        assert!(Instant::now() < end, "{said}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn kubectl_shows_the_condition_of_the_table() {
    fresh_namespace();
    let server = cluster();
    let kubectl = Kubectl(&server);
    let agent = Agent::start(&server, &["--node-condition"]);
    wait_for_condition(&kubectl, "IpvsTableReady True Kept");
    agent.terminate();
    wait_for_condition(&kubectl, "IpvsTableReady Unknown Stopped");
}

#[track_caller]
fn wait_for_condition(kubectl: &Kubectl<'_>, wanted: &str) {
    let form = "jsonpath={range .status.conditions[*]}{.type} {.status} {.reason}{end}";
    let end = Instant::now() + PATIENCE;
    loop {
        let said = kubectl.run(&["get", "node", "node-a", "-o", form], "");
        if said == wanted {
            return;
        }
        assert!(Instant::now() < end, "{said}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn the_condition_says_that_the_program_has_ended_also_before_the_first_lists() {
    fresh_namespace();
    let server = cluster();
    let kubectl = Kubectl(&server);
    server.break_lists(usize::MAX);
    let agent = Agent::start(&server, &["--node-condition"]);
    wait_for_condition(&kubectl, "IpvsTableReady Unknown Synchronizing");
    agent.terminate();
    wait_for_condition(&kubectl, "IpvsTableReady Unknown Stopped");
}

/// The API server refuses to patch an object that is not there.
#[test]
fn a_condition_that_cannot_be_written_holds_up_nothing() {
    fresh_namespace();
    let server = ApiServer::start().unwrap();
    server.put(service("web", "10.96.0.10")).unwrap();
    let mut agent = Agent::start(&server, &["--node-condition", "--node-address=192.0.2.1"]);
    agent.wait_for("the condition of Node node-a cannot be written: ");
    agent.wait_for_table(&entry("10.96.0.10", &[]));
    agent.terminate();
}
