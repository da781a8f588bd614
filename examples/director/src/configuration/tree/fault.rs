//! What a value is refused for, and where.

use std::fmt;

use serde::de::{Expected, Unexpected};

use super::{Id, Step, quoted};

/// The error of a [`Reader`](super::Reader): what is wrong, and the way to the innermost value that
/// has it.
#[derive(Debug)]
pub(in super::super) struct Fault {
    pub(in super::super) said: Said,
    /// The innermost value.
    pub(in super::super) at: Option<Id>,
    /// The containers of that value, the innermost first.
    pub(in super::super) path: Vec<Step>,
}

/// What is wrong.
#[derive(Debug)]
pub(in super::super) enum Said {
    Text(String),
    UnknownKey { key: String, known: &'static [&'static str] },
}

impl Fault {
    fn text(text: impl Into<String>) -> Self {
        Self { said: Said::Text(text.into()), at: None, path: Vec::new() }
    }

    /// Adds the value, unless an inner one is known.
    pub(super) fn at(mut self, id: Id) -> Self {
        self.at.get_or_insert(id);
        self
    }

    pub(super) fn inside(mut self, container: Id, position: usize) -> Self {
        self.path.push(Step { container, position });
        self
    }
}

fn found(unexpected: &Unexpected<'_>) -> String {
    match unexpected {
        Unexpected::Bool(truth) => truth.to_string(),
        Unexpected::Unsigned(number) => number.to_string(),
        Unexpected::Signed(number) => number.to_string(),
        Unexpected::Float(number) => number.to_string(),
        Unexpected::Str(text) => quoted(text),
        Unexpected::Unit | Unexpected::Option => "nothing".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "a mapping".to_owned(),
        Unexpected::Other(words) => (*words).to_owned(),
        other => other.to_string(),
    }
}

/// Returns what is expected, with words for the names of types.
fn expected(expected: &dyn Expected) -> String {
    let text = expected.to_string();
    let words = match text.as_str() {
        "a string" => "a text",
        "a sequence" => "a list",
        "u8" => "a whole number of 0 to 255",
        "u16" => "a whole number of 0 to 65535",
        "u32" => "a whole number of 0 to 4294967295",
        _ => return text,
    };
    words.to_owned()
}

impl serde::de::Error for Fault {
    fn custom<T: fmt::Display>(text: T) -> Self {
        Self::text(text.to_string())
    }

    fn invalid_type(unexpected: Unexpected<'_>, wanted: &dyn Expected) -> Self {
        Self::text(format!("found {}, expected {}", found(&unexpected), expected(wanted)))
    }

    fn invalid_value(unexpected: Unexpected<'_>, wanted: &dyn Expected) -> Self {
        Self::invalid_type(unexpected, wanted)
    }

    fn invalid_length(length: usize, wanted: &dyn Expected) -> Self {
        Self::text(format!("found a text of {length} bytes, expected {}", expected(wanted)))
    }

    fn unknown_field(key: &str, known: &'static [&'static str]) -> Self {
        Self { said: Said::UnknownKey { key: key.to_owned(), known }, at: None, path: Vec::new() }
    }

    fn unknown_variant(text: &str, known: &'static [&'static str]) -> Self {
        Self::text(format!("found {}, expected {}", quoted(text), known.join(" or ")))
    }

    fn missing_field(key: &'static str) -> Self {
        Self::text(format!("the key {key} is missing"))
    }

    fn duplicate_field(key: &'static str) -> Self {
        Self::text(format!("the key {key} is given twice"))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.said {
            Said::Text(text) => f.write_str(text),
            Said::UnknownKey { key, .. } => write!(f, "unknown key {}", quoted(key)),
        }
    }
}

impl std::error::Error for Fault {}
