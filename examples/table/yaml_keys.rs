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
    let mut from = 0;
    while let Some(at) = next_sign(text, from) {
        let (before, after) = text.split_at(at);
        let Some((sign, after)) = after.split_first() else { break };
        from = at + 1;
        let found = match sign {
            b'?' => true,
            b'*' => {
                let is_end = |byte: &u8| byte.is_ascii_whitespace() || b",[]{}".contains(byte);
                let end = after.iter().position(is_end).unwrap_or(after.len());
                let (name, after) = after.split_at(end);
                // Continue after the name: a text of asterisks must not take quadratic time.
                from += end;
                name.iter().any(|byte| b":?".contains(byte)) || colon_follows(after)
            }
            b']' if ends_in_address(before) => false,
            _ => colon_follows(after),
        };
        if found {
            return true;
        }
    }
    false
}

/// Finds the first sign at `from` or later that needs a closer look. Most texts have few signs,
/// so this skips whole pieces; the compiler turns the test of a piece into vector instructions.
fn next_sign(text: &[u8], from: usize) -> Option<usize> {
    const PIECE: usize = 64;
    let is_sign = |byte: &u8| matches!(byte, b'?' | b'*' | b']' | b'}');
    let rest = text.get(from..)?;
    let has_none = |piece: &&[u8]| !piece.iter().fold(false, |found, byte| found | is_sign(byte));
    let skipped = PIECE * rest.chunks_exact(PIECE).take_while(has_none).count();
    let at = rest.get(skipped..)?.iter().position(is_sign)?;
    Some(from + skipped + at)
}

/// Returns `true` if the text ends in `"[` and an address, as in `"[2001:db8::1`. A list cannot
/// follow a quote.
fn ends_in_address(before: &[u8]) -> bool {
    let is_other = |byte: &u8| !(byte.is_ascii_hexdigit() || b":.".contains(byte));
    let end = before.iter().rposition(is_other).map_or(0, |last| last + 1);
    let opening = before.get(..end).unwrap_or_default();
    opening.ends_with(b"\"[") || opening.ends_with(b"'[")
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
            &format!("{}? [a]\n: b\n", "a: b\n".repeat(100)),
            &format!("{}[a, b]: c", " ".repeat(63)),
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

    /// A scan that looked from every asterisk to the end of the name would take minutes.
    #[test]
    fn a_text_of_asterisks_is_scanned_once() {
        assert!(!may_have_others(&vec![b'*'; 4 << 20]));
    }
}
