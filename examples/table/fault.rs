//! What is wrong with a YAML text: once, in one line, with its place.

use std::borrow::Cow;

use ipvs_netlink::DestinationId;
use serde_saphyr::granit_parser::{self, Event, Parser};
use serde_saphyr::{
    DefaultMessageFormatter, Error, Localizer, Location, MessageFormatter, SnippetMode,
};

/// Says what `error` found in `text`.
pub(crate) fn told(text: &str, error: &Error) -> String {
    let error = innermost(error);
    let options = serde_saphyr::render_options! { formatter: &Words, snippets: SnippetMode::Off };
    let message = error.render_with_options(options);
    let known = error.location().map(|location| (location.line(), location.column()));
    match known.map(|service| destination_place(text, service, &message).unwrap_or(service)) {
        Some((line, column)) => format!("line {line}, column {column}: {message}"),
        None => message,
    }
}

/// The error without what the parser puts around it, which repeats it.
fn innermost(mut error: &Error) -> &Error {
    while let Error::AliasError { error: inner, .. } | Error::WithSnippet { error: inner, .. } =
        error
    {
        error = inner;
    }
    error
}

/// Where the destination is that the message about a service names. Some rules of a destination
/// can be checked only when the whole service is known, which begins at `service`.
fn destination_place(text: &str, service: (u64, u64), message: &str) -> Option<(u64, u64)> {
    let (_, rest) = message.strip_prefix("service ")?.split_once(": destination ")?;
    let wanted: DestinationId = rest.split_once(": ")?.0.parse().ok()?;
    let options = granit_parser::options! { emit_comments: false };
    let mut after_key = false;
    for event in Parser::new_from_str_with_options(text, options) {
        let Event::Scalar(value, ..) = event.as_ref().ok().map(|(event, _)| event)? else {
            after_key = false;
            continue;
        };
        let (_, span) = event.as_ref().ok()?;
        let place = (span.start.line(), span.start.col() + 1);
        let place = (u64::try_from(place.0).ok()?, u64::try_from(place.1).ok()?);
        if after_key && place > service && value.parse() == Ok(wanted) {
            return Some(place);
        }
        after_key = value.as_ref() == "address";
    }
    None
}

/// The parser's words where they are for whoever writes a table, else ours.
struct Words;

impl MessageFormatter for Words {
    fn localizer(&self) -> &dyn Localizer {
        self
    }

    fn format_message<'a>(&self, error: &'a Error) -> Cow<'a, str> {
        match error {
            Error::Eof { .. } => "the text ends too early; `services: []` is an empty table".into(),
            Error::MultipleDocuments { .. } => {
                "a second document begins (---); a table is a single one".into()
            }
            Error::MergeKeyNotAllowed { .. } => {
                "merge keys (<<) are not read; aliases of whole lists and mappings are, as in \
                 `destinations: *pool`"
                    .into()
            }
            Error::DuplicateMappingKey { key: Some(key), .. } => {
                format!("duplicate key {key:?}").into()
            }
            Error::DuplicateMappingKey { key: None, .. } => "duplicate key".into(),
            other => DefaultMessageFormatter.format_message(other),
        }
    }
}

impl Localizer for Words {
    /// The place comes first.
    fn attach_location<'a>(&self, base: Cow<'a, str>, _: Location) -> Cow<'a, str> {
        base
    }
}
