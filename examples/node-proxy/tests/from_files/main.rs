//! The option `--from-files` of the program, which needs neither a cluster nor a kernel.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Runs the program on the example manifests, or on the folder that `arguments` name.
fn node_proxy(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_node-proxy"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments).output().unwrap()
}

fn on_examples(arguments: &[&str]) -> Output {
    let first = ["--from-files", "manifests", "--node-name", "node-a"];
    node_proxy(&[&first[..], arguments].concat())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/from_files/golden").join(name)
}

/// Compares all that the program says with a file. `GOLDEN=write` writes the file.
#[track_caller]
fn check(name: &str, output: &Output) {
    let said = format!(
        "{}--- standard error\n{}--- exit code {}\n",
        text(&output.stdout),
        text(&output.stderr),
        output.status.code().unwrap()
    );
    if std::env::var("GOLDEN").as_deref() == Ok("write") {
        fs::write(golden(name), &said).unwrap();
    }
    assert_eq!(said, fs::read_to_string(golden(name)).unwrap(), "{name}");
}

#[test]
fn the_table_is_what_ipvsadm_saves() {
    check("table.txt", &on_examples(&["--dry-run"]));
}

#[test]
fn the_readme_shows_what_is_printed() {
    let readme = fs::read_to_string("README.md").unwrap();
    let said = on_examples(&["--dry-run"]);
    let said = [text(&said.stdout), text(&said.stderr)].concat();
    let shown = readme.split("```text\n").skip(1).filter_map(|it| it.split("```").next());
    // Those after these are of other commands.
    let shown: Vec<&str> = shown.take(2).collect();
    assert_eq!(shown.len(), 2);
    for block in shown {
        assert!(said.contains(block), "{block}");
    }
}

#[test]
fn options_change_the_table() {
    check("ipv4.txt", &on_examples(&["--ip-family", "ipv4", "--ipvs-scheduler", "mh"]));
    check(
        "node_ports.txt",
        &on_examples(&[
            "--node-address=192.0.2.11",
            "--node-address=203.0.113.11",
            "--node-port-addresses=203.0.113.0/24",
            "--exclude-cidr=10.96.0.0/24,198.51.100.0/24",
        ]),
    );
}

#[test]
fn a_plan_is_commands_of_ipvsadm() {
    check("plan.txt", &on_examples(&["--current", "tests/from_files/current.ipvsadm"]));
}

/// A table that is right already needs no command.
#[test]
fn a_plan_from_the_own_table_is_empty() {
    let table = on_examples(&[]).stdout;
    let file = std::env::temp_dir().join(format!("node-proxy-{}.ipvsadm", std::process::id()));
    fs::write(&file, table).unwrap();
    let planned = on_examples(&["--current", file.to_str().unwrap()]);
    fs::remove_file(file).unwrap();
    assert_eq!((text(&planned.stdout).as_str(), planned.status.code()), ("", Some(0)));
}

#[test]
fn a_service_is_explained() {
    check("explain_gateway.txt", &on_examples(&["--explain", "edge/gateway"]));
    check("explain_port.txt", &on_examples(&["--explain", "shop/web:http"]));
    check("explain_headless.txt", &on_examples(&["--explain", "shop/database"]));
    check("explain_missing.txt", &on_examples(&["--explain", "shop/nowhere:80"]));
}

#[test]
fn each_endpoint_is_explained() {
    let explain = |service| {
        node_proxy(&[
            "--from-files=tests/from_files/endpoints.yaml",
            "--node-name=node-a",
            "--explain",
            service,
        ])
    };
    check("explain_endpoints.txt", &explain("shop/web"));
    check("explain_hints.txt", &explain("shop/hinted"));
}

/// A wrong name would otherwise look like a node without addresses, and a plan would delete its node ports.
#[test]
fn a_node_that_no_manifest_has_is_told() {
    let said = node_proxy(&["--from-files", "manifests", "--node-name", "node-z"]);
    let told = "no manifest has Node \"node-z\", so its addresses and its zone are unknown: there is node-a\n";
    assert!(text(&said.stderr).contains(told), "{}", text(&said.stderr));
    assert!(!text(&on_examples(&[]).stderr).contains("no manifest has Node"));
}

