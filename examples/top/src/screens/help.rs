//! The help: all keys, and what columns and marks mean.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::columns::{aligned, wrapped};
use super::{Canvas, header, split_top};
use crate::keys::{BINDINGS, Binding, Where};
use crate::manners::Manners;
use crate::state::State;

/// Where keys count.
const PLACES: [(&str, Where); 4] = [
    ("Everywhere", Where::Everywhere),
    ("In the list of services", Where::Overview),
    ("In the list of services, and on a service", Where::OfService),
    ("On a service", Where::Service),
];

/// What is not a key: terms, and what they mean.
const MORE: &[(&str, &[(&str, &str)])] = &[
    (
        "Columns",
        &[
            ("UP", "live destinations that take connections"),
            ("DRN", "destinations of weight 0"),
            ("OVL", "destinations at their upper threshold"),
            ("DEAD", "destinations that the director's checks call dead"),
            ("ACT INACT", "connections now"),
            ("CONN/S", "new connections per second, over 4 to 8 s"),
            ("IN/S OUT/S", "bytes per second, from clients and to clients"),
            ("PIN/S POUT/S", "packets per second"),
            ("HISTORY", "new connections per second, one cell every 2 s"),
            ("SHARE DUE", "share of new connections, and what weights promise"),
        ],
    ),
    (
        "Sums",
        &[
            ("down", "services that refuse new clients: no destination takes any"),
            ("/words/", "the sums are those of the services that the filter shows"),
        ],
    ),
    ("Marks", &[("+ *", "new, and changed since the last look; `m` clears the marks")]),
    (
        "Filter",
        &[
            ("words", "all must be in the service, its scheduler, a label or a destination"),
            ("drained ...", "also overloaded, dead, up: services with such a destination"),
            ("down", "services that refuse new clients"),
        ],
    ),
];

/// The width of keys and terms.
const TERM: u16 = 16;

/// Draws the help from the line `top` on, and returns the line that is the first one now.
pub(super) fn draw(state: &mut State, top: usize, canvas: &mut Canvas<'_>, area: Rect) -> usize {
    let (first, body) = split_top(area, 1);
    header::draw(state, "top: keys", canvas, first);
    let lines = lines(canvas.manners, area.width);
    let page = usize::from(body.height);
    let top = top.min(lines.len().saturating_sub(page));
    for (nth, line) in (0..).zip(lines.iter().skip(top).take(page)) {
        canvas.line(body, nth, line);
    }
    state.page = page;
    top
}

fn lines(manners: Manners, width: u16) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for (title, place) in PLACES {
        lines.push(Line::styled(title, manners.theme.title()));
        for Binding { keys, help, .. } in BINDINGS.iter().filter(|it| it.on == place) {
            let keys: Vec<_> = keys.iter().map(ToString::to_string).collect();
            lines.extend(entry(&keys.join(" "), help, manners, width));
        }
    }
    for (title, terms) in MORE {
        lines.push(Line::styled(*title, manners.theme.title()));
        for (term, text) in *terms {
            lines.extend(entry(term, text, manners, width));
        }
    }
    lines
}

/// A term with its text, which is wrapped beside it.
fn entry(term: &str, text: &str, manners: Manners, width: u16) -> Vec<Line<'static>> {
    let mut term = format!("  {term}");
    let room = usize::from(width.saturating_sub(TERM));
    let line = |text: String| {
        let term = aligned(&std::mem::take(&mut term), TERM, false, manners.glyphs);
        Line::from(vec![Span::styled(term, manners.theme.key()), Span::raw(text)])
    };
    wrapped(text, room).into_iter().map(line).collect()
}
