use std::io;
use std::net::IpAddr;

use crate::health::probe::Origin;
use crate::health::probe::through::route::{Route, Routes};
use crate::health::probe::through::sysctl;
use crate::health::through::{Pair, ThroughError};
use crate::model::Forwarding;

/// What keeps a check through a virtual address from being done.
#[derive(Debug, PartialEq)]
pub(super) enum Hindrance {
    /// Something on this host, which says nothing about the server.
    Here(ThroughError),
    /// Something that clients meet as well: the check has failed.
    There(String),
}

impl From<ThroughError> for Hindrance {
    fn from(error: ThroughError) -> Self {
        Self::Here(error)
    }
}

impl From<io::Error> for Hindrance {
    fn from(error: io::Error) -> Self {
        Self::Here(ThroughError::System(error.to_string()))
    }
}

/// Returns the source address of a check of this pair, in the network namespace of the thread.
/// Refuses the check if its answers would not arrive.
pub(super) fn source(
    pair: &Pair,
    origin: &Origin,
    is_virtual: impl Fn(IpAddr) -> bool,
) -> Result<IpAddr, Hindrance> {
    let mut routes = Routes::open()?;
    let (address, server) = (pair.target.ip(), pair.destination.address.ip());
    let Some(back) = routes.to(address)? else { return Err(ThroughError::NoRoute(address).into()) };
    // The kernel drops the packets of clients then, too.
    let no_route = || Hindrance::There(format!("no route to {server}"));
    let forth = routes.to(server)?.ok_or_else(no_route)?;
    let source = match origin.source {
        Some(source) => source,
        None => forth.source.filter(|it| it.is_ipv4() == address.is_ipv4()).ok_or(
            // The kernel tells no source only where it has none of the family.
            ThroughError::SourceNeeded,
        )?,
    };
    if source == address || is_virtual(source) {
        return Err(ThroughError::SourceIsVirtual(source).into());
    }
    let answers_directly = pair.forwarding != Forwarding::Masquerade;
    // IPv6 has no such rules.
    if answers_directly && address.is_ipv4() && !forth.is_local {
        let interface = match &origin.interface {
            Some(interface) => interface.clone(),
            None => routes.name(forth.interface)?,
        };
        let back_elsewhere = match &origin.interface {
            Some(_) => routes.name(back.interface)? != interface,
            None => back.interface != forth.interface,
        };
        admits(interface, &back, back_elsewhere)?;
    }
    Ok(source)
}

/// Refuses a check whose answers arrive on this interface and are dropped there.
fn admits(interface: String, back: &Route, back_elsewhere: bool) -> Result<(), Hindrance> {
    let setting = |name| sysctl::effective(&interface, name);
    if back.is_local && setting("accept_local")? == 0 {
        return Err(ThroughError::AcceptLocal { interface }.into());
    }
    if (back.is_local || back_elsewhere) && setting("rp_filter")? == 1 {
        return Err(ThroughError::ReversePath { interface }.into());
    }
    Ok(())
}
