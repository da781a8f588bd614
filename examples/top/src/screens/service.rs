//! One service with its destinations.

use ipvs_netlink::procfs::ConnectionState;
use ipvs_netlink::{ServiceId, ServiceSnapshot};
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::columns::{Field, cut, fit, line, titles, wrapped};
use super::numbers::{UNKNOWN, count, counted, maybe_rate, percent};
use super::{Canvas, bar, connections, header, parts, split_bottom, split_top, traffic};
use crate::manners::shown;
use crate::state::clock::time_of_day;
use crate::state::connections::Place;
use crate::state::{Basis, DestinationRow, Standing, State, first_shown};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cell {
    Destination,
    Standing,
    Weight,
    Bar,
    Share,
    Due,
    Active,
    Inactive,
    Persistent,
    Connections,
    Established,
    Incoming,
    Outgoing,
    Thresholds,
    Forwarding,
    Reason,
}

const fn field(
    key: Cell,
    title: &'static str,
    width: u16,
    right: bool,
    rank: u8,
    stretch: u16,
) -> Field<Cell> {
    Field { key, title, width, right, rank, stretch }
}

const FIELDS: &[Field<Cell>] = &[
    field(Cell::Destination, " DESTINATION", 18, false, 0, 9),
    field(Cell::Standing, "STATE", 10, false, 1, 0),
    field(Cell::Weight, "WEIGHT", 6, true, 3, 0),
    field(Cell::Bar, "", 8, false, 4, 22),
    field(Cell::Share, "SHARE", 5, true, 2, 0),
    field(Cell::Due, "DUE", 4, true, 2, 0),
    field(Cell::Active, "ACT", 5, true, 3, 0),
    field(Cell::Inactive, "INACT", 5, true, 5, 0),
    field(Cell::Persistent, "PERS", 5, true, 8, 0),
    field(Cell::Connections, "CONN/S", 6, true, 3, 0),
    field(Cell::Established, "ESTAB", 5, true, 9, 0),
    field(Cell::Incoming, "IN/S", 5, true, 6, 0),
    field(Cell::Outgoing, "OUT/S", 5, true, 6, 0),
    field(Cell::Thresholds, "THRESHOLDS", 11, true, 10, 0),
    field(Cell::Forwarding, "FORWARD", 7, false, 11, 0),
    field(Cell::Reason, "REASON", 20, false, 7, 100),
];

pub(super) fn draw(state: &mut State, id: ServiceId, canvas: &mut Canvas<'_>, area: Rect) {
    let theme = canvas.manners.theme;
    let (first, rest) = split_top(area, 1);
    let labels = state.labels(id).unwrap_or_default();
    header::draw(state, format!("{id} {labels}").trim_end(), canvas, first);
    let used = header::troubles(state, canvas, rest);
    let (_, rest) = split_top(rest, used);
    let Some((basis, rows)) = state.destinations(id) else {
        let text = match state.reading() {
            Some(_) => "this service is not in the table any more",
            None => "the table is being read",
        };
        canvas.text(rest, 0, text, theme.bad());
        return;
    };
    let used = summary(state, id, basis, canvas, rest);
    let (_, rest) = split_top(rest, used);
    let rest = details(state, id, &rows, canvas, rest);
    list(state, id, &rows, canvas, rest);
}

