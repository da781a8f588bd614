//! Which parts of the host each check needs: a gap in another part is no gap for the check.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use ipvs_netlink::{
    Connections, Destination, DestinationEntry, Protocol, Role, Scheduler, Service, ServiceEntry,
    ServiceSnapshot, Setting, Settings, Stats, SyncDaemon, Tunnel,
};

use crate::checks::CHECKS;
use crate::host::{Address, Host, Ipvs, Link, Listener, Modules, Part, Process, Route, Sysctls};
use crate::patient::{direct, dns, server, tunnelled, web};

const PARTS: [Part; 8] = [
    Part::Table,
    Part::Settings,
    Part::Sysctls,
    Part::Routes,
    Part::Listeners,
    Part::Processes,
    Part::Modules,
    Part::UnknownProtocols,
];

fn without(part: Part, host: &Host) -> Host {
    let mut host = host.clone();
    match part {
        Part::Table => host.ipvs = None,
        Part::Settings => host.vs = Settings::new(),
        Part::Sysctls => host.sysctls = Sysctls::default(),
        Part::Routes => host.routes.clear(),
        Part::Listeners => host.listeners.clear(),
        Part::Processes => host.processes.clear(),
        Part::Modules => host.modules = Modules::default(),
        Part::UnknownProtocols => host.unknown_protocols = 0,
    }
    host
}

fn tcp(host: u8, port: u16) -> Service {
    Service::tcp(([192, 0, 2, host], port).into())
}

fn service(service: Service, destinations: &[Destination], persistent: u32) -> ServiceSnapshot {
    let mut connections = Connections::default();
    (connections.active, connections.persistent) = (9, persistent);
    let entry = |it: &Destination| DestinationEntry::new(it.clone(), connections, Stats::default());
    let entries = destinations.iter().map(entry).collect();
    ServiceSnapshot::new(ServiceEntry::new(service, Stats::default()), entries)
}

fn link(index: u32, name: &str, kind: &str, up: bool) -> Link {
    let (loopback, arp) = (index == 1, true);
    Link { index, name: name.into(), kind: kind.into(), mtu: 1500, up, loopback, arp }
}

/// A host that is ill in nearly every way. `templates` keep clients at a destination.
fn ill(templates: u32) -> Host {
    let rr = Scheduler::ROUND_ROBIN;
    let sticky = tcp(10, 81).persistent(Duration::from_secs(60)).scheduler(rr);
    let other_family = Destination::masquerade("[2001:db8::2]:80".parse().unwrap());
    let wrong_port = Destination::direct_route(([10, 0, 0, 4], 81).into());
    let drained = server(3).weight(0);
    let table = [
        service(web().scheduler(Scheduler::SOURCE_HASHING), &[server(2), drained], 0),
        service(sticky, &[server(2).weight(0), direct(1)], templates),
        service(tcp(10, 21).scheduler(rr), &[server(2), wrong_port, other_family], 0),
        service(tcp(11, 0), &[tunnelled(5, Tunnel::Ipip), server(6)], 0),
        service(tcp(12, 80), &[], 0),
        service(dns(), &[server(2), server(5)], 0),
    ];
    let mut host = Host {
        ipvs: Some(Ipvs { table: table.into_iter().collect(), buckets: 1, ..Ipvs::default() }),
        links: vec![
            link(1, "lo", "", true),
            link(2, "eth0", "", true),
            link(3, "eth1", "", true),
            link(4, "ipip1", "ipip", true),
            link(5, "ipip2", "ipip", false),
        ],
        unknown_protocols: 7,
        ..Host::default()
    };
    (host.kernel.release, host.kernel.processors) = ("5.4.0".into(), 10_000);
    let address = |ip: &str, prefix, link| Address { ip: ip.parse().unwrap(), prefix, link };
    host.addresses = vec![
        address("192.0.2.10", 32, 1),
        address("198.51.100.9", 32, 1),
        address("10.0.0.1", 24, 2),
        address("192.0.2.1", 24, 3),
        address("192.0.2.12", 32, 5),
        address("198.51.100.8", 32, 5),
    ];
    let out = |n: u8| (IpAddr::from([10, 0, 0, n]), Route::Out { link: 2, mtu: None });
    host.routes = [2, 3, 4, 5].map(out).into();
    host.routes.insert([192, 0, 2, 10].into(), Route::Local);
    host.routes.insert([192, 0, 2, 11].into(), Route::None);
    host.routes.insert([10, 0, 0, 1].into(), Route::Local);
    host.routes.insert([10, 0, 0, 6].into(), Route::None);
    for (setting, value) in [
        (Setting::BACKUP_ONLY, 0),
        (Setting::CONNTRACK, 0),
        (Setting::CONN_REUSE_MODE, 0),
        (Setting::EXPIRE_NODEST_CONN, 0),
        (Setting::EXPIRE_QUIESCENT_TEMPLATE, 0),
        (Setting::PMTU_DISC, 0),
        (Setting::RUN_ESTIMATION, 1),
        (Setting::SLOPPY_TCP, 1),
    ] {
        host.vs.insert(setting, value);
    }
    for (path, value) in [
        ("net/ipv4/conf/eth0/forwarding", "0"),
        ("net/ipv4/conf/eth0/arp_ignore", "0"),
        ("net/ipv4/conf/eth0/arp_announce", "0"),
        ("net/ipv4/conf/eth1/arp_ignore", "1"),
        ("net/ipv4/conf/ipip1/rp_filter", "1"),
        ("net/netfilter/nf_conntrack_count", "5"),
    ] {
        host.sysctls.0.insert(path.into(), value.into());
    }
    host.processes.push(Process { id: 7, name: "keepalived".into() });
    let listener = |at: &str| Listener { protocol: Protocol::TCP, address: at.parse().unwrap() };
    host.listeners = ["192.0.2.10:80", "0.0.0.0:22"].map(listener).into();
    host.modules.loaded.insert("ip_vs_sh".into());
    host.modules.on_disk = Some(BTreeSet::new());
    host
}

/// The same host as a standby and a real server of tunnels, with a drain that does not end.
fn standby() -> Host {
    let mut host = ill(3);
    host.ipvs.as_mut().unwrap().daemons =
        vec![SyncDaemon::new(Role::Backup, "eth0".parse().unwrap())];
    host.vs.insert(Setting::RUN_ESTIMATION, 0);
    host.modules.loaded.insert("ip_vs_ftp".into());
    host.links.retain(|link| link.name != "ipip1");
    host
}

#[test]
fn a_check_decides_on_the_parts_that_it_names() {
    let unloaded = without(Part::Table, &ill(0));
    let empty = Host { ipvs: Some(Ipvs::default()), ..ill(0) };
    let hosts = [ill(0), standby(), unloaded, empty];
    for check in CHECKS {
        assert!(
            hosts.iter().any(|host| !check.run(host).is_empty()),
            "{} finds nothing",
            check.name
        );
        for part in PARTS {
            let matters = |host: &Host| check.run(&without(part, host)) != check.run(host);
            let decides = hosts.iter().any(matters);
            assert_eq!(check.needs.contains(&part), decides, "{}: {part:?}", check.name);
        }
    }
}
