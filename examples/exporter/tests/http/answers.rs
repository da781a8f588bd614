//! What clients get.

use std::io::{Read as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use exporter::NamespaceReading;

use crate::client::{PATIENCE, ask, connect, get};
use crate::server::{Exporter, reading};

const OPEN: &str = "Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5\r\n";

fn small() -> Exporter {
    Exporter::start(PATIENCE, || reading(1, 1, 7))
}

#[test]
fn the_header_accept_chooses_the_format() {
    let exporter = small();
    let text = get(exporter.address, "/metrics", "");
    assert_eq!(text.status, 200);
    assert!(text.head.contains("content-type: text/plain; version=0.0.4"), "{}", text.head);
    assert!(!text.text.contains("# EOF"));
    assert!(text.text.contains("# TYPE ipvs_connections_total counter\n"), "{}", text.text);

    let open = get(exporter.address, "/metrics?what=ever", OPEN);
    assert!(open.head.contains("application/openmetrics-text; version=1.0.0"), "{}", open.head);
    assert!(open.text.ends_with("\n# EOF\n"));
    assert!(open.text.contains("# TYPE ipvs_connections counter\n"), "{}", open.text);

    for text in [text.text, open.text] {
        let line = "ipvs_destination_connections_total{protocol=\"TCP\",address=\"10.0.0.0\",\
            port=\"80\",real_address=\"10.1.0.0\",real_port=\"8080\"} 7";
        assert!(text.lines().any(|it| it == line), "{text}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_told_and_hides_nothing_else() {
    let exporter = Exporter::start(PATIENCE, || {
        let mut readings = reading(1, 1, 7);
        let contents = readings[0].contents.as_mut().unwrap();
        contents.totals = None;
        contents.faults.push("ip_vs_stats: malformed".into());
        readings
    });
    let text = get(exporter.address, "/metrics", "").text;
    assert!(text.contains("\nipvs_scrape_success 0\n"), "{text}");
    assert!(text.contains("\nipvs_services 1\n"), "{text}");
    assert!(!text.contains("ipvs_connections_total"), "{text}");
}

#[test]
fn other_paths_and_methods() {
    let exporter = small();
    let page = get(exporter.address, "/", "");
    assert_eq!(page.status, 200);
    assert!(page.text.contains("/metrics") && page.head.contains("text/html"));
    let health = get(exporter.address, "/healthz", "");
    assert_eq!((health.status, &*health.text), (200, "ok\n"));
    assert_eq!(get(exporter.address, "/metrics/", "").status, 404);
    let post = "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc";
    let post = ask(exporter.address, post).unwrap();
    assert_eq!(post.status, 405);
    assert!(post.head.contains("allow: get, head"));

    let mut stream = connect(exporter.address);
    stream.write_all(b"HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut head = String::new();
    stream.read_to_string(&mut head).unwrap();
    assert!(head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"), "{head}");
    assert!(!head.contains("content-length"), "the text of GET is not empty: {head}");
}

#[test]
fn a_table_that_cannot_be_read_is_said_with_200() {
    let exporter = Exporter::start(PATIENCE, || {
        let named = |name: &str| NamespaceReading {
            name: Some(name.to_owned()),
            contents: Err(String::from("no")),
            took: Duration::from_millis(1),
            counts: Default::default(),
        };
        let mut all = reading(1, 0, 1);
        all[0].name = Some(String::from("blue"));
        all.push(named("green"));
        all
    });
    let answer = get(exporter.address, "/metrics", OPEN);
    assert_eq!(answer.status, 200);
    let has = |line: &str| answer.text.lines().any(|it| it == line);
    assert!(has("ipvs_scrape_success{netns=\"blue\"} 1"), "{}", answer.text);
    assert!(has("ipvs_scrape_success{netns=\"green\"} 0"));
    assert!(has("ipvs_services{netns=\"blue\"} 1"));
    assert!(!answer.text.contains("ipvs_services{netns=\"green\"}"), "{}", answer.text);
    assert_eq!(get(exporter.address, "/healthz", "").status, 200);
}

#[test]
fn a_scrape_ends_when_the_scraper_or_the_exporter_says() {
    let slow = |longest| {
        Exporter::start(longest, || {
            thread::sleep(Duration::from_secs(4));
            reading(1, 1, 1)
        })
    };
    let begun = Instant::now();
    let exporter = slow(PATIENCE);
    let answer = get(exporter.address, "/metrics", "X-Prometheus-Scrape-Timeout-Seconds: 0.5\r\n");
    assert_eq!((answer.status, &*answer.text), (503, "reading took too long\n"));
    assert!(begun.elapsed() < Duration::from_secs(4));
    // The reading has gone on, for this one.
    assert_eq!(get(exporter.address, "/metrics", "").status, 200);

    let exporter = slow(Duration::from_millis(300));
    assert_eq!(get(exporter.address, "/metrics", "").status, 503);
}

#[test]
fn a_reading_that_panics_is_an_error_and_no_end() {
    let first = AtomicBool::new(true);
    let exporter = Exporter::start(PATIENCE, move || {
        assert!(!first.swap(false, Ordering::Relaxed), "the test wants this panic");
        reading(1, 1, 1)
    });
    assert_eq!(get(exporter.address, "/metrics", "").status, 500);
    assert_eq!(get(exporter.address, "/metrics", "").status, 200);
}
