//! The host that a request names, and how the program names itself.

use std::net::SocketAddr;

use http::uri::{Authority, Scheme};

use crate::model::InvalidValue;

/// What the program calls itself.
pub(super) const USER_AGENT: &str = concat!("ipvs-netlink/", env!("CARGO_PKG_VERSION"));

/// Parses a host with a port or without.
pub(super) fn parse(text: &str) -> Result<Authority, InvalidValue> {
    let parsed = text.parse().ok().filter(|authority| !text.contains('@') && is_port(authority));
    parsed.ok_or_else(|| {
        let rule = "must be a name or address, with a port or without";
        InvalidValue::new("host", format!("{text:?}"), rule)
    })
}

/// Returns `false` for a colon without a port, or with one that is too high.
fn is_port(authority: &Authority) -> bool {
    let written = authority.as_str().len() > authority.host().len();
    !authority.host().is_empty() && (!written || authority.port_u16().is_some())
}

/// Returns the host that a server has where none is set: its address, and its port if that is not
/// the scheme's.
pub(super) fn of(target: SocketAddr, scheme: &Scheme) -> Result<Authority, String> {
    let text = match target.port() == default_port(scheme) {
        true if target.is_ipv6() => format!("[{}]", target.ip()),
        true => target.ip().to_string(),
        false => SocketAddr::new(target.ip(), target.port()).to_string(),
    };
    text.parse().map_err(|error| format!("{text}: {error}"))
}

/// Returns the port that a scheme has where none is written.
pub(super) fn default_port(scheme: &Scheme) -> u16 {
    if *scheme == Scheme::HTTPS { 443 } else { 80 }
}

/// Returns the name or address without a port, and without the brackets of an IPv6 address.
#[cfg(feature = "health-tls")]
pub(super) fn name(authority: &Authority) -> &str {
    authority.host().trim_start_matches('[').trim_end_matches(']')
}
