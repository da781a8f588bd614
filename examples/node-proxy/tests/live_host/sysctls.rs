//! Sysctls are told, set, and put back.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use ipvs_netlink::kubernetes::Changes;
use ipvs_netlink::{AddressFamily, Client};
use node_proxy::exit::Exit;
use node_proxy::host::Host;

use crate::stage::{Stage, cleanup, in_namespace, set_sysctl, sysctl};

const EXPIRE: &str = "ipv4/vs/expire_nodest_conn";
const FORWARD: &str = "ipv4/ip_forward";

/// The settings of IPVS are there as soon as the module is.
fn begin() {
    Client::connect().unwrap();
    set_sysctl(FORWARD, "0");
    set_sysctl(EXPIRE, "0");
}

async fn prepare(stage: &Stage, first: &Changes) -> Host {
    let mut host = stage.open().await;
    host.prepare(first).await.unwrap();
    host
}

#[test]
fn are_set_and_put_back() {
    in_namespace(async |mut stage| {
        begin();
        let first = stage.service("web", "10.96.0.1", ("TCP", 80), &["10.244.1.1"]);
        stage.open().await.compare(&first).unwrap();
        assert_eq!(sysctl(EXPIRE), "0", "to compare changes nothing");
        prepare(&stage, &first).await;
        assert_eq!(sysctl("ipv4/vs/conntrack"), "1");
        assert_eq!(sysctl(EXPIRE), "1");
        assert_eq!(sysctl("ipv4/vs/expire_quiescent_template"), "1");
        assert_eq!(sysctl(FORWARD), "1");
        assert_eq!(sysctl("ipv6/conf/all/forwarding"), "0", "there is no IPv6 service");
        assert_eq!(sysctl("ipv4/conf/all/arp_ignore"), "0");
        // A second run after a crash knows the values from before the first.
        prepare(&stage, &first).await;
        assert_eq!(cleanup(&stage), Exit::Done);
        assert_eq!(sysctl(EXPIRE), "0");
        assert_eq!(sysctl(FORWARD), "0");
        assert!(!stage.arguments.place.state_dir.join("sysctls").exists());
    });
}

#[test]
fn ipv6_and_arp_are_set_where_they_are_asked_for() {
    in_namespace(async |mut stage| {
        begin();
        stage.arguments.strict_arp = true;
        let first = stage.service("web", "10.96.0.1", ("TCP", 80), &["10.244.1.1"]);
        let mut host = prepare(&stage, &first).await;
        assert_eq!(sysctl("ipv4/conf/all/arp_ignore"), "1");
        assert_eq!(sysctl("ipv4/conf/all/arp_announce"), "2");
        assert_eq!(sysctl("ipv6/conf/all/forwarding"), "0");
        host.change(&stage.service("six", "2001:db8::1", ("TCP", 80), &["2001:db8:1::1"]));
        assert_eq!(sysctl("ipv6/conf/all/forwarding"), "1");
    });
}

/// Packets for endpoints of a family that the node does not forward would be lost.
#[test]
fn a_family_whose_sysctls_cannot_be_set_is_not_forwarded() {
    in_namespace(async |mut stage| {
        begin();
        let first = stage.service("web", "10.96.0.1", ("TCP", 80), &["10.244.1.1"]);
        let mut host = prepare(&stage, &first).await;
        let file = stage.arguments.place.state_dir.join("sysctls");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
        host.change(&stage.service("six", "2001:db8::1", ("TCP", 80), &["2001:db8:1::1"]));
        assert_eq!(sysctl("ipv6/conf/all/forwarding"), "0");
        assert!(!host.forwards(AddressFamily::Ipv6) && host.forwards(AddressFamily::Ipv4));
    });
}

#[test]
fn stay_if_that_is_asked_for() {
    in_namespace(async |mut stage| {
        begin();
        stage.arguments.keep_sysctls = true;
        let first = stage.service("web", "10.96.0.1", ("TCP", 80), &["10.244.1.1"]);
        prepare(&stage, &first).await;
        assert_eq!(sysctl(EXPIRE), "0");
        assert_eq!(sysctl(FORWARD), "0");
        assert!(!stage.arguments.place.state_dir.exists());
    });
}

#[test]
fn what_another_program_sets_later_is_not_put_back() {
    in_namespace(async |mut stage| {
        begin();
        set_sysctl("ipv4/conf/all/arp_announce", "0");
        stage.arguments.strict_arp = true;
        let first = stage.service("web", "10.96.0.1", ("TCP", 80), &["10.244.1.1"]);
        prepare(&stage, &first).await;
        set_sysctl("ipv4/conf/all/arp_announce", "1");
        assert_eq!(cleanup(&stage), Exit::Done);
        assert_eq!(sysctl("ipv4/conf/all/arp_announce"), "1");
        assert_eq!(sysctl(FORWARD), "0");
    });
}

#[test]
fn a_file_that_this_program_does_not_write_changes_nothing() {
    in_namespace(async |mut stage| {
        begin();
        let first = stage.service("web", "10.96.0.1", ("TCP", 80), &["10.244.1.1"]);
        prepare(&stage, &first).await;
        let file = stage.arguments.place.state_dir.join("sysctls");
        fs::write(&file, "kernel.modprobe 0 1\n").unwrap();
        assert_eq!(cleanup(&stage), Exit::Failed);
        assert_eq!(sysctl(FORWARD), "1");
        assert!(file.exists());
    });
}
