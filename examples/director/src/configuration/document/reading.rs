//! Reads values of a tree, and collects everything that is wrong with them.

use std::collections::HashSet;
use std::fmt::Display;

use serde::de::DeserializeOwned;

use super::super::tree::{Fault, Finding, Id, Reader, Said, Step, Tree, Value, quoted};
use super::certificates::Files;

/// The most findings that are kept. After as many errors the rest of the file is not looked at.
const MOST: usize = 10_000;

/// The most values that are read again after something wrong was taken out of them.
const AGAIN: usize = 2_000_000;

/// Keys that stand beside those of the library, by a key that only that mapping has.
const BESIDE: [(&str, &[&str]); 5] = [
    ("destinations", &["checks", "pace", "combination", "policy", "commands"]),
    ("initial_weight", &["checks", "pace", "combination"]),
    ("scheduler", &["checks", "pace", "combination", "policy", "commands"]),
    ("through", &["pace"]),
    ("authorities", &["authorities_file", "client_certificate_file", "client_key_file"]),
];

/// A tree that is being read, with what was found.
#[derive(Debug)]
pub(super) struct Reading<'t> {
    pub(super) tree: Tree<'t>,
    pub(super) errors: Findings,
    pub(super) warnings: Findings,
    pub(super) files: Files,
    again: usize,
}

#[derive(Debug, Default)]
pub(in super::super) struct Findings {
    pub(in super::super) kept: Vec<Finding>,
    pub(in super::super) others: usize,
}

impl Findings {
    pub(in super::super) fn push(&mut self, finding: Finding) {
        match self.kept.len() < MOST {
            true => self.kept.push(finding),
            false => self.others += 1,
        }
    }

    /// Returns `true` if so much is wrong that the rest is not looked at.
    pub(in super::super) const fn is_full(&self) -> bool {
        self.kept.len() >= MOST
    }

    pub(super) const fn count(&self) -> usize {
        self.kept.len() + self.others
    }

    pub(in super::super) const fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }
}

/// Where a fault is told.
pub(super) enum Told {
    /// At its own place.
    Here,
    /// At a place of the caller's choice.
    At(u32),
    /// Nowhere: the fault is told elsewhere, or follows from another one.
    Nowhere,
}

impl<'t> Reading<'t> {
    pub(super) const fn new(tree: Tree<'t>, errors: Findings, files: Files) -> Self {
        let warnings = Findings { kept: Vec::new(), others: 0 };
        Self { tree, errors, warnings, files, again: 0 }
    }

    pub(super) fn error(&mut self, at: u32, text: impl Display) {
        self.errors.push(Finding::new(at, text.to_string()));
    }

    pub(super) fn warn(&mut self, at: u32, text: impl Display) {
        self.warnings.push(Finding::new(at, text.to_string()));
    }

