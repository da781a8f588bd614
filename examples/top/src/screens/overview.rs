//! All services.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use super::columns::{Field, cut, fit, line, titles};
use super::numbers::{UNKNOWN, count, counted, maybe_rate};
use super::parts::{self, Part};
use super::{Canvas, bar, header, split_bottom, split_top, traffic};
use crate::manners::{Colors, Glyphs, Theme, shown};
use crate::state::clock::time_of_day;
use crate::state::{Column, Mark, Row, State, first_shown};

/// A column on the screen: one to sort by, or the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cell {
    Of(Column),
    Labels,
    History,
}

const fn number(column: Column, title: &'static str, width: u16, rank: u8) -> Field<Cell> {
    Field { key: Cell::Of(column), title, width, right: true, rank, stretch: 0 }
}

const fn text(
    column: Column,
    title: &'static str,
    width: u16,
    rank: u8,
    stretch: u16,
) -> Field<Cell> {
    Field { key: Cell::Of(column), title, width, right: false, rank, stretch }
}

const FIELDS: &[Field<Cell>] = &[
    text(Column::Service, " SERVICE", 21, 0, 24),
    text(Column::Scheduler, "SCHED", 6, 6, 0),
    number(Column::Up, "UP", 4, 1),
    number(Column::Drained, "DRN", 4, 3),
    number(Column::Overloaded, "OVL", 4, 5),
    number(Column::Dead, "DEAD", 5, 2),
    number(Column::Active, "ACT", 5, 3),
    number(Column::Inactive, "INACT", 6, 7),
    number(Column::Connections, "CONN/S", 7, 1),
    number(Column::IncomingPackets, "PIN/S", 6, 9),
    number(Column::OutgoingPackets, "POUT/S", 7, 9),
    number(Column::IncomingBytes, "IN/S", 5, 4),
    number(Column::OutgoingBytes, "OUT/S", 6, 4),
    number(Column::Counted, "COUNTED", 8, 10),
    Field { key: Cell::Labels, title: "LABELS", width: 14, right: false, rank: 3, stretch: 26 },
    Field { key: Cell::History, title: "HISTORY", width: 8, right: false, rank: 4, stretch: 24 },
];

pub(super) fn draw(state: &mut State, canvas: &mut Canvas<'_>, area: Rect) {
    let (first, rest) = split_top(area, 1);
    let title = if state.is_held { "top: services, order held" } else { "top: services" };
    header::draw(state, title, canvas, first);
    let used = header::troubles(state, canvas, rest);
    let (_, rest) = split_top(rest, used);
    let used = totals(state, canvas, rest);
    let (_, rest) = split_top(rest, used);
    let rest = last_change(state, canvas, rest);
    list(state, canvas, rest);
}

/// Draws the sums over what is shown, and returns the number of lines.
fn totals(state: &State, canvas: &mut Canvas<'_>, area: Rect) -> u16 {
    let (theme, glyphs) = (canvas.manners.theme, canvas.manners.glyphs);
    // Nobody knows yet that there are none.
    if state.reading().is_none() {
        return 0;
    }
    let sums = state.shown_totals();
    let mut lines = counts(state, canvas, area);
    let traffic = traffic::now(theme, (sums.active, sums.inactive), sums.speed);
    lines.push(parts::joined(&traffic, area.width, glyphs));
    if area.height > 8 {
        lines.extend(processors(state, canvas, area.width));
    }
    for (nth, line) in (0..).zip(&lines) {
        canvas.line(area, nth, line);
    }
    u16::try_from(lines.len()).unwrap_or_default().min(area.height)
}

