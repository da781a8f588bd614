use std::net::SocketAddr;
use std::time::{Duration, UNIX_EPOCH};

use super::{all, lines, print, table, web};
use crate::metrics::{
    ApplyCounts, CheckResult, Destinations, Format, HealthCounts, Options, Scrape, Source,
};
use crate::model::{DestinationId, Operation, Service, ServiceId};
use crate::table::{Table, TableService};

#[test]
fn limits_hold_for_what_is_checked() {
    let snapshot = table();
    let mut health = HealthCounts::new();
    for server in 1..=20 {
        let server = DestinationId::from(SocketAddr::from(([10, 0, 0, server], 8080)));
        health.checked(web(), server, "tcp", CheckResult::Passed, Duration::ZERO);
        health.set_up(web(), server, true);
    }
    health.set_panic(web(), false);
    let print = |options| {
        let source = Source::new(&snapshot).health(&health);
        print(&Scrape::new(source, options), Format::Prometheus)
    };
    let of_servers = |text: &str| text.matches("real_address").count();
    let text = print(Options::new());
    assert_eq!(of_servers(&text), 0, "destinations are wanted by option only: {text}");
    assert!(text.contains("ipvs_health_panic") && text.contains("ipvs_health_check_duration"));
    let only = Options::new().destinations(Destinations::NONE.health(true));
    assert_eq!(of_servers(&print(only)), 80);
    assert_eq!(of_servers(&print(only.at_most_destinations(20))), 80);
    let text = print(only.at_most_destinations(19));
    assert_eq!(of_servers(&text), 0);
    assert_eq!(lines(&text)["ipvs_omitted_destinations"], "20");
    let weights = Destinations::NONE.weight(true);
    let text = print(Options::new().destinations(weights).at_most_destinations(6));
    assert_eq!(of_servers(&text), 6, "what is checked and not wanted does not count");
    let text = print(only.at_most_services(4));
    assert!(!text.contains("ipvs_health_panic"), "{text}");
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
    health.set_signs([(web(), one, "half_open"), (web(), two, "no_answers")]);
    let mut apply = ApplyCounts::new();
    apply.record(Operation::AddService, true);
    apply.record(Operation::AddService, false);
    apply.succeeded_at(UNIX_EPOCH + Duration::from_millis(1_700_000_000_250));
    let print = |health: &HealthCounts| {
        let source = Source::unread().health(health).apply(&apply);
        print(&Scrape::new(source, all()), Format::Prometheus)
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
        (of("ipvs_health_passive_sign", "10.0.0.2", ",kind=\"half_open\""), "1"),
        (of("ipvs_health_passive_sign", "10.0.0.3", ",kind=\"no_answers\""), "1"),
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
fn kinds_of_checks_are_bounded() {
    let mut health = HealthCounts::new();
    for kind in 0..100 {
        let (server, kind) = ("10.0.0.2:8080".parse().unwrap(), format!("kind {kind}"));
        health.checked(web(), server, &kind, CheckResult::Passed, Duration::ZERO);
    }
    let source = Source::unread().health(&health);
    let text = print(&Scrape::new(source, Options::new()), Format::Prometheus);
    let counts = text.lines().filter(|line| line.contains("_seconds_count{"));
    assert_eq!(counts.count(), 33);
    let other = r#"ipvs_health_check_duration_seconds_count{check="other"}"#;
    assert_eq!(lines(&text)[other], "68");
}

#[test]
fn what_is_not_in_the_table_is_forgotten() {
    let mut health = HealthCounts::new();
    let other = ServiceId::udp("192.0.2.10:53".parse().unwrap());
    for service in [web(), other] {
        for server in ["10.0.0.2:8080", "10.0.0.9:8080"] {
            health.set_up(service, server.parse().unwrap(), true);
        }
    }
    let gone = "10.0.0.9:8080".parse().unwrap();
    health.set_signs([(web(), gone, "half_open"), (other, gone, "half_open")]);
    assert_eq!((health.service_count(), health.destination_count()), (2, 4));
    let wanted = table().service(web()).unwrap().clone();
    let wanted = wanted.destinations.iter().map(|entry| entry.destination.clone());
    let wanted = wanted.fold(TableService::new(Service::new(web())), TableService::with);
    health.keep_only(&Table::from_iter([wanted]));
    assert_eq!((health.service_count(), health.destination_count()), (1, 1));
    assert_eq!(health.signs().count(), 0);
}
