//! Virtual addresses and destinations against the addresses and sockets of this host.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use ipvs_netlink::{Forwarding, Protocol, Role, ServiceId, ServiceSnapshot, Setting};

use crate::finding::{Finding, Severity};
use crate::host::{Host, Listener, answers_itself, named};

/// IPVS takes packets on their way to a local socket, so the virtual address has to be local.
pub(crate) fn not_local(host: &Host) -> Vec<Finding> {
    let mut lost: BTreeMap<IpAddr, BTreeSet<&str>> = BTreeMap::new();
    for service in host.services() {
        let Some(address) = service.id().address() else { continue };
        if host.routes.get(&address.ip()).is_none_or(|_| host.is_local(address.ip())) {
            continue;
        }
        let methods = lost.entry(address.ip()).or_default();
        for destination in &service.destinations {
            methods.insert(match destination.destination.forwarding {
                Forwarding::Masquerade => "masquerading",
                Forwarding::DirectRoute => "direct routing",
                Forwarding::Tunnel(_) => "tunnel",
                _ => "other methods",
            });
        }
    }
    if lost.is_empty() {
        return Vec::new();
    }
    let standby = host.sign_of_standby();
    let severity = if standby.is_some() { Severity::Note } else { Severity::Error };
    let answers = host.pairs().any(|(_, it)| answers_itself(it.destination.forwarding));
    let mut fix =
        "Add the address to this host: ip address add ADDRESS/32 dev lo, or to the interface that \
         faces the clients if they ask for it by ARP."
            .to_owned();
    if answers {
        fix +=
            " With direct routing and tunnels the real servers need it too, without answering ARP.";
    }
    let methods = lost.iter().map(|(ip, methods)| {
        let methods: Vec<&str> = methods.iter().copied().collect();
        format!("{ip} is no address of this host; its services use {}", methods.join(", "))
    });
    vec![
        Finding::new(severity, "a virtual address is not an address of this host")
            .reason(
                "IPVS takes packets from other hosts on their way to a local socket. The kernel \
                 forwards packets to other addresses past IPVS, or drops them. This holds for \
                 every forwarding method. Clients on this host itself are balanced all the same.",
            )
            .seen(methods)
            .seen(standby)
            .fix(fix)
            .source("net/netfilter/ipvs/ip_vs_core.c, ip_vs_ops4: NF_INET_LOCAL_IN"),
    ]
}

/// Returns `true` if a destination of the service is this very socket.
fn is_destination(host: &Host, service: &ServiceSnapshot, listener: &Listener) -> bool {
    let Some(address) = service.id().address() else { return false };
    service.destinations.iter().filter(|it| host.is_local(it.id().address.ip())).any(|it| {
        let to = match it.destination.forwarding {
            Forwarding::Masquerade => it.id().address,
            _ => address,
        };
        listener.serves(listener.protocol, to)
    })
}

/// Programs that wait for clients which IPVS sends elsewhere.
pub(crate) fn shadowed(host: &Host) -> Vec<Finding> {
    let mut own = Vec::new();
    let mut any = Vec::new();
    for service in host.services() {
        let ServiceId::Address { protocol, address } = service.id() else { continue };
        if !host.is_local(address.ip()) {
            continue;
        }
        for listener in &host.listeners {
            let at = SocketAddr::new(address.ip(), listener.address.port());
            let takes = match address.port() {
                // The service of all ports that no other service has.
                0 => {
                    let exact = ServiceId::Address { protocol, address: at };
                    let none = |ipvs: &crate::host::Ipvs| ipvs.table.service(exact).is_none();
                    host.ipvs.as_ref().is_some_and(none)
                }
                port => port == at.port(),
            };
            if takes && listener.serves(protocol, at) && !is_destination(host, service, listener) {
                let text = format!("{listener} listens; {} takes its clients", service.id());
                let certain = listener.address.ip() == address.ip() || address.port() == 0;
                if certain { &mut own } else { &mut any }.push(text);
            }
        }
    }
    let finding = |severity, title: &str, evidence: Vec<String>| {
        let finding = Finding::new(severity, title)
            .reason(
                "IPVS takes a packet before it reaches a socket. Clients of the virtual address \
                 get a destination of the service, never this program. On a service of all ports \
                 that includes SSH.",
            )
            .fix(
                "Let the program listen at another address or port, or make it a destination of \
                 the service. Give a service of all ports an address of its own.",
            )
            .source("net/netfilter/ipvs/ip_vs_core.c, ip_vs_in_hook");
        (!evidence.is_empty()).then(|| finding.seen(evidence))
    };
    let own = finding(Severity::Warning, "IPVS takes the clients of a program on this host", own);
    let any = finding(
        Severity::Note,
        "a program listens at all addresses, a virtual one is balanced",
        any,
    );
    own.into_iter().chain(any).collect()
}

