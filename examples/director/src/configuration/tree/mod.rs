//! A text as a tree of values, each with its place, for both formats.
//!
//! The values are in one list, and containers name theirs by index. An alias of YAML names the value
//! of its anchor, so aliases take no memory. All work on a tree is bounded by the number of values
//! after aliases are expanded, and by the depth.

mod fault;
mod reader;
mod toml;
mod yaml;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt::Display;
use std::ops::Range;

pub(super) use self::fault::{Fault, Said};
pub(super) use self::reader::Reader;
pub(super) use self::toml::read as read_toml;
pub(super) use self::yaml::read as read_yaml;

/// The most values, keys among them, after aliases are expanded. 100,000 destinations with four keys
/// each have 900,000.
const MOST: u32 = 1_000_000;

/// The most containers inside each other. The deepest valid one is a setting of TLS of a check of a
/// destination: 12.
const DEEPEST: u8 = 24;

/// What is wrong at a place. Places are offsets in bytes.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Finding {
    pub(super) at: u32,
    pub(super) text: String,
    /// The place of what was given first, if this is given again.
    pub(super) first: Option<u32>,
}

impl Finding {
    pub(super) fn new(at: u32, text: impl Into<String>) -> Self {
        Self { at, text: text.into(), first: None }
    }

    pub(super) fn twice(at: u32, what: impl Display, first: u32) -> Self {
        Self { at, text: format!("{what} is given twice"), first: Some(first) }
    }
}

/// Returns an offset in bytes. No text is as long as the largest one.
pub(super) fn offset(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

/// Names a value of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Id(u32);

#[derive(Debug)]
pub(super) struct Node<'t> {
    pub(super) value: Value<'t>,
    /// The place, as an offset in bytes.
    pub(super) at: u32,
    /// The number of values, with this one, after aliases are expanded.
    size: u32,
    /// The number of containers inside each other, with this one.
    height: u8,
}

