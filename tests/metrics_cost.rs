//! What printing the samples of a large table costs: no allocation for a destination, and memory for a
//! chunk of text only.
#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

use std::net::Ipv4Addr;

use allocation_counter::{AllocationInfo, measure};
use ipvs_netlink::metrics::{Destinations, Format, Names, Options, Scrape, Source};
use ipvs_netlink::{
    Connections, Destination, DestinationEntry, Service, ServiceEntry, ServiceSnapshot, Snapshot,
    Stats,
};

/// The most bytes that are in use at a time.
const AT_PEAK: u64 = 64 * 1024;

fn snapshot(services: u32, each: u32) -> Snapshot {
    let destination = |index| {
        let address = (Ipv4Addr::from_bits(0xac10_0001 + index), 8080).into();
        let destination = Destination::masquerade(address);
        DestinationEntry::new(destination, Connections::default(), Stats::default())
    };
    let service = |index| {
        let service = Service::tcp((Ipv4Addr::from_bits(0x0a00_0001 + index), 80).into());
        let destinations = (0..each).map(|number| destination(index * each + number));
        let entry = ServiceEntry::new(service, Stats::default());
        ServiceSnapshot::new(entry, destinations.collect())
    };
    (0..services).map(service).collect()
}

/// Counts bytes and forgets them.
#[derive(Default)]
struct Length(usize);

impl std::io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn print(services: u32, each: u32) -> (AllocationInfo, usize) {
    let snapshot = snapshot(services, each);
    let options = Options::new().destinations(Destinations::ALL).names(Names::Both);
    let mut length = Length::default();
    let allocations = measure(|| {
        let scrape = Scrape::new(Source::new(&snapshot), options);
        scrape.write(Format::Prometheus, &mut length).unwrap();
    });
    (allocations, length.0)
}

#[test]
fn a_destination_allocates_nothing() {
    let ((few, short), (many, long)) = (print(20, 5), print(20, 500));
    assert!(long > 50 * short);
    assert_eq!(few.count_total, many.count_total);
    assert!(many.bytes_max < AT_PEAK, "{many:?}");
    let services = print(2000, 0).0;
    assert!(services.count_total < 2000 * 10, "{services:?}");
    assert!(services.bytes_max < AT_PEAK, "{services:?}");
}
