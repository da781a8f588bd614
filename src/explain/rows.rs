//! Which rows of the kernel's connections concern a client.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use crate::explain::Attempt;
use crate::model::{FTP, Netmask, Persistence, Service, ServiceId};
use crate::procfs::Connection;

/// Returns whether `row` is the connection of the attempt.
pub(super) fn is_connection(attempt: &Attempt, row: &Connection) -> bool {
    let client = attempt.client_port.map(|port| SocketAddr::new(attempt.client, port));
    row.client.port() != 0
        && client == Some(row.client)
        && row.protocol == attempt.protocol
        && attempt.address == Some(row.virtual_address)
}

/// Returns whether `row` is the template that the kernel looks for.
///
/// Source: `ip_vs_core.c:ip_vs_sched_persist`.
pub(super) fn is_template(service: &Service, attempt: &Attempt, row: &Connection) -> bool {
    let Some(persistence) = service.persistence else { return false };
    row.is_template()
        && row.client.ip() == masked(attempt.client, &persistence)
        && is_template_of(service, attempt, row)
}

/// Returns whether `row` is a template of the service, of any client.
pub(super) fn is_template_of(service: &Service, attempt: &Attempt, row: &Connection) -> bool {
    match (service.id, attempt.address) {
        (ServiceId::Fwmark { mark, .. }, _) => row.fwmark() == Some(mark),
        (ServiceId::Address { address: own, .. }, Some(address)) => {
            let has_port = address.port() == own.port() && own.port() != FTP;
            let port = if has_port { own.port() } else { 0 };
            row.is_template()
                && row.protocol == attempt.protocol
                && row.virtual_address == SocketAddr::new(address.ip(), port)
        }
        (ServiceId::Address { .. }, None) => false,
    }
}

fn masked(client: IpAddr, persistence: &Persistence) -> IpAddr {
    match (client, persistence.netmask) {
        (IpAddr::V4(v4), Some(Netmask::Ipv4(mask))) => (v4 & mask).into(),
        (IpAddr::V6(v6), Some(Netmask::Ipv6Prefix(length))) => {
            let host_bits = 128_u32.saturating_sub(length.into());
            let mask = u128::MAX.checked_shl(host_bits).unwrap_or_default();
            Ipv6Addr::from_bits(v6.to_bits() & mask).into()
        }
        _ => client,
    }
}
