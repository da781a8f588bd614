//! Which columns of a list fit the screen, and their lines.

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthChar as _;

use crate::manners::Glyphs;

/// A column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<K> {
    pub(crate) key: K,
    pub(crate) title: &'static str,
    /// The width at least.
    pub(crate) width: u16,
    /// Whether texts stand at the right.
    pub(crate) right: bool,
    /// Which columns go first where not all fit: those with the highest number. 0 stays.
    pub(crate) rank: u8,
    /// How much wider the column becomes where there is room.
    pub(crate) stretch: u16,
}

/// Returns the columns that fit, with their widths. `wanted` is never left out.
pub(crate) fn fit<K: Copy + PartialEq>(
    fields: &[Field<K>],
    wanted: Option<K>,
    width: u16,
) -> Vec<Field<K>> {
    let mut chosen: Vec<Field<K>> = fields.to_vec();
    let sum = |chosen: &[Field<K>]| {
        let gaps = u16::try_from(chosen.len()).unwrap_or(u16::MAX).saturating_sub(1);
        chosen.iter().fold(gaps, |sum, field| sum.saturating_add(field.width))
    };
    while sum(&chosen) > width {
        let may_go = chosen.iter().enumerate();
        let may_go = may_go.filter(|(_, field)| field.rank > 0 && Some(field.key) != wanted);
        // Of equal ones the last goes first.
        match may_go.max_by_key(|(at, field)| (field.rank, *at)).map(|(at, _)| at) {
            Some(at) => chosen.remove(at),
            None => break,
        };
    }
    let mut left = width.saturating_sub(sum(&chosen));
    for field in &mut chosen {
        let more = field.stretch.min(left);
        field.width += more;
        left -= more;
    }
    chosen
}

/// Writes the line of titles. The sorted column has an arrow.
pub(crate) fn titles<K: Copy + PartialEq>(
    fields: &[Field<K>],
    sorted: Option<(K, bool)>,
    glyphs: Glyphs,
) -> String {
    let title = |field: &Field<K>| {
        let mut title = field.title.to_owned();
        if let Some((_, descending)) = sorted.filter(|(key, _)| *key == field.key) {
            title.push(glyphs.sorted(descending));
        }
        aligned(&title, field.width, field.right, glyphs)
    };
    fields.iter().map(title).collect::<Vec<_>>().join(" ")
}

/// Writes a line of a list.
pub(crate) fn line<K: Copy>(
    fields: &[Field<K>],
    glyphs: Glyphs,
    mut cell: impl FnMut(K, u16) -> (String, Style),
) -> Line<'static> {
    let mut spans = Vec::with_capacity(fields.len() * 2);
    for field in fields {
        if !spans.is_empty() {
            spans.push(Span::raw(" "));
        }
        let (text, style) = cell(field.key, field.width);
        spans.push(Span::styled(aligned(&text, field.width, field.right, glyphs), style));
    }
    Line::from(spans)
}

/// Cuts or fills a text to a width.
pub(crate) fn aligned(text: &str, width: u16, right: bool, glyphs: Glyphs) -> String {
    let text = cut(text, width, glyphs);
    let missing = usize::from(width).saturating_sub(columns(&text));
    let space = " ".repeat(missing);
    if right { space + &text } else { text + &space }
}

/// Cuts a text to a width. A mark at the end says that it was cut.
pub(crate) fn cut(text: &str, width: u16, glyphs: Glyphs) -> String {
    let width = usize::from(width);
    if columns(text) <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 0;
    for character in text.chars() {
        let next = character.width().unwrap_or_default();
        if used + next + 1 > width {
            break;
        }
        kept.push(character);
        used += next;
    }
    if width > 0 {
        kept.push(glyphs.cut());
    }
    kept
}

/// Cuts a text to a width, and keeps its end.
pub(crate) fn end_of(text: &str, width: u16, glyphs: Glyphs) -> String {
    let width = usize::from(width);
    if columns(text) <= width {
        return text.to_owned();
    }
    let mut used = 0;
    let fits = |character: &char| {
        used += character.width().unwrap_or_default();
        used < width
    };
    let mut kept: Vec<char> = text.chars().rev().take_while(fits).collect();
    if width > 0 {
        kept.push(glyphs.cut());
    }
    kept.iter().rev().collect()
}

/// Breaks a line at blanks, so that its pieces fit a width.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let mut word = word.to_owned();
        while columns(&word) > width.max(2) {
            // A word that is too long is broken at its end of the line.
            let mut used = 0;
            let fits = |character: &char| {
                used += character.width().unwrap_or_default();
                used <= width.max(2)
            };
            let piece: String = word.chars().take_while(fits).collect();
            word.drain(..piece.len());
            lines.push(piece);
        }
        let Some(line) = lines.last_mut() else { break };
        if !line.is_empty() && columns(line) + 1 + columns(&word) > width {
            lines.push(word);
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&word);
        }
    }
    lines
}

fn columns(text: &str) -> usize {
    text.chars().map(|it| it.width().unwrap_or_default()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn field(key: char, width: u16, rank: u8, stretch: u16) -> Field<char> {
        Field { key, title: "T", width, right: false, rank, stretch }
    }

    #[test]
    fn columns_of_low_rank_go_first() {
        let fields = [field('a', 5, 0, 3), field('b', 5, 1, 0), field('c', 5, 2, 0)];
        let keys = |wanted, width| -> Vec<(char, u16)> {
            fit(&fields, wanted, width).iter().map(|it| (it.key, it.width)).collect()
        };
        assert_eq!(keys(None, 17), [('a', 5), ('b', 5), ('c', 5)]);
        assert_eq!(keys(None, 16), [('a', 8), ('b', 5)]);
        assert_eq!(keys(Some('c'), 11), [('a', 5), ('c', 5)]);
        assert_eq!(keys(None, 3), [('a', 5)]);
    }

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(aligned("港", 4, false, Glyphs::Unicode), "港  ");
        assert_eq!(aligned("港港港", 4, true, Glyphs::Unicode), " 港…");
        assert_eq!(cut("abc", 0, Glyphs::Ascii), "");
        assert_eq!(end_of("abcdef", 4, Glyphs::Unicode), "…def");
        assert_eq!(end_of("港港港", 4, Glyphs::Unicode), "…港");
        assert_eq!(end_of("abc", 3, Glyphs::Unicode), "abc");
        assert_eq!(end_of("abc", 0, Glyphs::Unicode), "");
    }
}
