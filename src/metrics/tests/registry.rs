use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

use super::{all, print, table};
use crate::metrics::{
    CheckResult, Collector, Format, HealthCounts, Names, Options, Scrape, Source,
};
use crate::model::ServiceId;

/// Lines in their order, without the buckets, whose labels have another order.
fn lines(text: &str) -> Vec<&str> {
    let mut lines: Vec<_> = text.lines().filter(|line| !line.contains("_bucket{")).collect();
    lines.sort_unstable();
    lines
}

#[test]
fn a_registry_prints_the_same_samples() {
    let web = ServiceId::tcp("192.0.2.10:80".parse().unwrap());
    let mut health = HealthCounts::new();
    for milliseconds in [3, 3, 70_000] {
        let took = Duration::from_millis(milliseconds);
        let server = "10.0.0.2:8080".parse().unwrap();
        health.checked(web, server, "ht\"t\\p\n", CheckResult::Passed, took);
    }
    let options = all().names(Names::Both);
    let with = move |show: &mut dyn FnMut(&Scrape<'_>)| {
        let snapshot = table();
        let source = Source::new(&snapshot).health(&health);
        show(&Scrape::new(source.scraped(true, Duration::from_millis(250)), options));
        show(&Scrape::new(source, Options::new()));
    };
    let mut expected = None;
    with(&mut |scrape| {
        expected.get_or_insert_with(|| print(scrape, Format::OpenMetrics));
    });
    let expected = expected.unwrap();
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Collector::new(with)));
    let mut text = String::new();
    encode(&mut text, &registry).unwrap();
    assert_eq!(lines(&text), lines(&expected));
    let buckets = |text: &str| text.matches("_bucket{").count();
    assert_eq!((buckets(&text), buckets(&expected)), (13, 13));
    let last = text.lines().rfind(|line| line.contains("_bucket{")).unwrap();
    assert!(last.ends_with(" 3") && last.contains("le=\"+Inf\""), "{last}");
}

#[test]
fn a_reading_that_failed_prints_nothing() {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Collector::new(|_| {})));
    let mut text = String::new();
    encode(&mut text, &registry).unwrap();
    assert_eq!(text, "# EOF\n");
}
