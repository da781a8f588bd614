//! Orders for services that nobody else keeps: one weight, or counters at 0.

use ipvs_netlink::{ServiceId, ServiceSnapshot};

use crate::state::steering::{Intent, Order, Proposal, Refusal, Undo, warning};

pub(super) fn zero(service: ServiceId) -> Proposal {
    let question = vec![
        format!("Set all counters of {service}"),
        "and of its destinations to 0?".to_owned(),
        "This cannot be undone.".to_owned(),
    ];
    Proposal::new(question, Order::Zero(service), None)
}

pub(super) fn propose(present: &ServiceSnapshot, intent: Intent) -> Result<Proposal, Refusal> {
    let service = present.id();
    let (destination, to) = match intent {
        Intent::Drain(destination) => (destination, 0),
        Intent::Weight(destination, weight) => (destination, weight),
        Intent::Restore(_) | Intent::Zero => return Err(Refusal::Nothing("say which weight")),
    };
    let entry = present.destination(destination).ok_or(Refusal::Gone)?;
    let from = entry.destination.weight;
    if from == to {
        return Err(Refusal::Nothing("it has that weight already"));
    }
    let active = entry.connections.active;
    let mut question = match to {
        0 => vec![
            format!("Drain {destination} (weight {from} -> 0)"),
            format!("in {service}?"),
            format!("It gets no new connections; {active} are active."),
        ],
        _ => vec![
            format!("Give weight {to} to {destination} (now {from})"),
            format!("in {service}?"),
        ],
    };
    if to == 0 {
        question.extend(warning(present, destination, None).map(str::to_owned));
    }
    let undo = Undo {
        question: format!("Give weight {from} back to {destination} in {service}?"),
        order: Order::Weight { service, destination, from: to, to: from },
    };
    let order = Order::Weight { service, destination, from, to };
    Ok(Proposal::new(question, order, Some(undo)))
}
