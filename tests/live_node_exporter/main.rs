//! The samples under node_exporter's names beside the real node_exporter, on the same kernel.
//!
//! `cargo test --test live_node_exporter`; `fetch` downloads Debian's node_exporter.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

#[path = "../../examples/quickstart/greeting.rs"]
#[allow(dead_code, reason = "what only other tests need")]
mod greeting;
#[path = "../../examples/quickstart/network.rs"]
#[allow(dead_code, reason = "what only other tests need")]
mod network;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use greeting::{Connection, serve};
use ipvs_netlink::metrics::{Format, Names, Options, Scrape, Source};
use ipvs_netlink::procfs::Procfs;
use ipvs_netlink::{AddressFamily, Client, Destination, Scheduler, Service, Tunnel};
use network::Namespace;

const PATIENCE: Duration = Duration::from_secs(20);

/// The destination of the SCTP service, which node_exporter counts under another service.
const OF_SCTP: &str = "10.9.9.9";

/// Series by name and labels, with their values.
type Series = BTreeMap<(String, BTreeSet<String>), f64>;

struct Exporter(Child);

impl Drop for Exporter {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn program() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(folder.join("target"), PathBuf::from);
    target.join("kernel/node_exporter/usr/bin/prometheus-node-exporter")
}

impl Exporter {
    fn start(namespace: &Namespace) -> Self {
        let mut command = Command::new(program());
        command.args(["--collector.disable-defaults", "--collector.ipvs"]);
        command.args(["--web.disable-exporter-metrics", "--web.listen-address=127.0.0.1:9100"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(namespace.run(|| command.spawn()).unwrap())
    }

    /// Waits until it listens, and reads its samples.
    fn scrape(&self, namespace: &Namespace) -> String {
        let deadline = Instant::now() + PATIENCE;
        let address: SocketAddr = "127.0.0.1:9100".parse().unwrap();
        let mut stream = loop {
            match namespace.run(|| TcpStream::connect(address)) {
                Ok(stream) => break stream,
                Err(error) => assert!(Instant::now() < deadline, "{error}"),
            }
            sleep(Duration::from_millis(50));
        };
        stream.write_all(b"GET /metrics HTTP/1.0\r\nHost: x\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

/// Reads the lines of node_exporter's names. An empty label is one that is not there.
fn series(text: &str) -> Series {
    let lines = text.lines().filter(|line| line.starts_with("node_ipvs_"));
    lines
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            let (name, labels) = name.split_once('{').unwrap_or((name, ""));
            let labels = labels.trim_end_matches('}').split(',');
            let labels = labels.filter(|label| !label.is_empty() && !label.ends_with("=\"\""));
            ((name.to_owned(), labels.map(str::to_owned).collect()), value.parse().unwrap())
        })
        .collect()
}

fn ours(ipvs: &mut Client, procfs: &Procfs) -> Series {
    let snapshot = ipvs.snapshot().unwrap();
    let source = Source::new(&snapshot).totals(procfs.totals().unwrap());
    let mut text = Vec::new();
    let options = Options::new().names(Names::NodeExporter);
    Scrape::new(source, options).write(Format::Prometheus, &mut text).unwrap();
    series(&String::from_utf8(text).unwrap())
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// Adds a service of every kind, and returns those at which a server answers.
fn fill(ipvs: &mut Client) -> Vec<SocketAddr> {
    let web = Service::tcp(address("127.0.0.80:80")).scheduler(Scheduler::ROUND_ROBIN);
    let web6 = Service::tcp(address("[::1]:80"));
    let sticky = Service::tcp(address("127.0.0.81:80")).persistent(Duration::from_secs(300));
    let masquerade = |text: &str| Destination::masquerade(address(text));
    let marked = Destination::tunnel(address("10.1.1.1:0"), Tunnel::Ipip).weight(7);
    let mark = |family| Service::fwmark(0x1234, family);
    let table = [
        (
            web.clone(),
            vec![
                masquerade("127.0.0.1:8000").weight(2),
                masquerade("127.0.0.1:8001").weight(0),
                masquerade("127.0.0.1:8002").thresholds(10, 5),
            ],
        ),
        (web6.clone(), vec![masquerade("[::1]:8000")]),
        (sticky.clone(), vec![masquerade("127.0.0.1:8000").weight(65_535)]),
        (Service::udp(address("127.0.0.80:53")).one_packet(), vec![masquerade("127.0.0.1:53")]),
        (Service::udp(address("127.0.0.82:53")), Vec::new()),
        (
            Service::sctp(address("127.0.0.80:5060")),
            vec![Destination::direct_route(address(&format!("{OF_SCTP}:5060"))).weight(3)],
        ),
        (mark(AddressFamily::Ipv4), vec![marked.clone()]),
        (mark(AddressFamily::Ipv6), vec![marked]),
    ];
    for (service, destinations) in table {
        ipvs.add_service(&service).unwrap();
        for destination in destinations {
            ipvs.add_destination(service.id, &destination).unwrap();
        }
    }
    [web, web6, sticky].map(|service| service.id.address().unwrap()).to_vec()
}

#[test]
fn every_value_that_node_exporter_gets_right_is_ours() {
    let namespace = Namespace::new().expect("a test on a real kernel needs CAP_SYS_ADMIN");
    let servers = ["127.0.0.1:8000", "127.0.0.1:8001", "127.0.0.1:8002", "[::1]:8000"];
    let _servers = servers.map(|it| serve(&namespace, address(it), it).unwrap());
    let mut ipvs = Client::in_namespace_fd(&namespace).unwrap();
    let procfs = ipvs.procfs().unwrap();
    let mut held = Vec::new();
    for to in fill(&mut ipvs) {
        let from: IpAddr =
            if to.is_ipv4() { [127, 0, 0, 1].into() } else { "::1".parse().unwrap() };
        let open = |_| Connection::open(&namespace, from, to, PATIENCE);
        let mut opened = (0..5).map(open).collect::<io::Result<Vec<_>>>().unwrap();
        opened[0].close().unwrap();
        held.extend(opened);
    }
    let exporter = Exporter::start(&namespace);
    sleep(Duration::from_secs(4));

    let before = ours(&mut ipvs, &procfs);
    let theirs = series(&exporter.scrape(&namespace));
    let ours = ours(&mut ipvs, &procfs);
    assert_eq!(before, ours, "traffic did not stop");
    let is_of_sctp =
        |labels: &BTreeSet<String>| labels.contains(&format!("remote_address=\"{OF_SCTP}\""));
    // It takes the destinations of an SCTP service for those of the service in the line before.
    let (wrong, right): (Series, Series) =
        theirs.into_iter().partition(|((_, labels), _)| is_of_sctp(labels));
    let (of_sctp, expected): (Series, Series) =
        ours.into_iter().partition(|((_, labels), _)| is_of_sctp(labels));
    assert_eq!(right, expected);
    // Three of each of the seven destinations, and the totals; one is that of both marks.
    assert_eq!(right.len(), 3 * 7 + 5);
    assert!(right.values().filter(|value| **value > 0.0).count() > 15);
    assert_eq!((wrong.len(), of_sctp.len()), (3, 3));
    let says_sctp = |series: &Series| {
        series.keys().filter(|(_, labels)| labels.contains("proto=\"SCTP\"")).count()
    };
    assert_eq!((says_sctp(&wrong), says_sctp(&of_sctp)), (0, 3));
}
