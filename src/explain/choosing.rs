//! What the scheduler of a service chooses.

use crate::explain::choice::{Choice, first_available};
use crate::explain::joining::joined;
use crate::explain::kept_settings::Assumed;
use crate::explain::slots::{self, Packet};
use crate::explain::standing::{self, Standing};
use crate::explain::view::View;
use crate::explain::{
    Answer, Attempt, Availability, Candidate, Explanation, Missing, Note, Reason, Rule, Why,
    ranking,
};
use crate::model::{
    DestinationEntry, DestinationId, FTP, FTP_DATA, Protocol, Scheduler, Service, ServiceId,
    Setting,
};

/// Answers the question in `explanation`, in the order in which the kernel decides.
pub(super) fn choose(view: &View, explanation: &mut Explanation) {
    let attempt = explanation.attempt;
    let scheduled = view.service().map(|service| {
        let answer = schedule(view, service, explanation);
        standing::with_sessions(view, service, &attempt, answer)
    });
    if let (Some(address), Some(false)) = (attempt.address, view.is_local())
        && view.has_client() != Some(true)
    {
        explanation.answer = Answer::Nowhere(Reason::AddressNotLocal(address));
        if view.service().is_none() {
            explanation.notes.push(Note::NoService(attempt.target));
        }
        return;
    }
    let mut cases: Vec<(Assumed, Vec<Outcome>)> = Vec::new();
    let mut missing = Vec::new();
    for assumed in view.kept().possible() {
        let outcomes = outcomes(view, assumed, &attempt, scheduled.as_ref(), &mut missing);
        cases.push((assumed, outcomes));
    }
    missing.extend(decisive_settings(&cases).into_iter().map(Missing::Setting));
    let outcomes: Vec<Outcome> = cases.into_iter().flat_map(|(_, outcomes)| outcomes).collect();
    // What holds in one case only is no note.
    if let Some(first) = outcomes.first() {
        let holds = |note: &&Note| outcomes.iter().all(|outcome| outcome.notes.contains(note));
        explanation.notes = first.notes.iter().filter(holds).cloned().collect();
    }
    let answers = outcomes.into_iter().map(|outcome| outcome.answer).collect();
    if let Some(answer) = joined(answers, missing) {
        explanation.answer = answer;
    }
}

/// How a case ends.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Outcome {
    answer: Answer,
    notes: Vec<Note>,
}

/// What happens with these settings, by the connections and templates that the kernel keeps or may
/// keep, and by the scheduler.
fn outcomes(
    view: &View,
    assumed: Assumed,
    attempt: &Attempt,
    scheduled: Option<&Answer>,
    missing: &mut Vec<Missing>,
) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    let connection = standing::connection(view, assumed, attempt);
    missing.extend(connection.missing);
    for standing in connection.standings {
        let Some(notes) = heed(standing, &[], &mut outcomes) else { continue };
        let (service, scheduled) = match service_for(view, attempt, scheduled) {
            Ok(found) => found,
            Err(reason) => {
                outcomes.push(Outcome { answer: Answer::Nowhere(reason), notes });
                continue;
            }
        };
        let template = standing::template(view, service, assumed, attempt);
        missing.extend(template.missing);
        for standing in template.standings {
            let Some(notes) = heed(standing, &notes, &mut outcomes) else { continue };
            outcomes.push(Outcome { answer: scheduled.clone(), notes });
        }
    }
    outcomes
}

/// Takes over what decides. Otherwise returns the notes so far: the search goes on.
fn heed(standing: Standing, so_far: &[Note], outcomes: &mut Vec<Outcome>) -> Option<Vec<Note>> {
    let mut notes = so_far.to_vec();
    match standing {
        Standing::Decides(answer, note) => {
            notes.extend(note);
            outcomes.push(Outcome { answer, notes });
            None
        }
        Standing::Passed(note) => {
            notes.push(note);
            Some(notes)
        }
        Standing::Nothing => Some(notes),
    }
}

