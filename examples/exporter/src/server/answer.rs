use std::sync::Arc;
use std::time::Duration;

use hyper::header::{ACCEPT, ALLOW, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use crate::Readings;
use crate::server::accept;
use crate::server::body::Text;

/// How many scrapes wait for a reading or receive one at once. Others get 503.
pub const MOST_SCRAPES: usize = 40;

const PLAIN: &str = "text/plain; charset=utf-8";
const INDEX: &str = "<!DOCTYPE html>\n<html lang=\"en\"><head><title>IPVS exporter</title></head>\
    <body><h1>IPVS exporter</h1><p><a href=\"/metrics\">Metrics</a></p></body></html>\n";

/// Answers requests.
#[derive(Debug)]
pub(super) struct Answers {
    readings: Readings,
    longest: Duration,
    scrapes: Arc<Semaphore>,
}

impl Answers {
    pub(super) fn new(readings: Readings, longest: Duration) -> Self {
        Self { readings, longest, scrapes: Arc::new(Semaphore::new(MOST_SCRAPES)) }
    }

    pub(super) async fn answer<B>(&self, request: &Request<B>) -> Response<Text> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut refusal = refuse(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
            refusal.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return refusal;
        }
        match request.uri().path() {
            "/" => response(StatusCode::OK, "text/html; charset=utf-8", Text::whole(INDEX)),
            // Says that this process answers. Whether the kernel does, ipvs_scrape_success says.
            "/healthz" => response(StatusCode::OK, PLAIN, Text::whole("ok\n")),
            "/metrics" => self.metrics(request).await,
            _ => refuse(StatusCode::NOT_FOUND, "not found; see /metrics\n"),
        }
    }

    async fn metrics<B>(&self, request: &Request<B>) -> Response<Text> {
        let accept = request.headers().get_all(ACCEPT).iter().filter_map(|it| it.to_str().ok());
        let format = accept::format(accept);
        if request.method() == Method::HEAD {
            return response(StatusCode::OK, format.content_type(), Text::Whole(None));
        }
        let Ok(place) = Arc::clone(&self.scrapes).try_acquire_owned() else {
            return refuse(StatusCode::SERVICE_UNAVAILABLE, "too many scrapes at once\n");
        };
        let deadline = Instant::now() + patience(request.headers(), self.longest);
        match timeout_at(deadline, self.readings.next()).await {
            Ok(Some(reading)) => {
                let text = Text::of(reading, format, place, text_time(self.longest));
                response(StatusCode::OK, format.content_type(), text)
            }
            Ok(None) => refuse(StatusCode::INTERNAL_SERVER_ERROR, "reading failed: see the log\n"),
            Err(_) => refuse(StatusCode::SERVICE_UNAVAILABLE, "reading took too long\n"),
        }
    }
}

/// How long a client may take to receive its text, if a scrape may take `longest`. The half, so that a scraper
/// that waits for the readings of slow clients to leave the memory has time for its own.
pub(super) fn text_time(longest: Duration) -> Duration {
    longest / 2
}

/// How long the scraper waits, if it says so, and at most `longest`. A tenth is left for the way.
fn patience(headers: &HeaderMap, longest: Duration) -> Duration {
    let told = headers.get("x-prometheus-scrape-timeout-seconds");
    let told = told.and_then(|value| value.to_str().ok()?.parse().ok());
    let told = told.and_then(|seconds: f64| Duration::try_from_secs_f64(seconds * 0.9).ok());
    told.map_or(longest, |told| told.min(longest))
}

fn response(status: StatusCode, content_type: &'static str, text: Text) -> Response<Text> {
    let mut response = Response::new(text);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn refuse(status: StatusCode, why: &'static str) -> Response<Text> {
    response(status, PLAIN, Text::whole(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Duration {
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_str(text) {
            headers.insert("x-prometheus-scrape-timeout-seconds", value);
        }
        patience(&headers, Duration::from_secs(10))
    }

    #[test]
    fn the_scraper_may_shorten_the_time() {
        assert_eq!(told("5"), Duration::from_millis(4500));
        assert_eq!(told("0"), Duration::ZERO);
        assert_eq!(patience(&HeaderMap::new(), Duration::from_secs(10)), Duration::from_secs(10));
    }

    #[test]
    fn nobody_lengthens_it() {
        for text in ["11.2", "1e300", "inf", "nan", "-1", "", "x", "\u{7f}"] {
            assert_eq!(told(text), Duration::from_secs(10), "{text}");
        }
    }
}
