//! What Prometheus reads.

use std::time::{Duration, SystemTime};

use node_proxy::api_server::ApiServer;
use serde_json::json;

use crate::client::{get, wait_for};
use crate::objects::{endpoints, gateway, node};
use crate::stage::agent::{Agent, fresh_namespace};

const METRICS: u16 = 10249;

/// The value of a sample.
#[track_caller]
fn sample(text: &str, name: &str) -> f64 {
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("no {name} in\n{text}")).parse().unwrap()
}

/// A time in whole seconds, as slices have it, that is later than everything before.
fn trigger() -> String {
    std::thread::sleep(Duration::from_millis(1100));
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    jiff::Timestamp::from_second(now.try_into().unwrap()).unwrap().to_string()
}

/// The wish comes later than that of other services, from the thread of the checks.
#[test]
fn a_service_is_programmed_when_the_table_has_it_although_its_checks_have_just_begun() {
    fresh_namespace();
    let server = ApiServer::start().unwrap();
    server.put(node(&[])).unwrap();
    // The service and its slice are in the first lists, and the change is one that began after the program.
    server.refuse(500, 6);
    let _agent = Agent::start(&server, &[]);
    wait_for(METRICS, "/metrics", |_| true);
    let mut checked = gateway(32000);
    checked["metadata"]["annotations"] =
        json!({"ipvs-netlink/health-checks": "checks:\n- tcp: {}\n"});
    server.put(checked).unwrap();
    server.put(endpoints(&[true], &trigger())).unwrap();
    let programmed = "kubeproxy_network_programming_duration_seconds_count 1\n";
    wait_for(METRICS, "/metrics", |answer| answer.body.contains(programmed));
}

#[test]
fn metrics_count_what_happens() {
    fresh_namespace();
    let server = ApiServer::start().unwrap();
    server.put(node(&[])).unwrap();
    let agent = Agent::start(&server, &["--metrics-destinations"]);
    agent.wait_for("synchronized");
    let before = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    // The change is one that began after the program.
    let trigger = trigger();
    server.put(gateway(32000)).unwrap();
    // A slice that comes before its service changes nothing. Without endpoints the load balancer is refused here,
    // where there is no firewall.
    let one = |text: &str| text.contains("\nipvs_services 1\n");
    let refused = "node_proxy_not_served{reason=\"no-firewall\"} 1\n";
    wait_for(METRICS, "/metrics", |it| one(&it.body) && it.body.contains(refused));
    server.put(endpoints(&[true], &trigger)).unwrap();
    let programmed = "kubeproxy_network_programming_duration_seconds_count 1\n";
    let text = wait_for(METRICS, "/metrics", |answer| answer.body.contains(programmed)).body;
    for (name, expected) in [
        ("kubeproxy_sync_proxy_rules_service_changes_total", 1.0),
        ("kubeproxy_sync_proxy_rules_endpoint_changes_total", 1.0),
        ("kubeproxy_sync_proxy_rules_service_changes_pending", 0.0),
        ("kubeproxy_sync_proxy_rules_endpoint_changes_pending", 0.0),
        ("kubeproxy_sync_proxy_rules_no_local_endpoints_total{traffic_policy=\"external\"}", 0.0),
        ("kubeproxy_proxy_livez_total{code=\"200\"}", 0.0),
        ("node_proxy_not_served{reason=\"no-firewall\"}", 0.0),
        ("node_proxy_not_served{reason=\"kernel-refuses\"}", 0.0),
        ("node_proxy_firewall_usable", 0.0),
        ("node_proxy_watch_up{resource=\"services\"}", 1.0),
        (concat!("node_proxy_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"}"), 1.0),
        ("ipvs_scrape_success", 1.0),
        ("ipvs_services", 2.0),
        ("ipvs_destinations", 2.0),
    ] {
        assert_eq!(sample(&text, name), expected, "{name}");
    }
    for name in ["last_timestamp_seconds", "last_queued_timestamp_seconds"] {
        let time = sample(&text, &format!("kubeproxy_sync_proxy_rules_{name}"));
        assert!(time >= before.as_secs_f64(), "{name} {time}");
    }
    assert!(sample(&text, "kubeproxy_sync_proxy_rules_duration_seconds_count") >= 2.0);
    assert!(sample(&text, "node_proxy_table_events_total{event=\"settled\"}") >= 2.0);
    assert!(
        sample(&text, "ipvs_apply_operations_total{operation=\"add service\",result=\"success\"}")
            >= 2.0
    );
    assert!(
        text.contains(
            "ipvs_destination_weight{protocol=\"TCP\",address=\"10.96.0.20\",port=\"443\""
        )
    );

    let named = "node_proxy_service_info{protocol=\"TCP\",address=\"10.96.0.20\",port=\"443\",\
                 service_namespace=\"edge\",service_name=\"gateway\",service_port=\"";
    assert!(text.contains(named), "{text}");
    let started = sample(&text, "process_start_time_seconds");
    assert!((started - before.as_secs_f64()).abs() < 60.0, "{started}");

    server.put(endpoints(&[], "")).unwrap();
    let lacks = "no_local_endpoints_total{traffic_policy=\"external\"} 1";
    wait_for(METRICS, "/metrics", |answer| answer.body.contains(lacks));
    get(10256, "/livez").unwrap();
    let text = get(METRICS, "/metrics").unwrap().body;
    assert_eq!(sample(&text, "kubeproxy_proxy_livez_total{code=\"200\"}"), 1.0);
    server.refuse(500, 2);
    server.cut_watches(false);
    wait_for(METRICS, "/metrics", |answer| {
        let failures = answer.body.lines().filter_map(|line| {
            line.strip_prefix("node_proxy_watch_failures_total")?
                .split(' ')
                .nth(1)?
                .parse::<u32>()
                .ok()
        });
        failures.sum::<u32>() >= 2
    });
    assert_eq!(get(METRICS, "/proxyMode").unwrap().body, "ipvs");
}
