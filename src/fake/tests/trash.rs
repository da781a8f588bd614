//! Deleted destinations stay in the trash for a while and come back as they were.

use std::time::Duration;

use crate::fake::{Errno, Kernel, Namespace};
use crate::model::{Change, Connections, Destination, Service, Stats};

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn service() -> Service {
    Service::tcp("192.0.2.10:80".parse().unwrap())
}

fn server() -> Destination {
    Destination::masquerade("10.0.0.2:8080".parse().unwrap())
}

fn add_service(host: &Namespace) {
    host.write(&Change::AddService(service())).unwrap();
}

fn delete_service(host: &Namespace) {
    host.write(&Change::DeleteService(service().id)).unwrap();
}

fn add(host: &Namespace) {
    host.write(&Change::AddDestination(service().id, server())).unwrap();
}

fn delete(host: &Namespace) {
    host.write(&Change::DeleteDestination(service().id, server().id)).unwrap();
}

/// Active connections and counted ones, after the destination was added again.
fn again(host: &Namespace) -> (u32, u64) {
    add(host);
    let entry = host.destination(service().id, server().id).unwrap();
    (entry.connections.active, entry.stats.connections)
}

/// A kernel with a destination that has had seven connections, of which three are open.
fn used() -> (Kernel, Namespace) {
    let kernel = Kernel::new();
    let host = kernel.initial();
    add_service(&host);
    add(&host);
    let stats = Stats { connections: 7, ..Stats::default() };
    host.set_stats(service().id, server().id, &stats).unwrap();
    let connections = Connections { active: 3, ..Connections::default() };
    host.set_connections(service().id, server().id, connections).unwrap();
    (kernel, host)
}

#[test]
fn a_destination_comes_back_with_connections_and_counters() {
    let (kernel, host) = used();
    delete(&host);
    let gone = host.set_connections(service().id, server().id, Connections::default());
    assert_eq!(gone, Err(Errno::NOENT));
    // As long as it has connections.
    kernel.advance(seconds(100_000));
    assert_eq!(again(&host), (3, 7));
}

#[test]
fn a_service_that_is_made_anew_counts_anew() {
    let (_, host) = used();
    delete_service(&host);
    add_service(&host);
    assert_eq!(again(&host), (3, 0));
    delete(&host);
    assert_eq!(again(&host), (3, 0));
}

#[test]
fn another_service_does_not_find_it() {
    let (_, host) = used();
    let other = Service::udp("192.0.2.10:80".parse().unwrap());
    host.write(&Change::AddService(other.clone())).unwrap();
    delete(&host);
    host.write(&Change::AddDestination(other.id, server())).unwrap();
    assert_eq!(host.destination(other.id, server().id).unwrap().stats.connections, 0);
}

/// The trash is looked at every minute from when it was not empty. A look finds that nothing
/// uses a destination, and one at least two minutes later frees it.
#[test]
fn an_unused_destination_goes_three_minutes_after_the_trash_began() {
    for (advance, counted) in [(179, 7), (180, 0)] {
        let (kernel, host) = used();
        host.set_connections(service().id, server().id, Connections::default()).unwrap();
        kernel.advance(seconds(10));
        delete(&host);
        kernel.advance(seconds(advance));
        assert_eq!(again(&host), (0, counted), "{advance}");
    }
}

#[test]
fn the_wait_begins_when_the_last_connection_ends() {
    for (after, left) in [(Duration::from_millis(1), 7), (seconds(129), 7), (seconds(130), 0)] {
        let (kernel, host) = used();
        host.set_connections(service().id, server().id, Connections::default()).unwrap();
        let (active, inactive) = (seconds(200), seconds(100));
        host.open_connections(service().id, server().id, 1, active, inactive).unwrap();
        delete(&host);
        kernel.advance(seconds(250));
        add(&host);
        let found = host.destination(service().id, server().id).unwrap().connections;
        assert_eq!((found.active, found.inactive), (0, 1));
        delete(&host);
        // It ends at 300 s. The look at 310 s finds that, and the one at 430 s frees.
        kernel.advance(seconds(50));
        kernel.advance(after);
        let (active, stats) = again(&host);
        assert_eq!((active, stats > 0), (0, left > 0), "{after:?}");
    }
}

#[test]
fn mixed_families_and_daemons_exclude_each_other() {
    use crate::model::{Role, SyncDaemon, Tunnel};
    let kernel = Kernel::new();
    let host = kernel.initial();
    add_service(&host);
    let v6 = Destination::tunnel("[2001:db8::2]:80".parse().unwrap(), Tunnel::Ipip);
    let add = Change::AddDestination(service().id, v6.clone());
    let start = Change::StartDaemon(SyncDaemon::new(Role::Backup, "lo".parse().unwrap()));
    host.write(&add).unwrap();
    assert_eq!(host.write(&start), Err(Errno::INVAL));
    host.write(&Change::DeleteDestination(service().id, v6.id)).unwrap();
    host.write(&start).unwrap();
    assert_eq!(host.write(&add), Err(Errno::INVAL));
    host.write(&Change::StopDaemon(Role::Backup)).unwrap();
    host.write(&add).unwrap();
    delete_service(&host);
    host.write(&start).unwrap();
}
