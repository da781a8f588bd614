//! Actions outside of input lines.

use ipvs_netlink::{DestinationId, ServiceId};

use crate::keys::{Action, Effect, Key, action};
use crate::state::connections::Place;
use crate::state::director::Director;
use crate::state::steering::{Errand, Intent, Proposal, Refusal, Undo};
use crate::state::{Filter, Mode, Note, Screen, State, Step};

/// Does an action.
pub(super) fn act(state: &mut State, action: Action) -> Option<Effect> {
    let is_order = matches!(action, Action::Drain | Action::Restore | Action::Weight);
    if is_order && destination(state).is_some() && state.destination.is_other() {
        // The user may not have seen that another one took its place.
        state.note = Some(Note::bad("the destination that was selected is gone: select one"));
        return None;
    }
    match action {
        Action::Help => state.mode = Mode::Help(0),
        Action::Quit => return Some(Effect::Quit),
        Action::Back => return if state.close() { None } else { Some(Effect::Quit) },
        Action::BackOnly => {
            if !state.close() && !state.view.filter.is_empty() {
                state.view.filter = Filter::default();
                state.is_held = false;
                state.sort();
                return Some(Effect::Remember);
            }
        }
        Action::Move(step) => go(state, step),
        Action::Open => match (state.screen(), state.destination.key()) {
            (Screen::Overview, _) => {
                if let Some(service) = state.service.key() {
                    state.open(Screen::Service(service));
                }
            }
            (Screen::Service(service), Some(destination)) => {
                let place = Place { service, destination: Some(destination) };
                state.open(Screen::Connections(place));
            }
            _ => {}
        },
        Action::Connections => {
            if let Some(service) = service(state) {
                state.open(Screen::Connections(Place { service, destination: None }));
            }
        }
        Action::Filter => {
            // Services that come back have no place in an order that is held.
            state.is_held = false;
            state.mode = Mode::Filter(state.view.filter.clone());
        }
        Action::Sort { right } => {
            state.view.turn(right);
            state.is_held = false;
            state.sort();
            return Some(Effect::Remember);
        }
        Action::Reverse => {
            state.view.descending = !state.view.descending;
            state.is_held = false;
            state.sort();
            return Some(Effect::Remember);
        }
        Action::Hold => {
            state.is_held = !state.is_held;
            state.sort();
        }
        Action::Changes => state.open(Screen::Changes),
        Action::Seen => state.changes.look(state.now),
        Action::Drain => {
            if let Some((service, destination)) = destination(state) {
                propose(state, service, Intent::Drain(destination));
            }
        }
        Action::Restore => restore(state),
        Action::Weight => {
            let present = destination(state).and_then(|place| present_weight(state, place));
            weight(state, present);
        }
        Action::Zero => {
            if let Some(service) = service(state) {
                propose(state, service, Intent::Zero);
            }
        }
        Action::Undo => undo(state),
        Action::ReadNow => return Some(Effect::ReadNow),
        Action::Redraw => return Some(Effect::Redraw),
        Action::Suspend => return Some(Effect::Suspend),
    }
    None
}

fn go(state: &mut State, step: Step) {
    let page = state.page;
    match state.screen() {
        Screen::Overview => {
            let ids = state.shown_ids().to_vec();
            state.service.step(&ids, step, page);
        }
        Screen::Service(id) => {
            let ids = state.destination_ids(id);
            state.destination.step(&ids, step, page);
        }
        Screen::Connections(_) | Screen::Changes => {
            // The screen ends the scrolling at the last line.
            state.scroll = scrolled(state.scroll, step, page);
        }
    }
}

fn scrolled(top: usize, step: Step, page: usize) -> usize {
    let page = page.max(2);
    match step {
        Step::Up => top.saturating_sub(1),
        Step::Down => top.saturating_add(1),
        Step::HalfPageUp => top.saturating_sub(page / 2),
        Step::HalfPageDown => top.saturating_add(page / 2),
        Step::PageUp => top.saturating_sub(page - 1),
        Step::PageDown => top.saturating_add(page - 1),
        Step::First => 0,
        // Far beyond all lists, and far from an overflow.
        Step::Last => usize::MAX / 2,
    }
}

/// The service that orders concern.
fn service(state: &State) -> Option<ServiceId> {
    match state.screen() {
        Screen::Overview => state.service.key(),
        Screen::Service(id) => Some(id),
        Screen::Connections(_) | Screen::Changes => None,
    }
}

