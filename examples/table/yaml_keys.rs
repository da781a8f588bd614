//! The keys of YAML: a table has none but text.

use serde_saphyr::granit_parser::{self, Event, Parser};

/// Refuses lists, mappings and aliases as keys. No table has any, and the parser would take 250
/// bytes of memory for each byte of such text.
pub(crate) fn check(text: &str) -> Result<(), String> {
    match may_have_others(text.as_bytes()) {
        true => parse(text),
        false => Ok(()),
    }
}

/// Returns `true` if a list, a mapping or an alias may be a key. Looks for `?`, which announces
/// such a key, and for a colon after a bracket or an alias: that is much cheaper than to parse
/// the text a second time. Signs in quotes and comments may also give `true`.
fn may_have_others(text: &[u8]) -> bool {
    let mut before = b'\n';
    // Between `"[` and `]`, as in a quoted address of IPv6. A list cannot follow a quote.
    let mut in_address = false;
    for (at, byte) in text.iter().enumerate() {
        let after = text.get(at + 1..).unwrap_or_default();
        let found = match byte {
            b'?' => true,
            b']' if in_address => false,
            b']' | b'}' => colon_follows(after),
            b'*' => {
                let is_end = |byte: &u8| byte.is_ascii_whitespace() || b",[]{}".contains(byte);
                let end = after.iter().position(is_end).unwrap_or(after.len());
                let (name, after) = after.split_at(end);
                name.contains(&b':') || colon_follows(after)
            }
            _ => false,
        };
        if found {
            return true;
        }
        in_address = match byte {
            b'[' => b"\"'".contains(&before),
            byte => in_address && (byte.is_ascii_hexdigit() || b":.".contains(byte)),
        };
        before = *byte;
    }
    false
}

/// Returns `true` if a colon may be next, after white space and comments.
fn colon_follows(after: &[u8]) -> bool {
    let next = after.iter().find(|byte| !byte.is_ascii_whitespace());
    // Some white space is not ASCII.
    matches!(next, Some(b':' | b'#' | 0x80..))
}

/// Parses the text to find such a key and its place.
fn parse(text: &str) -> Result<(), String> {
    let options = granit_parser::options! { emit_comments: false };
    // The open lists (`None`) and mappings (`Some`, with `true` if a key comes next).
    let mut open: Vec<Option<bool>> = Vec::new();
    for event in Parser::new_from_str_with_options(text, options) {
        // The parser that runs afterwards reports syntax errors better.
        let Ok((event, span)) = event else { break };
        let begins = match event {
            Event::Scalar(..) | Event::Alias(_) => None,
            Event::SequenceStart(..) => Some(None),
            Event::MappingStart(..) => Some(Some(true)),
            Event::SequenceEnd | Event::MappingEnd => {
                open.pop();
                continue;
            }
            _ => continue,
        };
        if let Some(Some(is_key)) = open.last_mut() {
            if *is_key && !matches!(event, Event::Scalar(..)) {
                let (line, column) = (span.start.line(), span.start.col() + 1);
                let expected = "expected a key, found a list, a mapping or an alias";
                return Err(format!("line {line}, column {column}: {expected}"));
            }
            *is_key = !*is_key;
        }
        open.extend(begins);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_that_is_not_text_is_refused() {
        for text in [
            "services: []\n? [a]\n: b\n",
            "[a, b]: c",
            "{a: b} : c",
            "{[a]\n: b}",
            "{[a] # why\n: b}",
            "{[\"[a\"]: b}",
            "{[\"[a\", \"[b]\"]: c}",
            "a: &x b\n*x : c",
            "a: &x b\nc: {*x : c}",
        ] {
            assert!(may_have_others(text.as_bytes()), "{text}");
            assert!(check(text).is_err(), "{text}");
        }
    }

    #[test]
    fn usual_text_is_parsed_once() {
        for text in [
            "services:\n- tcp: \"[2001:db8::1]:80\"\n  udp: '[::1]:53'\n",
            "a: [b]\nc: {d: e}\n",
            "a: [{b: c}, d]",
            "a: &x b\nc: *x\n",
            "a: [*x, *y]",
        ] {
            assert!(!may_have_others(text.as_bytes()), "{text}");
            assert!(parse(text).is_ok(), "{text}");
        }
    }
}
