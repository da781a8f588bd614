use std::fmt::Write as _;

use ipvs_netlink::ServiceSnapshot;
use ipvs_netlink::table::Labels;

use crate::manners;
use crate::state::Row;

/// How many characters a filter has at most.
pub const LONGEST: usize = 100;

/// Which services are shown: those that have all words of a text.
///
/// A word is a part of the service, of its scheduler, of a label or of a destination, in any case; or `up`,
/// `drained`, `overloaded` or `dead`, for services with such a destination; or `down`, for services without
/// a destination that takes clients.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    text: String,
    words: Vec<String>,
}

impl Filter {
    /// Creates a filter from what a user typed. What is not text is left out.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let text: String =
            text.chars().filter(|it| manners::is_harmless(*it)).take(LONGEST).collect();
        let words = text.split_whitespace().map(str::to_lowercase).collect();
        Self { text, words }
    }

    /// The text, as it was typed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether all services are shown.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Whether a service has all words. `scratch` is overwritten.
    #[must_use]
    pub fn matches(
        &self,
        row: &Row,
        service: &ServiceSnapshot,
        labels: Option<&Labels>,
        scratch: &mut String,
    ) -> bool {
        self.words.iter().all(|word| {
            let counted = match word.as_str() {
                "up" => row.count.up,
                "drained" => row.count.drained,
                "overloaded" => row.count.overloaded,
                "dead" => row.count.dead,
                "down" => u32::from(row.count.is_down()),
                _ => 0,
            };
            let has_text = |text: &str| text.to_lowercase().contains(word.as_str());
            let mut has = |text: &dyn std::fmt::Display| {
                scratch.clear();
                let _ = write!(scratch, "{text}");
                scratch.make_ascii_lowercase();
                scratch.contains(word.as_str())
            };
            counted > 0
                || has(&row.id)
                || has(&row.scheduler)
                || labels.is_some_and(|labels| labels.iter().any(|(_, text)| has_text(text)))
                || service.destinations.iter().any(|entry| has(&entry.id()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_holds_text_only() {
        let filter = Filter::new("tcp\u{1b}[2J \u{202e}80");
        assert_eq!(filter.text(), "tcp[2J 80");
        assert_eq!(Filter::new(&"x".repeat(1000)).text().len(), LONGEST);
        assert!(Filter::new("  ").is_empty());
    }
}
