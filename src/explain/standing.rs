//! Connections and templates of persistence that the kernel keeps and that decide before the
//! scheduler does.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use crate::explain::joining::joined;
use crate::explain::kept_settings::Assumed;
use crate::explain::rows::{is_connection, is_template, is_template_of};
use crate::explain::view::View;
use crate::explain::{Answer, Attempt, Missing, Note, Passed, Reason, Why};
use crate::model::{Destination, DestinationEntry, DestinationId, Forwarding, Protocol, Service};
use crate::procfs::{Connection, ConnectionState};

/// What the kernel keeps about a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It decides.
    Decides(Answer, Option<Note>),
    /// It does not decide, for a reason.
    Passed(Note),
    /// There is nothing.
    Nothing,
}

/// What the kernel may keep about a client: several cases if an input is unknown.
pub(super) struct Cases {
    pub(super) standings: Vec<Standing>,
    /// The inputs that would tell which case it is.
    pub(super) missing: Vec<Missing>,
}

impl Cases {
    fn one(standing: Standing) -> Self {
        Self { standings: vec![standing], missing: Vec::new() }
    }

    /// Nothing was found. If not all connections are known, there can be any.
    fn nothing(view: &View, is_hidden: bool, refusal: bool) -> Self {
        let mut cases = Self::one(Standing::Nothing);
        if is_hidden {
            let possible = view.destinations().iter().map(DestinationEntry::id).collect();
            let missing = vec![Missing::Connections];
            let anything = Answer::Undetermined { possible, refusal, missing };
            cases.standings.push(Standing::Decides(anything, None));
        }
        cases
    }
}

/// What is assumed of the destination of a connection, and of the connection.
#[derive(Clone, Copy, Debug)]
struct Bound {
    /// Whether the destination is in the table.
    is_there: bool,
    is_quiesced: bool,
    masquerades: bool,
    /// Whether a template controls the connection, as in a persistent service.
    is_controlled: bool,
}

impl Bound {
    fn to(weight: u32, forwarding: Forwarding, is_controlled: bool) -> Self {
        Self {
            is_there: true,
            is_quiesced: weight == 0,
            masquerades: forwarding == Forwarding::Masquerade,
            is_controlled,
        }
    }
}

/// What the kernel does with a connection of the same client address and port.
///
/// Source: `ip_vs_core.c:ip_vs_in_hook`, `is_new_conn_expected`.
pub(super) fn connection(view: &View, assumed: Assumed, attempt: &Attempt) -> Cases {
    let Some(row) = kept_connection(view, attempt) else {
        let is_hidden = !view.knows_all_rows() && attempt.client_port.is_some();
        return Cases::nothing(view, is_hidden, true);
    };
    let (bounds, unknown) = bounds(view, attempt, row);
    let mut standings: Vec<Standing> = Vec::new();
    for bound in bounds {
        let standing = standing_of(row, assumed, bound);
        if !standings.contains(&standing) {
            standings.push(standing);
        }
    }
    let is_decisive = standings.len() > 1;
    Cases { standings, missing: unknown.into_iter().filter(|_| is_decisive).collect() }
}

/// Returns the connection that the kernel keeps of the client address and port of the attempt.
pub(super) fn kept_connection<'v>(view: &'v View, attempt: &Attempt) -> Option<&'v Connection> {
    view.rows().iter().find(|row| is_connection(attempt, row))
}

/// What can be true of the destination of a connection, and the input that is unknown if that
/// makes a difference.
///
/// The row does not say which service has made the connection. It is taken to be the one that takes
/// the packets now, unless that service does not have the destination.
fn bounds(view: &View, attempt: &Attempt, row: &Connection) -> (Vec<Bound>, Option<Missing>) {
    const EITHER: [bool; 2] = [true, false];
    let id = DestinationId::from(row.destination);
    let own = match view.service() {
        Some(service) if service.persistence.is_none() => vec![false],
        Some(service) if has_template(view, service, attempt, row) => vec![true],
        _ => EITHER.to_vec(),
    };
    let is_doubtful = own.len() > 1;
    if let Some(entry) = destination_of(view, row.destination).next() {
        let Destination { weight, forwarding, .. } = entry.destination;
        let bounds =
            own.into_iter().map(|is_controlled| Bound::to(weight, forwarding, is_controlled));
        return (bounds.collect(), is_doubtful.then_some(Missing::FormerPersistence(id)));
    }
    let (mut bounds, mut controls, mut has_others) = (Vec::new(), own, false);
    match view.others() {
        Some(others) => {
            for other in others.iter().filter(|other| other.can_have_made(attempt, row)) {
                has_others = true;
                let is_controlled = other.is_persistent;
                controls.push(is_controlled);
                let is_bound = |it: &&Destination| is_destination(it.id, row.destination);
                let bound = other.destinations.iter().filter(is_bound);
                bounds.extend(bound.map(|it| Bound::to(it.weight, it.forwarding, is_controlled)));
            }
        }
        None => {
            has_others = true;
            controls.extend(EITHER);
            for is_controlled in EITHER {
                for masquerades in EITHER {
                    for is_quiesced in EITHER {
                        let is_there = true;
                        bounds.push(Bound { is_there, is_quiesced, masquerades, is_controlled });
                    }
                }
            }
        }
    }
    for is_controlled in controls {
        for masquerades in EITHER {
            let gone = Bound { is_there: false, is_quiesced: false, masquerades, is_controlled };
            bounds.push(gone);
        }
    }
    let missing = match (has_others, is_doubtful) {
        (true, _) => Missing::FormerService(id),
        (false, true) => Missing::FormerPersistence(id),
        (false, false) => Missing::FormerForwarding(id),
    };
    (bounds, Some(missing))
}

