//! Answers scrapes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::{Request, StatusCode};
use ipvs_netlink::metrics::{Destinations, Format, Options, Scrape, Source};
use ipvs_netlink::{Client, Snapshot};
use tokio::sync::Semaphore;
use tokio::task;
use tokio::time::timeout;

use super::Metrics;
use crate::log;
use crate::serving::{Answer, plain, with_type};

/// How many scrapes are answered at once. Others get 503.
const MOST: usize = 4;

/// How long a scrape may take until its text begins.
const LONGEST: Duration = Duration::from_secs(10);

/// Shows what the program counts, and the kernel's table.
#[derive(Debug)]
pub(crate) struct Scrapes {
    metrics: Arc<Metrics>,
    options: Options,
    places: Arc<Semaphore>,
    ipvs: Mutex<Option<Client>>,
}

impl Scrapes {
    pub(crate) fn new(metrics: Arc<Metrics>, with_destinations: bool) -> Self {
        let destinations = if with_destinations { Destinations::ALL } else { Destinations::NONE };
        let options = Options::new().destinations(destinations);
        Self { metrics, options, places: Arc::new(Semaphore::new(MOST)), ipvs: Mutex::new(None) }
    }

    /// Answers a request, as the server of kube-proxy's metrics does.
    pub(crate) async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Answer {
        match request.uri().path() {
            "/metrics" => self.metrics().await,
            "/healthz" => plain(StatusCode::OK, "ok"),
            "/proxyMode" => plain(StatusCode::OK, "ipvs"),
            _ => plain(StatusCode::NOT_FOUND, "not found; see /metrics\n"),
        }
    }

    async fn metrics(self: Arc<Self>) -> Answer {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return plain(StatusCode::SERVICE_UNAVAILABLE, "too many scrapes at once\n");
        };
        let reading = task::spawn_blocking(move || {
            let text = self.text();
            drop(place);
            text
        });
        match timeout(LONGEST, reading).await {
            Ok(Ok(Some(text))) => {
                with_type(StatusCode::OK, Format::Prometheus.content_type(), Bytes::from(text))
            }
            Ok(_) => plain(StatusCode::INTERNAL_SERVER_ERROR, "the metrics cannot be shown\n"),
            Err(_) => plain(StatusCode::SERVICE_UNAVAILABLE, "reading took too long\n"),
        }
    }

    /// Reads the table, on a thread that may block, and prints all metrics.
    fn text(&self) -> Option<Vec<u8>> {
        let begun = Instant::now();
        let snapshot = self.snapshot();
        let apply = self.metrics.apply_counts();
        let source = snapshot.as_ref().map_or_else(Source::unread, Source::new).apply(&apply);
        let source = source.scraped(snapshot.is_some(), begun.elapsed());
        let mut text = self.metrics.text().ok()?.into_bytes();
        Scrape::new(source, self.options).write(Format::Prometheus, &mut text).ok()?;
        Some(text)
    }

    /// One reading at a time. A client that fails is replaced for the next one.
    fn snapshot(&self) -> Option<Snapshot> {
        let mut ipvs = self.ipvs.lock().unwrap_or_else(PoisonError::into_inner);
        let client = match ipvs.take() {
            Some(client) => Ok(client),
            None => Client::connect(),
        };
        let read = client.and_then(|mut client| Ok((client.snapshot()?, client)));
        match read {
            Ok((snapshot, client)) => {
                *ipvs = Some(client);
                Some(snapshot)
            }
            Err(error) => {
                log::line(format_args!("/metrics: {error}"));
                None
            }
        }
    }
}
