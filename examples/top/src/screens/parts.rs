//! Lines of whole parts: a part that does not fit is left out.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::columns::cut;
use crate::manners::Glyphs;

const GAP: u16 = 2;

/// A piece of a line.
#[derive(Clone, Debug)]
pub(super) struct Part {
    spans: Vec<Span<'static>>,
    /// Parts of low rank are the first to have room.
    rank: u8,
}

impl Part {
    pub(super) fn new(text: impl Into<String>, style: Style, rank: u8) -> Self {
        Self { spans: vec![Span::styled(text.into(), style)], rank }
    }

    /// Adds text without a gap.
    pub(super) fn and(mut self, text: impl Into<String>, style: Style) -> Self {
        self.spans.push(Span::styled(text.into(), style));
        self
    }

    fn width(&self) -> u16 {
        let width = self.spans.iter().map(Span::width).sum::<usize>();
        u16::try_from(width).unwrap_or(u16::MAX)
    }
}

/// The width of all parts with the gaps between them.
pub(super) fn width(parts: &[Part]) -> u16 {
    let sum = |sum: u16, part: &Part| sum.saturating_add(part.width()).saturating_add(GAP);
    parts.iter().fold(0, sum).saturating_sub(GAP)
}

/// Joins the parts that fit, in their order. Of a line without room for the most important part there is
/// its beginning.
pub(super) fn joined(parts: &[Part], width: u16, glyphs: Glyphs) -> Line<'static> {
    let mut by_rank: Vec<(usize, &Part)> = parts.iter().enumerate().collect();
    by_rank.sort_by_key(|(at, part)| (part.rank, *at));
    let mut chosen: Vec<usize> = Vec::new();
    let mut used = 0_u16;
    for (at, part) in by_rank {
        let gap = if chosen.is_empty() { 0 } else { GAP };
        let next = used.saturating_add(gap).saturating_add(part.width());
        if next <= width || chosen.is_empty() {
            chosen.push(at);
            used = next;
        }
    }
    let mut spans: Vec<Span<'static>> = Vec::new();
    let kept = parts.iter().enumerate().filter(|(at, _)| chosen.contains(at));
    for (_, part) in kept {
        if !spans.is_empty() {
            spans.push(Span::raw(" ".repeat(usize::from(GAP))));
        }
        spans.extend(part.spans.iter().cloned());
    }
    if used > width {
        let text: String = spans.iter().map(|span| span.content.as_ref()).collect();
        let style = spans.first().map(|span| span.style).unwrap_or_default();
        return Line::styled(cut(&text, width, glyphs), style);
    }
    Line::from(spans)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_whole_or_left_out() {
        let part = |text: &str, rank| Part::new(text, Style::new(), rank);
        let parts = [part("a long one", 2), part("first", 0), part("two", 1), part("x", 3)];
        let of = |width| joined(&parts, width, Glyphs::Unicode).to_string();
        assert_eq!(width(&parts), 25);
        assert_eq!(of(25), "a long one  first  two  x");
        assert_eq!(of(24), "a long one  first  two");
        assert_eq!(of(21), "first  two  x");
        assert_eq!(of(9), "first  x");
        assert_eq!(of(5), "first");
        assert_eq!(of(4), "fir…");
        assert_eq!(joined(&[], 4, Glyphs::Unicode).to_string(), "");
    }
}