/// The service is converted all the same.
#[test]
fn an_annotation_with_health_checks_is_examined() {
    check(
        "health_checks.txt",
        &node_proxy(&["--from-files", "tests/from_files/health_checks.yaml"]),
    );
}

/// The README has an example of each annotation that the library knows, and each holds.
#[test]
fn the_annotations_of_the_readme_hold() {
    let rows = |text: &str, begin: &str| -> Vec<String> {
        let rows = text.lines().filter_map(|line| line.strip_prefix(begin)?.split_once('`'));
        rows.map(|(row, _)| row.to_owned()).collect()
    };
    let examples = rows(&fs::read_to_string("README.md").unwrap(), "| `ipvs-netlink/");
    let library = fs::read_to_string("../../src/kubernetes/converting_services.md").unwrap();
    let library = library.split("# Annotations").nth(1).unwrap();
    let library = library.split("\n\n").find(|it| it.contains("| `scheduler` |")).unwrap();
    let names: Vec<_> = examples.iter().filter_map(|it| Some(it.split_once(':')?.0)).collect();
    assert_eq!(names, rows(library, "| `"));

    let file = std::env::temp_dir().join(format!("node-proxy-{}.yaml", std::process::id()));
    for example in &examples {
        let with = match example.split_once(':').unwrap().0 {
            "scheduler-flags" => "ipvs-netlink/scheduler: mh",
            "lower-threshold" => "ipvs-netlink/upper-threshold: '1000'",
            _ => "other: text",
        };
        let text = format!(
            "apiVersion: v1\nkind: Service\nmetadata:\n  namespace: shop\n  name: web\n  annotations:\n    \
             {with}\n    ipvs-netlink/{example}\nspec:\n  clusterIP: 10.96.0.10\n  sessionAffinity: ClientIP\n  \
             ports: [{{name: a, port: 80}}, {{name: b, port: 80, protocol: UDP}}]\n"
        );
        fs::write(&file, text).unwrap();
        let said = node_proxy(&["--from-files", file.to_str().unwrap(), "--node-name=node-a"]);
        assert_eq!(said.status.code(), Some(0), "{said:?}");
        assert_eq!(String::from_utf8(said.stderr).unwrap(), "", "{example}");
    }
    fs::remove_file(file).unwrap();
}

#[test]
fn what_is_wrong_ends_with_its_code() {
    let bad = node_proxy(&["--from-files", "tests/from_files/bad"]);
    check("bad.txt", &bad);
    let missing = node_proxy(&["--from-files", "tests/from_files/missing"]);
    assert_eq!(missing.status.code(), Some(1));
    for usage in ["--node-label=zone", "--ip-family=ipv5", "--exclude-cidr=1.2.3.4/33"] {
        let refused = on_examples(&[usage]);
        assert_eq!((refused.status.code(), refused.stdout.len()), (Some(2), 0), "{usage}");
    }
    for (usage, told) in [
        (
            &["--ipvs-scheduler=wlcc"][..],
            "wlcc: the kernel's sources have no scheduler of this name; did you mean wlc?",
        ),
        (&["--node-address=0.0.0.0"], "stands for all addresses"),
        (&["--node-address=127.0.0.1"], "is a loopback address"),
        (&["--node-address=::ffff:127.0.0.1"], "is a loopback address"),
        (&["--node-address=ff02::1"], "is a multicast address"),
        (&["--node-address=255.255.255.255"], "is the broadcast address"),
        (&["--node-port-addresses=primary,10.0.0.0/8"], "primary must be alone"),
        (
            &["--node-port-addresses=primary", "--node-port-addresses=primary"],
            "primary must be alone",
        ),
    ] {
        let refused = on_examples(usage);
        let said = text(&refused.stderr);
        assert_eq!((refused.status.code(), refused.stdout.len()), (Some(2), 0), "{usage:?}");
        assert!(said.contains(told), "{said}");
    }
    let own = on_examples(&["--ipvs-scheduler=wlcc", "--allow-scheduler=wlcc"]);
    assert!(text(&own.stdout).contains("-s wlcc\n"));
    assert_eq!(
        node_proxy(&["run", "--node-port-addresses=primary,10.0.0.0/8"]).status.code(),
        Some(2)
    );
    let wrong = on_examples(&["--current", "manifests/shop.yaml"]);
    assert_eq!((wrong.status.code(), wrong.stdout.len()), (Some(3), 0));
}
