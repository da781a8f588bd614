//! Which key does what, once for the program, its help and its tests.

use crate::keys::{Action, Key};
use crate::state::{Screen, Step};

/// Where a binding counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Where {
    /// On all screens.
    Everywhere,
    /// In the list of services.
    Overview,
    /// On the screen of a service.
    Service,
    /// Where a service is selected: in the list of services, or on its screen.
    OfService,
}

impl Where {
    /// Whether a binding counts on a screen.
    #[must_use]
    pub const fn is_on(self, screen: Screen) -> bool {
        match self {
            Self::Everywhere => true,
            Self::Overview => matches!(screen, Screen::Overview),
            Self::Service => matches!(screen, Screen::Service(_)),
            Self::OfService => matches!(screen, Screen::Overview | Screen::Service(_)),
        }
    }
}

/// Keys, and what they do.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// The keys.
    pub keys: &'static [Key],
    /// Where they count.
    pub on: Where,
    /// What they do.
    pub action: Action,
    /// What they do, for people.
    pub help: &'static str,
}

const fn bind(keys: &'static [Key], on: Where, action: Action, help: &'static str) -> Binding {
    Binding { keys, on, action, help }
}

use Key::{Char, Control};
use Where::{Everywhere, OfService, Overview, Service};

/// All bindings, in the order of the help.
pub const BINDINGS: &[Binding] = &[
    bind(&[Char('?'), Key::Function(1)], Everywhere, Action::Help, "this help"),
    bind(&[Char('q')], Everywhere, Action::Back, "back; on the first screen: quit"),
    bind(
        &[Key::Escape, Key::Left, Char('h')],
        Everywhere,
        Action::BackOnly,
        "back; on the first screen: no filter",
    ),
    bind(&[Char('Q'), Control('c')], Everywhere, Action::Quit, "quit"),
    bind(&[Char('k'), Key::Up], Everywhere, Action::Move(Step::Up), "up"),
    bind(&[Char('j'), Key::Down], Everywhere, Action::Move(Step::Down), "down"),
    bind(&[Control('u')], Everywhere, Action::Move(Step::HalfPageUp), "half a page up"),
    bind(&[Control('d')], Everywhere, Action::Move(Step::HalfPageDown), "half a page down"),
    bind(&[Control('b'), Key::PageUp], Everywhere, Action::Move(Step::PageUp), "a page up"),
    bind(&[Control('f'), Key::PageDown], Everywhere, Action::Move(Step::PageDown), "a page down"),
    bind(&[Char('g'), Key::Home], Everywhere, Action::Move(Step::First), "to the first"),
    bind(&[Char('G'), Key::End], Everywhere, Action::Move(Step::Last), "to the last"),
    bind(
        &[Key::Enter, Key::Right, Char('l')],
        OfService,
        Action::Open,
        "open: a service, then a destination's connections",
    ),
    bind(&[Char('c')], OfService, Action::Connections, "connections of the service"),
    bind(&[Char('/')], Overview, Action::Filter, "filter services as you type"),
    bind(&[Char('>')], Overview, Action::Sort { right: true }, "sort by the next column"),
    bind(&[Char('<')], Overview, Action::Sort { right: false }, "sort by the column before"),
    bind(&[Char('R')], Overview, Action::Reverse, "reverse the order"),
    bind(&[Char('p')], Overview, Action::Hold, "hold the order as it is, or sort again"),
    bind(&[Char('e')], Everywhere, Action::Changes, "what has changed"),
    bind(&[Char('m')], Everywhere, Action::Seen, "changes are seen: clear their marks"),
    bind(&[Char('d')], Service, Action::Drain, "drain a destination"),
    bind(&[Char('r')], Service, Action::Restore, "restore a drained destination"),
    bind(&[Char('w')], Service, Action::Weight, "give a destination another weight"),
    bind(&[Char('z')], OfService, Action::Zero, "set the counters of the service to 0"),
    bind(&[Char('u')], Everywhere, Action::Undo, "undo the last order of yours"),
    bind(&[Char(' ')], Everywhere, Action::ReadNow, "read now"),
    bind(&[Control('l')], Everywhere, Action::Redraw, "draw the screen anew"),
    bind(&[Control('z')], Everywhere, Action::Suspend, "suspend; `fg` resumes"),
];

/// Returns what a key does on a screen.
#[must_use]
pub fn action(screen: Screen, key: Key) -> Option<Action> {
    let found = BINDINGS.iter().find(|it| it.on.is_on(screen) && it.keys.contains(&key));
    found.map(|binding| binding.action)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_key_is_bound_twice() {
        let mut seen = HashSet::new();
        for binding in BINDINGS {
            for key in binding.keys {
                assert!(seen.insert(key), "{key}");
            }
        }
    }
}
