//! The last line of all screens: a note, an input line, or what keys do.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::Canvas;
use super::columns::{cut, end_of};
use super::parts::{self, Part, joined};
use crate::manners::shown;
use crate::state::{Mode, Screen, State};

pub(super) fn draw(state: &State, canvas: &mut Canvas<'_>, area: Rect) {
    let theme = canvas.manners.theme;
    let glyphs = canvas.manners.glyphs;
    let prompt = |name: &str, text: &str| prompt(name, text, canvas, area.width);
    let line = match (&state.mode, &state.note) {
        (Mode::Filter(_), _) => prompt("/", state.view.filter.text()),
        (Mode::Weight(_, destination, text), None) => {
            prompt(&format!("weight of {destination}: "), text)
        }
        (Mode::Confirm(proposal), _) if !proposal.is_shown => {
            hints(&[("n", "no")], canvas, area.width)
        }
        (Mode::Confirm(_), _) => hints(&[("y", "yes"), ("n", "no")], canvas, area.width),
        (Mode::Help(_), _) => hints(&[("q", "close"), ("j k", "scroll")], canvas, area.width),
        (_, Some(note)) => {
            let style = if note.is_bad { theme.bad() } else { theme.good() };
            Line::styled(cut(&shown(&note.text), area.width, glyphs), style)
        }
        (Mode::Normal, None) => hints(&of_state(state), canvas, area.width),
    };
    canvas.line(area, 0, &line);
}

/// The most important keys. All others are in the help.
const fn of_screen(screen: Screen) -> &'static [(&'static str, &'static str)] {
    match screen {
        Screen::Overview => &[
            ("?", "help"),
            ("q", "quit"),
            ("/", "filter"),
            ("< >", "sort"),
            ("Enter", "open"),
            ("e", "changes"),
            ("z", "zero"),
            ("u", "undo"),
        ],
        Screen::Service(_) => &[
            ("?", "help"),
            ("q", "back"),
            ("d", "drain"),
            ("r", "restore"),
            ("w", "weight"),
            ("c", "connections"),
            ("z", "zero"),
            ("u", "undo"),
        ],
        Screen::Connections(_) => &[("?", "help"), ("q", "back"), ("j k", "scroll")],
        Screen::Changes => &[("?", "help"), ("q", "back"), ("m", "all seen"), ("j k", "scroll")],
    }
}

/// The keys of the screen, with those that end a state that is not the usual one.
fn of_state(state: &State) -> Vec<(&'static str, &'static str)> {
    let mut keys = of_screen(state.screen()).to_vec();
    if state.screen() == Screen::Overview {
        let ends = [
            (!state.view.filter.is_empty(), ("Esc", "all services")),
            (state.is_held, ("p", "sort again")),
        ];
        let ends = ends.into_iter().filter_map(|(is_so, hint)| is_so.then_some(hint));
        keys.splice(2..2, ends);
    }
    keys
}

/// Those hints that fit, the first ones first.
fn hints(hints: &[(&str, &str)], canvas: &Canvas<'_>, width: u16) -> Line<'static> {
    let theme = canvas.manners.theme;
    let hint = |(rank, (key, what)): (u8, &(&str, &str))| {
        Part::new(*key, theme.key(), rank).and(format!(" {what}"), theme.plain())
    };
    let mut parts: Vec<Part> = (0..).zip(hints).map(hint).collect();
    while parts.len() > 1 && parts::width(&parts) > width {
        parts.pop();
    }
    joined(&parts, width, canvas.manners.glyphs)
}

/// An input line. Of a long text there is the end, where one types.
fn prompt(name: &str, text: &str, canvas: &Canvas<'_>, width: u16) -> Line<'static> {
    let theme = canvas.manners.theme;
    let name = Span::styled(name.to_owned(), theme.key());
    let room = usize::from(width).saturating_sub(name.width() + 1);
    let text =
        Span::raw(end_of(text, u16::try_from(room).unwrap_or(u16::MAX), canvas.manners.glyphs));
    let hint = "  Enter: take  Esc: leave";
    let hint = if text.width() + hint.len() <= room { hint } else { "" };
    Line::from(vec![
        name,
        text,
        Span::styled(" ", theme.selected()),
        Span::styled(hint, theme.faint()),
    ])
}
