//! Timeouts, info and counters.

use std::time::Duration;

use ipvs_netlink::{
    Destination, ErrorKind, Persistence, Reason, Scheduler, Service, Stats, Timeouts,
};

use super::namespace::fresh;

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
    let all = Timeouts::default().tcp(seconds(1)).tcp_fin(seconds(21_474)).udp(seconds(3));
    ipvs.set_timeouts(all).unwrap();
    assert_eq!(ipvs.timeouts().unwrap(), all);
    ipvs.set_timeouts(Timeouts::default()).unwrap();
    assert_eq!(ipvs.timeouts().unwrap(), all);
}

/// The kernels of these tests have 100 or 250 Hz.
#[test]
fn timeouts_may_be_as_long_as_the_kernels_ticks_suffice() {
    let mut ipvs = fresh();
    let month = Timeouts::default().tcp(seconds(31 * 86_400)).tcp_fin(seconds(8_589_934));
    let month = month.udp(seconds(2_147_484));
    ipvs.set_timeouts(month).unwrap();
    assert_eq!(ipvs.timeouts().unwrap(), month);
    let longest = month.tcp(seconds(21_474_836));
    match ipvs.set_timeouts(longest) {
        Ok(()) => assert_eq!(ipvs.timeouts().unwrap(), longest),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Rejected);
            assert!(error.likely_reasons().contains(&Reason::LongTimeout), "{error}");
            assert_eq!(ipvs.timeouts().unwrap(), month);
        }
    }
    let error = ipvs.set_timeouts(Timeouts::default().udp(seconds(21_474_837))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidValue);
}

/// No kernel of these tests wraps so many seconds, and another program may set them.
#[test]
fn a_longer_persistence_that_is_read_may_stay() {
    let mut ipvs = fresh();
    super::raw::add_persistent([192, 0, 2, 10], 80, 10_000_000);
    let long = Service::tcp("192.0.2.10:80".parse().unwrap())
        .scheduler(Scheduler::ROUND_ROBIN)
        .persistent(seconds(10_000_000));
    assert_eq!(ipvs.service(long.id).unwrap().service, long);
    ipvs.set_scheduler(long.id, Scheduler::WEIGHTED_ROUND_ROBIN).unwrap();
    let kept = long.clone().scheduler(Scheduler::WEIGHTED_ROUND_ROBIN);
    assert_eq!(ipvs.service(long.id).unwrap().service, kept);
    let longer = |it: &mut Service| it.persistence = Some(Persistence::new(seconds(10_000_001)));
    let error = ipvs.modify_service(long.id, longer).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidValue);
    ipvs.flush().unwrap();
    assert_eq!(ipvs.add_service(&long).unwrap_err().kind(), ErrorKind::InvalidValue);
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
