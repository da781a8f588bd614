//! Connections of a service or of a destination.

use ipvs_netlink::DestinationId;
use ipvs_netlink::procfs::{Connection, ConnectionState};
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use super::columns::{Field, cut, fit, line, titles};
use super::numbers::counted;
use super::{Canvas, header, split_top};
use crate::manners::shown;
use crate::state::State;
use crate::state::clock::length;
use crate::state::connections::{Counts, Ended, MOST_ROWS, Pass, Place, rank_of};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cell {
    Client,
    Destination,
    State,
    Left,
    Virtual,
    Data,
}

const fn field(key: Cell, title: &'static str, width: u16, rank: u8, stretch: u16) -> Field<Cell> {
    Field { key, title, width, right: false, rank, stretch }
}

const FIELDS: &[Field<Cell>] = &[
    field(Cell::Client, "CLIENT", 21, 0, 26),
    field(Cell::Destination, "DESTINATION", 21, 2, 6),
    field(Cell::State, "STATE", 11, 1, 0),
    field(Cell::Left, "LEFT", 12, 3, 0),
    field(Cell::Virtual, "VIRTUAL", 21, 4, 6),
    field(Cell::Data, "PERSISTENCE DATA", 20, 5, 60),
];

pub(super) fn draw(state: &mut State, place: Place, canvas: &mut Canvas<'_>, area: Rect) {
    let theme = canvas.manners.theme;
    let glyphs = canvas.manners.glyphs;
    let (first, rest) = split_top(area, 1);
    let title = match place.destination {
        Some(destination) => format!("{} -> {destination}", place.service),
        None => format!("{}: connections", place.service),
    };
    header::draw(state, &title, canvas, first);
    let used = header::troubles(state, canvas, rest);
    let (_, rest) = split_top(rest, used);
    let pass = state.connections.shown();
    let is_hidden = is_hidden(state, place);
    let summary = if is_hidden { HIDDEN.to_owned() } else { summary(pass) };
    let shared = shared(pass);
    let (lines, body) = split_top(rest, if shared.is_some() { 3 } else { 2 });
    canvas.text(lines, 0, &cut(&summary, area.width, glyphs), theme.title());
    let states = states(&pass.counts, None).join("  ");
    canvas.text(lines, 1, &cut(&states, area.width, glyphs), theme.plain());
    if let Some(text) = shared {
        canvas.text(lines, 2, &cut(&text, area.width, glyphs), theme.warning());
    }
    let (head, body) = split_top(body, 1);
    let fields = fit(FIELDS, None, area.width);
    canvas.bar(head, 0, &Line::raw(titles(&fields, None, glyphs)), theme.heading());

    let page = usize::from(body.height);
    let top = state.scroll.min(pass.rows.len().saturating_sub(page));
    for (nth, connection) in (0..).zip(pass.rows.iter().skip(top).take(page)) {
        let style = if connection.is_template() { theme.faint() } else { theme.plain() };
        let line = line(&fields, glyphs, |cell, _| (value(connection, cell), style));
        canvas.line(body, nth, &line);
    }
    if let (true, Some(text)) = (pass.rows.is_empty() && !is_hidden, nothing(pass)) {
        let style: Style = theme.faint();
        canvas.text(body, 0, &cut(&text, area.width, glyphs), style);
    }
    state.scroll = top;
    state.page = page;
}

/// What stands for connections that cannot be found.
pub(super) const HIDDEN: &str =
    "not in the table any more: the kernel does not show its connections";

/// Whether the connections of a place cannot be found.
pub(super) fn is_hidden(state: &State, place: Place) -> bool {
    state.reading().is_some_and(|reading| place.is_hidden(&reading.snapshot))
}

/// Says how many connections may as well be of another service, if any may.
pub(super) fn shared(pass: &Pass) -> Option<String> {
    let shared = pass.counts.shared(None);
    let text = || format!("{shared} {OTHER}: the kernel does not show which");
    (shared > 0).then(text)
}

/// What follows the number of connections that may be of another service.
pub(super) const OTHER: &str = "perhaps of another service";

fn nothing(pass: &Pass) -> Option<String> {
    match (&pass.ended, pass.at) {
        (Some(Ended::Failed(_)), _) => None,
        (Some(_), _) => Some("no connections".to_owned()),
        (None, _) => Some("connections are being read".to_owned()),
    }
}

fn summary(pass: &Pass) -> String {
    let counts = &pass.counts;
    let kept = match pass.rows.len() {
        MOST_ROWS => format!(", the first {MOST_ROWS} below"),
        _ => String::new(),
    };
    let malformed = match counts.malformed {
        0 => String::new(),
        lines => format!(", {} cannot be read", counted(lines, "line")),
    };
    let templates = match counts.templates {
        0 => String::new(),
        templates => format!(", {} of persistence", counted(templates, "template")),
    };
    let connections = counted(counts.all.saturating_sub(counts.templates), "connection");
    format!("{connections}{templates}{kept}{malformed}{}", extent(pass))
}

/// The numbers of connections by state, of a destination or of all, as the list is sorted.
pub(super) fn states(counts: &Counts, destination: Option<DestinationId>) -> Vec<String> {
    let mut states: Vec<_> = counts.by_state(destination).into_iter().collect();
    states.sort_by_key(|(state, _)| (rank_of(*state), *state));
    let text =
        |(state, count): (ConnectionState, u64)| format!("{} {count}", shown(&state.to_string()));
    states.into_iter().map(text).collect()
}

/// Says which part of the kernel's list was read, if that is not all of it.
pub(super) fn extent(pass: &Pass) -> String {
    match &pass.ended {
        Some(Ended::Complete) => String::new(),
        None if pass.at.is_none() => String::new(),
        None => " (being read)".to_owned(),
        Some(Ended::Lines(lines)) => format!(" (in the first {lines} of all connections)"),
        Some(Ended::Time) => " (more there: reading takes too long)".to_owned(),
        Some(Ended::Failed(reason)) => format!(" (cannot be read: {})", shown(reason)),
    }
}

fn value(connection: &Connection, cell: Cell) -> String {
    match cell {
        // The netmask of the service masks the address of a template.
        Cell::Client if connection.is_template() => format!("{} (any)", connection.client.ip()),
        Cell::Client => connection.client.to_string(),
        Cell::Destination => connection.destination.to_string(),
        Cell::State if connection.is_template() => "template".to_owned(),
        Cell::State => shown(&connection.state.to_string()).into_owned(),
        Cell::Left => length(connection.expires),
        Cell::Virtual => connection.virtual_address.to_string(),
        Cell::Data => connection.engine_data.as_ref().map_or_else(String::new, |it| {
            let data = String::from_utf8_lossy(&it.data);
            format!("{} {}", shown(&it.engine.to_string()), shown(&data))
        }),
    }
}
