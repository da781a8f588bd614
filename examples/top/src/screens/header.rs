//! The first line of all screens.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::Canvas;
use crate::manners::{Theme, shown};
use crate::state::State;
use crate::state::clock::{length, time_of_day};
use crate::state::director::Director;

/// Draws the title at the left, and the time and how current everything is at the right.
pub(super) fn draw(state: &State, title: &str, canvas: &mut Canvas<'_>, area: Rect) {
    let theme = canvas.manners.theme;
    let now = time_of_day(state.now.clock, state.now.clock, &state.settings.zone);
    let namespace = state.settings.namespace.as_deref().map(|it| format!(" in {}", shown(it)));
    let title = format!("{}{}", shown(title), namespace.unwrap_or_default());
    let (age, style) = match (state.lateness(), &state.failure) {
        (Some(age), _) => (format!("no reading for {}", length(age)), theme.bad()),
        (None, Some(_)) => ("cannot read".to_owned(), theme.bad()),
        (None, None) => (String::new(), theme.plain()),
    };
    let right = if age.is_empty() { now } else { format!("{age}  {now}") };
    let room = usize::from(area.width).saturating_sub(right.chars().count() + 1);
    let room = u16::try_from(room).unwrap_or(u16::MAX);
    let title = super::columns::aligned(&title, room, false, canvas.manners.glyphs);
    let line = Line::from(vec![
        Span::styled(title, theme.title()),
        Span::raw(" "),
        Span::styled(right, style),
    ]);
    canvas.line(area, 0, &line);
}

/// Draws the troubles, and returns the number of lines.
pub(super) fn troubles(state: &State, canvas: &mut Canvas<'_>, area: Rect) -> u16 {
    let lines = trouble_lines(state, canvas.manners.theme);
    // The list is more important than the fourth trouble.
    let count = lines.len().min(3).min(usize::from(area.height / 3));
    let glyphs = canvas.manners.glyphs;
    for (nth, (text, style)) in (0..).zip(lines.iter().take(count)) {
        canvas.text(area, nth, &super::columns::cut(text, area.width, glyphs), *style);
    }
    u16::try_from(count).unwrap_or_default()
}

/// Says what the screen cannot show, or should not be believed, the most important first.
pub(super) fn trouble_lines(state: &State, theme: Theme) -> Vec<(String, Style)> {
    let mut lines = Vec::new();
    if let Some(failure) = &state.failure {
        lines.push((format!("the table cannot be read: {}", shown(failure)), theme.bad()));
    }
    if let Some(reading) = state.reading() {
        if reading.estimation == Some(false) {
            let text = "counters stand still: net.ipv4.vs.run_estimation is 0";
            lines.push((text.to_owned(), theme.warning()));
        }
        if !reading.snapshot.is_complete() {
            let text = "others write the table all the time: entries may be missing";
            lines.push((text.to_owned(), theme.warning()));
        }
    }
    match &state.director {
        Director::Silent { reason, last } => {
            let since = last.as_ref().map(|(at, _)| {
                let at = time_of_day(at.clock, state.now.clock, &state.settings.zone);
                format!(", last at {at}")
            });
            let since = since.unwrap_or_default();
            let text = format!("no answer from the director{since}: {}", shown(reason));
            lines.push((text, theme.bad()));
        }
        Director::Present(_, status) => {
            for trouble in &status.troubles {
                lines.push((format!("director: {}", shown(trouble)), theme.warning()));
            }
        }
        Director::Elsewhere => {
            let text = "the director of the socket is in another network namespace";
            lines.push((text.to_owned(), theme.warning()));
        }
        Director::Unknown | Director::Absent(_) => {}
    }
    lines
}
