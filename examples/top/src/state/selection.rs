/// The entry of a list that keys act on. It stays with its entry when the list is sorted anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Selection<K> {
    key: Option<K>,
    /// Where the entry was.
    at: usize,
    /// Whether the entry is not the one that the user selected, because that one is gone.
    is_other: bool,
}

impl<K> Default for Selection<K> {
    fn default() -> Self {
        Self { key: None, at: 0, is_other: false }
    }
}

/// How far to move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// One entry up.
    Up,
    /// One entry down.
    Down,
    /// Half a page up.
    HalfPageUp,
    /// Half a page down.
    HalfPageDown,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// To the first entry.
    First,
    /// To the last entry.
    Last,
}

impl<K: Copy + PartialEq> Selection<K> {
    /// The selected entry.
    #[must_use]
    pub const fn key(&self) -> Option<K> {
        self.key
    }

    /// Where the selected entry is.
    #[must_use]
    pub const fn at(&self) -> usize {
        self.at
    }

    /// Selects an entry.
    pub fn select(&mut self, keys: &[K], at: usize) {
        self.at = at.min(keys.len().saturating_sub(1));
        self.key = keys.get(self.at).copied();
        self.is_other = false;
    }

    /// Whether the selected entry took the place of one that is gone, and the user has not moved since.
    #[must_use]
    pub const fn is_other(&self) -> bool {
        self.is_other
    }

    /// Takes the list as it is now: follows the entry, or takes the one in its place if it is gone.
    pub fn follow(&mut self, keys: &[K]) {
        let at = self.key.and_then(|key| keys.iter().position(|it| *it == key));
        let is_other = self.is_other || (self.key.is_some() && at.is_none());
        self.select(keys, at.unwrap_or(self.at));
        self.is_other = is_other;
    }

    /// Moves the selection. `page` is the number of entries on the screen.
    pub fn step(&mut self, keys: &[K], step: Step, page: usize) {
        let page = page.max(2);
        let at = match step {
            Step::Up => self.at.saturating_sub(1),
            Step::Down => self.at.saturating_add(1),
            Step::HalfPageUp => self.at.saturating_sub(page / 2),
            Step::HalfPageDown => self.at.saturating_add(page / 2),
            Step::PageUp => self.at.saturating_sub(page - 1),
            Step::PageDown => self.at.saturating_add(page - 1),
            Step::First => 0,
            Step::Last => usize::MAX,
        };
        self.select(keys, at);
    }
}

/// Returns the first entry on the screen, so that `at` is on it and `top` moves as little as may be.
#[must_use]
pub fn first_shown(top: usize, at: usize, page: usize, all: usize) -> usize {
    let page = page.max(1);
    let top = top.min(all.saturating_sub(page));
    top.clamp((at + 1).saturating_sub(page), at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_selection_follows_its_entry() {
        let mut selection = Selection::default();
        selection.follow(&['a', 'b', 'c']);
        assert_eq!(selection.key(), Some('a'));
        selection.step(&['a', 'b', 'c'], Step::Down, 10);
        selection.follow(&['b', 'c', 'a']);
        assert_eq!((selection.key(), selection.at()), (Some('b'), 0));
        selection.step(&['b', 'c', 'a'], Step::Last, 10);
        selection.follow(&['b', 'c']);
        assert_eq!(selection.key(), Some('c'));
        selection.follow(&[]);
        assert_eq!(selection.key(), None);
        selection.follow(&['d']);
        assert_eq!(selection.key(), Some('d'));
    }

    proptest! {
        #[test]
        fn the_selected_entry_is_on_the_screen(
            top in 0..100_usize, all in 1..100_usize, at: prop::sample::Index, page in 0..30_usize,
        ) {
            let at = at.index(all);
            let first = first_shown(top, at, page, all);
            prop_assert!(first <= at && at < first + page.max(1));
        }
    }
}
