//! What the scheduler of a service chooses.

use crate::explain::attempt::{FTP, FTP_DATA};
use crate::explain::hashing::{Choice, first_available};
use crate::explain::slots::{self, Packet};
use crate::explain::standing::{self, Standing};
use crate::explain::view::View;
use crate::explain::{
    Answer, Attempt, Availability, Candidate, Explanation, Missing, Reason, Rule, Why, ranking,
};
use crate::model::{DestinationId, Protocol, Scheduler, Service, ServiceId};

/// Answers the question in `explanation`, in the order in which the kernel decides.
pub(super) fn choose(view: &View, explanation: &mut Explanation) {
    explanation.answer = decide(view, explanation).unwrap_or_else(Answer::Nowhere);
}

fn decide(view: &View, explanation: &mut Explanation) -> Result<Answer, Reason> {
    let attempt = explanation.attempt;
    if let (Some(address), Some(false)) = (attempt.address, view.is_local()) {
        return Err(Reason::AddressNotLocal(address));
    }
    if let Some(answer) = heed(standing::connection(view, view.service(), &attempt), explanation) {
        return Ok(answer);
    }
    let service = view.service().ok_or(Reason::NoService)?;
    check(service, &attempt)?;
    if let Some(answer) = heed(standing::template(view, service, &attempt), explanation) {
        return Ok(answer);
    }
    let answer = schedule(view, service, explanation);
    Ok(standing::with_sessions(view, service, &attempt, answer))
}

/// Takes over what the kernel keeps of a client.
fn heed(standing: Standing, explanation: &mut Explanation) -> Option<Answer> {
    match standing {
        Standing::Decides(answer, note) => {
            explanation.notes.extend(note);
            Some(answer)
        }
        Standing::Passed(note) => {
            explanation.notes.push(note);
            None
        }
        Standing::Nothing => None,
    }
}

/// Says why packets do not come to the scheduler.
fn check(service: &Service, attempt: &Attempt) -> Result<(), Reason> {
    if attempt.family() != service.id.family() {
        return Err(Reason::OtherFamily);
    }
    let has_ports = [Protocol::TCP, Protocol::UDP, Protocol::SCTP].contains(&attempt.protocol);
    if has_ports && attempt.client_port == Some(FTP_DATA) {
        return Err(Reason::FtpData);
    }
    if let (ServiceId::Address { address, .. }, None) = (service.id, service.persistence) {
        let port = attempt.address.map_or(address.port(), |address| address.port());
        match address.port() {
            0 => return Err(Reason::PortZero),
            FTP if port != FTP => return Err(Reason::FtpWithoutPersistence),
            _ => {}
        }
    }
    Ok(())
}

/// Why no destination at all can be chosen, whatever the scheduler.
fn nothing_available(candidates: &[Candidate]) -> Option<Reason> {
    use Availability::{Overloaded, Quiesced};
    let all = |those: &[Availability]| candidates.iter().all(|it| those.contains(&it.availability));
    match () {
        () if candidates.is_empty() => Some(Reason::NoDestination),
        () if all(&[Quiesced]) => Some(Reason::AllQuiesced),
        () if all(&[Quiesced, Overloaded]) => Some(Reason::AllOverloaded),
        () => None,
    }
}

fn schedule(view: &View, service: &Service, explanation: &mut Explanation) -> Answer {
    let packet = Packet::of(&explanation.attempt, service);
    let outcome = slots::choose(view, service, packet);
    let counts = outcome.as_ref().and_then(|outcome| outcome.counts.as_deref());
    let rule = ranking::rule(service.scheduler);
    let order = ranking::order(rule, view.destinations());
    explanation.candidates = order.iter().filter_map(|&at| candidate(view, counts, at)).collect();
    if service.scheduler == Scheduler::NONE {
        return Answer::Nowhere(Reason::NoScheduler);
    }
    if let Some(reason) = nothing_available(&explanation.candidates) {
        return Answer::Nowhere(reason);
    }
    match outcome {
        Some(outcome) => hashed(view, outcome),
        None => ranked(view, rule, &order),
    }
}

