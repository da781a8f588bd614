//! Synchronization daemons.

use std::net::IpAddr;

use ipvs_netlink::{Destination, ErrorKind, Role, Service, SyncDaemon, Tunnel};

use super::client::Client;
use super::namespace::{fresh, ip};

fn with_interface() -> Client {
    let ipvs = fresh();
    ip("link add d0 type dummy");
    ip("address add 10.9.0.1/24 dev d0");
    ip("link set d0 up");
    ipvs
}

fn daemon(role: Role) -> SyncDaemon {
    SyncDaemon::new(role, "d0".parse().unwrap())
}

#[test]
fn a_daemon_is_read_with_every_value_that_the_kernel_chose() {
    let mut ipvs = with_interface();
    assert!(ipvs.daemons().unwrap().is_empty());
    ipvs.start_daemon(&daemon(Role::Master).sync_id(5)).unwrap();
    let expected = daemon(Role::Master)
        .sync_id(5)
        .max_length(1472)
        .group([224, 0, 0, 81].into())
        .port(8848)
        .ttl(1);
    assert_eq!(ipvs.daemons().unwrap(), [expected]);
    ipvs.stop_daemon(Role::Master).unwrap();
    assert!(ipvs.daemons().unwrap().is_empty());
}

#[test]
fn both_roles_run_side_by_side_with_every_setting() {
    let mut ipvs = with_interface();
    let backup = daemon(Role::Backup)
        .sync_id(255)
        .max_length(1300)
        .group([239, 1, 2, 3].into())
        .port(9000)
        .ttl(7);
    let group: IpAddr = "ff02::81".parse().unwrap();
    let master = daemon(Role::Master).max_length(1400).group(group).port(9001).ttl(255);
    ipvs.start_daemon(&backup).unwrap();
    ipvs.start_daemon(&master).unwrap();
    // The kernel reports the master first.
    assert_eq!(ipvs.daemons().unwrap(), [master, backup]);
    for role in [Role::Master, Role::Backup] {
        ipvs.stop_daemon(role).unwrap();
    }
}

#[test]
fn stopping_a_daemon_that_was_just_started_succeeds_though_the_kernel_may_not_answer() {
    let mut ipvs = with_interface();
    for round in 0..20 {
        let role = if round % 2 == 0 { Role::Backup } else { Role::Master };
        ipvs.start_daemon(&daemon(role)).unwrap();
        ipvs.stop_daemon(role).unwrap();
        assert!(ipvs.daemons().unwrap().is_empty());
    }
    assert_eq!(ipvs.stop_daemon(Role::Backup).unwrap_err().kind(), ErrorKind::NoSuchDaemon);
}

#[test]
fn a_destination_of_the_other_family_and_a_daemon_exclude_each_other() {
    let mut ipvs = with_interface();
    let web = Service::tcp("192.0.2.10:80".parse().unwrap());
    let mixed = Destination::tunnel("[2001:db8::2]:80".parse().unwrap(), Tunnel::Ipip);
    ipvs.add_service(&web).unwrap();
    ipvs.start_daemon(&daemon(Role::Master)).unwrap();
    let error = ipvs.add_destination(web.id, &mixed).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected);
    ipvs.stop_daemon(Role::Master).unwrap();
    ipvs.add_destination(web.id, &mixed).unwrap();
    let error = ipvs.start_daemon(&daemon(Role::Master)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected);
}

#[test]
fn what_keeps_a_daemon_from_starting_is_named() {
    let mut ipvs = with_interface();
    let nowhere = SyncDaemon::new(Role::Backup, "nosuch0".parse().unwrap());
    let error = ipvs.start_daemon(&nowhere).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoSuchInterface);
    assert!(error.to_string().starts_with("start daemon backup: no such network interface"));

    ipvs.start_daemon(&daemon(Role::Backup)).unwrap();
    let error = ipvs.start_daemon(&daemon(Role::Backup)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DaemonExists);
    ipvs.stop_daemon(Role::Backup).unwrap();

    ip("link set d0 down");
    let error = ipvs.start_daemon(&daemon(Role::Master)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NetworkUnavailable);
}
