//! Daemons and the ports of other sockets.

use std::net::UdpSocket;

use ipvs_netlink::{ErrorKind, Role, SyncDaemon};

use crate::namespace::{fresh, ip};

#[test]
fn a_backup_daemon_needs_a_port_that_nobody_else_has() {
    let mut ipvs = fresh();
    ip("link add d0 type dummy");
    ip("address add 10.9.0.1/24 dev d0");
    ip("link set d0 up");
    let _taken = UdpSocket::bind("0.0.0.0:8848").unwrap();
    let daemon = SyncDaemon::new(Role::Backup, "d0".parse().unwrap());
    let error = ipvs.start_daemon(&daemon).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NetworkUnavailable);
}
