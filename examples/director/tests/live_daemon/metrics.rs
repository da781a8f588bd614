//! Metrics of the daemon, scraped while it keeps a table with a live server and a dead one.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use nix::sched::{CloneFlags, unshare};

use crate::daemon::{Daemon, id, ports, serve, wait_for};

const OPEN: &str = "application/openmetrics-text";

/// Scrapes. Returns the type of the text, and the text; nothing if nobody listens yet.
fn scrape(port: u16, accept: &str) -> Option<(String, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    let request = format!("GET /metrics HTTP/1.0\r\naccept: {accept}\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, text) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.0 200 ") || head.starts_with("HTTP/1.1 200 "), "{head}");
    let kind = head.lines().find_map(|line| line.strip_prefix("content-type: ")).unwrap();
    Some((kind.to_owned(), text.to_owned()))
}

/// The values of the samples by their names and labels.
fn samples(text: &str) -> BTreeMap<&str, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let pairs = lines.map(|line| {
        let (name, value) = line.rsplit_once(' ').unwrap();
        (name, value.parse().unwrap())
    });
    let all: Vec<_> = pairs.collect();
    let map: BTreeMap<_, _> = all.iter().copied().collect();
    assert_eq!(map.len(), all.len(), "doubled samples: {text}");
    map
}

