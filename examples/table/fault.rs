//! Errors of YAML texts: one line, with line and column.

use std::borrow::Cow;

use ipvs_netlink::DestinationId;
use serde_saphyr::granit_parser::{self, Event, Parser};
use serde_saphyr::{
    DefaultMessageFormatter, Error, Localizer, Location, MessageFormatter, SnippetMode,
};

/// Returns the message for `error`, which the parser found in `text`.
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

/// Strips the wrappers that the parser puts around an error. Their text repeats it.
fn innermost(mut error: &Error) -> &Error {
    while let Error::AliasError { error: inner, .. } | Error::WithSnippet { error: inner, .. } =
        error
    {
        error = inner;
    }
    error
}

/// Finds the line and column of the destination that `message` names, in the service that begins
/// at `service`. The parser reports the place of the service, because some rules of a destination
/// can be checked only when the whole service is known.
fn destination_place(text: &str, service: (u64, u64), message: &str) -> Option<(u64, u64)> {
    let (_, rest) = message.strip_prefix("service ")?.split_once(": destination ")?;
    // Text that is not an address with a port is quoted in the message.
    let quoted = rest.strip_prefix('"').and_then(|rest| rest.split_once("\": "));
    let wanted = quoted.or_else(|| rest.split_once(": "))?.0;
    let address: Option<DestinationId> = wanted.parse().ok();
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
        if after_key
            && place > service
            && (value == wanted || address.is_some() && value.parse().ok() == address)
        {
            return Some(place);
        }
        after_key = value.as_ref() == "address";
    }
    None
}

/// The messages: our own where the parser's would not help the author of a table.
struct Words;

impl MessageFormatter for Words {
    fn localizer(&self) -> &dyn Localizer {
        self
    }

    fn format_message<'a>(&self, error: &'a Error) -> Cow<'a, str> {
        match error {
            Error::Eof { .. } => {
                "the text ends too early; write `services: []` for an empty table".into()
            }
            Error::MultipleDocuments { .. } => {
                "a second document begins (---); a table must be a single document".into()
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
    /// Returns the message as it is: the caller puts the place before it.
    fn attach_location<'a>(&self, base: Cow<'a, str>, _: Location) -> Cow<'a, str> {
        base
    }
}
