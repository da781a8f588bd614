//! What has changed, the newest first.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::columns::cut;
use super::{Canvas, header, split_top};
use crate::manners::shown;
use crate::state::State;
use crate::state::clock::time_of_day;

pub(super) fn draw(state: &mut State, canvas: &mut Canvas<'_>, area: Rect) {
    let theme = canvas.manners.theme;
    let glyphs = canvas.manners.glyphs;
    let (first, rest) = split_top(area, 1);
    header::draw(state, "changes", canvas, first);
    let (second, body) = split_top(rest, 1);
    let unseen = state.changes.unseen();
    let since = state.changes.seen_at().unwrap_or(state.now);
    let since = time_of_day(since.clock, state.now.clock, &state.settings.zone);
    canvas.text(second, 0, &format!("{unseen} since the last look at {since}"), theme.heading());
    let page = usize::from(body.height);
    let count = state.changes.iter().len();
    state.page = page;
    state.scroll = state.scroll.min(count.saturating_sub(page));
    for (nth, change) in state.changes.iter().enumerate().skip(state.scroll).take(page) {
        let time = time_of_day(change.at.clock, state.now.clock, &state.settings.zone);
        let is_unseen = state.changes.is_unseen(nth);
        let (mark, style) = if is_unseen { ("*", theme.changed()) } else { (" ", theme.plain()) };
        let text = change.to_string();
        let line = Line::from(vec![
            Span::styled(format!("{mark}{time} "), theme.faint()),
            Span::styled(cut(&shown(&text), body.width.saturating_sub(10), glyphs), style),
        ]);
        let at = u16::try_from(nth - state.scroll).unwrap_or(u16::MAX);
        canvas.line(body, at, &line);
    }
    if count == 0 {
        canvas.text(body, 0, "nothing has changed since the program began", theme.faint());
    }
}