    /// Tells that a value is not what is expected.
    pub(super) fn unexpected(&mut self, id: Id, expected: &str) {
        let found = match &self.tree.node(id).value {
            Value::Null => "nothing".to_owned(),
            Value::Truth(truth) => truth.to_string(),
            Value::Unsigned(number) => number.to_string(),
            Value::Signed(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            Value::Text(text) => quoted(text),
            Value::Other(words) => (*words).to_owned(),
            Value::List(_) => "a list".to_owned(),
            Value::Mapping(_) => "a mapping".to_owned(),
        };
        self.error(self.tree.at(id), format_args!("found {found}, expected {expected}"));
    }

    /// Reads a value once, and tells nothing.
    pub(super) fn try_read<T: DeserializeOwned>(&self, id: Id) -> Result<T, Fault> {
        T::deserialize(Reader { tree: &self.tree, id })
    }

    /// Reads a value, and tells everything that is wrong with it. The result is what remains of the
    /// value without that, or `None` if nothing does.
    pub(super) fn read<T: DeserializeOwned>(&mut self, id: Id) -> Option<T> {
        self.read_and_clean(id, |_| Told::Here).map(|(value, _)| value)
    }

    /// Reads a value, and takes out what is wrong until nothing is. Returns also the value of the tree
    /// that was read at last.
    pub(super) fn read_and_clean<T: DeserializeOwned>(
        &mut self,
        mut root: Id,
        told: impl Fn(&[Step]) -> Told,
    ) -> Option<(T, Id)> {
        let mut damaged = HashSet::new();
        loop {
            let mut fault = match self.try_read(root) {
                Ok(value) => return Some((value, root)),
                Err(fault) => fault,
            };
            // A fault of a mapping that something was taken out of may follow from that.
            let mut follows = false;
            if let Some(id) = fault.at {
                match self.entry_named(id, &fault.said) {
                    Some((position, value)) => {
                        fault.path.insert(0, Step { container: id, position });
                        fault.at = Some(value);
                    }
                    None => follows = damaged.contains(&id),
                }
            }
            if !follows {
                let at = self.tree.at(fault.at.unwrap_or(root));
                match told(&fault.path) {
                    Told::Here => self.error(at, words(&fault.said)),
                    Told::At(place) => self.error(place, words(&fault.said)),
                    Told::Nowhere => {}
                }
            }
            self.again += self.tree.size(root);
            if self.again > AGAIN {
                return None;
            }
            root = self.tree.without(&fault.path, &mut damaged)?;
        }
    }

    /// Finds the entry of a mapping that a message begins with: `weight` in `weight 5: must be 4`.
    fn entry_named(&self, id: Id, said: &Said) -> Option<(usize, Id)> {
        let Said::Text(text) = said else { return None };
        let mut text = text.as_str();
        while text.starts_with("service ") || text.starts_with("destination ") {
            text = text.split_once(": ")?.1;
        }
        let name = text.split([' ', ':']).next()?;
        let mut entries = self.tree.entries(id)?.enumerate();
        let (position, (_, value)) =
            entries.find(|(_, (key, _))| self.tree.text(*key) == Some(name))?;
        Some((position, value))
    }

    /// Takes keys out of a mapping. Returns the mapping without them, and their values.
    pub(super) fn split<const N: usize>(
        &mut self,
        id: Id,
        keys: [&str; N],
    ) -> (Id, [Option<Id>; N]) {
        let mut values = [None; N];
        let Some(entries) = self.tree.entries(id) else { return (id, values) };
        let mut rest = Vec::with_capacity(entries.len());
        let count = entries.len();
        for (key, value) in entries {
            let name = self.tree.text(key).unwrap_or_default();
            match keys.iter().zip(&mut values).find(|(key, _)| **key == name) {
                Some((_, place)) => *place = Some(value),
                None => rest.push((key, value)),
            }
        }
        match rest.len() == count {
            true => (id, values),
            false => (self.tree.mapping(self.tree.at(id), &rest), values),
        }
    }

    /// Merges mappings key by key. Later ones win.
    pub(super) fn merged(&mut self, layers: &[Id]) -> Option<Id> {
        let (last, before) = layers.split_last()?;
        if before.is_empty() {
            return Some(*last);
        }
        let mut all: Vec<(Id, Id)> = Vec::new();
        for layer in layers {
            for (key, value) in self.tree.entries(*layer)? {
                let name = self.tree.text(key);
                match all.iter_mut().find(|(other, _)| self.tree.text(*other) == name) {
                    Some(entry) => *entry = (key, value),
                    None => all.push((key, value)),
                }
            }
        }
        Some(self.tree.mapping(self.tree.at(*last), &all))
    }

    /// Returns `true` for a value that is `false`.
    pub(super) fn is_false(&self, id: Id) -> bool {
        matches!(self.tree.node(id).value, Value::Truth(false))
    }
}

/// Returns the message of a fault. For an unknown key the nearest known one is suggested.
fn words(said: &Said) -> String {
    match said {
        Said::Text(text) => one_line(text),
        Said::UnknownKey { key, known } => {
            let beside = BESIDE.iter().find(|(key, _)| known.contains(key));
            let beside = beside.map_or(&[][..], |(_, keys)| *keys);
            unknown_key(key, known.iter().chain(beside).copied())
        }
    }
}

/// Returns the message about a key that is not known.
pub(super) fn unknown_key<'k>(key: &str, known: impl Iterator<Item = &'k str> + Clone) -> String {
    let near = known.clone().map(|known| (distance(key, known), known)).min();
    match near {
        Some((changes, near)) if changes <= 1 + near.len() / 4 => {
            format!("unknown key {}, did you mean {near}?", quoted(key))
        }
        _ => {
            let known: Vec<_> = known.collect();
            format!("unknown key {}, expected one of {}", quoted(key), known.join(", "))
        }
    }
}

/// Counts the letters that are to be changed, added, left out or swapped with their neighbour.
fn distance(from: &str, to: &str) -> usize {
    const LONGEST: usize = 40;
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    if from.len() > LONGEST || to.len() > LONGEST {
        return usize::MAX;
    }
    // The last two rows of the table of distances between the beginnings of both.
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    let mut previous = None;
    for (done, letter) in from.iter().enumerate() {
        let mut next = vec![done + 1];
        let mut left_letter = None;
        for (column, other) in to.iter().enumerate() {
            let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX);
            let changed = at(&row, column) + usize::from(letter != other);
            let one = 1 + at(&row, column + 1).min(at(&next, column));
            let mut least = changed.min(one);
            if column > 0 && previous == Some(other) && left_letter == Some(letter) {
                least = least.min(at(&before, column - 1).saturating_add(1));
            }
            next.push(least);
            left_letter = Some(other);
        }
        previous = Some(letter);
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or(usize::MAX)
}

/// Shortens a message, and escapes what could move a terminal's cursor.
fn one_line(text: &str) -> String {
    const LONGEST: usize = 400;
    let odd = |c: char| c.is_control();
    if text.len() <= LONGEST && !text.contains(odd) {
        return text.to_owned();
    }
    let mut line: String = text
        .chars()
        .take(LONGEST)
        .flat_map(|c| match odd(c) {
            true => c.escape_debug().collect(),
            false => vec![c],
        })
        .collect();
    if text.chars().nth(LONGEST).is_some() {
        line += "...";
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_single_changes() {
        for (from, to, expected) in [
            ("weight", "weight", 0),
            ("wieght", "weight", 1),
            ("weigh", "weight", 1),
            ("weights", "weight", 1),
            ("waight", "weight", 1),
            ("", "port", 4),
            ("port", "", 4),
            ("abc", "xyz", 3),
        ] {
            assert_eq!(distance(from, to), expected, "{from} {to}");
        }
    }

    #[test]
    fn the_nearest_known_key_is_suggested() {
        let known = ["address", "weight", "forward"];
        let told = unknown_key("wieght", known.into_iter());
        assert_eq!(told, "unknown key \"wieght\", did you mean weight?");
        let told = unknown_key("colour\u{1b}", known.into_iter());
        assert_eq!(told, "unknown key \"colour\\u{1b}\", expected one of address, weight, forward");
    }
}
