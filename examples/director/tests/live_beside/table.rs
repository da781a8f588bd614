//! What was measured, as a table in Markdown.

use std::fmt::{Display, Write as _};
use std::time::Duration;

use crate::scene::Measured;

type Row = (&'static str, fn(&Measured) -> String);

const ROWS: [Row; 13] = [
    ("a kill until it is out, s", |it| seconds(&it.out)),
    ("failed connections a kill", |it| counts(&it.failed)),
    ("alive until it is back, s", |it| seconds(&it.back)),
    ("a silent server until it is out, s", |it| seconds(&it.silent)),
    ("all dead until the sorry server is in, s", |it| seconds(&it.sorry)),
    ("failed connections until then", |it| counts(&it.failed_until_sorry)),
    ("table without a server then", |it| empty(&it.empty_at_death)),
    ("table without a server at the recovery", |it| empty(&it.empty_at_recovery)),
    ("failed at the recovery", |it| counts(&it.failed_at_recovery)),
    ("failed at a reload that adds a dead server", |it| it.failed_at_reload.to_string()),
    ("failed at a stop and start, one server dead", |it| it.failed_at_restart.to_string()),
    ("failed at kill -9 and start, one server dead", |it| it.failed_at_kill.to_string()),
    ("failed of all connections", |it| format!("{} of {}", it.failed_in_all, it.connections)),
];

/// The table: a column for each daemon and each way to check.
pub(crate) fn markdown(columns: &[(&str, Vec<Measured>)]) -> String {
    let mut text = "|".to_owned();
    let sides = || columns.iter().flat_map(|(name, all)| all.iter().map(move |it| (name, it)));
    for (name, measured) in sides() {
        write!(text, " | {name}: {}", measured.name).unwrap();
    }
    text += " |\n| ---";
    text += &" | ---".repeat(sides().count());
    text += " |\n";
    for (what, of) in ROWS {
        write!(text, "| {what}").unwrap();
        for (_, measured) in sides() {
            write!(text, " | {}", of(measured)).unwrap();
        }
        text += " |\n";
    }
    text
}

/// The least, the middle one and the most.
fn spread<T: Copy + Ord, S: Display>(all: &[T], shown: impl Fn(T) -> S) -> String {
    let mut all = all.to_vec();
    all.sort_unstable();
    let (Some(least), Some(most)) = (all.first(), all.last()) else { return "-".to_owned() };
    match all.len() {
        1 => format!("{}", shown(*least)),
        _ => format!("{} / {} / {}", shown(*least), shown(all[all.len() / 2]), shown(*most)),
    }
}

fn seconds(all: &[Duration]) -> String {
    spread(all, |time| format!("{:.2}", time.as_secs_f64()))
}

fn counts(all: &[usize]) -> String {
    spread(all, |count| count)
}

/// How often there was such a time, and the longest.
fn empty(all: &[Duration]) -> String {
    let times = all.iter().filter(|time| !time.is_zero()).count();
    let longest = all.iter().max().copied().unwrap_or_default();
    match times {
        0 => format!("0 of {}", all.len()),
        _ => format!("{times} of {}, up to {:.1} ms", all.len(), 1000.0 * longest.as_secs_f64()),
    }
}