/// The first of the ports that the kernel chooses for clients, unless it is told otherwise.
const FIRST_EPHEMERAL: u16 = 32_768;

/// Ports of this host that clients of a virtual address reach, because the address is local.
pub(crate) fn open(host: &Host) -> Vec<Finding> {
    let mut balanced: BTreeMap<IpAddr, BTreeSet<(Protocol, u16)>> = BTreeMap::new();
    for service in host.services() {
        let ServiceId::Address { protocol, address } = service.id() else { continue };
        let ip = address.ip();
        if host.is_local(ip) && !ip.is_loopback() {
            balanced.entry(ip).or_default().insert((protocol, address.port()));
        }
    }
    let mut evidence = Vec::new();
    for (ip, ports) in balanced {
        let open = host.listeners.iter().filter(|listener| {
            let (protocol, port) = (listener.protocol, listener.address.port());
            // A client's socket looks the same.
            let client = protocol == Protocol::UDP && port >= FIRST_EPHEMERAL;
            listener.address.ip().is_unspecified()
                && listener.serves(protocol, SocketAddr::new(ip, port))
                && !ports.contains(&(protocol, port))
                && !ports.contains(&(protocol, 0))
                && !client
        });
        let open: BTreeSet<String> =
            open.map(|it| format!("{} {}", it.protocol, it.address.port())).collect();
        if !open.is_empty() {
            let open: Vec<String> = open.into_iter().collect();
            evidence.push(format!("{ip}: {}", open.join(", ")));
        }
    }
    if evidence.is_empty() {
        return Vec::new();
    }
    vec![
        Finding::new(Severity::Note, "ports of this host are open at a virtual address")
            .reason(
                "A virtual address is an address of this host. Programs that listen at all \
                 addresses are reached there at every port that has no service.",
            )
            .seen(evidence)
            .fix(
                "Let the programs listen at the host's own address, or drop packets to other ports \
                 of the virtual address in the input chain of the firewall.",
            )
            .source(
                "net/netfilter/ipvs/ip_vs_core.c, ip_vs_in_hook: what has no service is accepted",
            ),
    ]
}

/// Destinations that are addresses of this host.
pub(crate) fn local_destinations(host: &Host) -> Vec<Finding> {
    let mut loopback = Vec::new();
    let mut own = Vec::new();
    for pair in host.pairs() {
        let to = pair.1.id().address.ip();
        if !host.is_local(to) {
            continue;
        }
        let from_here = pair.0.id().address().is_some_and(|it| it.ip().is_loopback());
        if !to.is_loopback() {
            own.push(named(pair));
        } else if pair.1.destination.forwarding == Forwarding::Masquerade && !from_here {
            loopback.push(named(pair));
        }
    }
    let mut findings = Vec::new();
    if !loopback.is_empty() {
        findings.push(
            Finding::new(Severity::Error, "a masqueraded destination is a loopback address")
                .reason(
                    "The kernel drops packets from other hosts that would be rewritten to a \
                     loopback address. Clients on this host are served, all others time out.",
                )
                .seen(loopback)
                .fix(
                    "Give the destination another address of this host, and let the server listen \
                     there.",
                )
                .source("net/netfilter/ipvs/ip_vs_xmit.c, ip_vs_nat_xmit: DNAT to loopback"),
        );
    }
    if !own.is_empty() {
        let loops =
            host.has_daemon(Role::Backup) && host.vs.number(Setting::BACKUP_ONLY) == Some(0);
        let finding =
            if loops {
                Finding::new(
                    Severity::Warning,
                    "a standby director that is a real server balances again",
                )
                .reason(
                    "The other director sends this host packets to the virtual address by direct \
                     routing or a tunnel. This host has the table too and balances them once more, \
                     perhaps back to the other director.",
                )
                .seen(["a backup sync daemon runs, and net.ipv4.vs.backup_only is 0"])
                .fix("sysctl -w net.ipv4.vs.backup_only=1")
            } else {
                Finding::new(Severity::Note, "a destination is an address of this host")
                .reason(
                    "The server gets its share and fails together with the director. If a second \
                     director has the same table, each balances what the other sends by direct \
                     routing or a tunnel.",
                )
                .fix("Nothing, if there is one director. Else start the sync daemons and set \
                      net.ipv4.vs.backup_only=1.")
            };
        findings.push(
            finding.seen(own).source("Documentation/networking/ipvs-sysctl.rst, backup_only"),
        );
    }
    findings
}
