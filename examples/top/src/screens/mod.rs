//! How the state looks on a screen of any size.

mod bar;
mod changes;
mod columns;
mod connections;
mod dialog;
mod footer;
mod header;
mod help;
pub(crate) mod numbers;
mod overview;
mod parts;
mod service;
#[cfg(test)]
mod tests;
mod traffic;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use crate::manners::{Colors, Glyphs, Manners, Theme};
use crate::state::{Mode, Screen, State};

/// The smallest screen that shows more than a line.
const SMALLEST: (u16, u16) = (20, 6);

/// Draws the state. Notes in it how many entries the screen has, for keys that move by pages.
pub fn draw(state: &mut State, manners: Manners, frame: &mut Frame<'_>) {
    let area = frame.area();
    let canvas = &mut Canvas { buffer: frame.buffer_mut(), manners };
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        canvas.text(area, 0, "too small", manners.theme.bad());
        if let Mode::Confirm(proposal) = &mut state.mode {
            proposal.is_shown = false;
        }
        return;
    }
    let (body, last) = split_bottom(area, 1);
    if let Mode::Help(top) = state.mode {
        let top = help::draw(state, top, canvas, body);
        state.mode = Mode::Help(top);
    } else {
        match state.screen() {
            Screen::Overview => overview::draw(state, canvas, body),
            Screen::Service(id) => service::draw(state, id, canvas, body),
            Screen::Connections(place) => connections::draw(state, place, canvas, body),
            Screen::Changes => changes::draw(state, canvas, body),
        }
    }
    if let Mode::Confirm(proposal) = &mut state.mode {
        proposal.is_shown = dialog::draw(&proposal.question, canvas, body);
    }
    footer::draw(state, canvas, last);
}

/// The overview as lines of text without colours, with all services.
#[must_use]
pub fn overview_lines(state: &State, glyphs: Glyphs) -> Vec<String> {
    overview::lines(state, glyphs)
}

/// What should not be believed of a reading, the most important first.
#[must_use]
pub fn troubles(state: &State) -> Vec<String> {
    let lines = header::trouble_lines(state, Theme::new(Colors::None));
    lines.into_iter().map(|(text, _)| text).collect()
}

/// Where lines are drawn.
struct Canvas<'b> {
    buffer: &'b mut Buffer,
    manners: Manners,
}

impl Canvas<'_> {
    /// Draws a line of an area, if the area has it.
    fn line(&mut self, area: Rect, nth: u16, line: &Line<'_>) {
        if nth < area.height {
            self.buffer.set_line(area.x, area.y + nth, line, area.width);
        }
    }

    /// Draws a text in one style.
    fn text(&mut self, area: Rect, nth: u16, text: &str, style: Style) {
        self.line(area, nth, &Line::styled(text, style));
    }

    /// Draws a line whose style reaches to the right end.
    fn bar(&mut self, area: Rect, nth: u16, line: &Line<'_>, style: Style) {
        if nth < area.height {
            self.line(area, nth, line);
            let row = Rect { y: area.y + nth, height: 1, ..area };
            self.buffer.set_style(row, style);
        }
    }
}

/// Splits so many lines off the top.
fn split_top(area: Rect, lines: u16) -> (Rect, Rect) {
    let lines = lines.min(area.height);
    let top = Rect { height: lines, ..area };
    (top, Rect { y: area.y + lines, height: area.height - lines, ..area })
}

/// Splits so many lines off the bottom.
fn split_bottom(area: Rect, lines: u16) -> (Rect, Rect) {
    split_top(area, area.height.saturating_sub(lines))
}
