/// The characters of bars and marks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Glyphs {
    /// Block elements and arrows.
    #[default]
    Unicode,
    /// ASCII only, for terminals in another locale than UTF-8.
    Ascii,
}

/// Eighths of a cell, from the bottom and from the left.
const RISING: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const FILLING: [char; 9] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];
const ASCII_RISING: [char; 9] = [' ', '.', '.', ':', ':', '-', '=', '+', '#'];
const ASCII_FILLING: [char; 9] = [' ', ' ', ' ', ' ', '-', '-', '-', '-', '#'];

impl Glyphs {
    /// Chooses by the locale: the first of `LC_ALL`, `LC_CTYPE` and `LANG` that is set decides.
    #[must_use]
    pub fn of_environment(values: [Option<&str>; 3]) -> Self {
        let locale = values.into_iter().flatten().find(|it| !it.is_empty()).unwrap_or_default();
        let locale = locale.to_ascii_lowercase();
        match locale.contains("utf-8") || locale.contains("utf8") {
            true => Self::Unicode,
            false => Self::Ascii,
        }
    }

    /// A cell that is filled from the bottom by so many eighths.
    #[must_use]
    pub fn rising(self, eighths: u8) -> char {
        let cells = if self == Self::Unicode { RISING } else { ASCII_RISING };
        cells.get(usize::from(eighths)).copied().unwrap_or('#')
    }

    /// A cell that is filled from the left by so many eighths.
    #[must_use]
    pub fn filling(self, eighths: u8) -> char {
        let cells = if self == Self::Unicode { FILLING } else { ASCII_FILLING };
        cells.get(usize::from(eighths)).copied().unwrap_or('#')
    }

    /// The mark of a bar: where it should end.
    #[must_use]
    pub const fn mark(self) -> char {
        match self {
            Self::Unicode => '│',
            Self::Ascii => '|',
        }
    }

    /// The direction of a sorted column.
    #[must_use]
    pub const fn sorted(self, descending: bool) -> char {
        match (self, descending) {
            (Self::Unicode, true) => '↓',
            (Self::Unicode, false) => '↑',
            (Self::Ascii, true) => 'v',
            (Self::Ascii, false) => '^',
        }
    }

    /// What stands for text that was cut.
    #[must_use]
    pub const fn cut(self) -> char {
        match self {
            Self::Unicode => '…',
            Self::Ascii => '~',
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locale_chooses() {
        let of = Glyphs::of_environment;
        assert_eq!(of([None, None, Some("en_US.UTF-8")]), Glyphs::Unicode);
        assert_eq!(of([Some("C.utf8"), None, Some("C")]), Glyphs::Unicode);
        assert_eq!(of([Some("C"), None, Some("en_US.UTF-8")]), Glyphs::Ascii);
        assert_eq!(of([Some(""), Some(""), Some("")]), Glyphs::Ascii);
        assert_eq!(of([None; 3]), Glyphs::Ascii);
    }

    #[test]
    fn ascii_is_ascii() {
        for eighths in 0..=9 {
            assert!(Glyphs::Ascii.rising(eighths).is_ascii());
            assert!(Glyphs::Ascii.filling(eighths).is_ascii());
        }
        assert!(Glyphs::Ascii.mark().is_ascii() && Glyphs::Ascii.cut().is_ascii());
    }
}
