//! A question in a box.

use ratatui::layout::Rect;
use ratatui::symbols::border;
use ratatui::widgets::{Block, Clear, Widget as _};
use unicode_width::UnicodeWidthStr as _;

use super::Canvas;
use super::columns::{cut, wrapped};
use crate::manners::{Glyphs, shown};

const ASCII: border::Set<'static> = border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};

/// Draws the question. Returns whether all of it is on the screen.
pub(super) fn draw(lines: &[String], canvas: &mut Canvas<'_>, area: Rect) -> bool {
    let theme = canvas.manners.theme;
    let glyphs = canvas.manners.glyphs;
    let room = usize::from(area.width).saturating_sub(4);
    let texts: Vec<_> = lines.iter().flat_map(|line| wrapped(&shown(line), room)).collect();
    let is_whole = texts.len() + 4 <= usize::from(area.height);
    let answer = if is_whole { "y yes   n no" } else { "n no: too small to ask" };
    let widest = texts.iter().map(|text| text.width()).max().unwrap_or_default();
    let width = u16::try_from(widest.max(answer.len()) + 4).unwrap_or(u16::MAX).min(area.width);
    let height = u16::try_from(texts.len() + 4).unwrap_or(u16::MAX).min(area.height);
    let place = Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 2,
        width,
        height,
    };
    Clear.render(place, canvas.buffer);
    let borders = match glyphs {
        Glyphs::Unicode => border::PLAIN,
        Glyphs::Ascii => ASCII,
    };
    Block::bordered()
        .border_set(borders)
        .border_style(theme.warning())
        .render(place, canvas.buffer);
    let inside = Rect {
        x: place.x + 2,
        y: place.y + 1,
        width: width.saturating_sub(4),
        height: height.saturating_sub(2),
    };
    for (nth, text) in (0..).zip(&texts) {
        canvas.text(inside, nth, &cut(text, inside.width, glyphs), theme.plain());
    }
    let last = inside.height.saturating_sub(1);
    canvas.text(inside, last, &format!("{answer:w$}", w = inside.width.into()), theme.key());
    is_whole
}