fn candidate(view: &View, counts: Option<&[usize]>, at: usize) -> Option<Candidate> {
    let entry = view.destinations().get(at)?;
    Some(Candidate {
        id: entry.id(),
        weight: entry.destination.weight,
        connections: entry.connections,
        availability: view.availability(entry),
        slots: counts.and_then(|counts| counts.get(at)).copied(),
    })
}

fn hashed(view: &View, outcome: slots::Outcome) -> Answer {
    let slots::Outcome { choice, slot, mut missing, .. } = outcome;
    let possible = ids(view, &choice);
    match (possible.as_slice(), choice.refusal, slot) {
        ([id], false, Some(slot)) => Answer::Destination { id: *id, why: Why::Slot(slot) },
        ([id], false, None) => Answer::Destination { id: *id, why: Why::EverySlot },
        ([], _, Some(slot)) => Answer::Nowhere(Reason::Slot(slot)),
        _ => {
            missing.extend(overloads(view, &choice));
            Answer::Undetermined { possible, refusal: choice.refusal, missing }
        }
    }
}

/// The answer of a scheduler that compares weights and connections.
fn ranked(view: &View, rule: Rule, order: &[usize]) -> Answer {
    let has_room = |at: &usize| {
        let entry = view.destinations().get(*at);
        rule != Rule::HighestWeightWithRoom || entry.is_some_and(|entry| !ranking::is_full(entry))
    };
    let order: Vec<usize> = order.iter().copied().filter(has_room).collect();
    let availabilities: Vec<_> =
        view.destinations().iter().map(|entry| view.availability(entry)).collect();
    let choice = match ranking::first_decides(rule) {
        true => first_available(order.iter().copied().map(Some), &availabilities),
        false => any_available(&order, &availabilities),
    };
    let possible = ids(view, &choice);
    let missing: Vec<_> = overloads(view, &choice).collect();
    match possible.as_slice() {
        [] => Answer::Nowhere(Reason::AllFull),
        [id] if missing.is_empty() => {
            let available = order.iter().filter_map(|at| availabilities.get(*at));
            let alone = available.filter(|it| **it != Availability::Quiesced).count() == 1;
            let why = if alone { Why::Only(rule) } else { Why::First(rule) };
            Answer::Destination { id: *id, why }
        }
        _ if missing.is_empty() => Answer::OneOf { possible, rule },
        // Whatever the unknown ones are, all are possible by the rule.
        _ if !ranking::first_decides(rule) && !choice.refusal => Answer::OneOf { possible, rule },
        _ => Answer::Undetermined { possible, refusal: choice.refusal, missing },
    }
}

/// All destinations that are available or perhaps so.
fn any_available(order: &[usize], availabilities: &[Availability]) -> Choice {
    let mut choice = Choice { refusal: true, ..Choice::default() };
    for &at in order {
        match availabilities.get(at) {
            Some(Availability::Available) => {
                choice.add(at);
                choice.refusal = false;
            }
            Some(Availability::Unknown) => choice.add(at),
            _ => {}
        }
    }
    choice
}

fn ids(view: &View, choice: &Choice) -> Vec<DestinationId> {
    let id = |at: &usize| view.destinations().get(*at).map(|entry| entry.id());
    choice.possible.iter().filter_map(id).collect()
}

/// The destinations of which the kernel does not show whether they are overloaded.
fn overloads(view: &View, choice: &Choice) -> impl Iterator<Item = Missing> {
    let entries = choice.possible.iter().filter_map(|at| view.destinations().get(*at));
    let unknown = entries.filter(|entry| view.availability(entry) == Availability::Unknown);
    unknown.map(|entry| Missing::Overload(entry.id()))
}
