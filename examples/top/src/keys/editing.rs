//! Input lines.

use ipvs_netlink::{DestinationId, ServiceId};

use crate::keys::{Effect, Key, acting};
use crate::manners::is_harmless;
use crate::state::steering::Intent;
use crate::state::{Filter, LONGEST_FILTER, Mode, Note, State};

/// The largest weight that the kernel takes.
const LARGEST: u32 = i32::MAX.unsigned_abs();

/// Edits the filter. The list follows as one types.
pub(super) fn filter(state: &mut State, before: Filter, key: Key) -> Option<Effect> {
    let mut text = state.view.filter.text().to_owned();
    match key {
        Key::Enter => return Some(Effect::Remember),
        Key::Escape => {
            state.view.filter = before;
            state.sort();
            return None;
        }
        Key::Up | Key::Down => {
            // The list can be walked while one types.
            state.mode = Mode::Filter(before);
            let ids = state.shown_ids().to_vec();
            let step =
                if key == Key::Up { crate::state::Step::Up } else { crate::state::Step::Down };
            let page = state.page;
            state.service.step(&ids, step, page);
            return None;
        }
        _ => edit(&mut text, key, is_harmless, LONGEST_FILTER),
    }
    state.view.filter = Filter::new(&text);
    state.sort();
    state.mode = Mode::Filter(before);
    None
}

/// Edits a weight, and asks whether to give it.
pub(super) fn weight(
    state: &mut State,
    (service, destination): (ServiceId, DestinationId),
    mut text: String,
    key: Key,
) -> Option<Effect> {
    match key {
        Key::Escape => {
            state.note = Some(Note::good("nothing was changed"));
            return None;
        }
        Key::Enter => match text.parse().ok().filter(|weight| *weight <= LARGEST) {
            Some(weight) => {
                acting::propose(state, service, Intent::Weight(destination, weight));
                return None;
            }
            None => state.note = Some(Note::bad(format!("a weight is 0 to {LARGEST}"))),
        },
        _ => edit(&mut text, key, |it| it.is_ascii_digit(), 10),
    }
    state.mode = Mode::Weight(service, destination, text);
    None
}

/// Edits the end of a line: characters, Backspace, ^H, ^W and ^U.
fn edit(text: &mut String, key: Key, is_allowed: impl Fn(char) -> bool, longest: usize) {
    match key {
        Key::Char(character) if is_allowed(character) && text.chars().count() < longest => {
            text.push(character);
        }
        Key::Backspace | Key::Control('h') => {
            text.pop();
        }
        Key::Control('u') => text.clear(),
        Key::Control('w') => {
            let kept = text.trim_end().rfind(char::is_whitespace).map_or(0, |at| at + 1);
            text.truncate(kept);
        }
        _ => {}
    }
}
