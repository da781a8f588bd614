//! Bars and histories.

use crate::manners::Glyphs;

/// Draws a share as a bar of `width` cells, with a mark where the promised share ends.
#[must_use]
pub(crate) fn share(glyphs: Glyphs, share: f64, promised: Option<f64>, width: u16) -> String {
    let width = usize::from(width);
    let eighths = eighths_of(share, width);
    let mut cells: Vec<char> = (0..width)
        .map(|cell| {
            let filled = eighths.saturating_sub(cell * 8).min(8);
            glyphs.filling(u8::try_from(filled).unwrap_or(8))
        })
        .collect();
    if let Some(promised) = promised.filter(|it| *it > 0.0) {
        let at = eighths_of(promised, width).div_ceil(8).saturating_sub(1);
        if let Some(cell) = cells.get_mut(at) {
            *cell = glyphs.mark();
        }
    }
    cells.into_iter().collect()
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a few cells"
)]
#[allow(clippy::cast_precision_loss, reason = "a share of a few cells")]
fn eighths_of(share: f64, width: usize) -> usize {
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    (share * width as f64 * 8.0).round() as usize
}

/// Draws the last `width` points, the newest at the right. The highest point fills its cell.
#[must_use]
pub(crate) fn history(
    glyphs: Glyphs,
    points: impl DoubleEndedIterator<Item = f32>,
    width: u16,
) -> String {
    let mut last: Vec<f32> = points.rev().take(usize::from(width)).collect();
    last.reverse();
    let highest = last.iter().copied().fold(0.0, f32::max);
    let cell = |point: &f32| glyphs.rising(height(*point, highest));
    last.iter().map(cell).collect()
}

/// Returns a height of 0 to 8. Anything above 0 is seen.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 1 and 8")]
fn height(point: f32, highest: f32) -> u8 {
    if point <= 0.0 || highest <= 0.0 {
        return 0;
    }
    (point / highest * 8.0).round().clamp(1.0, 8.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_has_its_mark() {
        let of = |actual, promised| share(Glyphs::Unicode, actual, promised, 8);
        assert_eq!(of(0.5, None), "████    ");
        assert_eq!(of(0.5, Some(0.5)), "███│    ");
        assert_eq!(of(0.0, Some(1.0)), "       │");
        assert_eq!(of(1.0, Some(0.0)), "████████");
        assert_eq!(of(f64::NAN, None), "        ");
        assert_eq!(share(Glyphs::Ascii, 0.75, Some(0.25), 8), "#|####  ");
        assert_eq!(share(Glyphs::Unicode, 1.0, Some(1.0), 0), "");
    }

    #[test]
    fn the_newest_points_are_shown() {
        let of = |points: &[f32], width| history(Glyphs::Unicode, points.iter().copied(), width);
        assert_eq!(of(&[0.0, 1.0, 4.0, 8.0], 3), "▁▄█");
        assert_eq!(of(&[0.0, 0.0], 5), "  ");
        assert_eq!(of(&[0.001, 100.0], 5), "▁█");
    }
}
