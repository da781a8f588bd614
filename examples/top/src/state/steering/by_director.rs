//! Orders for services that the director keeps.

use std::time::SystemTime;

use ipvs_netlink::ServiceSnapshot;

use crate::state::director::{Kind, Maintenance, left};
use crate::state::steering::{
    Circumstances, DirectorOrder, Intent, Order, OrderedWeight, Proposal, Refusal, Seen, Undo,
    warning,
};

pub(super) const BY_DIRECTOR: &str = "The director carries it out.";

impl Circumstances<'_> {
    pub(super) fn by_director(
        &self,
        present: &ServiceSnapshot,
        intent: Intent,
    ) -> Result<Proposal, Refusal> {
        let service = present.id();
        self.refuse_if_silent()?;
        let (Intent::Drain(destination)
        | Intent::Restore(destination)
        | Intent::Weight(destination, _)) = intent
        else {
            return Err(Refusal::Nothing("nothing to do"));
        };
        let known = self.director.destination(service, destination).ok_or(Refusal::Gone)?;
        let maintain = |it: &Maintenance| DirectorOrder::Maintain {
            service,
            destination,
            kind: it.kind,
            by: Some(it.by.clone()).filter(|by| !by.is_empty() && by.len() <= 256),
            seconds: it.until.map(|until| seconds(until, self.now.clock)),
        };
        let former_weight = match known.weight_ordered {
            true => OrderedWeight::Number(known.weight),
            false => OrderedWeight::File,
        };
        let weight = |weight| DirectorOrder::Weight { service, destination, weight };
        let end = || DirectorOrder::EndMaintenance { service, destination };
        let seen = Seen::of(known);
        let former = known.maintenance.clone();
        let order_of = |order: DirectorOrder, seen: Seen| {
            let begins = matches!(order, DirectorOrder::Maintain { .. });
            let until = former.as_ref().filter(|_| begins).and_then(|it| it.until);
            Order::Director { order, seen, until }
        };
        let mut warnings = Vec::new();
        if matches!(intent, Intent::Drain(_) | Intent::Weight(_, 0)) {
            let checked = self.director.service(service);
            warnings.extend(warning(present, destination, checked).map(str::to_owned));
        }
        let (title, order, undone, undo, then) = match intent {
            Intent::Drain(_) => {
                let drain = Maintenance { kind: Kind::Drain, by: String::new(), until: None };
                let (undone, undo) = match &known.maintenance {
                    Some(it) if it.kind == Kind::Drain && it.until.is_none() => {
                        return Err(Refusal::Nothing("it is drained already"));
                    }
                    Some(it) => {
                        warnings.push(format!("It {}: this replaces that order.", ordered(it)));
                        ("Give the former maintenance back to", maintain(it))
                    }
                    None => ("End the drain of", end()),
                };
                let then = Seen { maintenance: Some(drain.clone()), ..seen.clone() };
                ("Drain", maintain(&drain), undone, undo, then)
            }
            Intent::Restore(_) => match &known.maintenance {
                Some(it) => {
                    let then = Seen { maintenance: None, ..seen.clone() };
                    ("End the maintenance of", end(), "Begin it again for", maintain(it), then)
                }
                None if known.weight_ordered => {
                    let order = weight(OrderedWeight::File);
                    (
                        "Give the weight of the director's file to",
                        order,
                        "Order the former weight of",
                        weight(former_weight),
                        Seen { weight: None, ..seen.clone() },
                    )
                }
                None => {
                    return Err(Refusal::Nothing(
                        "no maintenance and no weight is ordered: the checks decide",
                    ));
                }
            },
            Intent::Weight(_, to) => {
                let order = weight(OrderedWeight::Number(to));
                let now = known.weight;
                let mut question = vec![
                    format!("Give weight {to} to {destination} (now {now})"),
                    format!("in {service}?"),
                ];
                question.append(&mut warnings);
                let then = Seen { weight: Some(to), ..seen.clone() };
                let undo = Undo {
                    question: format!("Take back the weight {to} of {destination} in {service}?"),
                    order: order_of(weight(former_weight), then),
                };
                return Ok(with_director(question, order_of(order, seen), undo));
            }
            Intent::Zero => return Err(Refusal::Nothing("nothing to do")),
        };
        let mut question = vec![format!("{title} {destination}"), format!("in {service}?")];
        question.append(&mut warnings);
        let undo = Undo {
            question: format!("{undone} {destination} in {service}?"),
            order: order_of(undo, then),
        };
        // A drain that is ordered has no end.
        let order = Order::Director { order, seen, until: None };
        Ok(with_director(question, order, undo))
    }
}

fn with_director(mut question: Vec<String>, order: Order, undo: Undo) -> Proposal {
    question.push(BY_DIRECTOR.to_owned());
    Proposal::new(question, order, Some(undo))
}

/// Says who has ordered a maintenance.
pub(super) fn ordered(it: &Maintenance) -> String {
    let kind = if it.kind == Kind::Out { "is out" } else { "drains" };
    let by = if it.by.is_empty() { "somebody" } else { &it.by };
    format!("{kind} by order of {by}")
}

/// The seconds of a maintenance, in the range of the protocol.
pub(crate) fn seconds(until: SystemTime, now: SystemTime) -> u64 {
    left(until, now).as_secs().clamp(1, 315_360_000)
}