/// Whether the kernel keeps a template of the client for the destination of a connection. Then the
/// template controls the connection. (A template that is no longer valid does so, too, and is not
/// to be recognized.)
fn has_template(view: &View, service: &Service, attempt: &Attempt, row: &Connection) -> bool {
    let has_engine = service.persistence.is_some_and(|it| it.engine.is_some());
    view.rows().iter().any(|template| {
        template.destination.ip() == row.destination.ip()
            && (is_template(service, attempt, template)
                || has_engine && is_template_of(service, attempt, template))
    })
}

fn standing_of(row: &Connection, assumed: Assumed, bound: Bound) -> Standing {
    let id = DestinationId::from(row.destination);
    let passed = |why| Standing::Passed(Note::Passed { id, why });
    // Only packets that begin a connection, and only of these protocols.
    if [Protocol::TCP, Protocol::SCTP].contains(&row.protocol) {
        if assumed.expire_nodest_conn && bound.is_quiesced {
            return passed(Passed::QuiescedConnection);
        }
        if !bound.is_controlled && has_ended(row, assumed.conn_reuse_mode, bound.masquerades) {
            return passed(Passed::Ended);
        }
    }
    let expires = row.expires;
    match bound.is_there {
        true => {
            let answer =
                Answer::Destination { id, why: Why::Connection { state: row.state, expires } };
            Standing::Decides(answer, bound.is_quiesced.then_some(Note::Draining(id)))
        }
        false if assumed.expire_nodest_conn => passed(Passed::Deleted),
        false => Standing::Decides(Answer::Nowhere(Reason::DestinationGone { id, expires }), None),
    }
}

/// Whether the port of an ended connection can be used for a new one. Linux 6.1 and 6.12 count
/// connections that were reset, too.
fn has_ended(row: &Connection, reuse_mode: u32, masquerades: bool) -> bool {
    let is_closed = row.protocol == Protocol::SCTP && row.state.as_str() == Some("CLOSED");
    let is_tcp = row.protocol == Protocol::TCP;
    let is_half_closed =
        reuse_mode & 2 != 0 && row.state == ConnectionState::FIN_WAIT && !masquerades;
    let over = [ConnectionState::TIME_WAIT, ConnectionState::CLOSE];
    let is_over = is_tcp && (over.contains(&row.state) || is_half_closed);
    reuse_mode != 0 && (is_closed || is_over)
}

/// What the kernel does with a template of persistence.
///
/// Source: `ip_vs_conn.c:ip_vs_check_template`.
pub(super) fn template(
    view: &View,
    service: &Service,
    assumed: Assumed,
    attempt: &Attempt,
) -> Cases {
    let Some(persistence) = service.persistence else { return Cases::one(Standing::Nothing) };
    let find = |row: &&Connection| is_template(service, attempt, row);
    // An engine looks by the session, which the packet tells.
    let by_address = persistence.engine.is_none();
    let Some(row) = view.rows().iter().filter(|_| by_address).find(find) else {
        return Cases::nothing(view, !view.knows_all_rows(), false);
    };
    let kept: Vec<&DestinationEntry> = destination_of(view, row.destination).collect();
    Cases::one(match kept.as_slice() {
        [] => {
            let id = row.destination.into();
            Standing::Passed(Note::Passed { id, why: Passed::Deleted })
        }
        [entry] => {
            let id = entry.id();
            let is_quiesced = entry.destination.weight == 0;
            if is_quiesced && assumed.expire_quiescent_template {
                return Cases::one(Standing::Passed(Note::Passed {
                    id,
                    why: Passed::QuiescedTemplate,
                }));
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
    })
}

/// The destinations of the service that an address in a row can mean. Only one without a port can
/// mean several.
fn destination_of(view: &View, address: SocketAddr) -> impl Iterator<Item = &DestinationEntry> {
    view.destinations().iter().filter(move |entry| is_destination(entry.id(), address))
}

/// Whether a row with this address of a destination can mean `id`.
pub(super) fn is_destination(id: DestinationId, address: SocketAddr) -> bool {
    let own = id.address;
    own.ip() == address.ip()
        && (own.port() == address.port() || own.port() == 0 || address.port() == 0)
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
    let addresses: BTreeSet<SocketAddr> = rows.map(|row| row.destination).collect();
    let bound: BTreeSet<DestinationId> = addresses
        .into_iter()
        .flat_map(|address| destination_of(view, address))
        .map(DestinationEntry::id)
        .collect();
    if bound.is_empty() {
        return scheduled;
    }
    let possible = bound.into_iter().collect();
    let missing = vec![Missing::Session];
    let sessions = Answer::Undetermined { possible, refusal: false, missing };
    joined(vec![scheduled.clone(), sessions], Vec::new()).unwrap_or(scheduled)
}
