//! What a change would do to the clients.

use std::io::{self, Write};

use ipvs_netlink::explain::{Answer, Attempt, Reason, View};
use ipvs_netlink::{Change, DestinationId, Service, ServiceEntry, ServiceId, Stats};

/// What the kernel would do with a change.
pub(crate) enum Effect {
    /// It refuses the change.
    Refused(String),
    /// It changes something, but not for the client.
    Nothing(&'static str),
    /// Another service takes the packets then.
    Other(ServiceId),
    /// It leads to this view.
    Leads(Box<View>),
}

impl Effect {
    /// `next` is the service that takes the packets if the present one is deleted.
    pub(crate) fn of(
        change: &Change,
        view: &View,
        next: Option<ServiceId>,
        attempt: &Attempt,
    ) -> Self {
        let own = view.service().map(|service| service.id);
        match (change, next) {
            (Change::AddService(service), _) => {
                return Self::of_new_service(service, view, attempt);
            }
            (Change::DeleteService(id), Some(next)) if own == Some(*id) => {
                return Self::Other(next);
            }
            _ => {}
        }
        if let Some(id) = subject(change).filter(|id| own != Some(*id)) {
            return match id == attempt.target {
                true => Self::Refused(format!("there is no service {id}")),
                false => Self::Nothing("the change is about another service"),
            };
        }
        let has = |id: DestinationId| view.destinations().iter().any(|entry| entry.id() == id);
        let id = match change {
            Change::AddDestination(_, new) if has(new.id) => {
                return Self::Refused(format!("the service already has {}", new.id));
            }
            Change::UpdateDestination(_, changed) => Some(changed.id),
            Change::DeleteDestination(_, id) => Some(*id),
            _ => None,
        };
        if let Some(id) = id.filter(|id| !has(*id)) {
            return Self::Refused(format!("the service has no destination {id}"));
        }
        let after = view.after(change);
        match after == *view {
            true => Self::Nothing("the service stays as it is"),
            false => Self::Leads(Box::new(after)),
        }
    }

    fn of_new_service(service: &Service, view: &View, attempt: &Attempt) -> Self {
        let all = [view.service(), Some(service)].into_iter().flatten();
        let all: Vec<_> =
            all.map(|service| ServiceEntry::new(service.clone(), Stats::default())).collect();
        let taker = attempt.service_in(&all).map(ServiceEntry::id);
        if view.service().is_some_and(|own| own.id == service.id) {
            Self::Refused("there is such a service".to_owned())
        } else if taker == Some(service.id) {
            Self::Leads(Box::new(View::new(service, Vec::new()).connections(Vec::new())))
        } else {
            Self::Nothing("the change is about another service")
        }
    }
}

/// The service that a change is about, if it is about one.
const fn subject(change: &Change) -> Option<ServiceId> {
    match change {
        Change::UpdateService(service) => Some(service.id),
        Change::DeleteService(id)
        | Change::ZeroService(id)
        | Change::AddDestination(id, _)
        | Change::UpdateDestination(id, _)
        | Change::DeleteDestination(id, _) => Some(*id),
        _ => None,
    }
}

/// Says what a change does to the clients, and to this one.
pub(crate) fn tell(
    out: &mut impl Write,
    change: &Change,
    effect: &Effect,
    view: &View,
    attempt: &Attempt,
) -> io::Result<()> {
    writeln!(out, "if {change}")?;
    let after = match effect {
        Effect::Refused(why) => return writeln!(out, "  the kernel refuses the change: {why}"),
        Effect::Nothing(why) => return writeln!(out, "  nothing changes for the client: {why}"),
        Effect::Other(next) => return writeln!(out, "  then the service {next} takes the packets"),
        Effect::Leads(after) => after,
    };
    let then = after.explain(attempt).answer;
    writeln!(out, "  the client {then}")?;
    if refuses_all(&then) {
        return writeln!(out, "  so do all other new connections of the service");
    }
    match view.moves(after) {
        Some(moves) => writeln!(out, "  {moves}"),
        None => {
            let scheduler = |service: &Service| service.scheduler.to_string();
            let scheduler = view.service().map(scheduler).unwrap_or_default();
            writeln!(out, "  how many clients move is not known ({scheduler})")
        }
    }
}

/// Whether the reason holds for every client.
const fn refuses_all(answer: &Answer) -> bool {
    matches!(
        answer,
        Answer::Nowhere(
            Reason::NoService
                | Reason::NoScheduler
                | Reason::NoDestination
                | Reason::AllQuiesced
                | Reason::AllOverloaded
                | Reason::AllFull
        )
    )
}
