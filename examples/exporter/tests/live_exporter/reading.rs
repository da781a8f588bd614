//! What is read, and what is said where nothing can be read.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use ipvs_netlink::{Client, Destination, Service};
use nix::sys::signal::Signal;

use crate::network::Namespace;
use crate::stage::{Exporter, PATIENCE, path_of};

fn namespace_with(services: u16) -> Namespace {
    let namespace = Namespace::new().unwrap();
    let mut ipvs = Client::in_namespace_fd(&namespace).unwrap();
    for port in 0..services {
        let service = Service::tcp(([192, 0, 2, 10], 80 + port).into());
        ipvs.add_service(&service).unwrap();
        let destination = Destination::masquerade(([10, 0, 0, 2], 8080).into()).weight(3);
        ipvs.add_destination(service.id, &destination).unwrap();
    }
    namespace
}

#[test]
fn each_namespace_has_its_series_and_hides_no_other() {
    let (home, first, second) = (namespace_with(0), namespace_with(1), namespace_with(2));
    let (blue, green) = (&path_of(&first), &path_of(&second));
    let names = format!("{blue},/run/netns/missing,{green}");
    let exporter = Exporter::start(&home, &["--namespaces", &names, "--destinations=weight"]);
    let series = exporter.scrape();
    let of = |family: &str, name: &str| series.get(&format!("{family}{{netns=\"{name}\"}}"));
    assert_eq!(of("ipvs_services", blue), Some(1.0), "{series:?}");
    assert_eq!(of("ipvs_services", green), Some(2.0));
    assert_eq!(of("ipvs_services", "/run/netns/missing"), None);
    assert_eq!(of("ipvs_scrape_success", blue), Some(1.0));
    assert_eq!(of("ipvs_scrape_success", green), Some(1.0));
    assert_eq!(of("ipvs_scrape_success", "/run/netns/missing"), Some(0.0));
    assert_eq!(series.sum("ipvs_destination_weight", &[blue]), 3.0);
    assert_eq!(series.sum("ipvs_destination_weight", &[green]), 6.0);
    assert!(!series.has("ipvs_destination_active_connections"));
}

#[test]
fn without_the_privilege_the_answer_is_200_and_says_so() {
    let home = namespace_with(1);
    for names in ["--destinations", "--node-exporter-names=only"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_exporter"));
        let exporter = Exporter::of(&home, command.arg(names).uid(65534).gid(65534));
        let series = exporter.scrape();
        assert_eq!(series.get("ipvs_scrape_success"), Some(0.0), "{series:?}");
        assert!(!series.has("ipvs_services"));
        assert!(exporter.get("/healthz").unwrap().ends_with("ok\n"));
    }
}

#[test]
fn the_series_of_node_exporter_on_demand() {
    let home = namespace_with(1);
    let backend = "node_ipvs_backend_weight{local_address=\"192.0.2.10\",local_port=\"80\",\
        remote_address=\"10.0.0.2\",remote_port=\"8080\",proto=\"TCP\"}";
    let both = Exporter::start(&home, &["--node-exporter-names"]).scrape();
    assert_eq!(both.get(backend), Some(3.0), "{both:?}");
    assert!(both.has("ipvs_services") && !both.has("ipvs_destination_weight"));
    let only = Exporter::start(&home, &["--node-exporter-names=only"]).scrape();
    assert_eq!(only.get(backend), Some(3.0));
    assert_eq!(only.get("node_ipvs_connections_total"), Some(0.0));
    assert!(!only.has("ipvs_services"));
}

#[test]
fn a_limit_leaves_all_of_them_out_and_says_so() {
    let home = namespace_with(3);
    let options = ["--destinations", "--most-destinations=2", "--most-services=3"];
    let series = Exporter::start(&home, &options).scrape();
    assert_eq!(series.get("ipvs_omitted_destinations"), Some(3.0), "{series:?}");
    assert!(!series.has("ipvs_destination_weight") && !series.has("ipvs_omitted_services"));
    assert!(series.has("ipvs_service_info"));
}

#[test]
fn twenty_scrapes_at_once_agree() {
    let home = namespace_with(50);
    let exporter = Exporter::start(&home, &["--destinations"]);
    thread::scope(|scope| {
        let scrapes: Vec<_> = (0..20).map(|_| scope.spawn(|| exporter.scrape())).collect();
        for scrape in scrapes {
            let series = scrape.join().unwrap();
            assert_eq!(series.get("ipvs_services"), Some(50.0));
            assert_eq!(series.sum("ipvs_destination_weight", &[]), 150.0);
        }
    });
}

#[test]
fn counters_that_stand_still_are_told() {
    let home = namespace_with(1);
    let exporter = Exporter::start(&home, &[]);
    let set = |setting: &str, value: &str| {
        let path = format!("/proc/sys/net/ipv4/vs/{setting}");
        home.run(|| fs::write(path, value))
    };
    let enabled = || exporter.scrape().get("ipvs_estimation_enabled");
    assert_eq!(enabled(), Some(1.0));
    set("run_estimation", "0").unwrap();
    assert_eq!(enabled(), Some(0.0));
    set("run_estimation", "1").unwrap();
    // From Linux 6.2 on.
    if set("est_cpulist", "\n").is_ok() {
        assert_eq!(enabled(), Some(0.0));
        set("est_cpulist", "0").unwrap();
    }
    assert_eq!(enabled(), Some(1.0));
}

#[test]
fn sighup_reads_the_labels_again() {
    let home = namespace_with(1);
    let table = std::env::temp_dir().join(format!("exporter-{}-hup.yaml", std::process::id()));
    let write = |team: &str| {
        let text = format!("services:\n- {{tcp: 192.0.2.10:80, labels: {{team: {team}}}}}\n");
        fs::write(&table, text).unwrap();
    };
    write("one");
    let exporter = Exporter::start(&home, &["--table", table.to_str().unwrap()]);
    let has = |team: &str| exporter.get("/metrics").unwrap().contains(&format!("team=\"{team}\""));
    let becomes = |team| {
        exporter.signal(Signal::SIGHUP);
        let deadline = Instant::now() + PATIENCE;
        while !has(team) {
            assert!(Instant::now() < deadline, "no {team}");
            thread::sleep(Duration::from_millis(20));
        }
    };
    assert!(has("one"));
    write("two");
    becomes("two");
    write("[]");
    exporter.signal(Signal::SIGHUP);
    thread::sleep(Duration::from_millis(100));
    assert!(has("two"), "a bad file changes nothing");
    write("three");
    becomes("three");
    fs::remove_file(&table).unwrap();
}

#[test]
fn sigterm_ends_it_with_success() {
    let home = namespace_with(0);
    let exporter = Exporter::start(&home, &[]);
    exporter.scrape();
    assert_eq!(exporter.terminate().code(), Some(0));
}
