use std::time::Duration;

use ipvs_netlink::health::Pace;
use ipvs_netlink::health::probe::{HttpCheck, Probe};

use crate::checks::document::Document;

const SECOND: Duration = Duration::from_secs(1);

fn read(text: &str) -> Result<Document, String> {
    Document::read(text, SECOND)
}

#[test]
fn yaml_and_json_say_the_same() {
    let yaml = "checks:\n- http: {path: /healthz, method: HEAD}\n  port: 9000\n  pace: {interval: 3s}\n- tcp\n\
                pace: {fall: 2}\npolicy: {panic: 50}\n";
    let json = r#"{"checks": [{"pace": {"interval": 3}, "http": {"path": "/healthz", "method": "HEAD"}, "port": 9000},
        {"tcp": {}}], "pace": {"fall": 2}, "policy": {"panic": 50}}"#;
    let document = read(yaml).unwrap();
    assert_eq!(read(json).as_ref(), Ok(&document));
    let http = HttpCheck::get("/healthz").unwrap().method("HEAD").unwrap();
    let pace = Pace::new().fall(2);
    let expected =
        [(Probe::http(http).port(9000), Pace::new().interval(3 * SECOND)), (Probe::tcp(), pace)];
    assert_eq!(document.checks, expected);
}

/// The default of one setting is less than the administrator allows.
#[test]
fn times_that_nobody_asked_for_are_raised_to_the_bound() {
    let document = Document::read("checks: [tcp]", 10 * SECOND).unwrap();
    let (_, pace) = document.checks[0];
    assert_eq!([pace.interval, pace.changing, pace.down], [10 * SECOND; 3]);
}

#[test]
fn a_timeout_that_nobody_asked_for_is_at_most_the_interval() {
    for (interval, timeout) in [(1, 1), (2, 2), (3, 2)] {
        let document = read(&format!("checks: [tcp]\npace: {{interval: {interval}s}}")).unwrap();
        assert_eq!(document.checks[0].0.timeout, timeout * SECOND);
    }
}

#[test]
fn what_an_annotation_must_not_say_is_refused_with_line_and_key() {
    let pem = "-----BEGIN CERTIFICATE-----";
    for (text, line, reason) in [
        ("checks:\n- command: {program: /bin/sh}", 2, "command: an annotation runs no programs"),
        ("checks:\n- tcp: {}\n- {tls: {authorities: PEM}}", 3, "authorities: an annotation has no"),
        ("checks: [{http: {tls: {client_certificate: PEM}}}]", 1, "client_certificate: an"),
        ("checks: [{tls: {client_key: PEM}}]", 1, "client_key: an annotation has no cert"),
        ("checks:\n- tcp: {}\n  origin: {source: 10.0.0.1}", 3, "origin: the node decides"),
        ("checks:\n- tcp: {}\n  mark: 1", 3, "mark: the node decides"),
        ("checks:\n- tcp: {}\n  through: true", 3, "through: checks go to the endpoint itself"),
        ("checks: [tcp]\npolicy:\n  sorry: {address: '10.0.0.9:80'}", 3, "sorry: only endpoints"),
        ("checks: [tcp]\npolicy: {hold: 1h}", 2, "hold: endpoints come and go as Kubernetes says"),
        ("checks: [tcp]\npolicy: {keep_last: false}", 2, "keep_last: endpoints come and go"),
        ("checks: [{http: {matches: '(a{99}){99}'}}]", 1, "matches: an annotation has no regular"),
        ("checks: [{http: {method: DELETE}}]", 1, "method: must be GET or HEAD"),
        ("checks: [{http: {body_limit: 1048576}}]", 1, "body_limit 1048576: must be at most"),
        ("checks: [{http: {redirects: 200}}]", 1, "redirects 200: must be at most 4"),
        ("checks: [tcp]\nintervall: 1s", 2, "intervall: an annotation has no such key"),
        (
            "checks:\n- tcp\n- {tcp: {}, pace: {interval: 100ms}}",
            3,
            "checks[1].pace: interval 100ms: must",
        ),
        ("checks: [tcp]\npace: {changing: 1ms}", 2, "pace: changing 1ms: must be at least 1s"),
        ("checks:\n- {tcp: {}, timeout: 5m}", 2, "checks[0].timeout 300s: must be at most 30s"),
        (
            "checks:\n- {tcp: {}, timeout: 6s}",
            2,
            "checks[0].timeout 6s: must be at most the interval 5s",
        ),
        ("checks:\n- {tcp: {}, timeout: soon}", 2, "timeout"),
        ("checks:\n- {tcp: {}, udp: {}}", 2, "a probe has tcp and udp"),
    ] {
        let text = text.replace("PEM", pem);
        let error = read(&text).unwrap_err();
        assert!(error.starts_with(&format!("line {line}")), "{text}\n{error}");
        assert!(error.contains(reason), "{text}\n{error}");
    }
}

#[test]
fn what_is_too_much_is_refused() {
    let aliases = "checks: &all [tcp]\npolicy: *all";
    let merged = "checks: [tcp]\npolicy: &p {panic: 1}\npace: {<<: *p}";
    let deep = format!("checks: {}{}", "[".repeat(1000), "]".repeat(1000));
    let long = format!("checks: [tcp]\n#{}", "x".repeat(16 * 1024));
    let many = format!("checks: [{}]", "tcp, ".repeat(9));
    let wide = format!("checks: [{}]", "[],".repeat(3000));
    let two = "checks: [tcp]\n---\nchecks: [tcp]";
    for text in
        [aliases, merged, &deep, &long, &many, &wide, two, "checks: []", "", "checks", "[]", "\0"]
    {
        let error = read(text).unwrap_err();
        assert!(!error.is_empty() && error.chars().count() <= 300, "{error}");
        assert!(!error.contains(char::is_control), "{error:?}");
    }
    assert!(read(&many.replacen("tcp, ", "", 1)).is_ok());
}
