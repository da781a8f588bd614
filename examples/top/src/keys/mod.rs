//! What keys do: a key in a state changes the state, and asks for what only the program can do.

mod acting;
mod bindings;
mod decode;
mod editing;
mod key;
#[cfg(test)]
mod tests;

use crate::state::steering::Errand;
use crate::state::{Mode, State, Step};

pub use bindings::{BINDINGS, Binding, Where, action};
pub use decode::{Decoder, Input};
pub use key::Key;

/// What a key does outside of questions and input lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Show the help.
    Help,
    /// Go back, or quit on the first screen.
    Back,
    /// Go back, or show all services on the first screen.
    BackOnly,
    /// Quit.
    Quit,
    /// Move in the list.
    Move(Step),
    /// Open what is selected.
    Open,
    /// Show the connections of the service.
    Connections,
    /// Edit the filter.
    Filter,
    /// Sort by another column.
    Sort {
        /// The one to the right.
        right: bool,
    },
    /// Reverse the order.
    Reverse,
    /// Hold the order as it is, or sort again.
    Hold,
    /// Show what has changed.
    Changes,
    /// Clear the marks of changes.
    Seen,
    /// Drain a destination.
    Drain,
    /// Restore a destination.
    Restore,
    /// Ask for a weight.
    Weight,
    /// Zero counters.
    Zero,
    /// Undo the last order.
    Undo,
    /// Read at once.
    ReadNow,
    /// Draw everything anew.
    Redraw,
    /// Suspend the program.
    Suspend,
}

/// What the program is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// End.
    Quit,
    /// Give the terminal back, and stop until the shell continues the program.
    Suspend,
    /// Draw everything anew.
    Redraw,
    /// Read at once.
    ReadNow,
    /// Carry out an order.
    Order(Box<Errand>),
    /// Remember the view.
    Remember,
}

/// Presses a key.
pub fn press(state: &mut State, key: Key) -> Option<Effect> {
    // Wherever the user is, these work.
    if matches!(key, Key::Control('c' | 'z' | 'l')) {
        let action = action(state.screen(), key)?;
        return acting::act(state, action);
    }
    match std::mem::take(&mut state.mode) {
        Mode::Normal => {
            state.note = None;
            let action = action(state.screen(), key)?;
            acting::act(state, action)
        }
        Mode::Filter(before) => editing::filter(state, before, key),
        Mode::Weight(service, destination, text) => {
            editing::weight(state, (service, destination), text, key)
        }
        Mode::Confirm(proposal) => acting::answer(state, *proposal, key),
        Mode::Help(top) => {
            acting::help(state, top, key);
            None
        }
    }
}
