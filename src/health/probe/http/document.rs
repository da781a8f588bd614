//! The keys of a check over HTTP in a file.

use std::ops::RangeInclusive;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess};
use serde::ser::{Serialize, Serializer};

use crate::health::document::documents;
use crate::health::document::names::names;
use crate::health::document::probe::scalar::texts;
use crate::health::document::scalar::unless;
#[cfg(feature = "health-tls")]
use crate::health::probe::TlsOptions;
use crate::health::probe::http::body::Expected;
use crate::health::probe::http::status::Statuses;
use crate::health::probe::{HttpCheck, HttpVersion};
use crate::model::InvalidValue;
use crate::table::document::mapping;
use crate::table::document::plain_types::numbers;
use crate::table::document::written::{AsWritten, Refused, Written, given, read};

documents! {
    HttpCheck;
    HttpVersion;
}

names! {
    HttpVersion, "version", "http1 or http2" {
        "http1" => HttpVersion::Http1,
        "http2" => HttpVersion::Http2,
    }
}

numbers! {
    BodyLimit(u32): "body_limit, 1 to 1048576",
    Redirects(u8): "redirects, 0 to 255",
}

texts! {
    Path: "path", 8192;
    Method: "method", 255;
    Host: "host", 512;
    Header: "a header like \"X-Check: director 1\"", 8192;
    Contains: "contains", 65_536;
    Matches: "matches, a regular expression", 65_536;
}

/// The most headers, and the most ranges of codes.
const MOST: usize = 100;

#[derive(Default, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    path: Option<Path>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    method: Option<Method>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    host: Option<Host>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    headers: Option<Headers>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    status: Option<Codes>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    contains: Option<Contains>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    matches: Option<Matches>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    body_limit: Option<BodyLimit>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    redirects: Option<Redirects>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    version: Option<HttpVersion>,
    #[cfg(feature = "health-tls")]
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    tls: Option<TlsOptions>,
}

impl Shape {
    fn check(self) -> Result<HttpCheck, InvalidValue> {
        let mut check = HttpCheck::get(self.path.map_or_else(|| "/".to_owned(), |path| path.0))?;
        if let Some(Method(method)) = self.method {
            check = check.method(method)?;
        }
        if let Some(Host(host)) = self.host {
            check = check.host(host)?;
        }
        for (name, value) in self.headers.into_iter().flat_map(|Headers(headers)| headers) {
            check = check.header(name, value)?;
        }
        for Code(codes) in self.status.into_iter().flat_map(|Codes(codes)| codes) {
            check = check.status(codes)?;
        }
        match (self.contains, self.matches) {
            (Some(_), Some(_)) => {
                return Err(InvalidValue::new("contains", "beside matches", "must not be given"));
            }
            (Some(Contains(text)), None) => check = check.body_contains(text),
            (None, Some(Matches(pattern))) => check = check.body_matches(pattern)?,
            (None, None) => {}
        }
        if let Some(BodyLimit(bytes)) = self.body_limit {
            check = check.body_limit(usize::try_from(bytes).unwrap_or(usize::MAX))?;
        }
        if let Some(Redirects(most)) = self.redirects {
            check = check.redirects(most);
        }
        if let Some(version) = self.version {
            check = check.version(version);
        }
        #[cfg(feature = "health-tls")]
        if let Some(options) = self.tls {
            check = check.tls(options);
        }
        Ok(check)
    }
}

impl Written for HttpCheck {
    const EXPECTED: &'static str = "http, a mapping with keys such as path, host and status, {} for \
                                    the defaults";

    fn of_mapping<'de, A: MapAccess<'de>>(entries: A) -> Result<Self, A::Error> {
        let shape: Shape = mapping::shape(entries)?;
        shape.check().map_err(A::Error::custom)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let settings = self.settings();
        let headers = settings.headers.iter();
        let headers: Vec<_> =
            headers.map(|(name, value)| (name.text.clone(), value.text.clone())).collect();
        let (contains, matches) = match &settings.body {
            Some(Expected::Text(text)) => (Some(Contains(text.clone())), None),
            Some(Expected::Pattern(pattern)) => (None, Some(Matches(pattern.text.clone()))),
            None => (None, None),
        };
        let body_limit = u32::try_from(settings.body_limit).unwrap_or(u32::MAX);
        Shape {
            path: unless("/", &settings.path.text, |text| Path(text.to_owned())),
            method: unless("GET", &settings.method.text, |text| Method(text.to_owned())),
            host: settings.host.as_ref().map(|host| Host(host.text.clone())),
            headers: (!headers.is_empty()).then_some(Headers(headers)),
            status: (settings.status != Statuses::default()).then(|| Codes::of(&settings.status)),
            contains,
            matches,
            body_limit: unless(64 * 1024, body_limit, BodyLimit),
            redirects: unless(0, settings.redirects, Redirects),
            version: unless(HttpVersion::default(), settings.version, |version| version),
            #[cfg(feature = "health-tls")]
            tls: settings.tls.clone(),
        }
        .serialize(serializer)
    }
}

struct Headers(Vec<(String, String)>);

impl Written for Headers {
    const EXPECTED: &'static str = "headers, a list of texts like \"X-Check: director 1\"";

    fn of_list<'de, A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let mut headers = Vec::new();
        while let Some(AsWritten(Header(text))) = list.next_element()? {
            if headers.len() == MOST {
                return Err(A::Error::custom("headers: must be at most 100"));
            }
            let Some((name, value)) = text.split_once(':') else {
                let rule = "must be like \"X-Check: director 1\"";
                let invalid = InvalidValue::new("header", "without a colon", rule);
                return Err(A::Error::custom(invalid));
            };
            headers.push((name.to_owned(), value.trim_start_matches(' ').to_owned()));
        }
        Ok(Self(headers))
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|(name, value)| format!("{name}: {value}")))
    }
}

struct Codes(Vec<Code>);

impl Codes {
    fn of(statuses: &Statuses) -> Self {
        let text = statuses.to_string();
        Self(text.split(", ").filter_map(Code::read).collect())
    }
}

impl Written for Codes {
    const EXPECTED: &'static str = "status, a list of codes and ranges, like [200, \"300-399\"]";

    fn of_list<'de, A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let mut codes = Vec::new();
        while let Some(AsWritten(code)) = list.next_element()? {
            if codes.len() == MOST {
                return Err(A::Error::custom("status: must be at most 100 codes and ranges"));
            }
            codes.push(code);
        }
        if codes.is_empty() {
            return Err(A::Error::custom("status: must have a code"));
        }
        Ok(Self(codes))
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(AsWritten))
    }
}

/// A code or a range of codes.
struct Code(RangeInclusive<u16>);

impl Code {
    fn read(text: &str) -> Option<Self> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let code = |text: &str| {
            let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|_| is_number)
        };
        Some(Self(code(first)?..=code(last)?))
    }
}

impl Written for Code {
    const EXPECTED: &'static str = "a code like 200, or a range like \"300-399\"";

    fn of_text(text: &str) -> Result<Self, Refused> {
        let rule = "must be a code like 200, or a range like 300-399";
        Ok(Self::read(text)
            .ok_or_else(|| InvalidValue::new("status", format!("{text:?}"), rule))?)
    }

    fn of_number(number: i128) -> Result<Self, Refused> {
        let code = number.try_into().map_err(|_| Refused::Value)?;
        Ok(Self(code..=code))
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.start() == self.0.end() {
            true => serializer.serialize_u16(*self.0.start()),
            false => serializer.collect_str(&format_args!("{}-{}", self.0.start(), self.0.end())),
        }
    }
}
