//! Timeouts, info and counters.

use std::time::Duration;

use ipvs_netlink::{Destination, Service, Stats, Timeouts};

use crate::namespace::fresh;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn timeouts_have_the_kernels_defaults_and_change_one_by_one() {
    let mut ipvs = fresh();
    let defaults = Timeouts::default().tcp(seconds(900)).tcp_fin(seconds(120)).udp(seconds(300));
    assert_eq!(ipvs.timeouts().unwrap(), defaults);
    ipvs.set_timeouts(Timeouts::default().tcp_fin(seconds(60))).unwrap();
    assert_eq!(ipvs.timeouts().unwrap(), defaults.tcp_fin(seconds(60)));
    let all = Timeouts::default().tcp(seconds(1)).tcp_fin(seconds(2_147_483)).udp(seconds(3));
    ipvs.set_timeouts(all).unwrap();
    assert_eq!(ipvs.timeouts().unwrap(), all);
    ipvs.set_timeouts(Timeouts::default()).unwrap();
    assert_eq!(ipvs.timeouts().unwrap(), all);
}

#[test]
fn info_is_the_kernels() {
    let mut ipvs = fresh();
    ipvs.check().unwrap();
    assert_eq!(ipvs.info().unwrap().version.to_string(), "1.2.1");
    // Linux 7.1 sizes the table when there is a service.
    ipvs.add_service(&Service::tcp("10.0.0.1:80".parse().unwrap())).unwrap();
    let size = ipvs.info().unwrap().connection_table_size;
    assert!(size.is_power_of_two(), "{size}");
}

#[test]
fn fresh_objects_have_counted_nothing_and_can_be_zeroed() {
    let mut ipvs = fresh();
    let web = Service::tcp("10.0.0.1:80".parse().unwrap());
    let server = Destination::masquerade("10.0.0.2:80".parse().unwrap());
    ipvs.add_service(&web).unwrap();
    ipvs.add_destination(web.id, &server).unwrap();
    ipvs.zero_service(web.id).unwrap();
    ipvs.zero_all().unwrap();
    assert_eq!(ipvs.service(web.id).unwrap().stats, Stats::default());
    let entry = ipvs.destination(web.id, server.id).unwrap();
    assert_eq!(entry.stats, Stats::default());
    assert_eq!((entry.connections.active, entry.connections.persistent), (0, 0));
}
