//! Scrapes at the same time share a reading.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crate::client::{PATIENCE, get};
use crate::server::{Exporter, reading};

const SERVICES: u16 = 60;
const DESTINATIONS: u16 = 10;

/// An exporter whose readings take `time`, and whose counters are the number of the reading.
fn numbered(time: Duration) -> (Exporter, Arc<AtomicU64>) {
    let count = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&count);
    let exporter = Exporter::start(PATIENCE, move || {
        thread::sleep(time);
        reading(SERVICES, DESTINATIONS, counter.fetch_add(1, Ordering::Relaxed) + 1)
    });
    (exporter, count)
}

/// Returns the reading that a text comes from, after a look at every line.
fn check(text: &str) -> u64 {
    let mut series = HashMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(series.insert(name, value).is_none(), "doubled: {line}");
    }
    let number = series["ipvs_connections_total"];
    let counters = series.iter().filter(|(name, _)| {
        name.split(['{', ' ']).next().is_some_and(|name| name.ends_with("_total"))
    });
    let mut count = 0;
    for (name, value) in counters {
        assert_eq!(*value, number, "{name}");
        count += 1;
    }
    let (services, destinations) = (usize::from(SERVICES), usize::from(DESTINATIONS));
    assert_eq!(count, 5 + services * 5 + services * destinations * 5);
    number.parse().unwrap()
}

#[test]
fn twenty_at_once_share_and_none_is_wrong() {
    let (exporter, count) = numbered(Duration::from_millis(1000));
    let address = exporter.address;
    let scrapes: Vec<_> =
        (0..20).map(|_| thread::spawn(move || get(address, "/metrics", ""))).collect();
    for scrape in scrapes {
        let answer = scrape.join().unwrap();
        assert_eq!(answer.status, 200);
        check(&answer.text);
    }
    let readings = count.load(Ordering::Relaxed);
    assert!((1..=5).contains(&readings), "{readings} readings for 20 scrapes at once");
}

#[test]
fn nothing_is_kept_for_later() {
    let (exporter, _) = numbered(Duration::ZERO);
    for number in 1..=3 {
        assert_eq!(check(&get(exporter.address, "/metrics", "").text), number);
    }
}