/// Draws what concerns all destinations, and returns the number of lines.
fn summary(state: &State, id: ServiceId, basis: Basis, canvas: &mut Canvas<'_>, area: Rect) -> u16 {
    let theme = canvas.manners.theme;
    let glyphs = canvas.manners.glyphs;
    let mut lines = Vec::new();
    let line = |text: &str, style| Line::styled(cut(text, area.width, glyphs), style);
    // On a low screen the list has the room.
    let is_high = area.height > 13;
    if let Some(service) = state.service_of(id).filter(|_| is_high) {
        lines.push(line(&settings(service), theme.plain()));
    }
    if let Some(row) = state.row(id) {
        let traffic = traffic::now(theme, (row.active, row.inactive), row.speed);
        lines.push(parts::joined(&traffic, area.width, glyphs));
        if is_high {
            let exact = traffic::sums(theme, &row.stats, true);
            let short = traffic::sums(theme, &row.stats, false);
            let sums = if parts::width(&exact) <= area.width { exact } else { short };
            lines.push(parts::joined(&sums, area.width, glyphs));
        }
    }
    if let Some(checked) = state.director.service(id) {
        let style = if checked.available { theme.good() } else { theme.bad() };
        if is_high || !checked.available {
            lines.push(line(&format!("director: {}", shown(&checked.reason)), style));
        }
    }
    if is_high {
        lines.push(line(&states(state, Place { service: id, destination: None }), theme.plain()));
        let shared = connections::shared(state.connections.shown());
        lines.extend(shared.map(|text| line(&text, theme.warning())));
    }
    let since = basis.since.map(|at| time_of_day(at.clock, state.now.clock, &state.settings.zone));
    let text = match since {
        Some(since) => format!("shares of {} new connections since {since}", basis.connections),
        None => format!("shares of all {} counted connections", basis.connections),
    };
    if is_high {
        lines.push(line(&text, theme.faint()));
    }
    for (nth, line) in (0..).zip(&lines) {
        canvas.line(area, nth, line);
    }
    u16::try_from(lines.len()).unwrap_or_default().min(area.height)
}

fn settings(service: &ServiceSnapshot) -> String {
    let mut service = service.entry.service.clone();
    let persistence = service.persistence.take();
    // The title has the identity.
    let text = service.to_string();
    let rest = text.strip_prefix(&service.id.to_string()).unwrap_or(&text);
    let mut text = format!("scheduler{rest}");
    if let Some(persistence) = persistence {
        text += &format!(" persistent for {} s", persistence.timeout.as_secs());
        if let Some(netmask) = persistence.netmask {
            text += &format!(" by mask {netmask}");
        }
        if let Some(engine) = persistence.engine {
            text += &format!(" by engine {engine}");
        }
    }
    shown(&text).into_owned()
}

/// The connections by state, of one destination or of the service.
fn states(state: &State, place: Place) -> String {
    if connections::is_hidden(state, place) {
        return connections::HIDDEN.to_owned();
    }
    let destination = place.destination;
    let pass = state.connections.shown();
    let parts = connections::states(&pass.counts, destination);
    let how = connections::extent(pass);
    match (parts.is_empty(), destination) {
        (true, _) if pass.at.is_none() => "connections by state: being read".to_owned(),
        (true, _) => format!("no connections{how}"),
        (false, _) => {
            let shared = match (destination, pass.counts.shared(destination)) {
                // All of them have a line of their own.
                (None, _) | (_, 0) => String::new(),
                (Some(_), shared) => format!(" ({shared} {})", connections::OTHER),
            };
            format!("{}{shared}{how}", parts.join("  "))
        }
    }
}

/// Draws what there is to say of the selected destination, and returns the area above.
fn details(
    state: &State,
    id: ServiceId,
    rows: &[DestinationRow],
    canvas: &mut Canvas<'_>,
    area: Rect,
) -> Rect {
    let theme = canvas.manners.theme;
    let glyphs = canvas.manners.glyphs;
    let Some(row) = rows.get(state.destination.at()) else { return area };
    // The most important first.
    let mut lines = Vec::new();
    if !row.reason.is_empty() {
        let reason = format!("{}: {}", row.id, shown(&row.reason));
        lines.extend(wrapped(&reason, area.width.into()).into_iter().take(3));
    }
    let was = state.last_weight(id, row.id);
    if let Some(last) =
        was.filter(|_| row.entry.as_ref().is_some_and(|it| it.destination.weight == 0))
    {
        lines.push(format!("{}: had weight {last} before", row.id));
    }
    let place = Place { service: id, destination: Some(row.id) };
    lines.push(format!("{}: {}", row.id, states(state, place)));
    if let Some(entry) = row.entry.as_ref().filter(|_| area.height > 12) {
        let stats = entry.stats;
        let connections = counted(stats.connections, "connection");
        let incoming = counted(stats.incoming_bytes, "byte");
        let outgoing = counted(stats.outgoing_bytes, "byte");
        lines.push(format!("{}: counted {connections}  in {incoming}  out {outgoing}", row.id));
    }
    lines.truncate(usize::from(area.height.saturating_sub(4)));
    let height = u16::try_from(lines.len()).unwrap_or_default();
    let (above, below) = split_bottom(area, height);
    for (nth, text) in (0..).zip(&lines) {
        canvas.text(below, nth, &cut(text, area.width, glyphs), theme.faint());
    }
    above
}

