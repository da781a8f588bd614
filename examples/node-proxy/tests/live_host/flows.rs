//! A UDP client that keeps its port is not kept at an endpoint that is gone.

use std::net::UdpSocket;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use ipvs_netlink::{AddressFamily, Client, Destination, Service};

use crate::stage::{Stage, apply, in_namespace, ip};

const VIRTUAL: &str = "10.96.0.10:53";

/// A server that answers with its own name.
fn server(address: &str) {
    let socket = UdpSocket::bind((address, 53)).unwrap();
    let name = address.to_owned();
    std::thread::spawn(move || {
        let mut buffer = [0; 64];
        while let Ok((_, client)) = socket.recv_from(&mut buffer) {
            let _ = socket.send_to(name.as_bytes(), client);
        }
    });
}

/// Asks until an answer comes, and returns it.
fn ask(client: &UdpSocket) -> String {
    for _ in 0..50 {
        client.send(b"?").ok();
        let mut buffer = [0; 64];
        if let Ok(length) = client.recv(&mut buffer) {
            return String::from_utf8(buffer[..length].to_vec()).unwrap();
        }
    }
    panic!("no answer");
}

fn client() -> UdpSocket {
    let client = UdpSocket::bind("192.0.2.9:0").unwrap();
    client.connect(VIRTUAL).unwrap();
    client.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    client
}

/// Returns the reply sources of the tracked flows to the virtual service.
fn tracked() -> Vec<String> {
    let text =
        std::fs::read_to_string("/proc/thread-self/net/nf_conntrack").expect("conntrack's list");
    let to = text.lines().filter(|line| line.contains("dst=10.96.0.10 "));
    let mut sources: Vec<String> = to
        .filter_map(|line| line.split_whitespace().filter_map(|it| it.strip_prefix("src=")).nth(1))
        .map(str::to_owned)
        .collect();
    sources.sort();
    sources
}

/// Makes netfilter track flows in this namespace: it does as soon as a rule asks for their states.
fn track() {
    // The runner has let `fetch` put it there.
    let target = Path::new(env!("CARGO_BIN_EXE_node-proxy")).ancestors().nth(2).unwrap();
    let rule = ["-A", "OUTPUT", "-m", "conntrack", "--ctstate", "NEW"];
    let ruled = Command::new(target.join("kernel/iptables/iptables")).args(rule).status();
    assert!(ruled.unwrap().success());
}

async fn begin(stage: &mut Stage) -> (node_proxy::host::Host, Client) {
    ip("link add pods type dummy");
    ip("link set pods up");
    for address in ["10.244.1.3/32", "10.244.1.4/32", "192.0.2.9/32"] {
        ip(&format!("addr add {address} dev pods"));
    }
    track();
    server("10.244.1.3");
    server("10.244.1.4");
    let mut ipvs = Client::connect().unwrap();
    let mut host = stage.open().await;
    let first = stage.service("dns", "10.96.0.10", ("UDP", 53), &["10.244.1.3", "10.244.1.4"]);
    host.prepare(&first).await.unwrap();
    let service = Service::udp(VIRTUAL.parse().unwrap());
    ipvs.add_service(&service).unwrap();
    for (service, _) in &first.set {
        for destination in service.destinations() {
            ipvs.add_destination(service.id(), destination.destination()).unwrap();
        }
    }
    apply(&mut host, &first).await;
    stage.settle(&mut host).await;
    (host, ipvs)
}

#[test]
fn a_client_that_keeps_its_port_gets_answers_from_another_endpoint() {
    in_namespace(async |mut stage| {
        let (mut host, mut ipvs) = begin(&mut stage).await;
        let clients = [client(), client()];
        let mut names = clients.each_ref().map(ask);
        names.sort();
        assert_eq!(names, ["10.244.1.3", "10.244.1.4"], "round robin");
        assert_eq!(tracked(), ["10.244.1.3", "10.244.1.4"]);

        let changes = stage.service("dns", "10.96.0.10", ("UDP", 53), &["10.244.1.4"]);
        let gone = Destination::masquerade("10.244.1.3:53".parse().unwrap());
        let id = Service::udp(VIRTUAL.parse().unwrap()).id;
        ipvs.delete_destination(id, gone.id()).unwrap();
        apply(&mut host, &changes).await;
        stage.later();
        stage.settle(&mut host).await;
        assert_eq!(tracked(), ["10.244.1.4"], "the flow to the other endpoint stays");
        let cleaned = host.take_cleaned();
        assert!(cleaned.iter().all(|it| it.family == AddressFamily::Ipv4 && !it.took.is_zero()));
        // The first look was about the new service.
        assert_eq!(cleaned.iter().map(|it| it.deleted).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(host.take_cleaned().len(), 0);
        assert_eq!(clients.each_ref().map(ask), ["10.244.1.4", "10.244.1.4"]);
    });
}

#[test]
fn a_flow_from_before_the_service_is_deleted() {
    in_namespace(async |mut stage| {
        let (mut host, mut ipvs) = begin(&mut stage).await;
        let id = Service::udp(VIRTUAL.parse().unwrap()).id;
        ipvs.delete_service(id).unwrap();
        apply(&mut host, &stage.delete("dns")).await;
        ip("addr add 10.96.0.10/32 dev pods");
        let client = client();
        client.send(b"?").unwrap();
        assert_eq!(tracked(), ["10.96.0.10"]);

        let changes = stage.service("dns", "10.96.0.10", ("UDP", 53), &["10.244.1.4"]);
        ipvs.add_service(&Service::new(id)).unwrap();
        let endpoint = Destination::masquerade("10.244.1.4:53".parse().unwrap());
        ipvs.add_destination(id, &endpoint).unwrap();
        apply(&mut host, &changes).await;
        stage.later();
        stage.settle(&mut host).await;
        assert_eq!(tracked(), [""; 0]);
        assert_eq!(ask(&client), "10.244.1.4");
        assert_eq!(tracked(), ["10.244.1.4"]);
    });
}

#[test]
fn flows_to_other_services_and_of_other_protocols_stay() {
    in_namespace(async |mut stage| {
        let (mut host, _) = begin(&mut stage).await;
        let direct = UdpSocket::bind("192.0.2.9:0").unwrap();
        direct.connect("10.244.1.3:53").unwrap();
        direct.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        assert_eq!(ask(&direct), "10.244.1.3");
        let flows = || {
            let text = std::fs::read_to_string("/proc/thread-self/net/nf_conntrack").unwrap();
            text.lines().filter(|line| line.contains(" dst=10.244.1.3 ")).count()
        };
        let before = flows();
        assert!(before > 0);
        let changes = stage.service("dns", "10.96.0.10", ("UDP", 53), &["10.244.1.4"]);
        apply(&mut host, &changes).await;
        stage.later();
        stage.settle(&mut host).await;
        assert_eq!(flows(), before);
    });
}
