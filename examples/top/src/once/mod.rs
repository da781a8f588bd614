//! `--once` and `--json`: one reading for scripts.

mod json;
mod text;

use std::io::{self, Write as _};
use std::path::Path;

use crate::Moment;
use crate::manners::Glyphs;
use crate::program::Failure;
use crate::reading::{Source, read, writers};
use crate::screens;
use crate::socket::{self, PATIENCE, Question};
use crate::state::director::{Absence, Answer};
use crate::state::{News, Settings, State, View};

pub use json::to_json;
pub use text::to_text;

/// Reads once, and prints it. What should not be believed of the text stands on standard error.
///
/// # Errors
///
/// The table cannot be read, or the output cannot be written.
pub fn run(
    source: &Source,
    director: Option<&Path>,
    settings: Settings,
    view: View,
    glyphs: Glyphs,
    json: bool,
) -> Result<(), Failure> {
    let now = Moment::now();
    let mut state = State::new(settings, view, now);
    if let Some(path) = director {
        let status = match socket::ask(path, source, Question::Status, PATIENCE) {
            Ok(Answer::Status(status)) => Ok(status),
            Ok(other) => Err(Absence::Failed(format!("{other:?}"))),
            Err(failure) => Err(failure.absence()),
        };
        state.learn(News::Director(now, status));
    }
    state.learn(News::Read(Ok(read(source, now, writers(source))?)));
    // `--json` has keys for these.
    for trouble in screens::troubles(&state).iter().filter(|_| !json) {
        let _ = writeln!(io::stderr(), "ipvs-top: {trouble}");
    }
    let text = if json { to_json(&state) } else { to_text(&state, glyphs) };
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes()).and_then(|()| output.flush()).map_err(Failure::Output)
}
