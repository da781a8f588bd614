//! Waits move the virtual clock, and take no time.

use std::time::{Duration, Instant};

use ipvs_netlink::fake::{Fault, Kernel, Version};
use ipvs_netlink::table::{DrainPolicy, DrainUntil, Drained};
use ipvs_netlink::{Certainty, Change, Client, Destination, ErrorKind, Service};

fn web() -> Service {
    Service::tcp("192.0.2.10:80".parse().unwrap())
}

fn server() -> Destination {
    Destination::masquerade("10.0.0.2:8080".parse().unwrap())
}

#[test]
fn a_lost_answer_moves_the_clock_to_the_deadline() {
    let kernel = Kernel::new();
    let mut ipvs = Client::fake(&kernel).unwrap();
    kernel.fail(1, Fault::AnswerLost);
    let error = ipvs.add_service(&web()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    assert_eq!(error.certainty(), Some(Certainty::Unknown));
    assert_eq!(kernel.elapsed(), Duration::from_secs(5));
    assert_eq!(ipvs.services().unwrap().len(), 1);
}

#[test]
fn a_drain_takes_its_time_on_the_virtual_clock_only() {
    let kernel = Kernel::new();
    let host = kernel.initial();
    let mut ipvs = Client::fake(&kernel).unwrap();
    host.write(&Change::AddService(web())).unwrap();
    host.write(&Change::AddDestination(web().id, server())).unwrap();
    let (active, inactive) = (Duration::from_secs(9), Duration::from_secs(4));
    host.open_connections(web().id, server().id, 2, active, inactive).unwrap();
    let start = Instant::now();
    let policy = DrainPolicy::new().until(DrainUntil::NoConnections);
    let drained = ipvs.drain(web().id, server().id, policy).unwrap();
    assert_eq!(drained, Drained::Emptied);
    assert!(host.destination(web().id, server().id).is_none());
    let elapsed = kernel.elapsed();
    assert!((13..20).contains(&elapsed.as_secs()), "{elapsed:?}");
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_snapshot_is_read_at_the_time_of_the_kernel() {
    let kernel = Kernel::new();
    let mut ipvs = Client::fake(&kernel).unwrap();
    ipvs.add_service(&web()).unwrap();
    kernel.advance(Duration::from_secs(3600));
    let snapshot = ipvs.snapshot().unwrap();
    assert_eq!(snapshot.read_at(), Some(kernel.now()));
    assert_eq!(snapshot, kernel.initial().table());
}

#[test]
fn in_real_time_waits_are_real() {
    let kernel = Kernel::in_real_time(Version::V6_12);
    let mut ipvs = Client::fake(&kernel).unwrap();
    ipvs.set_deadline(Some(Duration::from_millis(30)));
    kernel.fail(1, Fault::AnswerLost);
    let start = Instant::now();
    assert_eq!(ipvs.info().unwrap_err().kind(), ErrorKind::DeadlineExceeded);
    assert!(start.elapsed() >= Duration::from_millis(30));
    ipvs.info().unwrap();
    assert!(kernel.elapsed() >= Duration::from_millis(30));
}

#[test]
fn in_real_time_the_kernel_can_be_moved_ahead_of_its_clients() {
    let kernel = Kernel::in_real_time(Version::V6_12);
    let mut ipvs = Client::fake(&kernel).unwrap();
    ipvs.add_service(&web()).unwrap();
    ipvs.add_destination(web().id, &server()).unwrap();
    let (hour, none) = (Duration::from_secs(3600), Duration::ZERO);
    kernel.initial().open_connections(web().id, server().id, 1, hour, none).unwrap();
    kernel.advance(hour);
    assert_eq!(ipvs.destination(web().id, server().id).unwrap().connections.active, 0);
    assert!(kernel.now() < Instant::now() + Duration::from_secs(60));
}

#[tokio::test(start_paused = true)]
async fn in_real_time_tokio_waits_on_its_own_clock() {
    let kernel = Kernel::in_real_time(Version::V6_12);
    let mut ipvs = ipvs_netlink::tokio::Client::fake(&kernel).await.unwrap();
    ipvs.add_service(&web()).await.unwrap();
    kernel.fail(1, Fault::AnswerLost);
    let start = Instant::now();
    assert_eq!(ipvs.info().await.unwrap_err().kind(), ErrorKind::DeadlineExceeded);
    assert!(start.elapsed() < Duration::from_secs(4));
    ipvs.info().await.unwrap();
    assert!(kernel.elapsed() >= Duration::from_secs(5));
}

#[tokio::test]
async fn tokio_over_the_virtual_clock() {
    let kernel = Kernel::new();
    let mut ipvs = ipvs_netlink::tokio::Client::fake(&kernel).await.unwrap();
    ipvs.add_service(&web()).await.unwrap();
    ipvs.add_destination(web().id, &server()).await.unwrap();
    let lasting = Duration::from_secs(5);
    kernel.initial().open_connections(web().id, server().id, 1, lasting, Duration::ZERO).unwrap();
    let policy = DrainPolicy::new().until(DrainUntil::NoConnections);
    assert_eq!(ipvs.drain(web().id, server().id, policy).await.unwrap(), Drained::Emptied);
    kernel.fail(1, Fault::AnswerLost);
    assert!(ipvs.info().await.is_err());
    assert!((10..15).contains(&kernel.elapsed().as_secs()));
}

#[test]
fn smol_over_both_clocks() {
    async_io::block_on(async {
        for kernel in [Kernel::new(), Kernel::in_real_time(Version::V6_1)] {
            let mut ipvs = ipvs_netlink::smol::Client::fake(&kernel).await.unwrap();
            ipvs.set_deadline(Some(Duration::from_millis(20)));
            ipvs.add_service(&web()).await.unwrap();
            kernel.fail(1, Fault::AnswerLost);
            assert!(ipvs.info().await.is_err());
            ipvs.info().await.unwrap();
            assert!(kernel.elapsed() >= Duration::from_millis(20));
            ipvs.add_destination(web().id, &server()).await.unwrap();
            let policy = DrainPolicy::new().until(DrainUntil::NoConnections);
            assert_eq!(ipvs.drain(web().id, server().id, policy).await.unwrap(), Drained::Emptied);
        }
    });
}
