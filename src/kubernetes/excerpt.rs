//! Bounded texts of objects, for reasons.

/// The longest excerpt, in bytes.
const LONGEST: usize = 100;

/// The beginning of a text from outside.
pub(crate) struct Excerpt<'t> {
    beginning: &'t str,
    whole: bool,
}

impl<'t> Excerpt<'t> {
    pub(crate) fn of(text: &'t str) -> Self {
        let end = (0..=LONGEST.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
        let beginning = text.get(..end.unwrap_or(0)).unwrap_or_default();
        Self { beginning, whole: beginning.len() == text.len() }
    }

    /// Returns the text in quotes, with escapes for control characters.
    pub(crate) fn quoted(&self) -> String {
        format!("{:?}{}", self.beginning, if self.whole { "" } else { "..." })
    }

    /// Returns the beginning alone.
    pub(crate) const fn beginning(&self) -> &'t str {
        self.beginning
    }
}

#[cfg(test)]
mod tests {
    use super::Excerpt;

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(Excerpt::of("a\nb").quoted(), "\"a\\nb\"");
        let long = "\u{20ac}".repeat(1000);
        let excerpt = Excerpt::of(&long);
        assert_eq!(excerpt.beginning().len(), 99);
        assert!(excerpt.quoted().ends_with("\"..."));
    }
}