/// The numbers of services and destinations, on two lines if one is too short.
fn counts(state: &State, canvas: &Canvas<'_>, area: Rect) -> Vec<Line<'static>> {
    let (theme, glyphs) = (canvas.manners.theme, canvas.manners.glyphs);
    let sums = state.shown_totals();
    let services = match (state.view.filter.is_empty(), state.totals().services) {
        (true, all) => counted(u64::try_from(all).unwrap_or(u64::MAX), "service"),
        (false, all) => format!("{} of {all} services", state.shown()),
    };
    let mut services = Part::new(services, theme.title(), 1);
    let filter = shown(state.view.filter.text()).into_owned();
    if !filter.is_empty() {
        let filter = cut(&filter, (area.width / 3).max(8), glyphs);
        services = services.and(format!(" /{filter}/"), theme.changed());
    }
    let down = match sums.down {
        0 => None,
        down => Some(Part::new(format!("{down} down"), theme.bad(), 0)),
    };
    let services: Vec<Part> = std::iter::once(services).chain(down).collect();
    let part = |number: u32, what, style: Style, rank| {
        let style = if number > 0 { style } else { theme.plain() };
        Part::new(format!("{number} {what}"), style, rank)
    };
    let count = sums.count;
    let mut destinations = vec![
        part(count.up, "up", theme.good(), 5),
        part(count.drained, "drained", theme.warning(), 4),
        part(count.overloaded, "overloaded", theme.warning(), 3),
        part(count.dead, "dead", theme.bad(), 2),
    ];
    let title = Part::new("destinations", theme.plain(), 9);
    let titled = [services.clone(), vec![title], destinations.clone()].concat();
    if parts::width(&titled) <= area.width {
        return vec![parts::joined(&titled, area.width, glyphs)];
    }
    let all = [services.clone(), destinations.clone()].concat();
    if parts::width(&all) <= area.width || area.height <= 8 {
        return vec![parts::joined(&all, area.width, glyphs)];
    }
    // The most urgent first.
    destinations.reverse();
    [services, destinations].map(|it| parts::joined(&it, area.width, glyphs)).to_vec()
}

/// The packets from clients per second, for each processor that has seen any. With one processor the sums
/// say the same.
fn processors(state: &State, canvas: &Canvas<'_>, width: u16) -> Option<Line<'static>> {
    let theme = canvas.manners.theme;
    let glyphs = canvas.manners.glyphs;
    let all = state.processors();
    let seen = || all.iter().filter(|it| it.counted > 0);
    seen().next().filter(|_| all.len() > 1)?;
    let highest = seen().filter_map(|it| it.packets).fold(0.0, f64::max);
    let title = match state.view.filter.is_empty() {
        true => "packets in/s by processor",
        false => "packets in/s of all services by processor",
    };
    let mut parts = vec![Part::new(title, theme.faint(), 0)];
    for it in seen() {
        let part = it.packets.filter(|_| highest > 0.0).map_or(0.0, |packets| packets / highest);
        let processor = Part::new(format!("{} ", it.number), theme.faint(), 1)
            .and(bar::share(glyphs, part, None, 4), theme.bar())
            .and(format!(" {}", maybe_rate(it.packets)), theme.plain());
        parts.push(processor);
    }
    Some(parts::joined(&parts, width, glyphs))
}

/// Draws the newest change that nobody has looked at, and returns the area above.
fn last_change(state: &State, canvas: &mut Canvas<'_>, area: Rect) -> Rect {
    let Some(change) = state.changes.iter().next().filter(|_| state.changes.unseen() > 0) else {
        return area;
    };
    if area.height < 6 {
        return area;
    }
    let (above, last) = split_bottom(area, 1);
    let time = time_of_day(change.at.clock, state.now.clock, &state.settings.zone);
    let more = match state.changes.unseen() {
        1 => String::new(),
        all => format!("{all} changes, last "),
    };
    let text = format!("{more}{time} {}", change);
    let glyphs = canvas.manners.glyphs;
    let text = cut(&shown(&text), area.width, glyphs);
    canvas.text(last, 0, &text, canvas.manners.theme.changed());
    above
}

/// The columns, without that of labels if there are none.
fn fields(state: &State) -> Vec<Field<Cell>> {
    let has_labels = !state.settings.labels.is_empty();
    FIELDS.iter().copied().filter(|it| it.key != Cell::Labels || has_labels).collect()
}

fn list(state: &mut State, canvas: &mut Canvas<'_>, area: Rect) {
    let theme = canvas.manners.theme;
    let glyphs = canvas.manners.glyphs;
    let sorted = Cell::Of(state.view.column);
    let fields = fit(&fields(state), Some(sorted), area.width);
    let (head, body) = split_top(area, 1);
    let titles = titles(&fields, Some((sorted, state.view.descending)), glyphs);
    canvas.bar(head, 0, &Line::raw(titles), theme.heading());
    let page = usize::from(body.height);
    let (at, all) = (state.service.at(), state.shown());
    state.page = page;
    state.list_line = usize::from(body.y);
    state.scroll = first_shown(state.scroll, at, page, all);
    let top = state.scroll;
    for (nth, row) in state.shown_rows().enumerate().skip(top).take(page) {
        let Some(row) = row else { continue };
        let mark = state.changes.mark(row.id);
        let points = |width| bar::history(glyphs, state.history().points(row.id), width);
        let line = line(&fields, glyphs, |cell, width| match cell {
            Cell::Of(column) => value(theme, row, mark, column),
            Cell::Labels => (labels(state, row), theme.plain()),
            Cell::History => (points(width), theme.bar()),
        });
        let place = u16::try_from(nth - top).unwrap_or(u16::MAX);
        if nth == at {
            canvas.bar(body, place, &line, theme.selected());
        } else {
            canvas.line(body, place, &line);
        }
    }
    if all == 0 {
        let text = match (state.reading(), &state.failure) {
            (None, None) => "the table is being read",
            (None, Some(_)) => "",
            (Some(_), _) if state.view.filter.is_empty() => "the table has no services",
            (Some(_), _) => "no service matches the filter",
        };
        canvas.text(body, 0, text, theme.faint());
    }
}

fn labels(state: &State, row: &Row) -> String {
    shown(&state.labels(row.id).unwrap_or_default()).into_owned()
}

fn value(theme: Theme, row: &Row, mark: Option<Mark>, column: Column) -> (String, Style) {
    let plain = theme.plain();
    let of = |number: u32, style: Style| match number {
        0 => (UNKNOWN.to_owned(), theme.faint()),
        _ => (count(number.into()), style),
    };
    let rate = |of: fn(&ipvs_netlink::growth::PerSecond) -> f64| {
        (maybe_rate(row.speed.as_ref().map(of)), plain)
    };
    match column {
        Column::Service => {
            let (mark, style) = match mark {
                None => (' ', plain),
                Some(Mark::New) => ('+', theme.changed()),
                Some(Mark::Changed) => ('*', theme.changed()),
            };
            (format!("{mark}{}", row.id), style)
        }
        Column::Scheduler => (shown(&row.scheduler.to_string()).into_owned(), plain),
        Column::Up if row.count.up == 0 => ("0".to_owned(), theme.bad()),
        Column::Up => (count(row.count.up.into()), theme.good()),
        Column::Drained => of(row.count.drained, theme.warning()),
        Column::Overloaded => of(row.count.overloaded, theme.warning()),
        Column::Dead => of(row.count.dead, theme.bad()),
        Column::Active => (count(row.active), plain),
        Column::Inactive => (count(row.inactive), plain),
        Column::Connections => rate(|it| it.connections),
        Column::IncomingPackets => rate(|it| it.incoming_packets),
        Column::OutgoingPackets => rate(|it| it.outgoing_packets),
        Column::IncomingBytes => rate(|it| it.incoming_bytes),
        Column::OutgoingBytes => rate(|it| it.outgoing_bytes),
        Column::Counted => (count(row.stats.connections), plain),
    }
}

/// The overview as lines of text without colours, with all services.
pub(super) fn lines(state: &State, glyphs: Glyphs) -> Vec<String> {
    let sums = state.shown_totals();
    let mut lines = vec![
        format!(
            "{} of {} services, {} down, {} destinations: {} up, {} drained, {} overloaded, {} dead",
            sums.services,
            state.totals().services,
            sums.down,
            sums.count.all(),
            sums.count.up,
            sums.count.drained,
            sums.count.overloaded,
            sums.count.dead
        ),
        format!("{} active, {} inactive connections", sums.active, sums.inactive),
    ];
    let fields: Vec<_> =
        fields(state).into_iter().filter(|field| field.key != Cell::History).collect();
    let rows: Vec<&Row> = state.shown_rows().flatten().collect();
    // Nothing is cut: a script needs whole names.
    let longest = rows.iter().map(|row| labels(state, row).chars().count()).max();
    let longest_label = u16::try_from(longest.unwrap_or_default() * 2).unwrap_or(u16::MAX);
    let widest = rows.iter().map(|row| row.id.to_string().len() + 1).max().unwrap_or_default();
    let fields: Vec<_> = fields
        .into_iter()
        .map(|field| match field.key {
            Cell::Of(Column::Service) => {
                let width = field.width.max(u16::try_from(widest).unwrap_or(u16::MAX));
                Field { width, ..field }
            }
            Cell::Labels => Field { width: longest_label, ..field },
            _ => field,
        })
        .collect();
    lines.push(titles(&fields, None, glyphs));
    let theme = Theme::new(Colors::None);
    for row in rows {
        let line = line(&fields, glyphs, |cell, _| match cell {
            Cell::Of(column) => value(theme, row, None, column),
            Cell::Labels => (labels(state, row), theme.plain()),
            Cell::History => (String::new(), theme.plain()),
        });
        lines.push(line.to_string());
    }
    lines
}
