//! The exporter beside what reads it: a real Prometheus, promtool, and the parser of `prometheus_client`.
//!
//! `fetch` downloads Debian's prometheus (19 MB) and its `prometheus_client`, which takes Python. So these tests
//! run by name only:
//!
//! ```text
//! cargo test -p exporter --test live_prometheus
//! ```
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

#[path = "../../../quickstart/network.rs"]
#[allow(dead_code, reason = "what only other programs need")]
mod network;
#[path = "../stage/mod.rs"]
#[allow(dead_code, reason = "what other tests need")]
mod stage;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use ipvs_netlink::{AddressFamily, Client, Destination, Scheduler, Service};
use network::Namespace;
use serde_json::Value;
use stage::{Exporter, PATIENCE};

const MEMBER: &str = env!("CARGO_MANIFEST_DIR");
const OPEN: &str = "Accept: application/openmetrics-text\r\n";

/// Reads the text by the parser that follows the specification to the letter, and prints the samples.
const PARSE: &str = "
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse
families = list(parse(sys.stdin.read()))
print(len({family.name for family in families}) == len(families), sum(len(family.samples) for family in families))
";

fn tools() -> PathBuf {
    let workspace = Path::new(MEMBER).join("../..");
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or(workspace.join("target"), PathBuf::from);
    target.join("kernel/prometheus")
}

/// A namespace with services of every kind.
fn filled() -> Namespace {
    let namespace = Namespace::new().unwrap();
    let mut ipvs = Client::in_namespace_fd(&namespace).unwrap();
    let at = |text: &str| text.parse().unwrap();
    let sticky = Service::tcp(at("192.0.2.11:443")).persistent(Duration::from_secs(300));
    for service in [
        Service::tcp(at("192.0.2.10:80")).scheduler(Scheduler::ROUND_ROBIN),
        sticky.clone(),
        Service::udp(at("192.0.2.10:53")).one_packet(),
        Service::sctp(at("192.0.2.10:3868")),
        Service::tcp(at("[2001:db8::10]:80")),
        Service::fwmark(5, AddressFamily::Ipv4),
        Service::fwmark(5, AddressFamily::Ipv6),
    ] {
        ipvs.add_service(&service).unwrap();
        if service.id != sticky.id {
            let server = match service.id.family() {
                AddressFamily::Ipv4 => "10.0.0.2:8080",
                AddressFamily::Ipv6 => "[fd00::2]:8080",
            };
            let destination = Destination::masquerade(at(server)).weight(3);
            ipvs.add_destination(service.id, &destination).unwrap();
        }
    }
    namespace
}

const OPTIONS: &[&str] = &["--destinations", "--node-exporter-names", "--table"];

fn exporter(namespace: &Namespace) -> Exporter<'_> {
    let table = std::env::temp_dir().join(format!("exporter-{}.yaml", std::process::id()));
    let labels = "services:\n- tcp: 192.0.2.10:80\n  labels: {team: \"a \\\"b\\\" \\\\ c d é\"}\n";
    fs::write(&table, labels).unwrap();
    let exporter = Exporter::start(namespace, &[OPTIONS, &[table.to_str().unwrap()]].concat());
    fs::remove_file(&table).unwrap();
    exporter
}