#[derive(Debug)]
pub(super) enum Value<'t> {
    Null,
    Truth(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(Cow<'t, str>),
    /// A value that no setting has, with words for it.
    Other(&'static str),
    List(Range<u32>),
    /// Keys and values in turn.
    Mapping(Range<u32>),
}

#[derive(Debug, Default)]
pub(super) struct Tree<'t> {
    nodes: Vec<Node<'t>>,
    children: Vec<Id>,
}

impl<'t> Tree<'t> {
    /// Returns a value. Ids come from this tree, so the value is there.
    pub(super) fn node(&self, id: Id) -> &Node<'t> {
        const NONE: &Node<'static> = &Node { value: Value::Null, at: 0, size: 1, height: 0 };
        self.nodes.get(index(id.0)).unwrap_or(NONE)
    }

    pub(super) fn at(&self, id: Id) -> u32 {
        self.node(id).at
    }

    /// Returns the number of values, with this one.
    pub(super) fn size(&self, id: Id) -> usize {
        index(self.node(id).size)
    }

    /// Returns the text of a value that is text.
    pub(super) fn text(&self, id: Id) -> Option<&str> {
        match &self.node(id).value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the elements of a list.
    pub(super) fn items(&self, id: Id) -> Option<&[Id]> {
        match &self.node(id).value {
            Value::List(range) => Some(self.range(range)),
            _ => None,
        }
    }

    /// Returns the keys and values of a mapping.
    pub(super) fn entries(&self, id: Id) -> Option<impl ExactSizeIterator<Item = (Id, Id)>> {
        match &self.node(id).value {
            Value::Mapping(range) => {
                let pairs = self.range(range).as_chunks().0;
                Some(pairs.iter().map(|[key, value]| (*key, *value)))
            }
            _ => None,
        }
    }

    /// Returns the value of a key of a mapping.
    pub(super) fn get(&self, id: Id, key: &str) -> Option<Id> {
        self.entries(id)?.find(|(name, _)| self.text(*name) == Some(key)).map(|(_, value)| value)
    }

    fn range(&self, range: &Range<u32>) -> &[Id] {
        self.children.get(index(range.start)..index(range.end)).unwrap_or_default()
    }

    fn push(&mut self, at: u32, value: Value<'t>, size: u32, height: u8) -> Id {
        let id = Id(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.nodes.push(Node { value, at, size, height });
        id
    }

    /// Adds a value that is no container.
    pub(super) fn scalar(&mut self, at: u32, value: Value<'t>) -> Id {
        self.push(at, value, 1, 0)
    }

    fn container(&mut self, at: u32, children: &[Id], of: fn(Range<u32>) -> Value<'t>) -> Id {
        let start = u32::try_from(self.children.len()).unwrap_or(u32::MAX);
        self.children.extend_from_slice(children);
        let end = u32::try_from(self.children.len()).unwrap_or(u32::MAX);
        let nodes = children.iter().map(|child| self.node(*child));
        let (mut size, mut height) = (1_u32, 0);
        for node in nodes {
            size = size.saturating_add(node.size);
            height = height.max(node.height);
        }
        self.push(at, of(start..end), size, height.saturating_add(1))
    }

    /// Adds a list.
    pub(super) fn list(&mut self, at: u32, items: &[Id]) -> Id {
        self.container(at, items, Value::List)
    }

    /// Adds a mapping.
    pub(super) fn mapping(&mut self, at: u32, entries: &[(Id, Id)]) -> Id {
        let children: Vec<Id> = entries.iter().flat_map(|(key, value)| [*key, *value]).collect();
        self.container(at, &children, Value::Mapping)
    }

    /// Adds a key of the program's own.
    pub(super) fn key(&mut self, at: u32, key: &'static str) -> Id {
        self.scalar(at, Value::Text(Cow::Borrowed(key)))
    }

    /// Adds a mapping with keys of the program's own.
    pub(super) fn keyed(&mut self, at: u32, entries: &[(&'static str, Id)]) -> Id {
        let entries: Vec<_> =
            entries.iter().map(|(key, value)| (self.key(at, key), *value)).collect();
        self.mapping(at, &entries)
    }

    /// Adds a copy of the value at the end of a path without what the path names. Returns the copy of
    /// the outermost value. `damaged` has the containers that something was taken out of.
    pub(super) fn without(&mut self, path: &[Step], damaged: &mut HashSet<Id>) -> Option<Id> {
        let mut copy = None;
        for Step { container, position } in path {
            let mut children: Vec<Id> = match &self.node(*container).value {
                Value::List(range) | Value::Mapping(range) => self.range(range).to_vec(),
                _ => return None,
            };
            let is_list = matches!(self.node(*container).value, Value::List(_));
            let was_damaged = damaged.contains(container);
            match copy {
                // The innermost step: nothing takes the place of what it names.
                None if is_list && *position < children.len() => drop(children.remove(*position)),
                None if position * 2 + 1 < children.len() => {
                    children.drain(position * 2..position * 2 + 2);
                }
                None => return None,
                Some(copy) => {
                    let position = if is_list { *position } else { position * 2 + 1 };
                    *children.get_mut(position)? = copy;
                }
            }
            let at = self.at(*container);
            let of = if is_list { Value::List } else { Value::Mapping };
            let made = self.container(at, &children, of);
            if was_damaged || copy.is_none() {
                damaged.insert(made);
            }
            copy = Some(made);
        }
        copy
    }
}

/// A step of a path: a container, and the position of an element or entry in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) container: Id,
    pub(super) position: usize,
}

const fn index(number: u32) -> usize {
    number as usize
}

/// Builds a tree from what a parser reports, within the limits.
#[derive(Debug, Default)]
struct Builder<'t> {
    tree: Tree<'t>,
    /// The values so far, after aliases are expanded.
    values: u32,
    /// The open containers, each with its place and the number of finished values before it.
    open: Vec<(u32, bool, usize)>,
    /// The finished values of the open containers.
    finished: Vec<Id>,
    findings: Vec<Finding>,
}

impl<'t> Builder<'t> {
    fn count(&mut self, at: u32, values: u32) -> Result<(), Finding> {
        self.values = self.values.saturating_add(values);
        match self.values > MOST {
            true => Err(Finding::new(at, format!("more than {MOST} values"))),
            false => Ok(()),
        }
    }

    fn scalar(&mut self, at: u32, value: Value<'t>) -> Result<Id, Finding> {
        self.count(at, 1)?;
        let id = self.tree.scalar(at, value);
        self.finished.push(id);
        Ok(id)
    }

    /// Adds a value that is there already.
    fn again(&mut self, at: u32, id: Id) -> Result<(), Finding> {
        let (size, height) = (self.tree.node(id).size, self.tree.node(id).height);
        self.count(at, size)?;
        if self.open.len() + usize::from(height) > usize::from(DEEPEST) {
            return Err(too_deep(at));
        }
        self.finished.push(id);
        Ok(())
    }

    fn open(&mut self, at: u32, is_mapping: bool) -> Result<(), Finding> {
        self.count(at, 1)?;
        if self.open.len() >= usize::from(DEEPEST) {
            return Err(too_deep(at));
        }
        self.open.push((at, is_mapping, self.finished.len()));
        Ok(())
    }

    fn close(&mut self) -> Option<Id> {
        let (at, is_mapping, start) = self.open.pop()?;
        let children = self.finished.split_off(start.min(self.finished.len()));
        let id = match is_mapping {
            true => {
                let children = self.unique(&children);
                self.tree.container(at, &children, Value::Mapping)
            }
            false => self.tree.list(at, &children),
        };
        self.finished.push(id);
        Some(id)
    }

    /// Leaves out keys that are given again, and tells them.
    fn unique(&mut self, children: &[Id]) -> Vec<Id> {
        let mut first: HashMap<&str, Id> = HashMap::new();
        let mut kept = Vec::with_capacity(children.len());
        let few = children.len() <= 32;
        for [key, value] in children.as_chunks().0 {
            let name = self.tree.text(*key).unwrap_or_default();
            let before = match few {
                true => kept
                    .iter()
                    .step_by(2)
                    .copied()
                    .find(|earlier| self.tree.text(*earlier) == Some(name)),
                false => first.get(name).copied(),
            };
            match before {
                Some(before) => {
                    let what = format!("key {}", quoted(name));
                    let (at, first) = (self.tree.at(*key), self.tree.at(before));
                    self.findings.push(Finding::twice(at, what, first));
                }
                None => {
                    if !few {
                        first.insert(name, *key);
                    }
                    kept.extend([*key, *value]);
                }
            }
        }
        kept
    }
}

fn too_deep(at: u32) -> Finding {
    Finding::new(at, format!("more than {DEEPEST} lists and mappings inside each other"))
}

/// Returns a text from outside in quotes, with escapes, and not too long.
pub(super) fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{:?}...", text.get(..end).unwrap_or_default()),
        None => format!("{text:?}"),
    }
}
