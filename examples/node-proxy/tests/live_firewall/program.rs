//! The table that `node-proxy run` keeps.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use node_proxy::api_server::ApiServer;
use serde_json::{Value, json};

use crate::stage::PATIENCE;
use crate::stage::agent::{Agent, fresh_namespace, state_directory};
use crate::stage::nft;

fn service(name: &str, number: u8) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"namespace": "shop", "name": name},
        "spec": {
            "type": "NodePort",
            "clusterIP": format!("10.96.0.{number}"),
            "ports": [{"port": 80, "nodePort": 30000 + u16::from(number)}],
        },
    })
}

/// Runs nft, as another program does.
fn nft(command: &str) {
    let words = command.split(' ');
    assert!(Command::new(nft::program()).args(words).status().unwrap().success(), "{command}");
}

/// Waits until the table is this one.
#[track_caller]
fn wait_for(wanted: &str, longest: Duration) {
    let end = Instant::now() + longest;
    while table() != wanted {
        assert!(Instant::now() < end, "not the table\n{wanted}but\n{}", table());
        sleep(Duration::from_millis(50));
    }
}

/// Whatever it is: a rule, an element of a set, or everything. An address of the host's own is not guarded.
#[test]
fn what_others_change_is_put_back() {
    fresh_namespace();
    let host = ["address", "add", "198.51.100.9/32", "dev", "lo"];
    assert!(Command::new("ip").args(host).status().unwrap().success());
    let server = ApiServer::start().unwrap();
    let mut one = service("one", 1);
    one["spec"]["externalIPs"] = json!(["198.51.100.9"]);
    server.put(one).unwrap();
    let nft_option = format!("--nft={}", nft::program().display());
    let agent = Agent::start(&server, &[&nft_option, "--node-address=192.0.2.1"]);
    agent.wait_for("synchronized");
    let whole = table();
    let guarded = whole.split("set addresses-4").nth(1).unwrap().split('}').next().unwrap();
    assert!(guarded.contains("10.96.0.1") && !guarded.contains("198.51.100.9"), "{whole}");

    nft("delete element inet ipvs-node masqueraded-4 { 192.0.2.1 . tcp . 30001 }");
    nft("flush chain inet ipvs-node postrouting");
    nft("add rule inet ipvs-node input accept");
    nft("add set inet ipvs-node foreign { type ipv4_addr; }");
    wait_for(&whole, Duration::from_secs(90));
    nft("flush ruleset");
    wait_for(&whole, Duration::from_secs(30));
    agent.wait_for("firewall: another program changed the table, which is written again");
}

/// The kernel's generation is all that is asked for.
#[test]
fn nobody_runs_nft_while_nothing_changes() {
    fresh_namespace();
    let server = ApiServer::start().unwrap();
    server.put(service("one", 1)).unwrap();
    let folder = state_directory(&server).with_extension("nft");
    fs::create_dir_all(&folder).unwrap();
    let (script, runs) = (folder.join("nft"), folder.join("runs"));
    let (said, program) = (runs.display(), nft::program());
    let text = format!("#!/bin/sh\necho run >>{said}\nexec {} \"$@\"\n", program.display());
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let nft_option = format!("--nft={}", script.display());
    let agent = Agent::start(&server, &[&nft_option, "--node-address=192.0.2.1"]);
    agent.wait_for("synchronized");
    // Within a minute the own table is written again for this, and then all is quiet.
    nft("add table inet foreign");
    sleep(Duration::from_secs(80));
    let before = fs::read_to_string(&runs).unwrap().lines().count();
    sleep(Duration::from_secs(20));
    assert_eq!(fs::read_to_string(&runs).unwrap().lines().count(), before);
}

/// What is in the table, or nothing if there is none.
fn table() -> String {
    let listed = Command::new(nft::program()).args(["list", "table", "inet", "ipvs-node"]).output();
    String::from_utf8(listed.unwrap().stdout).unwrap()
}

