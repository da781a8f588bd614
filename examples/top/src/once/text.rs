use crate::manners::Glyphs;
use crate::screens::overview_lines;
use crate::state::State;

/// Writes the overview as text: the sums, and a line for each service that is shown.
#[must_use]
pub fn to_text(state: &State, glyphs: Glyphs) -> String {
    let mut text = String::new();
    for line in overview_lines(state, glyphs) {
        text += line.trim_end();
        text.push('\n');
    }
    text
}
