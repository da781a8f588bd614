//! The metrics of `node-proxy run`, checked by promtool. `fetch` downloads Debian's prometheus (19 MB), so this test
//! runs by name only:
//!
//! ```text
//! cargo test -p node-proxy --test live_promtool
//! ```
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

#[path = "../live_serving/client.rs"]
#[allow(dead_code, reason = "what other tests need")]
mod client;
#[path = "../live_serving/objects.rs"]
mod objects;
#[path = "../stage/mod.rs"]
mod stage;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use node_proxy::api_server::ApiServer;

use crate::stage::agent;

const DEPLOY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy");

fn program() -> Command {
    let target = Path::new(env!("CARGO_BIN_EXE_node-proxy")).ancestors().nth(2).unwrap();
    Command::new(target.join("kernel/prometheus/usr/bin/promtool"))
}

fn promtool(text: &str) -> Output {
    let mut command = program();
    command.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn promtool_complains_of_nothing_but_a_name_of_kube_proxy() {
    agent::fresh_namespace();
    let server = ApiServer::start().unwrap();
    server.put(objects::node(&[])).unwrap();
    server.put(objects::gateway(32000)).unwrap();
    server.put(objects::endpoints(&[true], "")).unwrap();
    let _agent = agent::Agent::start(&server, &["--metrics-destinations"]);
    let text = client::wait_for(10249, "/metrics", |it| it.body.contains("ipvs_services 2")).body;
    let output = promtool(&text);
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    let expected = "kubeproxy_sync_proxy_rules_no_local_endpoints_total non-counter metrics should not have \
                    \"_total\" suffix";
    assert_eq!(said.trim(), expected, "{text}");
    assert!(!promtool(&text.replace("} 1", "} one")).status.success());
    // What the alerts ask for is there.
    let rules = fs::read_to_string(Path::new(DEPLOY).join("alerts.yaml")).unwrap();
    let names = rules.split(|it: char| !it.is_ascii_alphanumeric() && it != '_');
    let ours = ["kubeproxy_", "node_proxy_", "process_"];
    let names: Vec<_> = names.filter(|it| ours.iter().any(|our| it.starts_with(our))).collect();
    assert!(names.len() >= 5, "{names:?}");
    for name in names {
        assert!(text.contains(&format!("\n# TYPE {name} gauge\n")), "{name}");
    }
}

#[test]
fn the_alerts_alert() {
    let test = |folder: &Path| {
        program().args(["test", "rules", "alerts.test.yaml"]).current_dir(folder).output().unwrap()
    };
    let output = test(Path::new(DEPLOY));
    assert!(output.status.success(), "{output:?}");
    // The tests notice rules that do not alert.
    let folder = std::env::temp_dir().join(format!("node-proxy-alerts-{}", std::process::id()));
    fs::create_dir(&folder).unwrap();
    let rules = fs::read_to_string(Path::new(DEPLOY).join("alerts.yaml")).unwrap();
    fs::write(folder.join("alerts.yaml"), rules.replace("== 0", "== 7")).unwrap();
    fs::copy(Path::new(DEPLOY).join("alerts.test.yaml"), folder.join("alerts.test.yaml")).unwrap();
    let output = test(&folder);
    fs::remove_dir_all(folder).unwrap();
    assert!(!output.status.success(), "{output:?}");
}
