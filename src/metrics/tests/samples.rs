use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

use super::{all, print, printed, stats, table};
use crate::metrics::families;
use crate::metrics::{
    ApplyCounts, CheckResult, Destinations, Format, HealthCounts, Kind, Names, Options, Scrape,
    Source, labels_of,
};
use crate::model::{Info, Operation, ServiceId, Snapshot, Timeouts, Version};
use crate::table::{Labels, Table, TableService};

/// The lines that are no comments.
fn lines(text: &str) -> BTreeMap<&str, &str> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.rsplit_once(' ').unwrap()).collect()
}

fn web() -> ServiceId {
    ServiceId::tcp("192.0.2.10:80".parse().unwrap())
}

#[test]
fn every_kind_of_service_has_its_labels() {
    let text = printed(&table(), Options::new());
    let lines = lines(&text);
    for (labels, value) in [
        (r#"protocol="TCP",address="192.0.2.10",port="80""#, "1000"),
        (r#"protocol="SCTP",address="2001:db8::1",port="5060""#, "2000"),
        (r#"protocol="IP_50",address="192.0.2.9",port="0""#, "3000"),
        (r#"fwmark="5",family="IPv4""#, "4000"),
        (r#"fwmark="5",family="IPv6""#, "5000"),
    ] {
        let name = format!("ipvs_service_connections_total{{{labels}}}");
        assert_eq!(lines.get(name.as_str()), Some(&value), "{text}");
    }
    assert_eq!(lines["ipvs_services"], "5");
    assert_eq!(lines["ipvs_destinations"], "6");
    assert!(!text.contains("real_address"), "destinations are wanted by option only");
    let info =
        r#"ipvs_service_info{protocol="TCP",address="192.0.2.10",port="80",scheduler="wlc"}"#;
    assert_eq!(lines[info], "1");
    let persistence = "ipvs_service_persistence_timeout_seconds";
    let sticky: Vec<_> = lines.keys().filter(|it| it.starts_with(persistence)).collect();
    assert_eq!(sticky.len(), 1);
    assert_eq!(lines[*sticky[0]], "300");
}

#[test]
fn destinations_are_counted_by_state() {
    let text = printed(&table(), Options::new());
    let lines = lines(&text);
    let service = r#"protocol="TCP",address="192.0.2.10",port="80""#;
    for state in ["active", "drained", "overloaded"] {
        let of = |labels| format!("ipvs_service_destinations{{{labels},state=\"{state}\"}}");
        assert_eq!(lines[of(service).as_str()], "1");
        let none = of(r#"protocol="IP_50",address="192.0.2.9",port="0""#);
        assert_eq!(lines[none.as_str()], "0", "a service without destinations");
    }
}

#[test]
fn destinations_have_the_families_that_are_wanted() {
    let text = printed(&table(), all());
    let lines = lines(&text);
    let labels = concat!(
        r#"protocol="TCP",address="192.0.2.10",port="80","#,
        r#"real_address="10.0.0.2",real_port="8080""#
    );
    for (name, value) in [
        ("connections_total", "100"),
        ("incoming_packets_total", "101"),
        ("outgoing_packets_total", "102"),
        ("incoming_bytes_total", "103"),
        ("outgoing_bytes_total", "104"),
        ("active_connections", "7"),
        ("inactive_connections", "8"),
        ("persistent_connections", "9"),
        ("weight", "3"),
        ("upper_threshold", "0"),
        ("lower_threshold", "0"),
    ] {
        let name = format!("ipvs_destination_{name}{{{labels}}}");
        assert_eq!(lines.get(name.as_str()), Some(&value), "{name}");
    }
    let info = format!("ipvs_destination_info{{{labels},forward=\"Masq\"}}");
    assert_eq!(lines[info.as_str()], "1");
    let count = |options| {
        let text = printed(&table(), options);
        let names = super::samples::lines(&text).into_keys();
        names.filter(|it| it.starts_with("ipvs_destination_")).count()
    };
    let none = Destinations::NONE;
    for (wanted, families) in [
        (none, 0),
        (none.traffic(true), 5),
        (none.connections(true), 3),
        (none.weight(true), 1),
        (none.thresholds(true), 2),
        (none.info(true), 1),
        (Destinations::ALL, 12),
    ] {
        assert_eq!(count(Options::new().destinations(wanted)), families * 6);
    }
}

#[test]
fn a_limit_leaves_out_all_and_says_so() {
    let text = printed(&table(), all().at_most_destinations(5));
    assert!(!text.contains("real_address"));
    assert_eq!(lines(&text)["ipvs_omitted_destinations"], "6");
    assert!(text.contains("ipvs_service_connections_total"));
    let text = printed(&table(), all().at_most_destinations(6).at_most_services(4));
    assert!(text.contains("real_address") && !text.contains("omitted_destinations"));
    assert!(!text.contains("ipvs_service_"));
    assert_eq!(lines(&text)["ipvs_omitted_services"], "5");
    let text = printed(&table(), Options::new().at_most_destinations(5));
    assert!(!text.contains("omitted"), "nothing was wanted");
    let node = all().names(Names::NodeExporter).at_most_destinations(5);
    assert!(!printed(&table(), node).contains("node_ipvs_backend"));
}

#[test]
fn what_is_known_of_the_namespace_has_samples_and_the_rest_has_none() {
    let snapshot = Snapshot::default();
    let source = Source::new(&snapshot);
    let text = print(&Scrape::new(source, Options::new()), Format::Prometheus);
    let names: Vec<_> = lines(&text).into_keys().collect();
    assert_eq!(names, ["ipvs_destinations", "ipvs_services", "ipvs_table_complete"]);

    let version = Version { major: 1, minor: 2, patch: 1 };
    let source = source
        .info(Info { version, connection_table_size: 4096 })
        .timeouts(Timeouts::default().tcp(Duration::from_secs(900)))
        .totals(stats(10))
        .estimation_enabled(false)
        .scraped(true, Duration::from_millis(1500))
        .netns("blue");
    let text = print(&Scrape::new(source, Options::new()), Format::Prometheus);
    let lines = lines(&text);
    for (name, value) in [
        (r#"ipvs_info{netns="blue",version="1.2.1"}"#, "1"),
        (r#"ipvs_connection_table_size{netns="blue"}"#, "4096"),
        (r#"ipvs_timeout_seconds{netns="blue",kind="tcp"}"#, "900"),
        (r#"ipvs_connections_total{netns="blue"}"#, "10"),
        (r#"ipvs_outgoing_bytes_total{netns="blue"}"#, "14"),
        (r#"ipvs_estimation_enabled{netns="blue"}"#, "0"),
        (r#"ipvs_scrape_success{netns="blue"}"#, "1"),
        (r#"ipvs_scrape_duration_seconds{netns="blue"}"#, "1.5"),
    ] {
        assert_eq!(lines.get(name), Some(&value), "{text}");
    }
    assert!(!text.contains("tcpfin"), "a timeout that is not known");
}

#[test]
fn a_table_that_was_not_read_is_not_an_empty_one() {
    let source = Source::unread().scraped(false, Duration::from_secs(2));
    let text = print(&Scrape::new(source, all()), Format::Prometheus);
    let names: Vec<_> = lines(&text).into_keys().collect();
    assert_eq!(names, ["ipvs_scrape_duration_seconds", "ipvs_scrape_success"]);
}

#[test]
fn namespaces_share_families_and_are_not_doubled() {
    let (one, two) = (table(), table());
    let sources = [("a", &one), ("b", &two), ("a", &two)];
    let sources = sources.map(|(name, snapshot)| Source::new(snapshot).netns(name));
    let text = print(&Scrape::of_all(sources, all()), Format::Prometheus);
    let of = |netns: &str| {
        let label = format!("{{netns=\"{netns}\"");
        text.lines().filter(|line| line.contains(&label)).count()
    };
    assert_eq!(of("a"), of("b"));
    assert_eq!(of("a") + of("b"), lines(&text).len());
    assert_eq!(text.matches("# TYPE ipvs_service_connections_total ").count(), 1);
}

#[test]
fn labels_of_the_user_are_on_every_sample_of_the_service() {
    let mut labels = Labels::new();
    labels.insert("team", "the \"best\" \\ of all").unwrap();
    labels.insert("namespace", "shop").unwrap();
    let mut wanted = Table::new();
    let service = table().service(web()).unwrap().entry.service.clone();
    wanted.insert(TableService::new(service).labelled(labels));
    let labels = labels_of(&wanted);
    let mut health = HealthCounts::new();
    health.set_up(web(), "10.0.0.2:8080".parse().unwrap(), true);
    let snapshot = table();
    let source = Source::new(&snapshot).labels(&labels).health(&health);
    let text = print(&Scrape::new(source, all()), Format::Prometheus);
    let own = r#"namespace="shop",team="the \"best\" \\ of all",protocol="TCP""#;
    let of_web: Vec<_> = text.lines().filter(|it| it.contains("192.0.2.10")).collect();
    assert!(of_web.len() > 40);
    assert!(of_web.iter().all(|line| line.contains(own)), "{text}");
    assert_eq!(text.matches("shop").count(), of_web.len());
}

#[test]
fn counts_of_programs_have_samples() {
    let mut health = HealthCounts::new();
    let (one, two) = ("10.0.0.2:8080".parse().unwrap(), "10.0.0.3:8080".parse().unwrap());
    let took = Duration::from_millis(30);
    health.checked(web(), one, "http", CheckResult::Passed, took);
    health.checked(web(), one, "http", CheckResult::Failed, took);
    health.checked(web(), two, "tcp", CheckResult::NotDone, took);
    health.set_up(web(), one, false);
    health.set_panic(web(), true);
    let mut apply = ApplyCounts::new();
    apply.record(Operation::AddService, true);
    apply.record(Operation::AddService, false);
    apply.succeeded_at(UNIX_EPOCH + Duration::from_millis(1_700_000_000_250));
    let print = |health: &HealthCounts| {
        let source = Source::unread().health(health).apply(&apply);
        print(&Scrape::new(source, Options::new()), Format::Prometheus)
    };
    let text = print(&health);
    let lines = lines(&text);
    let service = r#"protocol="TCP",address="192.0.2.10",port="80""#;
    let of = |name: &str, server: &str, more: &str| {
        format!("{name}{{{service},real_address=\"{server}\",real_port=\"8080\"{more}}}")
    };
    let checks = "ipvs_health_checks_total";
    for (name, value) in [
        (of("ipvs_health_check_up", "10.0.0.2", ""), "0"),
        (of(checks, "10.0.0.2", ",result=\"passed\""), "1"),
        (of(checks, "10.0.0.2", ",result=\"failed\""), "1"),
        (of(checks, "10.0.0.2", ",result=\"not_done\""), "0"),
        (of(checks, "10.0.0.3", ",result=\"not_done\""), "1"),
        (format!("ipvs_health_panic{{{service}}}"), "1"),
        (r#"ipvs_apply_operations_total{operation="add service",result="failure"}"#.into(), "1"),
        ("ipvs_apply_last_success_timestamp_seconds".into(), "1700000000.25"),
        (r#"ipvs_health_check_duration_seconds_count{check="http"}"#.into(), "2"),
        (r#"ipvs_health_check_duration_seconds_bucket{check="http",le="0.025"}"#.into(), "0"),
        (r#"ipvs_health_check_duration_seconds_bucket{check="tcp",le="0.05"}"#.into(), "1"),
        (r#"ipvs_health_check_duration_seconds_bucket{check="tcp",le="+Inf"}"#.into(), "1"),
    ] {
        assert_eq!(lines.get(name.as_str()), Some(&value), "{name}\n{text}");
    }
    health.forget_destination(web(), one);
    assert!(!print(&health).contains("10.0.0.2"));
    health.forget_service(web());
    assert!(!print(&health).contains("192.0.2.10"));
}

#[test]
fn node_exporters_names_have_its_labels() {
    let snapshot = table();
    let source = Source::new(&snapshot).totals(stats(10));
    let options = Options::new().names(Names::NodeExporter);
    let text = print(&Scrape::new(source, options), Format::Prometheus);
    let lines = lines(&text);
    let weight = "node_ipvs_backend_weight";
    for (labels, value) in [
        (
            concat!(
                r#"local_address="192.0.2.10",local_port="80",remote_address="10.0.0.2","#,
                r#"remote_port="8080",proto="TCP""#
            ),
            "3",
        ),
        (
            concat!(
                r#"local_address="2001:db8::1",local_port="5060",remote_address="2001:db8::2","#,
                r#"remote_port="5060",proto="SCTP""#
            ),
            "1",
        ),
        // Of both families.
        (
            concat!(
                r#"local_port="0",remote_address="10.0.0.5",remote_port="0",proto="FWM","#,
                r#"local_mark="00000005""#
            ),
            "2",
        ),
    ] {
        assert_eq!(lines.get(format!("{weight}{{{labels}}}").as_str()), Some(&value), "{text}");
    }
    assert_eq!(lines["node_ipvs_outgoing_bytes_total"], "14");
    let backends = lines.keys().filter(|it| it.starts_with("node_ipvs_backend")).count();
    assert_eq!((backends, lines.len()), (15, 20));
    let both = printed(&snapshot, Options::new().names(Names::Both));
    assert!(both.contains("ipvs_service_info") && both.contains(weight));
}

#[test]
fn families_are_named_by_the_rules() {
    let mut names = Vec::new();
    for family in families::all() {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        assert!(family.name.bytes().all(plain), "{}", family.name);
        assert!(family.name.starts_with("ipvs_") || family.name.starts_with("node_ipvs_"));
        assert!(family.unit.is_none_or(|unit| family.name.ends_with(unit.name())));
        assert!(!family.name.ends_with("_total"));
        assert!(family.help.is_ascii() && family.help.ends_with('.'), "{}", family.help);
        assert!(!family.help.contains(['\\', '\n', '"']));
        let total = matches!(family.kind, Kind::Counter);
        assert_eq!(family.suffix(), if total { "_total" } else { "" });
        names.push(family.name);
    }
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn labels_of_families_are_reserved() {
    let snapshot = table();
    let mut health = HealthCounts::new();
    let one = "10.0.0.2:8080".parse().unwrap();
    health.checked(web(), one, "tcp", CheckResult::Passed, Duration::ZERO);
    let mut apply = ApplyCounts::new();
    apply.record(Operation::Flush, true);
    let info = Info { version: Version { major: 1, minor: 2, patch: 1 }, connection_table_size: 1 };
    let source = Source::new(&snapshot).netns("a").info(info).health(&health).apply(&apply);
    let source = source.timeouts(Timeouts::default().tcp(Duration::from_secs(1)));
    for samples in Scrape::new(source, all().names(Names::Both)).families() {
        samples.for_each(|sample| {
            for (name, _) in sample.labels() {
                assert!(Labels::RESERVED.contains(&name), "{name}");
            }
        });
    }
}
