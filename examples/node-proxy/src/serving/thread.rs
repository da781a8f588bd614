//! The thread that serves.

use std::collections::BTreeMap;
use std::future::ready;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hyper::body::Incoming;
use hyper::{Request, StatusCode};
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle as Task;
use tokio::time::sleep_until;

use super::ServingArguments;
use super::http::{self, Answer, Limits};
use super::shared::Shared;
use super::silent::Silent;
use super::sockets::{Page, Place, Sockets};
use crate::log;
use crate::metrics::{Metrics, Scrapes};

/// How many connections each kind of page serves at once.
const HEALTH_CONNECTIONS: usize = 64;
const METRICS_CONNECTIONS: usize = 16;
const SERVICE_CONNECTIONS: usize = 16;
/// How many connections the pages of all services serve at once.
const ALL_SERVICE_CONNECTIONS: usize = 256;

/// How long an answer may take, until the client has all of it.
const SHORT_TIME: Duration = Duration::from_secs(3);
const METRICS_TIME: Duration = Duration::from_secs(20);

/// The thread. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Thread {
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Thread {
    pub(crate) fn start(
        arguments: &ServingArguments,
        shared: Arc<Shared>,
        metrics: Arc<Metrics>,
    ) -> io::Result<Self> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(METRICS_CONNECTIONS)
            .build()?;
        let (end, ended) = oneshot::channel();
        let scrapes = Scrapes::new(Arc::clone(&metrics), arguments.metrics_destinations);
        let mut server = Server {
            arguments: arguments.clone(),
            shared,
            metrics,
            scrapes: Arc::new(scrapes),
            sockets: Sockets::default(),
            open: BTreeMap::new(),
            together: Arc::new(Semaphore::new(ALL_SERVICE_CONNECTIONS)),
            silent: Silent::default(),
        };
        let serve = move || {
            runtime.block_on(async {
                tokio::select! {
                    () = server.run() => {}
                    _ = ended => {}
                }
            });
            // A reading of the table may be under way.
            runtime.shutdown_background();
        };
        let thread = std::thread::Builder::new().name("serving".to_owned()).spawn(serve)?;
        Ok(Self { end: Some(end), thread: Some(thread) })
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Server {
    arguments: ServingArguments,
    shared: Arc<Shared>,
    metrics: Arc<Metrics>,
    scrapes: Arc<Scrapes>,
    sockets: Sockets,
    open: BTreeMap<Place, Task<()>>,
    together: Arc<Semaphore>,
    silent: Silent,
}

impl Server {
    /// Opens and closes sockets, for ever.
    async fn run(&mut self) {
        loop {
            for place in self.sockets.want(self.shared.wanted(&self.arguments)) {
                self.close(&place).await;
            }
            for place in self.sockets.due(Instant::now()) {
                self.open(place);
            }
            self.metrics.set_service_sockets(self.sockets.service_counts());
            let retry = self.sockets.next_attempt();
            tokio::select! {
                () = self.shared.wait_for_sockets() => {}
                () = sleep_until(retry.unwrap_or_else(Instant::now).into()), if retry.is_some() => {}
            }
        }
    }

    /// Closes a socket. Its port is free afterwards.
    async fn close(&mut self, place: &Place) {
        if let Some(task) = self.open.remove(place) {
            task.abort();
            let _ = task.await;
        }
    }

    fn open(&mut self, place: Place) {
        let (page, address) = &place;
        match http::listen(*address) {
            Ok(listener) => {
                if self.sockets.opened(&place) {
                    log::line(format_args!("{page}: listens at {address}"));
                }
                let task = self.serve(page, listener);
                self.open.insert(place, task);
            }
            Err(error) => {
                let why = error.to_string();
                if self.sockets.failed(&place, &why, Instant::now()) {
                    log::line(format_args!(
                        "{page}: cannot listen at {address}: {why}; tried again"
                    ));
                }
            }
        }
    }
}

impl Server {
    fn serve(&self, page: &Page, listener: TcpListener) -> Task<()> {
        let shared = Arc::clone(&self.shared);
        let alone = |connections, time| Limits {
            connections,
            together: Arc::new(Semaphore::new(connections)),
            silent: Silent::default(),
            time,
        };
        match page {
            Page::Health => {
                let metrics = Arc::clone(&self.metrics);
                let limits = alone(HEALTH_CONNECTIONS, SHORT_TIME);
                tokio::spawn(http::serve(listener, limits, move |request| {
                    ready(health(&shared, &metrics, &request))
                }))
            }
            Page::Metrics => {
                let scrapes = Arc::clone(&self.scrapes);
                let limits = alone(METRICS_CONNECTIONS, METRICS_TIME);
                tokio::spawn(http::serve(listener, limits, move |request| {
                    Arc::clone(&scrapes).answer(request)
                }))
            }
            Page::Service(name) => {
                let name = name.clone();
                let together = Arc::clone(&self.together);
                let limits = Limits {
                    connections: SERVICE_CONNECTIONS,
                    together,
                    silent: self.silent.clone(),
                    time: SHORT_TIME,
                };
                // At any path, as kube-proxy.
                tokio::spawn(http::serve(listener, limits, move |_| {
                    ready(shared.answer_service(&name))
                }))
            }
        }
    }
}

fn health(shared: &Shared, metrics: &Metrics, request: &Request<Incoming>) -> Answer {
    let with_node = match request.uri().path() {
        "/healthz" => true,
        "/livez" => false,
        "/readyz" => return shared.answer_readiness(),
        _ => {
            let text = "not found; see /healthz, /livez and /readyz\n";
            return http::plain(StatusCode::NOT_FOUND, text);
        }
    };
    let (is_ok, answer) = shared.answer_health(with_node);
    metrics.health_answered(with_node, is_ok);
    answer
}