fn list(
    state: &mut State,
    id: ServiceId,
    rows: &[DestinationRow],
    canvas: &mut Canvas<'_>,
    area: Rect,
) {
    let theme = canvas.manners.theme;
    let fields = fit(FIELDS, None, area.width);
    let (head, body) = split_top(area, 1);
    canvas.bar(head, 0, &Line::raw(titles(&fields, None, canvas.manners.glyphs)), theme.heading());
    let page = usize::from(body.height);
    let at = state.destination.at();
    state.page = page;
    state.list_line = usize::from(body.y);
    state.scroll = first_shown(state.scroll, at, page, rows.len());
    for (nth, row) in rows.iter().enumerate().skip(state.scroll).take(page) {
        let glyphs = canvas.manners.glyphs;
        let line = line(&fields, glyphs, |cell, width| value(state, row, canvas, cell, width));
        let place = u16::try_from(nth - state.scroll).unwrap_or(u16::MAX);
        if nth == at {
            canvas.bar(body, place, &line, theme.selected());
        } else {
            canvas.line(body, place, &line);
        }
    }
    if rows.is_empty() {
        let text = format!("{id} has no destinations: new clients are refused");
        canvas.line(body, 0, &Line::from(Span::styled(text, theme.bad())));
    }
}

fn value(
    state: &State,
    row: &DestinationRow,
    canvas: &Canvas<'_>,
    cell: Cell,
    width: u16,
) -> (String, Style) {
    let theme = canvas.manners.theme;
    let plain = theme.plain();
    let style = match row.standing {
        Standing::Up => theme.good(),
        Standing::PerhapsOverloaded | Standing::Overloaded | Standing::Drained => theme.warning(),
        Standing::Dead | Standing::Out => theme.bad(),
    };
    let of = |text: Option<String>| (text.unwrap_or_else(|| UNKNOWN.to_owned()), plain);
    let entry = row.entry.as_ref();
    let number = |of_entry: fn(&ipvs_netlink::DestinationEntry) -> u32| {
        of(entry.map(|entry| count(of_entry(entry).into())))
    };
    let rate = |of_speed: fn(&ipvs_netlink::growth::PerSecond) -> f64| {
        (maybe_rate(row.speed.as_ref().map(of_speed)), plain)
    };
    match cell {
        Cell::Destination => (format!(" {}", row.id), plain),
        Cell::Standing => (row.standing.name().to_owned(), style),
        Cell::Weight => of(entry.map(|entry| count(entry.destination.weight.into()))),
        Cell::Bar => {
            let share = row.share.unwrap_or_default();
            (bar::share(canvas.manners.glyphs, share, row.promised, width), theme.bar())
        }
        Cell::Share => (percent(row.share), plain),
        Cell::Due => (percent(row.promised), theme.faint()),
        Cell::Active => number(|entry| entry.connections.active),
        Cell::Inactive => number(|entry| entry.connections.inactive),
        Cell::Persistent => number(|entry| entry.connections.persistent),
        Cell::Connections => rate(|it| it.connections),
        Cell::Established => {
            let counts = &state.connections.shown().counts;
            let states = counts.by_state(Some(row.id));
            let established = states.get(&ConnectionState::ESTABLISHED);
            of(established.filter(|_| counts.shared(Some(row.id)) == 0).map(|it| count(*it)))
        }
        Cell::Incoming => rate(|it| it.incoming_bytes),
        Cell::Outgoing => rate(|it| it.outgoing_bytes),
        Cell::Thresholds => {
            let thresholds = entry.map(|entry| entry.destination.thresholds);
            let thresholds = thresholds.filter(|it| it.upper > 0);
            of(thresholds
                .map(|it| format!("{}/{}", count(it.upper.into()), count(it.lower.into()))))
        }
        Cell::Forwarding => of(entry.map(|entry| entry.destination.forwarding.to_string())),
        Cell::Reason => (shown(&row.reason).into_owned(), style),
    }
}
