//! What the program knows of earlier runs, and of services that others made.

use std::net::{TcpListener, TcpStream};
use std::process::Command;

use ipvs_netlink::Client;
use ipvs_netlink::table::{PlanOptions, Table};

use crate::keeping::{cluster, entry, service, slice};
use crate::stage::agent::{self, Agent, fresh_namespace, state_directory};

/// Makes services as another program does.
fn make(ipvs: &mut Client, text: &str) {
    let made = ipvs.reconcile(&text.parse::<Table>().unwrap(), &PlanOptions::new()).unwrap();
    assert!(made.is_done(), "{made:?}");
}

/// The scope of the second run does not name it: the first run has made it.
#[test]
fn what_an_earlier_run_made_leaves_when_the_cluster_has_it_no_more() {
    fresh_namespace();
    let server = cluster();
    server.put(service("web", "10.96.0.10")).unwrap();
    server.put(service("old", "10.96.0.11")).unwrap();
    server.put(slice("web", &["10.244.1.2"])).unwrap();
    let mut agent = Agent::start(&server, &[]);
    let foreign = entry("10.96.0.99", &["10.244.9.9"]);
    let (web, old) = (entry("10.96.0.10", &["10.244.1.2"]), entry("10.96.0.11", &[]));
    agent.wait_for_table(&[web.as_str(), &old].concat());
    agent.kill();
    make(&mut Client::connect().unwrap(), &foreign);
    server.delete(&service("old", "")).unwrap();

    let said = agent::run(&server, &["--dry-run"]);
    assert_eq!(said, "ipvsadm -D -t 10.96.0.11:80\n");
    let mut agent = Agent::start(&server, &[]);
    agent.wait_for_table(&[web, foreign].concat());
    let stored = std::fs::read_to_string(state_directory(&server).join("owned")).unwrap();
    assert!(stored.ends_with("\nTCP 10.96.0.10:80\nTCP 10.96.0.11:80\n"), "{stored}");
}

/// What others made of that family stays, even where the program may delete.
#[test]
fn what_an_earlier_run_made_of_a_family_leaves_when_it_is_served_no_more() {
    fresh_namespace();
    let server = cluster();
    server.put(service("web", "10.96.0.10")).unwrap();
    server.put(service("six", "2001:db8::10")).unwrap();
    let mut agent = Agent::start(&server, &[]);
    let (web, six) = (entry("10.96.0.10", &[]), entry("[2001:db8::10]", &[]));
    agent.wait_for_table(&[web.as_str(), &six].concat());
    agent.kill();
    let foreign = entry("[2001:db8::99]", &[]);
    make(&mut Client::connect().unwrap(), &foreign);

    for scope in ["--service-cidr=10.96.0.0/16,2001:db8::/64", "--take-over"] {
        let options = ["--ip-family=ipv4", scope];
        let said = agent::run(&server, &[&options[..], &["--dry-run"]].concat());
        assert_eq!(said, "ipvsadm -D -t '[2001:db8::10]:80'\n");
        let mut agent = Agent::start(&server, &options);
        agent.wait_for_table(&[web.as_str(), &foreign].concat());
        agent.wait_for("synchronized");
        let addresses = Command::new("ip").args(["address", "show", "dev", "ipvs-node0"]).output();
        let addresses = String::from_utf8(addresses.unwrap().stdout).unwrap();
        assert!(!addresses.contains("2001:db8::10"), "{addresses}");
        agent.kill();

        let mut agent = Agent::start(&server, &[]);
        agent.wait_for_table(&[web.as_str(), &six, &foreign].concat());
        agent.kill();
    }
}

/// Another program may use it, so it is told and not removed.
#[test]
fn an_interface_of_an_earlier_name_is_told() {
    fresh_namespace();
    let server = cluster();
    let agent = Agent::start(&server, &[]);
    agent.wait_for("synchronized");
    agent.kill();
    let agent = Agent::start(&server, &["--interface=ipvs-node1"]);
    agent.wait_for(
        "interface ipvs-node0: is of another node-proxy, or of a former --interface; remove it when \
         this one serves, if no other uses it: ip link delete ipvs-node0",
    );
}

#[test]
fn a_file_of_another_network_namespace_is_not_used() {
    fresh_namespace();
    let server = cluster();
    let folder = state_directory(&server);
    std::fs::create_dir_all(&folder).unwrap();
    let text = "node-proxy 1 net:[1]\nTCP 10.96.0.99:80\n";
    std::fs::write(folder.join("owned"), text).unwrap();
    let foreign = entry("10.96.0.99", &["10.244.9.9"]);
    make(&mut Client::connect().unwrap(), &foreign);
    let mut agent = Agent::start(&server, &[]);
    agent.wait_for(&format!("{}: not used", folder.join("owned").display()));
    agent.wait_for("synchronized");
    assert_eq!(agent.table(), foreign);
}

#[test]
fn two_programs_do_not_share_a_directory() {
    fresh_namespace();
    let server = cluster();
    let agent = Agent::start(&server, &[]);
    agent.wait_for("synchronized");
    let said = agent::fail(&server, &[]);
    assert!(said.contains("another node-proxy uses it"), "{said}");
}

/// What others make after the take-over is theirs.
#[test]
fn a_takeover_deletes_what_is_there_first_and_nothing_later() {
    fresh_namespace();
    let server = cluster();
    server.put(service("web", "10.96.0.10")).unwrap();
    server.put(slice("web", &["10.244.1.2"])).unwrap();
    let web = entry("10.96.0.10", &["10.244.1.2"]);
    let mut other = Client::connect().unwrap();
    make(&mut other, &[web.as_str(), &entry("192.0.2.9", &["10.244.9.9"])].concat());
    let mut agent = Agent::start(&server, &["--take-over"]);
    agent.wait_for("synchronized");
    assert_eq!(agent.table(), web);

    let later = entry("198.51.100.9", &["10.244.9.9"]);
    make(&mut other, &later);
    server.put(service("new", "10.96.0.12")).unwrap();
    let new = entry("10.96.0.12", &[]);
    agent.wait_for_table(&[web.as_str(), &new, &later].concat());
}

/// A client may stay for days.
#[test]
fn nobody_waits_for_the_connections_of_an_endpoint_that_is_gone() {
    fresh_namespace();
    let add = ["address", "add", "10.244.1.2/32", "dev", "lo"];
    assert!(Command::new("ip").args(add).status().unwrap().success());
    let endpoint = TcpListener::bind("10.244.1.2:8080").unwrap();
    let server = cluster();
    server.put(service("web", "10.96.0.10")).unwrap();
    server.put(slice("web", &["10.244.1.2"])).unwrap();
    let mut agent = Agent::start(&server, &[]);
    agent.wait_for_table(&entry("10.96.0.10", &["10.244.1.2"]));
    let client = loop {
        // The address comes after the service.
        match TcpStream::connect("10.96.0.10:80") {
            Ok(client) => break client,
            Err(_) => std::thread::sleep(std::time::Duration::from_millis(20)),
        }
    };
    let served = endpoint.accept().unwrap();
    agent.kill();

    server.put(slice("web", &["10.244.1.3"])).unwrap();
    let mut agent = Agent::start(&server, &["--drain", "forever"]);
    agent.wait_for("synchronized");
    let drains = "-a -t 10.96.0.10:80 -r 10.244.1.2:8080 -m -w 0\n";
    assert!(agent.table().contains(drains), "{}", agent.table());
    drop((client, served));
}
