use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use hyper::Method;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::http::uri::{Authority, PathAndQuery};

#[cfg(feature = "health-tls")]
use crate::health::probe::TlsOptions;
use crate::health::probe::authority;
use crate::health::probe::http::body::Expected;
use crate::health::probe::http::status::Statuses;
use crate::health::probe::parsed::Parsed;
use crate::model::InvalidValue;

/// The version of HTTP that a check speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum HttpVersion {
    /// HTTP/1.1; a server may answer with HTTP/1.0.
    #[default]
    Http1,
    /// HTTP/2, without an upgrade from HTTP/1.1. Over TLS the server has to agree to it (ALPN).
    Http2,
}

/// A request over HTTP, and what the answer must be.
///
/// The check passes if the status is 200 to 299, or what [`status`](Self::status) asks for, and if
/// the body has what is asked for. The body is not waited for where nothing is asked of it.
///
/// What a server can cost is bounded: 32 KiB of headers, [`body_limit`](Self::body_limit) bytes of
/// the body, and 256 KiB more from the network for everything else, with all redirects; and the
/// [`timeout`](crate::health::probe::Probe::timeout) for the whole check. The connection is closed
/// by a reset, so neither side keeps it.
///
/// Requests say `accept-encoding: identity`. A server that compresses the body all the same is
/// judged by the compressed bytes: nothing is ever decompressed.
///
/// ```
/// use ipvs_netlink::health::probe::{HttpCheck, Probe};
///
/// let check = HttpCheck::get("/healthz")?
///     .host("www.example.com")?
///     .header("x-check", "director 1")?
///     .status(200..=200)?
///     .body_matches(r#""ready":\s*true"#)?;
/// let probe = Probe::http(check);
/// assert!(HttpCheck::get("/")?.header("x check", "1").is_err());
/// # let _ = probe;
/// # Ok::<(), ipvs_netlink::InvalidValue>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[must_use]
pub struct HttpCheck(Arc<Settings>);

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Settings {
    pub(super) path: Parsed<PathAndQuery>,
    pub(super) method: Parsed<Method>,
    pub(super) host: Option<Parsed<Authority>>,
    pub(super) headers: Vec<(Parsed<HeaderName>, Parsed<HeaderValue>)>,
    pub(super) status: Statuses,
    pub(super) body: Option<Expected>,
    pub(super) body_limit: usize,
    pub(super) redirects: u8,
    pub(super) version: HttpVersion,
    #[cfg(feature = "health-tls")]
    pub(super) tls: Option<TlsOptions>,
}

/// The default of [`HttpCheck::body_limit`].
const BODY_LIMIT: usize = 64 * 1024;

const HIGHEST_BODY_LIMIT: usize = 1024 * 1024;

/// Headers by which a request would say something else than is sent, and that of the host.
const RESERVED: [HeaderName; 9] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::HOST,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::ACCEPT_ENCODING,
];

impl HttpCheck {
    /// Creates a check by a `GET` of this path, which may have a query.
    ///
    /// # Errors
    ///
    /// The text does not begin with `/`, or has characters that no path may have.
    pub fn get(path: impl Into<String>) -> Result<Self, InvalidValue> {
        let text = path.into();
        let parsed = text.parse().ok().filter(|_| text.starts_with('/') && !text.contains('#'));
        let Some(value) = parsed else {
            let rule = "must begin with / and have no spaces, fragment or control characters";
            return Err(InvalidValue::new("path", format!("{text:?}"), rule));
        };
        Ok(Self(Arc::new(Settings {
            path: Parsed { text, value },
            method: Parsed { text: "GET".to_owned(), value: Method::GET },
            host: None,
            headers: Vec::new(),
            status: Statuses::default(),
            body: None,
            body_limit: BODY_LIMIT,
            redirects: 0,
            version: HttpVersion::default(),
            #[cfg(feature = "health-tls")]
            tls: None,
        })))
    }

    fn with(mut self, set: impl FnOnce(&mut Settings)) -> Self {
        set(Arc::make_mut(&mut self.0));
        self
    }

    /// Sets the method, such as `HEAD` or `OPTIONS`. The request has no body.
    ///
    /// # Errors
    ///
    /// The text is no method, or is `CONNECT`.
    pub fn method(self, method: impl Into<String>) -> Result<Self, InvalidValue> {
        let text = method.into();
        match Method::from_bytes(text.as_bytes()) {
            Ok(value) if value != Method::CONNECT => {
                Ok(self.with(|settings| settings.method = Parsed { text, value }))
            }
            _ => {
                let rule = "must be a method of HTTP, and not CONNECT";
                Err(InvalidValue::new("method", format!("{text:?}"), rule))
            }
        }
    }

    /// Sets the host that is asked for, with a port where that is not the scheme's. The default is
    /// the address of the server. The connection goes to the address of the server in any case.
    ///
    /// # Errors
    ///
    /// The text is no host.
    pub fn host(self, host: impl Into<String>) -> Result<Self, InvalidValue> {
        let text = host.into();
        let value = authority::parse(&text)?;
        Ok(self.with(|settings| settings.host = Some(Parsed { text, value })))
    }

