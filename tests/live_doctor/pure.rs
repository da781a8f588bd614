//! What is decided, on hosts of plain data: other kernels, sizes that no test can make, and what a
//! kernel of the tests does not show.

use std::net::{IpAddr, SocketAddr};

use ipvs_netlink::{
    Connections, Destination, DestinationEntry, Service, ServiceEntry, ServiceSnapshot, Setting,
    Stats,
};

use crate::checks::CHECKS;
use crate::finding::Severity::{self, Error, Note, Warning};
use crate::host::{Address, Gap, Host, Ipvs, Link, Listener, Part, Process, Route};
use crate::patient::{direct, found, none, one, server, web};

/// A host with one service. Its addresses and those of its servers are known to the kernel.
fn host(service: Service, destinations: &[Destination]) -> Host {
    let entry = |it: &Destination| {
        DestinationEntry::new(it.clone(), Connections::default(), Stats::default())
    };
    let virtual_address = service.id.address().map(|it| (it.ip(), Route::Local));
    let out = |it: &Destination| (it.id.address.ip(), Route::Out { link: 2, mtu: None });
    let routes = destinations.iter().map(out).chain(virtual_address).collect();
    let entries = destinations.iter().map(entry).collect();
    let service = ServiceSnapshot::new(ServiceEntry::new(service, Stats::default()), entries);
    let table = [service].into_iter().collect();
    let eth0 =
        Link { index: 2, name: "eth0".into(), mtu: 1500, up: true, arp: true, ..Link::default() };
    let mut host = Host {
        ipvs: Some(Ipvs { table, buckets: 4096, ..Ipvs::default() }),
        links: vec![eth0],
        routes,
        ..Host::default()
    };
    host.kernel.release = "6.12.117".into();
    host.kernel.processors = 1;
    host
}

fn set(host: &mut Host, setting: Setting, value: i64) {
    host.vs.insert(setting, value);
}

#[track_caller]
fn severity(host: &Host, check: &str) -> Severity {
    one(host, check).severity
}

#[test]
fn a_host_without_anything_has_no_finding_but_that_ipvs_is_missing() {
    for check in CHECKS {
        let findings = found(&Host::default(), check.name);
        assert_eq!(findings.len(), usize::from(check.name == "modules"), "{}", check.name);
    }
    assert_eq!(severity(&Host::default(), "modules"), Note);
    // A director needs IPVS, a real server does not.
    let mut director = Host::default();
    director.processes.push(Process { id: 7, name: "keepalived".into() });
    assert_eq!(severity(&director, "modules"), Error);
}

#[test]
fn what_is_hidden_is_not_missing() {
    let mut host = Host::default();
    host.unread.push(Gap { part: Part::Table, text: "the table: permission denied".into() });
    for check in CHECKS {
        none(&host, check.name);
    }
    // The rest of a table is looked at.
    host.ipvs = Some(Ipvs::default());
    one(&host, "empty-table");
}

#[test]
fn a_director_without_its_table_looks_like_a_real_server() {
    let lo = Link { index: 1, name: "lo".into(), up: true, loopback: true, ..Link::default() };
    let mut host = host(web(), &[server(2)]);
    host.links.push(lo);
    host.addresses.push(Address { ip: [192, 0, 2, 10].into(), prefix: 32, link: 1 });
    host.sysctls.0.insert("net/ipv4/conf/eth0/arp_ignore".into(), "0".into());
    none(&host, "arp-ignore");
    none(&host, "empty-table");
    host.ipvs = Some(Ipvs::default());
    assert_eq!(severity(&host, "empty-table"), Note);
    let finding = one(&host, "arp-ignore");
    assert!(finding.fix.contains("If this host is a director, do not"), "{finding:?}");
    host.ipvs = None;
    let finding = one(&host, "arp-ignore");
    assert!(!finding.fix.contains("director"), "{finding:?}");
}

#[test]
fn a_table_that_was_not_asked_about_is_no_finding() {
    let mut host = host(web(), &[server(2), direct(3)]);
    host.routes.clear();
    for check in ["route", "virtual-address", "local-destination", "tunnel-mtu"] {
        none(&host, check);
    }
}

#[test]
fn a_port_that_is_used_again_waits_on_kernels_before_5_9() {
    let mut host = host(web(), &[server(2)]);
    set(&mut host, Setting::CONN_REUSE_MODE, 1);
    set(&mut host, Setting::CONNTRACK, 1);
    set(&mut host, Setting::EXPIRE_NODEST_CONN, 1);
    for (release, ill) in [("4.19.0-21-amd64", true), ("5.8.18", true), ("5.9.0", false)] {
        host.kernel.release = release.into();
        assert_eq!(found(&host, "conn-reuse-mode").len(), usize::from(ill), "{release}");
    }
    host.kernel.release = "5.8.18".into();
    set(&mut host, Setting::CONNTRACK, 0);
    none(&host, "conn-reuse-mode");
}

