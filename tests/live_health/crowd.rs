//! Clients that connect at a steady rate, each with a request.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_rustls::TlsConnector;

use crate::certificates;
use crate::network::Namespace;

/// How long a client waits for its answer.
const PATIENCE: Duration = Duration::from_secs(4);

/// One connection with its request.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    pub(crate) begin: Instant,
    pub(crate) end: Instant,
    /// The name of the server, or why there was no answer.
    pub(crate) answer: Result<String, String>,
}

/// Clients that go on until they are called back.
#[derive(Debug)]
pub(crate) struct Crowd {
    ends: Arc<AtomicBool>,
    visits: Arc<Mutex<BTreeMap<SocketAddr, Vec<Visit>>>>,
    thread: JoinHandle<()>,
}

impl Crowd {
    /// Connects to each address `rate` times a second, with TLS if there is a connector.
    pub(crate) fn start(
        namespace: &Namespace,
        to: &[SocketAddr],
        rate: u32,
        tls: Option<TlsConnector>,
    ) -> Self {
        let ends = Arc::new(AtomicBool::new(false));
        let visits = Arc::<Mutex<BTreeMap<SocketAddr, Vec<Visit>>>>::default();
        let (end, done, to) = (Arc::clone(&ends), Arc::clone(&visits), to.to_vec());
        let work = move || {
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            runtime.enable_all().build().unwrap().block_on(async {
                let mut visitors = JoinSet::new();
                let mut ticks = interval(Duration::from_secs(1) / rate);
                ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
                while !end.load(Ordering::SeqCst) {
                    ticks.tick().await;
                    for to in to.iter().copied() {
                        let (done, tls) = (Arc::clone(&done), tls.clone());
                        visitors.spawn(async move {
                            let visit = visit(to, tls).await;
                            done.lock().unwrap().entry(to).or_default().push(visit);
                        });
                    }
                    while visitors.try_join_next().is_some() {}
                }
                visitors.join_all().await;
            });
        };
        let thread = namespace.run(|| thread::Builder::new().spawn(work)).unwrap();
        Self { ends, visits, thread }
    }

    /// Calls the clients back, and waits for their last answers.
    pub(crate) fn stop(self) -> Visits {
        self.ends.store(true, Ordering::SeqCst);
        self.thread.join().unwrap();
        Visits(std::mem::take(&mut self.visits.lock().unwrap()))
    }
}

/// All connections, by the address they went to.
#[derive(Debug)]
pub(crate) struct Visits(BTreeMap<SocketAddr, Vec<Visit>>);

impl Visits {
    pub(crate) fn to(&self, address: SocketAddr) -> &[Visit] {
        self.0.get(&address).map_or(&[], Vec::as_slice)
    }

    /// Returns the connections that failed.
    pub(crate) fn failed(&self, address: SocketAddr) -> Vec<&Visit> {
        self.to(address).iter().filter(|visit| visit.answer.is_err()).collect()
    }
}

async fn visit(to: SocketAddr, tls: Option<TlsConnector>) -> Visit {
    let begin = Instant::now();
    let answer = match timeout(PATIENCE, connect(to, tls)).await {
        Ok(Ok(answer)) => match answer.split_once("\r\n\r\n") {
            Some((head, name)) if head.starts_with("HTTP/1.1 200 ") => Ok(name.to_owned()),
            _ => Err(format!("{answer:?}")),
        },
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("no answer".to_owned()),
    };
    Visit { begin, end: Instant::now(), answer }
}

async fn connect(to: SocketAddr, tls: Option<TlsConnector>) -> io::Result<String> {
    let stream = TcpStream::connect(to).await?;
    match tls {
        None => exchange(stream).await,
        Some(tls) => {
            let name = certificates::NAME.try_into().unwrap();
            exchange(tls.connect(name, stream).await?).await
        }
    }
}

async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<String> {
    stream.write_all(b"GET / HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n").await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}