fn text(exporter: &Exporter<'_>, headers: &str) -> String {
    let answer = exporter.get_with("/metrics", headers).unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

/// Runs a program with a text on its standard input.
fn feed(command: &mut Command, text: &str) -> Output {
    let piped = || Stdio::piped();
    let mut child = command.stdin(piped()).stdout(piped()).stderr(piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn told(output: &Output) -> String {
    [&*output.stdout, &*output.stderr].map(|it| String::from_utf8_lossy(it)).concat()
}

#[test]
fn promtool_finds_nothing_wrong_with_the_text() {
    let namespace = filled();
    let text = text(&exporter(&namespace), "");
    let output =
        feed(Command::new(tools().join("usr/bin/promtool")).args(["check", "metrics"]), &text);
    // It also has opinions on names of other programs: node_exporter has `_connections_total` without a unit.
    let complaints = told(&output);
    assert!(output.status.success(), "{complaints}");
    let broken = text.replace("} 3", "} three");
    let output =
        feed(Command::new(tools().join("usr/bin/promtool")).args(["check", "metrics"]), &broken);
    assert!(!output.status.success());
}

#[test]
fn the_parser_of_openmetrics_takes_every_sample() {
    let namespace = filled();
    let text = text(&exporter(&namespace), OPEN);
    let python = fs::read_to_string(tools().join("python3")).unwrap();
    let parse = |text: &str| {
        let mut command = Command::new(python.trim());
        feed(command.env("PYTHONPATH", tools().join("python")).args(["-c", PARSE]), text)
    };
    let output = parse(&text);
    let samples = text.lines().filter(|line| !line.starts_with('#')).count();
    assert_eq!(told(&output), format!("True {samples}\n"));
    assert!(!parse(text.trim_end_matches("# EOF\n")).status.success(), "the end is required");
}

#[test]
fn the_alerts_alert() {
    let promtool = tools().join("usr/bin/promtool");
    let test = |folder: &Path| {
        let mut command = Command::new(&promtool);
        command.args(["test", "rules", "alerts.test.yaml"]).current_dir(folder).output().unwrap()
    };
    let output = test(Path::new(MEMBER));
    assert!(output.status.success(), "{}", told(&output));
    // The tests notice rules that do not alert.
    let folder = Folder::new("alerts");
    let rules = fs::read_to_string(Path::new(MEMBER).join("alerts.yaml")).unwrap();
    fs::write(folder.0.join("alerts.yaml"), rules.replace("== 0", "== 7")).unwrap();
    fs::copy(Path::new(MEMBER).join("alerts.test.yaml"), folder.0.join("alerts.test.yaml"))
        .unwrap();
    assert!(!test(&folder.0).status.success());
}

/// A folder that is removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("exporter-{}-{name}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct Prometheus<'n> {
    home: &'n Namespace,
    child: Child,
    _folder: Folder,
}

impl<'n> Prometheus<'n> {
    fn start(home: &'n Namespace, target: &Exporter<'_>) -> Self {
        let folder = Folder::new("prometheus");
        let configuration = format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}\n\
             rule_files: [{MEMBER}/alerts.yaml]\n\
             scrape_configs:\n- job_name: ipvs\n  static_configs: [{{targets: [\"{}\"]}}]\n",
            target.address
        );
        let file = folder.0.join("prometheus.yml");
        fs::write(&file, configuration).unwrap();
        let mut command = Command::new(tools().join("usr/bin/prometheus"));
        command.arg(format!("--config.file={}", file.display()));
        command.arg(format!("--storage.tsdb.path={}", folder.0.join("data").display()));
        command.args(["--web.listen-address=127.0.0.1:9090", "--log.level=warn"]);
        command.stdin(Stdio::null());
        let child = home.run(|| command.spawn()).unwrap();
        Self { home, child, _folder: folder }
    }

    /// Asks its API. `None` while it does not answer.
    fn ask(&self, path: &str) -> Option<Value> {
        let mut stream = self.home.run(|| TcpStream::connect("127.0.0.1:9090")).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(stream, "GET /api/v1/{path} HTTP/1.0\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
    }

    /// The results of a query, or the error.
    fn query(&self, query: &str) -> Result<Vec<Value>, String> {
        let coded: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let answer = self.ask(&format!("query?query={coded}")).ok_or("no answer")?;
        match answer["data"]["result"].as_array() {
            Some(results) => Ok(results.clone()),
            None => Err(answer.to_string()),
        }
    }

    fn value(&self, query: &str) -> Option<f64> {
        self.query(query).ok()?.first()?["value"][1].as_str()?.parse().ok()
    }
}

impl Drop for Prometheus<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn prometheus_scrapes_it_and_understands_the_dashboard() {
    let namespace = filled();
    let exporter = exporter(&namespace);
    let prometheus = Prometheus::start(&namespace, &exporter);
    let deadline = Instant::now() + 3 * PATIENCE;
    while prometheus.value("count_over_time(up[1m])").is_none_or(|count| count < 5.0) {
        assert!(Instant::now() < deadline, "prometheus has not scraped");
        sleep(Duration::from_millis(500));
    }
    let scraped = |query: &str| prometheus.value(query);
    assert_eq!(scraped("min_over_time(up[1m])"), Some(1.0));
    assert_eq!(scraped("ipvs_scrape_success"), Some(1.0));
    assert_eq!(scraped("ipvs_services"), Some(7.0));
    assert_eq!(scraped("sum(ipvs_destination_weight)"), Some(18.0));
    assert_eq!(scraped("sum(node_ipvs_backend_weight)"), Some(18.0));
    let team = r#"count(ipvs_service_info{team="a \"b\" \\ c d é"})"#;
    assert_eq!(scraped(team), Some(1.0));

    let rules = prometheus.ask("rules").unwrap();
    let rules = rules["data"]["groups"][0]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), 9);
    for rule in rules {
        assert_eq!(rule["health"], "ok", "{rule}");
    }

    let dashboard = fs::read_to_string(Path::new(MEMBER).join("dashboard.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&dashboard).unwrap();
    let mut asked = 0;
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().into_iter().flatten() {
            let expression = target["expr"].as_str().unwrap();
            let query = expression.replace("$__rate_interval", "1m");
            let query = query.replace("$instance", ".*").replace("$address", ".*");
            let results = prometheus.query(&query).unwrap();
            let without_traffic = expression.contains("> 0 and");
            assert_eq!(results.is_empty(), without_traffic, "{query}");
            asked += 1;
        }
    }
    assert!(asked >= 15, "{asked}");
}
