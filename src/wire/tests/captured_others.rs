//! The daemons, timeouts and info that kernels reported.

use std::time::Duration;

use crate::model::{Info, Role, SyncDaemon, Timeouts, Version};
use crate::wire::tests::capture::{Capture, KERNELS};

fn daemon(role: Role) -> SyncDaemon {
    SyncDaemon::new(role, "d0".parse().unwrap())
}

fn default_master() -> SyncDaemon {
    let group = [224, 0, 0, 81].into();
    daemon(Role::Master).sync_id(5).max_length(1472).group(group).port(8848).ttl(1)
}

fn assert_daemons(file: &str, expected: &[SyncDaemon]) {
    for kernel in KERNELS {
        let name = format!("{kernel}-{file}");
        assert_eq!(Capture::named(&name).reports::<SyncDaemon>(None), expected, "{name}");
    }
}

#[test]
fn daemons_report_what_the_kernel_chose_for_them() {
    let backup = daemon(Role::Backup).max_length(1300).port(9000).ttl(7);
    let backup = backup.group([239, 1, 2, 3].into());
    assert_daemons("079-dump-daemons-none", &[]);
    assert_daemons("081-dump-daemons-one", &[default_master()]);
    assert_daemons("083-dump-daemons-both", &[default_master(), backup]);
}

#[test]
fn a_group_may_be_ipv6() {
    let group = "ff05::51".parse().unwrap();
    let master = daemon(Role::Master).sync_id(7).max_length(1452).group(group).port(8848).ttl(1);
    assert_daemons("089-dump-daemons-v6", &[master]);
}

#[test]
fn all_timeouts_are_reported() {
    let timeouts = |tcp, tcp_fin, udp| {
        let [tcp, tcp_fin, udp] = [tcp, tcp_fin, udp].map(Duration::from_secs);
        Timeouts::default().tcp(tcp).tcp_fin(tcp_fin).udp(udp)
    };
    for kernel in KERNELS {
        let read = |file| Capture::named(&format!("{kernel}-{file}")).reports::<Timeouts>(None);
        assert_eq!(read("004-get-config"), [timeouts(900, 120, 300)]);
        assert_eq!(read("006-get-config-changed"), [timeouts(1000, 60, 200)]);
    }
}

#[test]
fn the_table_of_new_kernels_grows_with_its_use() {
    for (kernel, empty, used) in [("k61", 4096, 4096), ("k612", 4096, 4096), ("k73", 0, 256)] {
        let info = |connection_table_size| {
            let version = Version { major: 1, minor: 2, patch: 1 };
            Info { version, connection_table_size }
        };
        let read = |file| Capture::named(&format!("{kernel}-{file}")).reports::<Info>(None);
        assert_eq!(read("003-get-info-empty"), [info(empty)]);
        assert_eq!(read("009-get-info"), [info(used)]);
    }
}
