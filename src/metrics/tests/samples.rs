use std::time::Duration;

use super::{all, lines, print, printed, stats, table, web};
use crate::metrics::families;
use crate::metrics::{
    ApplyCounts, CheckResult, Destinations, Format, HealthCounts, Kind, Names, Options, Scrape,
    ServiceLabels, Source,
};
use crate::model::{Info, Operation, Snapshot, Timeouts, Version};
use crate::table::{Labels, Table, TableService};

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
    ] {
        let name = format!("ipvs_destination_{name}{{{labels}}}");
        assert_eq!(lines.get(name.as_str()), Some(&value), "{name}");
    }
    let info = format!("ipvs_destination_info{{{labels},forward=\"Masq\"}}");
    assert_eq!(lines[info.as_str()], "1");
    let limited = labels.replace("10.0.0.2", "10.0.0.4");
    let limit =
        |name| lines.get(format!("ipvs_destination_{name}_threshold{{{limited}}}").as_str());
    assert_eq!((limit("upper"), limit("lower")), (Some(&"15"), None));
    let count = |options| {
        let text = printed(&table(), options);
        let names = super::lines(&text).into_keys();
        names.filter(|it| it.starts_with("ipvs_destination_")).count()
    };
    let none = Destinations::NONE;
    for (wanted, lines) in [
        (none, 0),
        (none.traffic(true), 5 * 6),
        (none.connections(true), 3 * 6),
        (none.weight(true), 6),
        (none.thresholds(true), 1),
        (none.info(true), 6),
        (Destinations::ALL, 10 * 6 + 1),
    ] {
        assert_eq!(count(Options::new().destinations(wanted)), lines);
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
    let text = printed(&table(), node);
    assert!(!text.contains("node_ipvs_backend"));
    assert_eq!(lines(&text)["ipvs_omitted_destinations"], "6");
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
fn a_reading_that_failed_is_told_under_all_names() {
    let source = Source::unread().scraped(false, Duration::from_secs(2));
    for names in [Names::Own, Names::NodeExporter, Names::Both] {
        let text = print(&Scrape::new(source, all().names(names)), Format::Prometheus);
        assert_eq!(lines(&text).get("ipvs_scrape_success"), Some(&"0"), "{names:?}");
    }
}

#[test]
fn an_empty_name_of_a_namespace_is_none() {
    let snapshot = table();
    let sources = [Source::new(&snapshot), Source::new(&snapshot).netns("")];
    let text = print(&Scrape::of_all(sources, all()), Format::Prometheus);
    assert_eq!(text, printed(&snapshot, all()));
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
    let labels = ServiceLabels::of(&wanted);
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
    assert!(lines.contains_key("ipvs_table_complete"));
    assert_eq!((backends, lines.len()), (15, 21));
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
            for label in sample.labels() {
                assert!(Labels::new().insert(label.name, "").is_err(), "{label:?}");
            }
        });
    }
}