/// Services are in the firewall before they are in the table of IPVS, and leave it after.
#[test]
fn the_firewall_comes_before_services_and_goes_after_them() {
    fresh_namespace();
    let server = ApiServer::start().unwrap();
    server.put(service("one", 1)).unwrap();
    let nft = format!("--nft={}", nft::program().display());
    let mut agent = Agent::start(&server, &[&nft, "--node-address=192.0.2.1"]);
    agent.wait_for("synchronized");
    assert!(
        agent.table().contains("192.0.2.1:30001") && table().contains("192.0.2.1 . tcp . 30001")
    );

    // Two in a row: the second one waits for the second in which the table is written.
    let served =
        |agent: &mut Agent, number| agent.table().contains(&format!("192.0.2.1:3000{number}"));
    for (name, number) in [("two", 2), ("three", 3)] {
        server.put(service(name, number)).unwrap();
        let end = Instant::now() + PATIENCE;
        while !served(&mut agent, number) {
            assert!(Instant::now() < end, "not served");
            sleep(Duration::from_millis(20));
        }
        let firewall = table();
        assert!(firewall.contains(&format!("192.0.2.1 . tcp . 3000{number}")), "{firewall}");
    }

    server.delete(&service("one", 1)).unwrap();
    let end = Instant::now() + PATIENCE;
    while table().contains("192.0.2.1 . tcp . 30001") {
        assert!(Instant::now() < end, "the element is still there");
        sleep(Duration::from_millis(50));
    }
    assert!(!served(&mut agent, 1) && served(&mut agent, 2));

    // The table stays when the program ends, and the next run goes on with it.
    drop(agent);
    assert!(table().contains("192.0.2.1 . tcp . 30002"));
    server.delete(&service("two", 2)).unwrap();
    let agent = Agent::start(&server, &[&nft, "--node-address=192.0.2.1"]);
    agent.wait_for("synchronized");
    let firewall = table();
    assert!(
        !firewall.contains("30002") && firewall.contains("192.0.2.1 . tcp . 30003"),
        "{firewall}"
    );
}

/// The service stays as it is meanwhile. The program looks at the interfaces once a minute.
#[test]
fn a_late_address_of_the_node_in_a_source_range_lets_the_node_in() {
    fresh_namespace();
    let add = |address: &str| {
        let words = ["address", "add", address, "dev", "lo"];
        assert!(Command::new("ip").args(words).status().unwrap().success());
    };
    add("192.0.2.1/32");
    let server = ApiServer::start().unwrap();
    server
        .put(json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"namespace": "shop", "name": "gateway"},
            "spec": {
                "type": "LoadBalancer",
                "clusterIP": "10.96.0.9",
                "ports": [{"port": 443}],
                "loadBalancerSourceRanges": ["198.51.100.0/24"],
            },
            "status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.9"}]}},
        }))
        .unwrap();
    let nft_option = format!("--nft={}", nft::program().display());
    let agent = Agent::start(&server, &[&nft_option]);
    agent.wait_for("synchronized");
    let before = table();
    let range = "203.0.113.9 . 443 . 198.51.100.0/24";
    assert!(before.contains(range) && !before.contains("203.0.113.9 . 443 . 203.0.113.9"));
    add("198.51.100.7/32");
    let end = Instant::now() + Duration::from_secs(90);
    while !table().contains("203.0.113.9 . 443 . 203.0.113.9") {
        assert!(Instant::now() < end, "{}", table());
        sleep(Duration::from_millis(500));
    }
}

/// A cleanup needs `nft` only where there is a table.
#[test]
fn a_cleanup_without_nft_tells_what_it_leaves() {
    fresh_namespace();
    let server = ApiServer::start().unwrap();
    server.put(service("one", 1)).unwrap();
    let nft_option = format!("--nft={}", nft::program().display());
    let agent = Agent::start(&server, &[&nft_option, "--node-address=192.0.2.1"]);
    agent.wait_for("synchronized");
    agent.kill();
    let cleanup = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_node-proxy"));
        command.arg("--cleanup").arg("--state-dir").arg(state_directory(&server));
        let output = command.arg("--nft=/nonexistent/nft").output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = cleanup();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("firewall: table ipvs-node is left: /nonexistent/nft: "), "{said}");
    nft("delete table inet ipvs-node");
    let (code, said) = cleanup();
    assert_eq!(code, Some(0), "{said}");
}
