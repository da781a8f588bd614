//! The chains of the table and their rules.
//!
//! Where IPVS takes packets (`net/netfilter/ipvs/ip_vs_core.c:ip_vs_ops4`), and where the chains are:
//!
//! | hook | the chain | IPVS |
//! | --- | --- | --- |
//! | input, packets to an address of the host | `input`, priority 0 | 99: translated, sent on through output and postrouting |
//! | output, packets of the host | `output`, priority -150 | -98: translated, sent again through output |
//! | forward, answers | | 100: translated back |
//! | postrouting | `postrouting`, priority 100 | |
//!
//! So `input` and `output` see the address of the service, and `postrouting` sees that of the endpoint.
//! Connection tracking remembers the address of the service there, if `net.ipv4.vs.conntrack` is 1.

use ipvs_netlink::{AddressFamily, Protocol};
use nftables::stmt::Statement;
use nftables::types::{NfChainType, NfHook};

use super::expression::{self as expr, Stmt};
use crate::firewall::FirewallOptions;
use crate::firewall::set::{Purpose, SetName, version};

const PROTOCOLS: [Protocol; 3] = [Protocol::TCP, Protocol::UDP, Protocol::SCTP];
const FAMILIES: [AddressFamily; 2] = [AddressFamily::Ipv4, AddressFamily::Ipv6];

/// A chain of the table with its rules.
pub(super) struct Chain {
    pub(super) name: String,
    /// Where packets enter the chain. Without this, other chains jump to it.
    pub(super) hook: Option<(NfChainType, NfHook, i32)>,
    pub(super) rules: Vec<Vec<Stmt>>,
}

/// Returns the chains in an order in which each comes after those that it jumps to.
pub(super) fn all(options: &FirewallOptions) -> Vec<Chain> {
    let mut chains = Vec::new();
    for family in FAMILIES {
        chains.extend([sources(family), unserved(family)]);
    }
    chains.extend([input(options), output(), postrouting(options)]);
    chains
}

fn set(purpose: Purpose, family: AddressFamily) -> SetName {
    SetName { purpose, family }
}

fn name(chain: &str, family: AddressFamily) -> String {
    format!("{chain}-{}", version(family))
}

/// Drops what comes from no source range of a service.
///
/// Source: the chain `KUBE-SOURCE-RANGES-FIREWALL` of `proxier.go:writeIptablesRules`.
fn sources(family: AddressFamily) -> Chain {
    let key = || expr::concat([expr::destination(family), expr::port(), expr::source(family)]);
    let mut rules: Vec<_> = PROTOCOLS
        .map(|protocol| {
            let ranges = set(Purpose::Sources(protocol), family);
            vec![
                expr::is_of(protocol.number()),
                expr::is_in(key(), ranges),
                Statement::Return(None),
            ]
        })
        .into();
    rules.push(vec![Statement::Drop(None)]);
    Chain { name: name("sources", family), hook: None, rules }
}

/// Rejects what is sent to an address of the dummy interface and to no service, so that no program of the
/// host is reached there.
///
/// Source: the chain `KUBE-IPVS-FILTER` of `proxier.go:writeIptablesRules`.
fn unserved(family: AddressFamily) -> Chain {
    let served = [Purpose::ClusterIps, Purpose::Masqueraded, Purpose::Kept].map(|purpose| {
        vec![expr::is_in(expr::service(family), set(purpose, family)), Statement::Return(None)]
    });
    let mut rules: Vec<_> = served.into();
    rules.push(vec![
        expr::is_of(Protocol::TCP.number()),
        expr::is_in(expr::port(), set(Purpose::HealthCheckPorts, family)),
        Statement::Return(None),
    ]);
    rules.push(vec![Statement::Reject(None)]);
    Chain { name: name("unserved", family), hook: None, rules }
}