/// The settings that are unknown and change what happens.
fn decisive_settings(cases: &[(Assumed, Vec<Outcome>)]) -> Vec<Setting> {
    let mut settings = Vec::new();
    for (at, (one, outcomes)) in cases.iter().enumerate() {
        for (other, _) in cases.iter().skip(at + 1).filter(|(_, others)| others != outcomes) {
            if let Some(setting) = one.only_difference(*other)
                && !settings.contains(&setting)
            {
                settings.push(setting);
            }
        }
    }
    settings
}

/// The service and what its scheduler chooses, if packets come to it.
fn service_for<'v>(
    view: &'v View,
    attempt: &Attempt,
    scheduled: Option<&'v Answer>,
) -> Result<(&'v Service, &'v Answer), Reason> {
    let found = view.service().zip(scheduled).ok_or(Reason::NoService)?;
    check(found.0, attempt)?;
    Ok(found)
}

/// Says why packets do not come to the scheduler.
fn check(service: &Service, attempt: &Attempt) -> Result<(), Reason> {
    if attempt.family() != service.id.family() {
        return Err(Reason::OtherFamily);
    }
    if !attempt.can_be_for(service.id) {
        return Err(Reason::OtherService(service.id));
    }
    if ![Protocol::TCP, Protocol::UDP, Protocol::SCTP].contains(&attempt.protocol) {
        return Err(Reason::OtherProtocol(attempt.protocol));
    }
    if attempt.client_port == Some(FTP_DATA) {
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

/// Why no destination at all can be chosen. `lblc` may have cached one that is overloaded.
fn nothing_available(scheduler: Scheduler, candidates: &[Candidate]) -> Option<Reason> {
    use Availability::{Overloaded, Quiesced};
    let all = |those: &[Availability]| candidates.iter().all(|it| those.contains(&it.availability));
    match () {
        () if candidates.is_empty() => Some(Reason::NoDestination),
        () if all(&[Quiesced]) => Some(Reason::AllQuiesced),
        () if scheduler == Scheduler::LOCALITY_BASED_LEAST_CONNECTION => None,
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
    if let Some(reason) = nothing_available(service.scheduler, &explanation.candidates) {
        return Answer::Nowhere(reason);
    }
    match outcome {
        Some(outcome) => hashed(view, outcome),
        None if service.scheduler == Scheduler::LOCALITY_BASED_LEAST_CONNECTION => {
            by_locality(view, rule, &order)
        }
        None => ranked(view, rule, &order),
    }
}

/// The answer of `lblc`: the destination that it has cached for the address, else one by its rule.
///
/// The cached one may be over its threshold. It may not have more active connections than its
/// weight while another one has less than half of its own. Source:
/// `ip_vs_lblc.c:ip_vs_lblc_schedule`, `is_overloaded`.
fn by_locality(view: &View, rule: Rule, order: &[usize]) -> Answer {
    let entries = || order.iter().filter_map(|at| view.destinations().get(*at));
    let is_idle = entries()
        .any(|entry| u64::from(entry.connections.active) * 2 < u64::from(entry.destination.weight));
    let is_excluded =
        |entry: &DestinationEntry| is_idle && entry.connections.active > entry.destination.weight;
    let is_possible = |entry: &&DestinationEntry| match view.availability(entry) {
        Availability::Available | Availability::Unknown => true,
        Availability::Overloaded => !is_excluded(entry),
        Availability::Quiesced => false,
    };
    let possible: Vec<_> = entries().filter(is_possible).map(DestinationEntry::id).collect();
    let is = |entry: &DestinationEntry, state| view.availability(entry) == state;
    let is_served = entries().any(|entry| is(entry, Availability::Available));
    match (possible.as_slice(), is_served) {
        ([], _) => Answer::Nowhere(Reason::AllOverloaded),
        ([id], true) => Answer::Destination { id: *id, why: Why::Only(rule) },
        (_, true) => Answer::OneOf { possible, rule },
        (_, false) => {
            let unknown = entries().filter(|entry| is(entry, Availability::Unknown));
            let mut missing: Vec<_> = unknown.map(|entry| Missing::Overload(entry.id())).collect();
            missing.push(Missing::Cached);
            Answer::Undetermined { possible, refusal: true, missing }
        }
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
    let mut choice = Choice::refused();
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
