//! The table of the destinations of a service.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::status::text::{Clock, View, colour, reason};
use crate::status::{DestinationState, DestinationStatus, ServiceStatus};

/// The least columns for the reason beside the numbers. With less it has lines of its own.
const LEAST: usize = 26;

const HEADINGS: [&str; 5] = ["DESTINATION", "WEIGHT", "TABLE", "ACTIVE", "INACTIVE"];

/// Appends the destinations of a service, the worst state first.
pub(super) fn write(service: &ServiceStatus, view: &View, out: &mut String) {
    let shown = |destination: &&DestinationStatus| {
        let is_well = destination.state == DestinationState::Up && destination.signs.is_empty();
        !view.only_troubles || !is_well
    };
    let mut destinations: Vec<_> = service.destinations.iter().filter(shown).collect();
    if destinations.is_empty() {
        return;
    }
    // Stable: destinations alike stay in the order of their ids.
    destinations.sort_by_key(|destination| {
        DestinationState::ALL.iter().position(|state| *state == destination.state)
    });
    let rows: Vec<Row> = destinations.iter().map(|it| row(it, &view.clock)).collect();
    let mut widths = HEADINGS.map(str::len);
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(&row.cells) {
            *width = cell.len().max(*width);
        }
    }
    // Two blanks before the first column, one before each of the numbers, two before the reason.
    let left = 2 + widths.iter().sum::<usize>() + 4 + 2;
    let is_beside = view.width.is_none_or(|width| left + LEAST <= width);
    let indent = if is_beside { left } else { 6 };
    numbers(out, &HEADINGS.map(str::to_owned), &widths);
    out.push_str(if is_beside { "  STATE\n" } else { "\n" });
    for row in &rows {
        numbers(out, &row.cells, &widths);
        let pieces = broken(&row.reason, view.width, if is_beside { left } else { indent }, indent);
        for (number, piece) in pieces.iter().enumerate() {
            match (number, is_beside) {
                (0, true) => out.push_str("  "),
                (0, false) => out.push_str("\n      "),
                _ => out.extend(std::iter::repeat_n(' ', indent)),
            }
            view.paint(out, piece, Some(row.colour));
            out.push('\n');
        }
    }
}

struct Row {
    cells: [String; 5],
    reason: String,
    colour: &'static str,
}

fn row(destination: &DestinationStatus, clock: &Clock) -> Row {
    let or_none = |number: Option<u32>| number.map_or_else(|| "-".to_owned(), |it| it.to_string());
    let cells = [
        destination.id.to_string(),
        destination.weight.to_string(),
        or_none(destination.in_table),
        or_none(destination.connections.map(|all| all.active)),
        or_none(destination.connections.map(|all| all.inactive)),
    ];
    Row { cells, reason: reason::of(destination, clock), colour: colour(destination.state) }
}

fn numbers(out: &mut String, cells: &[String; 5], widths: &[usize; 5]) {
    let [destination, numbers @ ..] = cells;
    let [first, others @ ..] = widths;
    out.push_str(&format!("  {destination:first$}"));
    for (cell, width) in numbers.iter().zip(others) {
        out.push_str(&format!(" {cell:>width$}"));
    }
}

/// Breaks a text at blanks, so that its first line fits behind `begin` columns of the terminal and
/// the others behind `indent`. A word that is too long is broken, too.
pub(super) fn broken(text: &str, width: Option<usize>, begin: usize, indent: usize) -> Vec<String> {
    let Some(width) = width else { return vec![text.to_owned()] };
    let room =
        |number: usize| width.saturating_sub(if number == 0 { begin } else { indent }).max(10);
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ') {
        let length = word.width();
        let blank = usize::from(used > 0);
        if used > 0 && used + blank + length > room(lines.len() - 1) {
            lines.push(String::new());
            used = 0;
        } else if blank > 0 {
            push(&mut lines, ' ');
            used += 1;
        }
        for character in word.chars() {
            let columns = character.width().unwrap_or(0);
            if used + columns > room(lines.len() - 1) {
                lines.push(String::new());
                used = 0;
            }
            push(&mut lines, character);
            used += columns;
        }
    }
    lines
}

fn push(lines: &mut [String], character: char) {
    if let Some(last) = lines.last_mut() {
        last.push(character);
    }
}
