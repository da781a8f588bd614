//! Asks the kernel for interfaces, addresses and routes, over route netlink.

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::{Pin, pin};

use nix::libc;
use rtnetlink::packet_route::address::AddressAttribute;
use rtnetlink::packet_route::link::{LinkAttribute, LinkFlags, LinkInfo, LinkMessage};
use rtnetlink::packet_route::route::{RouteAttribute, RouteMessage, RouteMetric, RouteType};
use rtnetlink::{Handle, RouteMessageBuilder, new_connection};

use crate::host::{Address, Link, Route};

/// What the kernel says of the network.
#[derive(Debug, Default)]
pub(super) struct Network {
    pub(super) links: Vec<Link>,
    pub(super) addresses: Vec<Address>,
    pub(super) routes: BTreeMap<IpAddr, Route>,
}

/// Reads the network of the thread's namespace, with the routes to these addresses.
pub(super) fn read(wanted: &BTreeSet<IpAddr>) -> Result<Network, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let (connection, handle, _) = new_connection().map_err(|error| error.to_string())?;
        tokio::spawn(connection);
        ask(&handle, wanted).await.map_err(|error| format!("route netlink: {error}"))
    })
}

async fn ask(handle: &Handle, wanted: &BTreeSet<IpAddr>) -> Result<Network, rtnetlink::Error> {
    let mut network = Network::default();
    let mut links = pin!(handle.link().get().execute());
    while let Some(message) = next(links.as_mut()).await {
        network.links.push(link(&message?));
    }
    let mut addresses = pin!(handle.address().get().execute());
    while let Some(message) = next(addresses.as_mut()).await {
        let message = message?;
        let find = |local| {
            message.attributes.iter().find_map(|attribute| match (attribute, local) {
                (AddressAttribute::Local(ip), true) => Some(*ip),
                (AddressAttribute::Address(ip), false) => Some(*ip),
                _ => None,
            })
        };
        // With a peer, `Address` is the peer's.
        let Some(ip) = find(true).or_else(|| find(false)) else { continue };
        let (prefix, link) = (message.header.prefix_len, message.header.index);
        network.addresses.push(Address { ip, prefix, link });
    }
    for ip in wanted {
        network.routes.insert(*ip, route(handle, *ip).await?);
    }
    Ok(network)
}

/// Returns the next item of a stream.
async fn next<S: futures_core::Stream>(mut stream: Pin<&mut S>) -> Option<S::Item> {
    poll_fn(|context| stream.as_mut().poll_next(context)).await
}

fn link(message: &LinkMessage) -> Link {
    let flags = message.header.flags;
    let mut link = Link {
        index: message.header.index,
        up: flags.contains(LinkFlags::Up),
        loopback: flags.contains(LinkFlags::Loopback),
        arp: !flags.contains(LinkFlags::Noarp),
        ..Link::default()
    };
    for attribute in &message.attributes {
        match attribute {
            LinkAttribute::IfName(name) => link.name.clone_from(name),
            LinkAttribute::Mtu(mtu) => link.mtu = *mtu,
            LinkAttribute::LinkInfo(all) => {
                let kind = all.iter().find_map(|info| match info {
                    LinkInfo::Kind(kind) => Some(kind.to_string()),
                    _ => None,
                });
                link.kind = kind.unwrap_or_default();
            }
            _ => {}
        }
    }
    link
}

/// Asks what the kernel does with a packet to an address.
async fn route(handle: &Handle, to: IpAddr) -> Result<Route, rtnetlink::Error> {
    let length = if to.is_ipv4() { 32 } else { 128 };
    let question = RouteMessageBuilder::<IpAddr>::new().destination_prefix(to, length);
    let Ok(question) = question else { return Ok(Route::None) };
    let answers = pin!(handle.route().get(question.build()).execute());
    match next(answers).await {
        Some(Ok(answer)) => Ok(decided(&answer)),
        Some(Err(rtnetlink::Error::NetlinkError(message))) => match -message.raw_code() {
            libc::ENETUNREACH | libc::EHOSTUNREACH | libc::EACCES | libc::EINVAL => Ok(Route::None),
            _ => Err(rtnetlink::Error::NetlinkError(message)),
        },
        Some(Err(error)) => Err(error),
        None => Ok(Route::None),
    }
}

fn decided(answer: &RouteMessage) -> Route {
    match answer.header.kind {
        RouteType::Local => return Route::Local,
        RouteType::Unicast => {}
        _ => return Route::None,
    }
    let mut mtu = None;
    let mut link = None;
    for attribute in &answer.attributes {
        match attribute {
            RouteAttribute::Oif(index) => link = Some(*index),
            RouteAttribute::Metrics(metrics) => {
                mtu = metrics.iter().find_map(|metric| match metric {
                    RouteMetric::Mtu(mtu) => Some(*mtu),
                    _ => None,
                });
            }
            _ => {}
        }
    }
    link.map_or(Route::None, |link| Route::Out { link, mtu })
}
