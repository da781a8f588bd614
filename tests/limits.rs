//! Limits of memory of the example programs: hostile texts are refused, and large tables are read,
//! within 256 MiB.
#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use ipvs_netlink::table::{Table, TableService};
use ipvs_netlink::{Destination, Service};
use nix::unistd::mkdtemp;

/// The limit of memory in KiB: 256 MiB, and room for the program itself.
const MEMORY: u32 = 340_000;

/// Runs an example on a text with this limit of memory.
fn run(example: &str, arguments: &[&str], name: &str, text: &str) -> Output {
    // Use a folder for each run, because every run removes its own.
    let folder = mkdtemp(&std::env::temp_dir().join("limits-XXXXXX")).unwrap();
    let file = folder.join(name);
    fs::write(&file, text).unwrap();
    let test = std::env::current_exe().unwrap();
    let program = test.ancestors().nth(2).unwrap().join("examples").join(example);
    assert!(program.exists(), "run `cargo build --examples` first");
    let output = Command::new("sh")
        .args(["-c", &format!("ulimit -v {MEMORY}; exec \"$@\"")])
        .args([PathBuf::from("sh"), program])
        .args(arguments)
        .args((example == "table").then_some(&file))
        .stdin(fs::File::open(&file).unwrap())
        .output()
        .unwrap();
    fs::remove_dir_all(&folder).unwrap();
    output
}

#[test]
fn files_that_would_take_much_memory_are_refused() {
    let of_numbers = |separator: &str, most: u32, text: fn(u32) -> String| {
        (1..most).map(text).collect::<Vec<_>>().join(separator)
    };
    let services = of_numbers(",", 880_000, |mark| format!("{{\"fwmark\":{mark}}}"));
    let keys = of_numbers(",", 880_000, |n| format!("a{n}: 1"));
    let nested = |n: u32| format!("a{n}.{}a = 1", "a.".repeat(78));
    for (name, text, reason) in [
        ("long.json", " ".repeat((32 << 20) + 1), "longer than 32 MiB"),
        ("services.json", format!("{{\"services\":[{services}]}}"), "more than 500000 mappings"),
        (
            "services.ipvsadm",
            of_numbers("\n", 880_000, |mark| format!("-Af{mark}")),
            "more than 250000 lines",
        ),
        ("merge.yaml", format!("services: [{{<<: {{{keys}}}}}]"), "merge keys (<<) are not read"),
        (
            "key.yaml",
            format!("services: [{{? [{}] : 1}}]", "[[[[a]]]],".repeat(300_000)),
            "line 1, column 15: expected a key, found a list",
        ),
        (
            "alias.yaml",
            format!(
                "services: [{{fwmark: 1, flags: &a [{}]}}, {{[{}]: 1}}]",
                "ops,".repeat(190_000),
                "*a,".repeat(100)
            ),
            "expected a key, found a list",
        ),
        (
            "laughs.yaml",
            format!(
                "services:\n- {{fwmark: 1, forward: direct, destinations: &a [{}]}}\n{}",
                of_numbers(",", 1_000, |n| format!("{{address: 10.0.0.1:{n}}}")),
                of_numbers("", 300, |n| format!(
                    "- {{fwmark: 1{n}, forward: local, destinations: *a}}\n"
                ))
            ),
            "alias replay limit exceeded",
        ),
        (
            "scalar.yaml",
            format!("services: [{{tcp: \"{}\"}}]", "\\x01".repeat((4 << 20) - 99)),
            "invalid length 4194205, expected service address",
        ),
        ("number.yaml", format!("services: {}", "1".repeat((16 << 20) - 99)), "floating point"),
        ("nested.toml", of_numbers("\n", 24_000, nested), "a service of more than 256 KiB"),
        (
            "services.toml",
            of_numbers("\n", 880_000, |mark| format!("[[services]]\nfwmark = {mark}")),
            "more than 250000 services and destinations",
        ),
    ] {
        let output = run("table", &["validate"], name, &text);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(5), "{name}: {} {errors}", output.status);
        assert!(errors.contains(reason), "{name}: {errors}");
    }
}

#[test]
fn commands_that_would_take_much_memory_are_refused() {
    for (text, reason) in [
        ("-Z\n".repeat(7 << 20), "more than 250000 lines"),
        (" ".repeat((32 << 20) + 1), "longer than 32 MiB"),
    ] {
        let output = run("ipvsadm", &["-R"], "commands", &text);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{} {errors}", output.status);
        assert_eq!(errors, format!("ipvsadm: standard input: {reason}\n"));
    }
}

#[test]
fn large_tables_are_read() {
    let service = |n: u16| {
        let [high, low] = n.to_be_bytes();
        let server = |host| Destination::masquerade(([10, high, low, host], 8080).into()).weight(3);
        let service = Service::tcp(([198, 18, high, low], 80).into());
        (1..=10).map(server).fold(TableService::new(service), TableService::with)
    };
    let table: Table = (0..10_000).map(service).collect();
    let json = serde_json::to_string_pretty(&table).unwrap();
    assert_is_read(&table, json, "10000 services, 100000 destinations\n");
}

/// The table that takes most memory: as many services as allowed, with one destination each.
#[test]
fn the_largest_tables_are_read() {
    let address = |n: u32, port| {
        let [high, low] = [16, 0].map(|shift| u16::try_from(n >> shift & 0xffff).unwrap());
        let segments = [0x2001, 0xdb8, 0x1111, 0x2222, 0x3333, 0x4444, high, low];
        (segments, port).into()
    };
    let service = |n: u32| {
        let service = TableService::new(Service::tcp(address(n, 80)));
        service.with(Destination::masquerade(address(n, 8080)).weight(3))
    };
    let table: Table = (0..124_999).map(service).collect();
    let json = serde_json::to_string(&table).unwrap();
    assert_is_read(&table, json, "124999 services, 124999 destinations\n");
}

/// In every format.
#[track_caller]
fn assert_is_read(table: &Table, json: String, expected: &str) {
    for (name, text) in [
        ("table.ipvsadm", table.to_string()),
        ("table.json", json),
        ("table.yaml", serde_saphyr::to_string(table).unwrap()),
        ("table.toml", toml::to_string(table).unwrap()),
    ] {
        let output = run("table", &["validate"], name, &text);
        assert_eq!(output.stdout, expected.as_bytes(), "{name}: {output:?}");
    }
}
