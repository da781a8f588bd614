//! The thread that serves metrics.

use std::fmt::Display;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use exporter::{NamespaceReading, Readings, Show, Target};
use tokio::runtime::Builder;
use tokio::sync::oneshot;

use crate::metrics::{MetricsArguments, SharedCounts};

/// The longest time of a scrape.
const LONGEST: Duration = Duration::from_secs(10);

/// Serves metrics on a thread of its own, which reads the table by itself: scrapes hold up neither the loop
/// nor the checks. It ends with this value.
#[derive(Debug)]
pub(crate) struct Server {
    _end: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

/// Listens for scrapes, in the network namespace of the calling thread.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

impl Server {
    /// Serves what `counts` says, and the table of the network namespace of the calling thread.
    pub(crate) fn start(
        listener: TcpListener,
        arguments: &MetricsArguments,
        counts: SharedCounts,
    ) -> io::Result<Self> {
        exporter::log_to(log);
        let show = Show { options: arguments.options(), labels: Arc::default() };
        let read = move || {
            let mut reading = NamespaceReading::of(&Target::Own);
            reading.counts = counts.lock().shown();
            vec![reading]
        };
        let runtime = Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(exporter::server::MOST_SCRAPES + 4)
            .build()?;
        let (end, ended) = oneshot::channel();
        let serve = move || {
            runtime.block_on(async {
                // Made within the runtime.
                let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
                let end = async { drop(ended.await) };
                exporter::server::serve(listener, Readings::new(read, show), LONGEST, end).await;
            });
            runtime.shutdown_background();
        };
        let thread = thread::Builder::new().name("metrics".to_owned()).spawn(serve)?;
        Ok(Self { _end: end, thread })
    }

    /// Returns `true` if the thread has ended by itself.
    pub(crate) fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }
}

fn log(line: &dyn Display) {
    tracing::warn!("metrics: {line}");
}
