//! YAML as a tree.

use std::borrow::Cow;
use std::collections::HashMap;
use std::net::Ipv6Addr;

use serde_saphyr::granit_parser::{self, ErrorKind, Event, Parser, ScalarStyle, Span};

use super::{Builder, DEEPEST, Finding, Id, Tree, Value, offset, too_deep};

/// Reads a text. Returns the tree with its outermost value, and what is wrong beside it, such as keys
/// that are given twice.
pub(in super::super) fn read(text: &str) -> Result<(Tree<'_>, Id, Vec<Finding>), Finding> {
    let depth = usize::from(DEEPEST) + 1;
    let options = granit_parser::options! {
        emit_comments: false,
        flow_nesting_limit: depth,
        block_nesting_limit: depth,
    };
    let mut builder = Builder::default();
    let mut anchors: HashMap<usize, Id> = HashMap::new();
    // The anchors of open containers.
    let mut open: Vec<usize> = Vec::new();
    let mut documents = 0;
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event.map_err(|error| {
            let at = error.marker().byte_offset().unwrap_or(0).min(text.len());
            match error.kind() {
                ErrorKind::RecursionLimitExceeded => too_deep(offset(at)),
                _ => match address_without_quotes(text, at) {
                    Some(address) => {
                        let told = format!("an IPv6 address needs quotes: \"{address}\"");
                        Finding::new(offset(at), told)
                    }
                    None => Finding::new(offset(at), error.info()),
                },
            }
        })?;
        let at = place(&span);
        let is_key = matches!(builder.open.last(), Some((_, true, start))
            if (builder.finished.len() - start).is_multiple_of(2));
        let is_other_key = match &event {
            Event::Alias(_) | Event::SequenceStart(..) | Event::MappingStart(..) => is_key,
            _ => false,
        };
        if is_other_key {
            return Err(Finding::new(at, "expected a key, found a list, a mapping or an alias"));
        }
        match event {
            Event::Scalar(content, style, anchor, tag) => {
                no_tag(at, tag.is_some())?;
                if is_key && style == ScalarStyle::Plain && content == "<<" {
                    let text = "merge keys (<<) are not read; defaults are for settings that are \
                                shared, and aliases of whole lists and mappings are read";
                    return Err(Finding::new(at, text));
                }
                let value = match style {
                    ScalarStyle::Plain if !is_key => plain(content),
                    _ => Value::Text(content),
                };
                let id = builder.scalar(at, value)?;
                if anchor != 0 {
                    anchors.insert(anchor, id);
                }
            }
            Event::SequenceStart(_, anchor, tag) => {
                no_tag(at, tag.is_some())?;
                builder.open(at, false)?;
                open.push(anchor);
            }
            Event::MappingStart(_, anchor, tag) => {
                no_tag(at, tag.is_some())?;
                builder.open(at, true)?;
                open.push(anchor);
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let (id, anchor) = (builder.close(), open.pop());
                if let (Some(id), Some(anchor @ 1..)) = (id, anchor) {
                    anchors.insert(anchor, id);
                }
            }
            Event::Alias(anchor) => match anchors.get(&anchor) {
                Some(id) => builder.again(at, *id)?,
                None => return Err(Finding::new(at, "an alias inside of its own anchor")),
            },
            Event::DocumentStart(..) => {
                documents += 1;
                if documents > 1 {
                    let text = "a second document begins; a file must be a single document";
                    return Err(Finding::new(at, text));
                }
            }
            _ => {}
        }
    }
    let root = match builder.finished.first() {
        Some(root) => *root,
        None => builder.scalar(0, Value::Null)?,
    };
    Ok((builder.tree, root, builder.findings))
}

/// Finds `[2001:db8::10]:80` before and behind a place: to YAML that is a list, and what follows it a
/// mistake.
fn address_without_quotes(text: &str, at: usize) -> Option<&str> {
    let (before, behind) = text.split_at_checked(at)?;
    let begin = before.rfind('[')?;
    let address = before.get(begin + 1..)?.strip_suffix(']')?;
    address.parse::<Ipv6Addr>().ok()?;
    let port = behind.strip_prefix(':')?.bytes().take_while(u8::is_ascii_digit).count();
    text.get(begin..=at + port)
}

fn place(span: &Span) -> u32 {
    offset(span.start.byte_offset().unwrap_or(0))
}

fn no_tag(at: u32, has_tag: bool) -> Result<(), Finding> {
    match has_tag {
        true => Err(Finding::new(at, "tags (!) are not read")),
        false => Ok(()),
    }
}

/// Resolves a scalar without quotes, by the core schema of YAML 1.2.
fn plain(text: Cow<'_, str>) -> Value<'_> {
    match text.as_ref() {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Truth(true),
        "false" | "False" | "FALSE" => return Value::Truth(false),
        _ => {}
    }
    let first = text.bytes().next().unwrap_or_default();
    if !(first.is_ascii_digit() || b"+-.".contains(&first)) {
        return Value::Text(text);
    }
    match number(&text) {
        Some(number) => number,
        None => Value::Text(text),
    }
}

fn number(text: &str) -> Option<Value<'static>> {
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let number = text.strip_prefix('+').unwrap_or(text);
        return Some(if digits.len() > 1 && digits.starts_with('0') {
            Value::Other("a number with leading zeros")
        } else if let Ok(number) = number.parse() {
            Value::Unsigned(number)
        } else if let Ok(number) = number.parse() {
            Value::Signed(number)
        } else {
            Value::Other("a number of more than 64 bits")
        });
    }
    let of_float = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
    let special = matches!(digits, ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN");
    if special {
        return Some(Value::Other("a number that is not finite"));
    }
    // An address such as 10.0.0.2 is no number.
    let is_float = text.bytes().all(of_float) && digits.bytes().any(|byte| byte.is_ascii_digit());
    is_float.then(|| text.parse().ok().map(Value::Float))?
}

fn radix(digits: &str, radix: u32) -> Option<Value<'static>> {
    let are_digits = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    are_digits.then(|| match u64::from_str_radix(digits, radix) {
        Ok(number) => Value::Unsigned(number),
        Err(_) => Value::Other("a number of more than 64 bits"),
    })
}
