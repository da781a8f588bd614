//! Expressions and statements of nftables, as `nft` reads them.
//!
//! Source: libnftables-json(5).

use std::borrow::Cow;
use std::collections::HashSet;
use std::net::IpAddr;

use ipvs_netlink::AddressFamily;
use ipvs_netlink::table::Network;
use nftables::expr::{
    CT, CTDir, Expression, Fib, FibFlag, FibResult, Meta, MetaKey, NamedExpression, Payload,
    PayloadField, Prefix,
};
use nftables::stmt::{JumpTarget, Match, NAT, NATFlag, Operator, Statement};

use crate::firewall::set::{Element, SetName};

pub(super) type Expr = Expression<'static>;
pub(super) type Stmt = Statement<'static>;

fn named(expression: NamedExpression<'static>) -> Expr {
    Expression::Named(expression)
}

fn text(text: impl Into<Cow<'static, str>>) -> Expr {
    Expression::String(text.into())
}

fn field(protocol: &'static str, field: &'static str) -> Expr {
    let field = PayloadField { protocol: protocol.into(), field: field.into() };
    named(NamedExpression::Payload(Payload::PayloadField(field)))
}

/// The source address of the packet.
pub(super) fn source(family: AddressFamily) -> Expr {
    field(header(family), "saddr")
}

/// The destination address of the packet.
pub(super) fn destination(family: AddressFamily) -> Expr {
    field(header(family), "daddr")
}

const fn header(family: AddressFamily) -> &'static str {
    match family {
        AddressFamily::Ipv4 => "ip",
        AddressFamily::Ipv6 => "ip6",
    }
}

/// The destination port of the packet, of any protocol that has ports.
pub(super) fn port() -> Expr {
    field("th", "dport")
}

/// The transport protocol of the packet.
pub(super) fn protocol() -> Expr {
    meta(MetaKey::L4proto)
}

pub(super) fn meta(key: MetaKey) -> Expr {
    named(NamedExpression::Meta(Meta { key }))
}

fn conntrack(key: &'static str, dir: Option<CTDir>) -> Expr {
    named(NamedExpression::CT(CT { key: key.into(), family: None, dir }))
}

/// The destination of the first packet of the connection, as it was before IPVS and NAT changed it.
pub(super) fn original_service(family: AddressFamily) -> Expr {
    let address = match family {
        AddressFamily::Ipv4 => "ip daddr",
        AddressFamily::Ipv6 => "ip6 daddr",
    };
    let original = Some(CTDir::Original);
    concat([conntrack(address, original), protocol(), conntrack("proto-dst", original)])
}

/// The destination of the packet.
pub(super) fn service(family: AddressFamily) -> Expr {
    concat([destination(family), protocol(), port()])
}

pub(super) fn concat<const N: usize>(parts: [Expr; N]) -> Expr {
    named(NamedExpression::Concat(parts.into()))
}

/// The packet is the first one of a connection.
pub(super) fn is_new() -> Stmt {
    matches(conntrack("state", None), Operator::IN, text("new"))
}

/// The source address is none of this host.
pub(super) fn is_from_elsewhere() -> Stmt {
    let fib = Fib { result: FibResult::Type, flags: HashSet::from([FibFlag::Saddr]) };
    matches(named(NamedExpression::Fib(fib)), Operator::NEQ, text("local"))
}

/// The packet leaves by the loopback interface.
pub(super) fn is_looped() -> Stmt {
    matches(meta(MetaKey::Oifname), Operator::EQ, text("lo"))
}

/// The packet has this transport protocol.
pub(super) fn is_of(number: u16) -> Stmt {
    matches(protocol(), Operator::EQ, Expression::Number(number.into()))
}

pub(super) fn is_in(left: Expr, set: SetName) -> Stmt {
    matches(left, Operator::EQ, text(format!("@{set}")))
}

pub(super) fn is_not_in(left: Expr, set: SetName) -> Stmt {
    matches(left, Operator::NEQ, text(format!("@{set}")))
}

fn matches(left: Expr, op: Operator, right: Expr) -> Stmt {
    Statement::Match(Match { left, right, op })
}

pub(super) fn jump(chain: String) -> Stmt {
    Statement::Jump(JumpTarget { target: chain.into() })
}

/// Gives the connection the address of the outgoing interface and a random port, as kube-proxy does.
pub(super) fn masquerade() -> Stmt {
    let flags = Some(HashSet::from([NATFlag::FullyRandom]));
    Statement::Masquerade(Some(NAT { addr: None, family: None, port: None, flags }))
}

/// The element of a set.
pub(super) fn element(element: &Element) -> Expr {
    let number = |number: u16| Expression::Number(number.into());
    match *element {
        Element::Service(at, protocol) => {
            concat([address(at.ip()), number(protocol.number()), number(at.port())])
        }
        Element::Source(at, from) => concat([address(at.ip()), number(at.port()), network(from)]),
        Element::Address(it) => address(it),
        Element::Twice(it) => concat([address(it), address(it)]),
        Element::Network(it) => network(it),
        Element::Port(port) => number(port),
    }
}

fn address(address: IpAddr) -> Expr {
    text(address.to_string())
}

fn network(network: Network) -> Expr {
    let first = address(network.address());
    let whole = if network.address().is_ipv4() { 32 } else { 128 };
    if network.prefix() == whole {
        return first;
    }
    let prefix = Prefix { addr: Box::new(first), len: network.prefix().into() };
    named(NamedExpression::Prefix(prefix))
}
