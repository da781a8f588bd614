use hyper::http::uri::{Authority, PathAndQuery, Scheme};
use hyper::{Method, StatusCode, Uri};

use crate::health::probe::authority::default_port;
use crate::health::probe::excerpt::Excerpt;

/// Returns `true` for a status that sends the client to another place.
pub(super) fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Returns the method of the request after a redirect (RFC 9110, section 15.4).
pub(super) fn method(status: StatusCode, method: Method) -> Method {
    match status.as_u16() {
        303 if method != Method::HEAD => Method::GET,
        301 | 302 if method == Method::POST => Method::GET,
        _ => method,
    }
}

/// Returns the path to which `location` sends a client that has asked for `path` at this scheme and
/// host. Refuses another scheme, host or port.
pub(super) fn follow(
    scheme: &Scheme,
    host: &Authority,
    path: &PathAndQuery,
    location: &[u8],
) -> Result<PathAndQuery, String> {
    let refused = |why| format!("a redirect {why}: {}", Excerpt(location));
    let unreadable = || refused("to an unreadable address");
    let text = std::str::from_utf8(location).map_err(|_| unreadable())?;
    let text = text.split('#').next().unwrap_or_default();
    if let Some(elsewhere) = text.strip_prefix("//") {
        return of_uri(scheme, host, &format!("{scheme}://{elsewhere}"), refused);
    }
    if text.starts_with('/') {
        return text.parse().map_err(|_| unreadable());
    }
    // A colon before any slash ends a scheme.
    if text.split(['/', '?']).next().is_some_and(|first| first.contains(':')) {
        return of_uri(scheme, host, text, refused);
    }
    let base = path.path();
    let joined = match text.starts_with('?') {
        true => format!("{base}{text}"),
        false => {
            let folder = base.rfind('/').and_then(|end| base.get(..=end)).unwrap_or("/");
            format!("{folder}{text}")
        }
    };
    joined.parse().map_err(|_| unreadable())
}

fn of_uri(
    scheme: &Scheme,
    host: &Authority,
    uri: &str,
    refused: impl Fn(&'static str) -> String,
) -> Result<PathAndQuery, String> {
    let uri: Uri = uri.parse().map_err(|_| refused("to an unreadable address"))?;
    if uri.scheme() != Some(scheme) {
        return Err(refused("to another scheme"));
    }
    let is_same = uri.authority().is_some_and(|other| {
        let port = |authority: &Authority| authority.port_u16().unwrap_or(default_port(scheme));
        other.host().eq_ignore_ascii_case(host.host()) && port(other) == port(host)
    });
    if !is_same {
        return Err(refused("to another host"));
    }
    Ok(uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn to(location: &str) -> Result<String, String> {
        let host = Authority::from_static("www.example.com:8080");
        let path = PathAndQuery::from_static("/a/b?c");
        follow(&Scheme::HTTP, &host, &path, location.as_bytes()).map(|path| path.to_string())
    }

    #[test]
    fn a_redirect_stays_at_its_host() {
        for (location, path) in [
            ("/x?y#z", "/x?y"),
            ("x", "/a/x"),
            ("?d", "/a/b?d"),
            ("http://WWW.example.com:8080/x", "/x"),
            ("http://www.example.com:8080", "/"),
            ("//www.example.com:8080/x", "/x"),
            ("x/y:z", "/a/x/y:z"),
        ] {
            assert_eq!(to(location).as_deref(), Ok(path), "{location}");
        }
        for (location, why) in [
            ("https://www.example.com:8080/x", "another scheme"),
            ("http://www.example.com/x", "another host"),
            ("http://www.example.com:8080.evil.example/", "another host"),
            ("http://evil.example:8080/", "another host"),
            ("//evil.example/", "another host"),
            ("ftp://www.example.com:8080/", "another scheme"),
            ("javascript:alert(1)", "another scheme"),
            ("/\x1b[2J", "unreadable"),
        ] {
            let refused = to(location).unwrap_err();
            assert!(refused.contains(why) && !refused.contains('\x1b'), "{location}: {refused}");
        }
        let host = Authority::from_static("www.example.com");
        let path = PathAndQuery::from_static("/");
        assert!(follow(&Scheme::HTTPS, &host, &path, b"https://www.example.com:443/x").is_ok());
    }

    proptest! {
        #[test]
        fn no_location_panics(location in proptest::collection::vec(any::<u8>(), 0..100)) {
            let host = Authority::from_static("a");
            let path = PathAndQuery::from_static("/");
            if let Ok(path) = follow(&Scheme::HTTP, &host, &path, &location) {
                prop_assert!(path.path().starts_with('/'));
            }
        }
    }
}