#[test]
fn metrics_say_what_the_daemon_does() {
    let (live, dead) = (serve(), 9);
    let services = |more: &str| {
        format!(
            "- tcp: 192.0.2.10:1401\n  forward: masquerade\n  labels: {{team: web}}\n  \
             pace: {{interval: 200ms, changing: 100ms, fall: 2}}\n  checks: [tcp]\n  \
             destinations:\n  - address: 127.0.0.1:{live}\n  - address: 127.0.0.1:{dead}\n\
             - tcp: 192.0.2.10:1404\n  forward: masquerade\n  checks: []\n  destinations: [{{address: 10.0.0.9:80}}]\n{more}"
        )
    };
    let port = 9478;
    let mut daemon = Daemon::new("").with(&["--metrics", "--on-stop", "withdraw"]);
    daemon.write(&services(
        "- tcp: 192.0.2.10:1402\n  forward: masquerade\n  checks: [{icmp: {}}]\n  destinations: [{address: 127.0.0.1:80}]\n",
    ));
    daemon.start();
    let web = r#"team="web",protocol="TCP",address="192.0.2.10",port="1401""#;
    let of = |name: &str, server: u16, more: &str| {
        format!(r#"{name}{{{web},real_address="127.0.0.1",real_port="{server}"{more}}}"#)
    };
    let up = |server| of("ipvs_health_check_up", server, "");
    wait_for("both verdicts", || {
        let text = scrape(port, "*/*").map(|it| it.1).unwrap_or_default();
        let samples = samples(&text);
        samples.get(&*up(live)) == Some(&1.0) && samples.get(&*up(dead)) == Some(&0.0)
    });
    let (kind, text) = scrape(port, "*/*").unwrap();
    assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
    let found = samples(&text);
    for name in ["ipvs_scrape_success", "ipvs_table_complete"] {
        assert_eq!(found.get(name), Some(&1.0), "{text}");
    }
    // Other tests leave services in the table.
    assert!(found["ipvs_services"] >= 3.0, "{text}");
    assert_eq!(found[&*format!("ipvs_health_panic{{{web}}}")], 0.0);
    let checks = "ipvs_health_checks_total";
    assert!(found[&*of(checks, live, r#",result="passed""#)] >= 1.0, "{text}");
    assert!(found[&*of(checks, dead, r#",result="failed""#)] >= 2.0, "{text}");
    assert_eq!(found[&*of(checks, dead, r#",result="not_done""#)], 0.0);
    let all: f64 = found.iter().filter(|it| it.0.starts_with(checks)).map(|it| it.1).sum();
    let took =
        found.iter().filter(|it| it.0.starts_with("ipvs_health_check_duration_seconds_count"));
    assert_eq!(took.map(|it| it.1).sum::<f64>(), all, "{text}");
    let adds = r#"ipvs_apply_operations_total{operation="add service",result="success"}"#;
    assert_eq!(found[adds], 3.0, "{text}");
    let last = found["ipvs_apply_last_success_timestamp_seconds"];
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs_f64();
    assert!((now - 60.0..=now).contains(&last), "{last}, now {now}");
    // What is not checked is up.
    let marked = r#"ipvs_health_check_up{protocol="TCP",address="192.0.2.10",port="1404",real_address="10.0.0.9",real_port="80"}"#;
    assert_eq!(found.get(marked), Some(&1.0), "{text}");
    assert!(text.contains(r#"port="1402",real_address"#), "{text}");
    let (kind, open) = scrape(port, OPEN).unwrap();
    assert!(kind.starts_with(OPEN) && open.ends_with("# EOF\n"), "{kind} {open}");
    examine(&text);

    // What has left the file is forgotten, and the rest counts on.
    daemon.write(&services(""));
    let said = daemon.order(&["reload"]);
    assert!(said.contains("1 gone"), "{said}");
    let text = scrape(port, "*/*").unwrap().1;
    assert!(!text.contains(r#"port="1402",real_address"#), "{text}");
    let passed = of(checks, live, r#",result="passed""#);
    assert!(samples(&text)[&*passed] >= found[&*passed]);
    // A second daemon cannot listen there.
    let other = Daemon::new("").with(&["--metrics"]);
    other.write_all("services: []\n");
    let (code, said) = other.fail(|_| ());
    assert_eq!(code, Some(1));
    assert!(
        said.contains("metrics cannot be served on 127.0.0.1:9478: Address already in use"),
        "{said}"
    );
    daemon.stop();
    assert_eq!(scrape(port, "*/*"), None);
}

/// Has promtool look at the text, if the exporter's tests have fetched it.
fn examine(text: &str) {
    let target = std::env::var_os("CARGO_TARGET_DIR");
    let workspace = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target");
    let promtool =
        target.map_or(workspace, PathBuf::from).join("kernel/prometheus/usr/bin/promtool");
    if !promtool.exists() {
        eprintln!("without promtool: examples/exporter/tests/live_prometheus/fetch");
        return;
    }
    let mut command = Command::new(promtool);
    command.args(["check", "metrics"]).stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    eprintln!("promtool: {} {said:?}", output.status);
    assert!(output.status.success() && said.is_empty(), "{said}");
}

#[test]
fn metrics_are_served_where_the_daemon_was_started() {
    let (here, there) = std::sync::mpsc::channel();
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let stays = std::thread::spawn(move || {
        unshare(CloneFlags::CLONE_NEWNET).unwrap();
        let own = fs::read_link("/proc/thread-self").unwrap();
        here.send(format!("/proc/{}/ns/net", own.display())).unwrap();
        let _ = ended.recv();
    });
    let path = there.recv().unwrap();
    let mut daemon =
        Daemon::new("").with(&["--metrics=127.0.0.1:9479", "--metrics-destinations=none"]);
    let service = crate::daemon::service(1403, 9);
    daemon.write_all(&format!("namespace: {path}\nservices:\n{service}"));
    daemon.start();
    wait_for("the service in metrics", || {
        let text = scrape(9479, "*/*").map(|it| it.1).unwrap_or_default();
        text.contains(
            r#"ipvs_service_connections_total{protocol="TCP",address="192.0.2.10",port="1403"}"#,
        )
    });
    assert!(!ports().contains(&id(1403).address().unwrap().port()), "the table is elsewhere");
    let text = scrape(9479, "*/*").unwrap().1;
    assert!(!text.contains("real_address"), "{text}");
    daemon.stop();
    drop(end);
    stays.join().unwrap();
}