    /// Adds a header. One of the name `user-agent` or `accept` replaces that which is sent otherwise.
    ///
    /// # Errors
    ///
    /// The name is none of a header; or it is one that the request sets itself: `host`,
    /// `accept-encoding`, and what says how a message is sent. The value has other characters than
    /// visible ones of ASCII, spaces and tabulators.
    pub fn header(
        self,
        name: impl Into<String>,
        value: impl Into<String>,
    ) -> Result<Self, InvalidValue> {
        let (name, value) = (name.into(), value.into());
        let parsed = HeaderName::from_bytes(name.as_bytes());
        let Some(parsed) = parsed.ok().filter(|name| !is_reserved(name)) else {
            let rule = "must be the name of a header that the request does not set itself";
            return Err(InvalidValue::new("header", format!("{name:?}"), rule));
        };
        let is_plain = value.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
        let Some(mut header) = HeaderValue::from_str(&value).ok().filter(|_| is_plain) else {
            let rule = "must have a value of visible ASCII, spaces and tabulators";
            return Err(InvalidValue::new("header", format!("{name:?}"), rule));
        };
        header.set_sensitive(true);
        let name = Parsed { text: parsed.as_str().to_owned(), value: parsed };
        let value = Parsed { text: value, value: header };
        Ok(self.with(|settings| settings.headers.push((name, value))))
    }

    /// Adds status codes with which the check passes. The first ones replace the default, 200 to
    /// 299.
    ///
    /// # Errors
    ///
    /// A code is not in the range of 100 to 999, or the range is empty.
    pub fn status(self, codes: RangeInclusive<u16>) -> Result<Self, InvalidValue> {
        let mut status = self.0.status.clone();
        status.add(&codes)?;
        Ok(self.with(|settings| settings.status = status))
    }

    /// Sets a text that the body must contain. Replaces a pattern.
    pub fn body_contains(self, text: impl Into<String>) -> Self {
        let text = text.into();
        self.with(|settings| settings.body = Some(Expected::Text(text)))
    }

    /// Sets a regular expression that the body must match somewhere. Replaces a text.
    ///
    /// The syntax is that of the crate `regex` without Unicode: `\w`, `\d`, `\s` and letters
    /// without case are those of ASCII, and the body may have any bytes. The time of a match is
    /// linear in the size of the body.
    ///
    /// # Errors
    ///
    /// The text is no regular expression, or takes more than 256 KiB when it is compiled.
    pub fn body_matches(self, pattern: impl Into<String>) -> Result<Self, InvalidValue> {
        let pattern = Expected::pattern(pattern.into())?;
        Ok(self.with(|settings| settings.body = Some(pattern)))
    }

    /// Sets how many bytes of the body are looked at, 64 KiB by default. Longer bodies are judged by
    /// their beginning.
    ///
    /// # Errors
    ///
    /// The number is 0 or more than 1 MiB.
    pub fn body_limit(self, bytes: usize) -> Result<Self, InvalidValue> {
        if !(1..=HIGHEST_BODY_LIMIT).contains(&bytes) {
            let rule = "must be 1 to 1048576";
            return Err(InvalidValue::new("body limit", bytes.to_string(), rule));
        }
        Ok(self.with(|settings| settings.body_limit = bytes))
    }

    /// Sets how many redirects are followed, 0 by default: a redirect is judged by its status as any
    /// other answer.
    ///
    /// Only redirects to the same scheme, host and port as were asked for are followed, and only to
    /// the server under check, each on a new connection. A redirect to elsewhere fails the check, and
    /// so does one too many. A status that [`status`](Self::status) asks for is not followed.
    pub fn redirects(self, most: u8) -> Self {
        self.with(|settings| settings.redirects = most)
    }

    /// Sets the version of HTTP.
    pub fn version(self, version: HttpVersion) -> Self {
        self.with(|settings| settings.version = version)
    }

    /// Asks over TLS.
    #[cfg(feature = "health-tls")]
    #[cfg_attr(docsrs, doc(cfg(all(feature = "health-http", feature = "health-tls"))))]
    pub fn tls(self, options: TlsOptions) -> Self {
        self.with(|settings| settings.tls = Some(options))
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.0
    }
}

fn is_reserved(name: &HeaderName) -> bool {
    // Two of HTTP/1.1 that have no constants.
    RESERVED.contains(name) || matches!(name.as_str(), "keep-alive" | "proxy-connection")
}

/// Shows no values of headers, which may be secrets.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        let mut shown = f.debug_struct("Settings");
        shown
            .field("path", &self.path)
            .field("method", &self.method)
            .field("host", &self.host)
            .field("headers", &headers)
            .field("status", &self.status)
            .field("body", &self.body)
            .field("body_limit", &self.body_limit)
            .field("redirects", &self.redirects)
            .field("version", &self.version);
        #[cfg(feature = "health-tls")]
        shown.field("tls", &self.tls);
        shown.finish()
    }
}
