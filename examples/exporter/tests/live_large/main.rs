//! What a scrape of 10,000 services with 10 destinations each costs, alone and 20 at once, and whether all 20
//! are right.
//!
//! The figures of the README are those of a release build, which runs by name only:
//!
//! ```text
//! cargo build --release -p exporter --no-default-features
//! EXPORTER=target/release/exporter IPVS_KERNEL_MEM=3G \
//!     cargo test -p exporter --test live_large -- --nocapture
//! ```
//!
//! `SERVICES` makes the table smaller. `NODE_EXPORTER`, the path of the program, is measured beside: where
//! `tests/live_node_exporter/fetch` of the library puts it.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that fails panics, and this one prints figures"
)]

#[path = "../../../quickstart/network.rs"]
#[allow(dead_code, reason = "what only other programs need")]
mod network;
#[path = "../stage/mod.rs"]
#[allow(dead_code, reason = "what other tests need")]
mod stage;

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use ipvs_netlink::{Client, Destination, Service};
use network::Namespace;
use stage::{Exporter, PATIENCE};

const DESTINATIONS: u8 = 10;

/// What one client has received.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Received {
    bytes: usize,
    series: usize,
}

/// Reads a scrape line by line, keeps none, and compares every series with the others if `thorough`.
fn scrape(home: &Namespace, address: SocketAddr, thorough: bool) -> Received {
    let mut stream = home.run(|| TcpStream::connect(address)).unwrap();
    stream.set_read_timeout(Some(10 * PATIENCE)).unwrap();
    let accept = "Accept: application/openmetrics-text\r\nX-Prometheus-Scrape-Timeout-Seconds: 500";
    write!(stream, "GET /metrics HTTP/1.0\r\n{accept}\r\n\r\n").unwrap();
    let mut lines = BufReader::with_capacity(1 << 16, stream);
    let (mut line, mut bytes, mut seen, mut last) = (Vec::new(), 0, HashSet::new(), Vec::new());
    let (mut body, mut series) = (false, 0);
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line).unwrap() == 0 {
            break;
        }
        if !body {
            body = line == b"\r\n";
            continue;
        }
        bytes += line.len();
        series += usize::from(!line.starts_with(b"#"));
        if thorough && !line.starts_with(b"#") {
            let name = line.rsplitn(2, |byte| *byte == b' ').nth(1).unwrap();
            let mut hasher = DefaultHasher::new();
            name.hash(&mut hasher);
            assert!(seen.insert(hasher.finish()), "doubled: {}", String::from_utf8_lossy(&line));
        }
        std::mem::swap(&mut last, &mut line);
    }
    let cut = String::from_utf8_lossy(&last).into_owned();
    assert!(cut == "# EOF\n" || cut.starts_with("node_") || cut.starts_with("promhttp"), "{cut}");
    Received { bytes, series }
}

/// The processor time of a process in seconds, and its largest memory in MB.
fn cost(process: u32) -> (f64, f64) {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<_> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    // Ticks in user space and in the kernel. User-mode Linux does not tell them apart well.
    let ticks: f64 = [11, 12].map(|field| fields[field].parse::<f64>().unwrap()).iter().sum();
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kibibytes: f64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    (ticks / 100.0, kibibytes / 1024.0)
}

fn fill(home: &Namespace, services: u16) {
    let mut ipvs = Client::in_namespace_fd(home).unwrap();
    for n in 0..services {
        let [high, low] = n.to_be_bytes();
        let service = Service::tcp(([10, 100, high, low], 80).into());
        ipvs.add_service(&service).unwrap();
        for destination in 0..DESTINATIONS {
            let to = ([10, 200, low, destination], 8080).into();
            ipvs.add_destination(service.id, &Destination::masquerade(to)).unwrap();
        }
    }
}

/// Scrapes once, and so many times at once. Each scrape has as many series as expected, or as the first one.
fn measure(
    what: &str,
    home: &Namespace,
    (process, address): (u32, SocketAddr),
    most: usize,
    mut expected: Option<usize>,
) {
    for at_once in BTreeSet::from([1, most]) {
        let before = cost(process).0;
        let begun = Instant::now();
        // Twenty sets of more than a million series are too much for the guest.
        let thorough = at_once == 1 || expected.is_some_and(|series| series < 600_000);
        let received: Vec<_> = thread::scope(|scope| {
            let scrapes: Vec<_> =
                (0..at_once).map(|_| scope.spawn(|| scrape(home, address, thorough))).collect();
            scrapes.into_iter().map(|scrape| scrape.join().unwrap()).collect()
        });
        let (after, peak) = cost(process);
        let Received { bytes, series, .. } = received[0];
        for one in &received {
            assert_eq!(one.series, *expected.get_or_insert(series), "{what}");
        }
        println!(
            "{what}, {at_once} at once: {:.2} s of processor, {peak:.0} MB at most, {:.1} MB and {series} \
             series each, {:.1} s",
            after - before,
            bytes as f64 / 1e6,
            begun.elapsed().as_secs_f64()
        );
    }
}

#[test]
fn figures_of_a_large_table() {
    let services: u16 = std::env::var("SERVICES").map_or(10_000, |text| text.parse().unwrap());
    let program = std::env::var("EXPORTER").unwrap_or(env!("CARGO_BIN_EXE_exporter").to_owned());
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(program);
    let home = Namespace::new().unwrap();
    fill(&home, services);
    let all = usize::from(services) * usize::from(DESTINATIONS);
    println!("{services} services, {all} destinations, {}", program.display());
    // The series of each service with its destinations, and those of the namespace and the program.
    for (options, of_a_service, others) in [
        (&["--node-exporter-names=only"][..], 30, 8),
        (&["--destinations=connections,weight"], 49, 16),
        (&["--destinations"], 109, 16),
        (&[], 9, 16),
    ] {
        let mut command = Command::new(&program);
        let exporter = Exporter::of(&home, command.args(options).args(["--timeout", "600"]));
        let expected = usize::from(services) * of_a_service + others;
        let of = (exporter.process(), exporter.address);
        measure(&format!("{options:?}"), &home, of, 20, Some(expected));
    }
    if let Ok(program) = std::env::var("NODE_EXPORTER") {
        let other = Other::start(&home, &program);
        let of = (other.0.id(), ([127, 0, 0, 1], 9100).into());
        measure("node_exporter", &home, of, 1, None);
    }
}

/// The real node_exporter.
struct Other(Child);

impl Other {
    fn start(home: &Namespace, program: &str) -> Self {
        let mut command = Command::new(program);
        command.args(["--collector.disable-defaults", "--collector.ipvs"]);
        command.args(["--web.disable-exporter-metrics", "--web.listen-address=127.0.0.1:9100"]);
        command.stdin(Stdio::null()).stderr(Stdio::null());
        let child = home.run(|| command.spawn()).unwrap();
        let deadline = Instant::now() + PATIENCE;
        while home.run(|| TcpStream::connect("127.0.0.1:9100")).is_err() {
            assert!(Instant::now() < deadline);
            thread::sleep(Duration::from_millis(100));
        }
        Self(child)
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