#[test]
fn expire_nodest_conn_and_weight_0_with_conn_reuse_mode_0() {
    let mut host = host(web(), &[server(2)]);
    set(&mut host, Setting::CONN_REUSE_MODE, 0);
    for (release, helps) in [("4.19.0-21-amd64", false), ("5.15.0", false), ("5.16.0", true)] {
        host.kernel.release = release.into();
        let finding = one(&host, "conn-reuse-mode");
        let claims = finding.reason.contains("unless expire_nodest_conn is 1");
        assert_eq!(claims, helps, "{release}: {}", finding.reason);
        assert!(finding.evidence[0].contains(release), "{finding:?}");
    }
}

#[test]
fn counters_cost_more_with_more_processors_and_on_old_kernels() {
    let mut host = host(web(), &[server(2)]);
    for (release, processors, expected) in [
        ("6.1.176", 6_000, None),
        ("6.1.176", 7_000, Some(Note)),
        ("6.1.176", 70_000, Some(Warning)),
        ("6.2.0", 70_000, None),
        ("6.2.0", 700_000, Some(Note)),
    ] {
        host.kernel.release = release.into();
        host.kernel.processors = processors;
        let found = found(&host, "estimation-cost");
        assert_eq!(found.first().map(|it| it.severity), expected, "{release} {processors}");
    }
    set(&mut host, Setting::RUN_ESTIMATION, 0);
    none(&host, "estimation-cost");
}

#[test]
fn the_table_of_connections_grows_by_itself_from_linux_7_1() {
    let mut host = host(web(), &[server(2)]);
    let mut connections = Connections::default();
    connections.active = 4096 * 8;
    let entry = DestinationEntry::new(server(2), connections, Stats::default());
    let service = ServiceSnapshot::new(ServiceEntry::new(web(), Stats::default()), vec![entry]);
    host.ipvs.as_mut().unwrap().table = [service].into_iter().collect();
    let finding = one(&host, "connection-table");
    assert_eq!(finding.severity, Warning);
    assert!(finding.fix.contains("conn_tab_bits=16"), "{finding:?}");
    host.kernel.release = "7.1.0".into();
    none(&host, "connection-table");
}

#[test]
fn keepalived_may_hold_the_virtual_address_elsewhere() {
    let mut host = host(web(), &[server(2)]);
    host.routes.insert(IpAddr::from([192, 0, 2, 10]), Route::None);
    assert_eq!(severity(&host, "virtual-address"), Error);
    host.processes.push(Process { id: 7, name: "keepalived".into() });
    assert_eq!(severity(&host, "virtual-address"), Note);
    assert_eq!(severity(&host, "writers"), Note);
    host.processes.push(Process { id: 8, name: "kube-proxy".into() });
    let finding = one(&host, "writers");
    assert_eq!(finding.severity, Warning);
    assert!(finding.reason.contains("1.40"), "{finding:?}");
}

#[test]
fn a_listener_serves_its_own_address_or_all() {
    let tcp = ipvs_netlink::Protocol::TCP;
    let serves = |own: &str, asked: &str| {
        let parse = |text: &str| text.parse::<SocketAddr>().unwrap();
        Listener { protocol: tcp, address: parse(own) }.serves(tcp, parse(asked))
    };
    for (own, asked, expected) in [
        ("192.0.2.10:80", "192.0.2.10:80", true),
        ("192.0.2.11:80", "192.0.2.10:80", false),
        ("192.0.2.10:81", "192.0.2.10:80", false),
        ("0.0.0.0:80", "192.0.2.10:80", true),
        ("0.0.0.0:80", "[2001:db8::10]:80", false),
        ("[::]:80", "[2001:db8::10]:80", true),
        ("[::]:80", "192.0.2.10:80", true),
    ] {
        assert_eq!(serves(own, asked), expected, "{own} {asked}");
    }
}

#[test]
fn the_network_of_an_address() {
    let is_on_link = |ip: &str, prefix, other: &str| {
        Address { ip: ip.parse().unwrap(), prefix, link: 1 }.is_on_link(other.parse().unwrap())
    };
    assert!(is_on_link("10.0.0.1", 24, "10.0.0.255"));
    assert!(!is_on_link("10.0.0.1", 24, "10.0.1.1"));
    assert!(is_on_link("10.0.0.1", 0, "192.0.2.1"));
    assert!(is_on_link("2001:db8::1", 64, "2001:db8::ffff"));
    assert!(!is_on_link("2001:db8::1", 64, "10.0.0.1"));
}

#[test]
fn a_kernel_that_does_not_say_its_version_is_a_new_one() {
    let mut host = Host::default();
    for (release, expected) in
        [("6.1.176", false), ("6.2.0-rc1", true), ("10.0", true), ("6", true), ("", true)]
    {
        host.kernel.release = release.into();
        assert_eq!(host.kernel.is_at_least(6, 2), expected, "{release}");
    }
}
