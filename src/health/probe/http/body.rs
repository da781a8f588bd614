use hyper::body::Bytes;
use regex::bytes::{Regex, RegexBuilder};

use crate::health::probe::excerpt::Excerpt;
use crate::health::probe::parsed::Parsed;
use crate::model::InvalidValue;

/// What a body must contain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Expected {
    Text(String),
    Pattern(Parsed<Regex>),
}

/// The most memory of a compiled pattern, and of its matching, in bytes each.
const PATTERN_MEMORY: usize = 256 * 1024;

impl Expected {
    /// Compiles a pattern.
    pub(super) fn pattern(text: String) -> Result<Self, InvalidValue> {
        let compiled = RegexBuilder::new(&text)
            .unicode(false)
            .size_limit(PATTERN_MEMORY)
            .dfa_size_limit(PATTERN_MEMORY)
            .build();
        match compiled {
            Ok(value) => Ok(Self::Pattern(Parsed { text, value })),
            Err(error) => {
                // The last line says what is wrong, those before show where.
                let error = error.to_string();
                let last = error.lines().last().unwrap_or_default();
                let cause = last.strip_prefix("error: ").unwrap_or(last);
                let rule = "must be a regular expression of at most 256 KiB when compiled";
                Err(InvalidValue::new("body pattern", format!("{text:?} ({cause})"), rule))
            }
        }
    }
}

/// What has come of a body that is searched.
#[derive(Debug)]
pub(super) struct Search<'e> {
    expected: &'e Expected,
    limit: usize,
    body: Vec<u8>,
}

impl<'e> Search<'e> {
    pub(super) const fn new(expected: &'e Expected, limit: usize) -> Self {
        Self { expected, limit, body: Vec::new() }
    }

    /// Takes a part of the body. Returns the result once it is certain.
    pub(super) fn add(&mut self, part: &Bytes) -> Option<Result<(), String>> {
        let room = self.limit.saturating_sub(self.body.len());
        let begin = self.body.len();
        self.body.extend_from_slice(part.get(..room).unwrap_or(part));
        if let Expected::Text(text) = self.expected {
            // Bytes are not searched again, however small the parts are.
            let from = begin.saturating_sub(text.len().saturating_sub(1));
            let fresh = self.body.get(from..).unwrap_or_default();
            if fresh.windows(text.len().max(1)).any(|window| window == text.as_bytes()) {
                return Some(Ok(()));
            }
        }
        (part.len() >= room).then(|| self.end())
    }

    /// Judges what has come.
    pub(super) fn end(&self) -> Result<(), String> {
        let (is_met, expected) = match self.expected {
            Expected::Text(text) => (text.is_empty(), Excerpt(text.as_bytes())),
            Expected::Pattern(pattern) => {
                (pattern.value.is_match(&self.body), Excerpt(pattern.text.as_bytes()))
            }
        };
        if is_met {
            return Ok(());
        }
        let length = self.body.len();
        let body = Excerpt(&self.body);
        let verb = match self.expected {
            Expected::Text(_) => "contain",
            Expected::Pattern(_) => "match",
        };
        Err(format!("the first {length} bytes of the body do not {verb} {expected}: {body}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(expected: &Expected, limit: usize, parts: &[&'static str]) -> Result<(), String> {
        let mut search = Search::new(expected, limit);
        for part in parts {
            if let Some(result) = search.add(&Bytes::from_static(part.as_bytes())) {
                return result;
            }
        }
        search.end()
    }

    #[test]
    fn a_text_is_found_across_parts_and_within_the_limit() {
        let text = Expected::Text("ready".to_owned());
        assert_eq!(search(&text, 100, &["not rea", "d", "y yet"]), Ok(()));
        assert_eq!(
            search(&text, 8, &["1234567", "ready"]).unwrap_err(),
            "the first 8 bytes of the body do not contain \"ready\": \"1234567r\""
        );
        assert!(search(&text, 100, &["read", "", "iness"]).is_err());
        assert_eq!(search(&Expected::Text(String::new()), 100, &[]), Ok(()));
    }

    #[test]
    fn a_pattern_is_held_against_the_whole_body() {
        let pattern = |text: &str| Expected::pattern(text.to_owned());
        let ready = pattern(r#"^\{"ready":\s*true\b.*\}$"#).unwrap();
        assert_eq!(search(&ready, 100, &["{\"ready\":", " true, 1", "}"]), Ok(()));
        assert!(search(&ready, 12, &["{\"ready\":", " true, 1", "}"]).is_err());
        let error = pattern("(a").unwrap_err().to_string();
        assert!(error.starts_with("body pattern \"(a\" (unclosed group): must be"), "{error}");
        assert!(pattern(r"(\w{500}){500}").unwrap_err().to_string().contains("size limit"));
    }
}
