//! Parameters: `$NAME=value`, and their use as `$NAME` or `${NAME}`.

use std::collections::BTreeMap;

use crate::convert::error::SyntaxError;
use crate::convert::lexer::is_blank;
use crate::convert::limits::{
    LONGEST_DEFINITION, LONGEST_LINE, MOST_DEFINITIONS, MOST_REPLACEMENTS,
};

/// The values of parameters: their lines, one at least.
#[derive(Debug, Default)]
pub(super) struct Definitions {
    values: BTreeMap<String, Vec<String>>,
}

/// A line with its parameters replaced, and the lines that a definition of several put after it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Replaced {
    pub(super) first: String,
    pub(super) further: Vec<String>,
}

impl Definitions {
    pub(super) fn define(&mut self, name: &str, lines: Vec<String>) -> Result<(), SyntaxError> {
        if lines.iter().map(String::len).sum::<usize>() > LONGEST_DEFINITION {
            return Err(SyntaxError::LongDefinition);
        }
        self.values.insert(name.to_owned(), lines);
        match self.values.len() > MOST_DEFINITIONS {
            true => Err(SyntaxError::ManyDefinitions),
            false => Ok(()),
        }
    }

    /// Replaces all parameters of a line. What is replaced may hold others. Unknown ones stay.
    ///
    /// The parameters of further lines are replaced when these are read.
    pub(super) fn replace(&self, line: &str, folder: &str) -> Result<Replaced, SyntaxError> {
        let (mut text, mut further) = (line.to_owned(), Vec::new());
        let (mut from, mut replacements) = (0, 0);
        while let Some((start, end, name)) = use_of_parameter(&text, from) {
            let value = self.values.get(name).and_then(|lines| lines.split_first());
            let standard = match name {
                "_PWD" => Some(folder),
                "_HASH" => Some("#"),
                "_BANG" => Some("!"),
                _ => None,
            };
            let (value, rest) = match (value, standard) {
                (Some((first, rest)), _) => (first.as_str(), rest),
                (None, Some(standard)) => (standard, &[] as &[String]),
                (None, None) => {
                    from = end;
                    continue;
                }
            };
            let rest = rest.to_vec();
            let replaced = [text.get(..start), Some(value), text.get(end..)];
            let replaced: String = replaced.into_iter().flatten().collect();
            further = [rest, further].concat();
            text = replaced;
            from = start;
            replacements += 1;
            if text.len() > LONGEST_LINE {
                return Err(SyntaxError::LongLine);
            }
            if replacements > MOST_REPLACEMENTS {
                return Err(SyntaxError::ManyReplacements);
            }
        }
        Ok(Replaced { first: text, further })
    }
}

/// Returns the name and the value of a line that defines a parameter.
pub(super) fn definition(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.strip_prefix('$')?.split_once('=')?;
    is_name(name).then(|| (name, value.trim_start_matches(is_blank)))
}

fn is_name(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    plain && text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
}

/// Returns the begin, the end and the name of the first use of a parameter.
fn use_of_parameter(text: &str, from: usize) -> Option<(usize, usize, &str)> {
    let mut from = from;
    loop {
        let start = from + text.get(from..)?.find('$')?;
        let after = text.get(start + 1..)?;
        let found = match after.strip_prefix('{') {
            Some(inner) => inner.split_once('}').map(|(name, _)| (name, name.len() + 3)),
            None => {
                let end = after.find(is_blank).unwrap_or(after.len());
                after.get(..end).map(|name| (name, name.len() + 1))
            }
        };
        match found.filter(|(name, _)| is_name(name)) {
            Some((name, length)) => return Some((start, start + length, name)),
            None => from = start + 1,
        }
    }
}
