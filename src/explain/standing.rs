//! Connections and templates of persistence that the kernel keeps and that decide before the
//! scheduler does.

use std::net::{IpAddr, SocketAddr};

use crate::explain::attempt::FTP;
use crate::explain::view::View;
use crate::explain::{Answer, Attempt, Missing, Note, Passed, Reason, Why};
use crate::model::{
    DestinationEntry, DestinationId, Forwarding, Netmask, Persistence, Protocol, Service, ServiceId,
};
use crate::procfs::{Connection, ConnectionState};

/// What the kernel keeps about a client.
pub(super) enum Standing {
    /// It decides.
    Decides(Answer, Option<Note>),
    /// It does not decide, for a reason.
    Passed(Note),
    /// There is nothing.
    Nothing,
}

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
            std::net::Ipv6Addr::from_bits(v6.to_bits() & mask).into()
        }
        _ => client,
    }
}

/// What the kernel does with a connection of the same client address and port.
///
/// Source: `ip_vs_core.c:ip_vs_in_hook`, `is_new_conn_expected`.
pub(super) fn connection(view: &View, service: Option<&Service>, attempt: &Attempt) -> Standing {
    let Some(row) = view.rows().iter().find(|row| is_connection(attempt, row)) else {
        return Standing::Nothing;
    };
    let id = DestinationId::from(row.destination);
    let expires = row.expires;
    let settings = view.kept();
    let Some(entry) = destination_of(view, row).next() else {
        if settings.expire_nodest_conn {
            return Standing::Passed(Note::Passed { id, why: Passed::Deleted });
        }
        return Standing::Decides(Answer::Nowhere(Reason::DestinationGone { id, expires }), None);
    };
    let is_quiesced = entry.destination.weight == 0;
    // A template controls the connections of a persistent service.
    let is_controlled = service.is_some_and(|service| service.persistence.is_some());
    let begins = [Protocol::TCP, Protocol::SCTP].contains(&attempt.protocol);
    if begins && !is_controlled {
        if settings.expire_nodest_conn && is_quiesced {
            return Standing::Passed(Note::Passed { id, why: Passed::QuiescedConnection });
        }
        let is_masquerade = entry.destination.forwarding == Forwarding::Masquerade;
        if has_ended(row, settings.conn_reuse_mode, is_masquerade) {
            return Standing::Passed(Note::Passed { id, why: Passed::Ended });
        }
    }
    let state = row.state.to_string();
    let answer = Answer::Destination { id, why: Why::Connection { state, expires } };
    Standing::Decides(answer, is_quiesced.then_some(Note::Draining(id)))
}

/// Whether the port of an ended connection can be used for a new one. Linux 6.1 and 6.12 count
/// connections that were reset, too.
fn has_ended(row: &Connection, reuse_mode: u32, is_masquerade: bool) -> bool {
    let is_closed = row.protocol == Protocol::SCTP && row.state.as_str() == Some("CLOSED");
    let is_tcp = row.protocol == Protocol::TCP;
    let is_half_closed =
        reuse_mode & 2 != 0 && row.state == ConnectionState::FIN_WAIT && !is_masquerade;
    let over = [ConnectionState::TIME_WAIT, ConnectionState::CLOSE];
    let is_over = is_tcp && (over.contains(&row.state) || is_half_closed);
    reuse_mode != 0 && (is_closed || is_over)
}

/// What the kernel does with a template of persistence.
///
/// Source: `ip_vs_conn.c:ip_vs_check_template`.
pub(super) fn template(view: &View, service: &Service, attempt: &Attempt) -> Standing {
    // An engine looks by the session, which the packet tells.
    let by_address = service.persistence.is_some_and(|it| it.engine.is_none());
    let find = |row: &&Connection| is_template(service, attempt, row);
    let Some(row) = view.rows().iter().filter(|_| by_address).find(find) else {
        return Standing::Nothing;
    };
    let kept: Vec<&DestinationEntry> = destination_of(view, row).collect();
    match kept.as_slice() {
        [] => {
            let id = row.destination.into();
            Standing::Passed(Note::Passed { id, why: Passed::Deleted })
        }
        [entry] => {
            let id = entry.id();
            let is_quiesced = entry.destination.weight == 0;
            if is_quiesced && view.kept().expire_quiescent_template {
                return Standing::Passed(Note::Passed { id, why: Passed::QuiescedTemplate });
            }
            let why = Why::Template { client: row.client, expires: row.expires };
            let note = is_quiesced.then_some(Note::Draining(id));
            Standing::Decides(Answer::Destination { id, why }, note)
        }
        several => {
            let possible = several.iter().map(|entry| entry.id()).collect();
            let missing = vec![Missing::TemplatePort];
            Standing::Decides(Answer::Undetermined { possible, refusal: false, missing }, None)
        }
    }
}

/// The destinations in the table that the row can mean. Only a row without a port can mean several.
fn destination_of<'v>(
    view: &'v View,
    row: &Connection,
) -> impl Iterator<Item = &'v DestinationEntry> {
    let destination = row.destination;
    view.destinations().iter().filter(move |entry| {
        let address = entry.id().address;
        address.ip() == destination.ip()
            && (address.port() == destination.port()
                || address.port() == 0
                || destination.port() == 0)
    })
}

/// Adds the destinations of the sessions that an engine knows to what the scheduler says.
pub(super) fn with_sessions(
    view: &View,
    service: &Service,
    attempt: &Attempt,
    scheduled: Answer,
) -> Answer {
    if service.persistence.is_none_or(|it| it.engine.is_none()) {
        return scheduled;
    }
    let rows = view.rows().iter().filter(|row| is_template_of(service, attempt, row));
    let mut bound: Vec<_> =
        rows.flat_map(|row| destination_of(view, row)).map(|it| it.id()).collect();
    if bound.is_empty() {
        return scheduled;
    }
    let (mut possible, refusal, mut missing) = match scheduled {
        Answer::Destination { id, .. } => (vec![id], false, Vec::new()),
        Answer::OneOf { possible, .. } => (possible, false, Vec::new()),
        Answer::Undetermined { possible, refusal, missing } => (possible, refusal, missing),
        Answer::Nowhere(_) => (Vec::new(), true, Vec::new()),
    };
    bound.retain(|id| !possible.contains(id));
    bound.sort_unstable();
    bound.dedup();
    possible.extend(bound);
    missing.push(Missing::Session);
    Answer::Undetermined { possible, refusal, missing }
}