/// Checks packets from outside and from pods.
///
/// Source: the chains `KUBE-PROXY-FIREWALL` and `KUBE-IPVS-FILTER` of `proxier.go:writeIptablesRules`. What a
/// node without endpoints gets from outside is dropped by kube-proxy's other modes:
/// `pkg/proxy/iptables/proxier.go:syncProxyRules`.
fn input(options: &FirewallOptions) -> Chain {
    let mut rules = Vec::new();
    for family in FAMILIES {
        rules.push(restricted(family));
        // Without these networks, nothing tells pods from what comes from outside.
        if !options.inside(family).is_empty() {
            rules.push(vec![
                expr::is_in(expr::service(family), set(Purpose::Closed, family)),
                expr::is_not_in(expr::source(family), set(Purpose::Inside, family)),
                expr::is_from_elsewhere(),
                Statement::Drop(None),
            ]);
        }
        rules.push(vec![
            expr::is_new(),
            expr::is_in(expr::destination(family), set(Purpose::Addresses, family)),
            expr::jump(name("unserved", family)),
        ]);
    }
    let hook = Some((NfChainType::Filter, NfHook::Input, 0));
    Chain { name: "input".to_owned(), hook, rules }
}

fn restricted(family: AddressFamily) -> Vec<Stmt> {
    let is_restricted = expr::is_in(expr::service(family), set(Purpose::Restricted, family));
    vec![is_restricted, expr::jump(name("sources", family))]
}

/// Checks packets of the node itself.
///
/// Source: the chain `KUBE-IPVS-OUT-FILTER` of `proxier.go:writeIptablesRules`.
fn output() -> Chain {
    let hook = Some((NfChainType::Filter, NfHook::Output, -150));
    Chain { name: "output".to_owned(), hook, rules: FAMILIES.map(restricted).into() }
}

/// Masquerades.
///
/// Source: the chains `KUBE-POSTROUTING`, `KUBE-SERVICES`, `KUBE-NODE-PORT` and `KUBE-LOAD-BALANCER` of
/// `proxier.go:writeIptablesRules`, and the set `KUBE-LOOP-BACK`.
fn postrouting(options: &FirewallOptions) -> Chain {
    // What stays on the host needs no other address.
    let mut rules = vec![vec![expr::is_looped(), Statement::Return(None)]];
    for family in FAMILIES {
        rules.push(vec![
            expr::is_in(
                expr::concat([expr::source(family), expr::destination(family)]),
                set(Purpose::Hairpin, family),
            ),
            expr::masquerade(),
        ]);
        for protocol in PROTOCOLS {
            rules.extend(masquerading(options, family, protocol));
        }
    }
    let hook = Some((NfChainType::NAT, NfHook::Postrouting, 100));
    Chain { name: "postrouting".to_owned(), hook, rules }
}

/// Masquerades traffic of one protocol. nft needs to know the protocol where a rule asks for the port of a
/// connection.
fn masquerading(
    options: &FirewallOptions,
    family: AddressFamily,
    protocol: Protocol,
) -> impl Iterator<Item = Vec<Stmt>> {
    let rule = |purpose, condition: Option<Stmt>| {
        let is_to = expr::is_in(expr::original_service(family), set(purpose, family));
        let mut rule = vec![expr::is_of(protocol.number()), is_to];
        rule.extend(condition);
        rule.push(expr::masquerade());
        rule
    };
    // The host takes the address of a service for its own, and so for the source of what it sends there.
    let of_node = || expr::is_in(expr::source(family), set(Purpose::Addresses, family));
    let inside = set(Purpose::Inside, family);
    let of_cluster_ips = match options.inside(family).is_empty() {
        _ if options.masquerade_all => None,
        false => Some(expr::is_not_in(expr::source(family), inside)),
        true => Some(of_node()),
    };
    [
        rule(Purpose::Masqueraded, None),
        rule(Purpose::ClusterIps, of_cluster_ips),
        rule(Purpose::Kept, Some(of_node())),
    ]
    .into_iter()
}