/// The destination that orders concern, with its service.
fn destination(state: &State) -> Option<(ServiceId, DestinationId)> {
    match state.screen() {
        Screen::Service(id) => Some((id, state.destination.key()?)),
        _ => None,
    }
}

pub(super) fn propose(state: &mut State, service: ServiceId, intent: Intent) {
    if state.is_busy {
        state.note = Some(Note::bad("the last order is still being carried out"));
        return;
    }
    match state.propose(service, intent) {
        Ok(proposal) => state.mode = Mode::Confirm(Box::new(proposal)),
        Err(refusal) => state.note = Some(Note::bad(format!("refused: {refusal}"))),
    }
}

fn restore(state: &mut State) {
    let Some((service, destination)) = destination(state) else { return };
    let steered = state.director.service(service).is_some()
        || matches!(state.director, Director::Silent { .. });
    if steered {
        propose(state, service, Intent::Restore(destination));
        return;
    }
    // Without a director the weight must be said. The former one is offered, if it is known.
    weight(state, state.last_weight(service, destination));
}

/// The weight of a destination in the latest reading.
fn present_weight(
    state: &State,
    (service, destination): (ServiceId, DestinationId),
) -> Option<u32> {
    let entry = state.service_of(service)?.destination(destination)?;
    Some(entry.destination.weight)
}

/// Asks for a weight, and offers one.
fn weight(state: &mut State, offered: Option<u32>) {
    let Some((service, destination)) = destination(state) else { return };
    // What is refused in any case is refused before the user types.
    let present = present_weight(state, (service, destination));
    let other = present.map_or(0, |it| it.wrapping_add(1));
    match state.propose(service, Intent::Weight(destination, other & 0x7fff_ffff)) {
        Ok(_) => {
            let text = offered.map(|it| it.to_string()).unwrap_or_default();
            state.mode = Mode::Weight(service, destination, text);
        }
        Err(refusal) => state.note = Some(Note::bad(format!("refused: {refusal}"))),
    }
}

fn undo(state: &mut State) {
    if state.is_busy {
        state.note = Some(Note::bad("the last order is still being carried out"));
        return;
    }
    match state.take_undo() {
        Some(undo) => match state.take_back(&undo) {
            Ok(proposal) => state.mode = Mode::Confirm(Box::new(proposal)),
            Err(refusal) => refuse_undo(state, undo, &refusal),
        },
        None => state.note = Some(Note::bad("nothing to undo: no order of yours is left")),
    }
}

/// Says why an order is not taken back. What never will be is forgotten, so that those before come next.
fn refuse_undo(state: &mut State, undo: Undo, refusal: &Refusal) {
    let mut text = format!("refused: {refusal}");
    if refusal.is_final() {
        text += &format!("; forgotten: {}", undo.question);
    } else {
        state.keep_undo(undo);
    }
    state.note = Some(Note::bad(text));
}

/// Takes the answer to a question.
pub(super) fn answer(state: &mut State, proposal: Proposal, key: Key) -> Option<Effect> {
    let is_undo = proposal.undo.as_ref().is_some_and(|undo| undo.order == proposal.order);
    match key {
        // What was typed before the question was seen is no answer to it.
        Key::Char('y' | 'Y') if proposal.is_shown => {
            if let Err(refusal) = state.check(&proposal.order) {
                match proposal.undo.filter(|_| is_undo) {
                    Some(undo) => refuse_undo(state, undo, &refusal),
                    None => state.note = Some(Note::bad(format!("refused: {refusal}"))),
                }
                return None;
            }
            state.is_busy = true;
            state.note = Some(Note::good("the order is being carried out"));
            let Proposal { order, undo, .. } = proposal;
            Some(Effect::Order(Box::new(Errand { order, undo })))
        }
        Key::Char('n' | 'N' | 'q') | Key::Escape => {
            if is_undo {
                proposal.undo.into_iter().for_each(|undo| state.keep_undo(undo));
            }
            state.note = Some(Note::good("nothing was changed"));
            None
        }
        // Nothing else counts as an answer.
        _ => {
            state.mode = Mode::Confirm(Box::new(proposal));
            None
        }
    }
}

/// Scrolls the help, or closes it.
pub(super) fn help(state: &mut State, top: usize, key: Key) {
    match action(Screen::Changes, key) {
        Some(Action::Move(step)) => state.mode = Mode::Help(scrolled(top, step, state.page)),
        Some(Action::Back | Action::BackOnly | Action::Help | Action::Quit) => {}
        _ => state.mode = Mode::Help(top),
    }
}
