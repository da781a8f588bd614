use std::net::SocketAddr;

use hyper::header::{self, HeaderValue};
use hyper::http::uri::{Authority, PathAndQuery, Scheme};
use hyper::{Method, Request, Uri};

use crate::health::probe::authority::{self, USER_AGENT};
use crate::health::probe::http::check::{HttpVersion, Settings};

impl Settings {
    pub(super) fn scheme(&self) -> Scheme {
        #[cfg(feature = "health-tls")]
        if self.tls.is_some() {
            return Scheme::HTTPS;
        }
        Scheme::HTTP
    }

    /// Returns the host that is asked for.
    pub(super) fn host_for(&self, target: SocketAddr) -> Result<Authority, String> {
        if let Some(host) = &self.host {
            return Ok(host.value.clone());
        }
        authority::of(target, &self.scheme())
    }

    pub(super) fn request(
        &self,
        host: &Authority,
        path: &PathAndQuery,
        method: Method,
    ) -> Result<Request<String>, String> {
        let uri = match self.version {
            HttpVersion::Http1 => Uri::from(path.clone()),
            HttpVersion::Http2 => Uri::builder()
                .scheme(self.scheme())
                .authority(host.clone())
                .path_and_query(path.clone())
                .build()
                .map_err(|error| error.to_string())?,
        };
        let mut request = Request::new(String::new());
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        let headers = request.headers_mut();
        if self.version == HttpVersion::Http1 {
            let host = HeaderValue::from_str(host.as_str()).map_err(|error| error.to_string())?;
            headers.insert(header::HOST, host);
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        } else {
            *request.version_mut() = hyper::Version::HTTP_2;
        }
        let headers = request.headers_mut();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        for (name, value) in &self.headers {
            headers.append(name.value.clone(), value.value.clone());
        }
        for (name, value) in [(header::USER_AGENT, USER_AGENT), (header::ACCEPT, "*/*")] {
            headers.entry(name).or_insert(HeaderValue::from_static(value));
        }
        Ok(request)
    }
}
