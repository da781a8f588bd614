//! How the program behaves on a terminal: colours, characters, and what is never shown.

mod glyphs;
mod shown;
mod theme;

pub use glyphs::Glyphs;
pub use shown::{LONGEST as LONGEST_SHOWN, is_harmless, shown};
pub use theme::{Colors, Theme};

/// How everything looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Manners {
    /// The styles.
    pub theme: Theme,
    /// The characters.
    pub glyphs: Glyphs,
}
