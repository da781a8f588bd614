use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use tokio::task;

use crate::arguments::Arguments;
use crate::labels::{self, LabelsError};
use crate::server::{self, MOST_SCRAPES};
use crate::{NamespaceReading, Readings, Show, log};

/// Why the exporter does not run.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The runtime or a handler of signals cannot be made.
    #[error("cannot start: {0}")]
    Start(#[source] io::Error),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The table file cannot be used.
    #[error(transparent)]
    Labels(#[from] LabelsError),
}

/// Serves until SIGTERM or SIGINT. A second signal ends what the first one let go on. SIGHUP reads the table
/// file again.
///
/// # Errors
///
/// The address cannot be listened on, or the table file cannot be used. A table that cannot be read is no
/// error: the scrapes say so.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let labels = arguments.table.as_deref().map(labels::read).transpose()?.unwrap_or_default();
    let show = Show { options: arguments.options(), labels: Arc::new(labels) };
    let targets = arguments.targets();
    // Threads for readings, and for one text of each scrape.
    let runtime = Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(MOST_SCRAPES + 4)
        .build()
        .map_err(Failure::Start)?;
    let served = runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate()).map_err(Failure::Start)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::Start)?;
        let mut hangup = signal(SignalKind::hangup()).map_err(Failure::Start)?;
        let address = arguments.listen;
        let listener = TcpListener::bind(address)
            .await
            .and_then(|listener| Ok((listener.local_addr()?, listener)))
            .map_err(|source| Failure::Listen { address, source });
        let (address, listener) = listener?;
        log::line(format_args!("listening on http://{address}/metrics"));
        let read = move || targets.iter().map(NamespaceReading::of).collect();
        let mut signal = async || {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        let (running, ended) = oneshot::channel::<()>();
        let end = async { drop(ended.await) };
        let readings = Readings::new(read, show);
        let first = readings.clone();
        // Only for the log: who starts the exporter sees at once what it cannot read.
        tokio::spawn(async move { drop(first.next().await) });
        let renewed = renew_labels(&mut hangup, arguments.table.as_deref(), readings.clone());
        tokio::select! {
            () = server::serve(listener, readings, arguments.timeout, end) => {}
            // The second signal cuts what the first one let go on.
            () = async { signal().await; drop(running); signal().await } => {}
            () = renewed => {}
        }
        Ok(())
    });
    // A reading that nobody waits for any more may still be under way.
    runtime.shutdown_timeout(Duration::from_millis(100));
    served
}

/// Reads the table file again at each signal. A file that cannot be used changes nothing.
async fn renew_labels(hangup: &mut Signal, table: Option<&Path>, readings: Readings) {
    while hangup.recv().await.is_some() {
        let Some(table) = table.map(Path::to_owned) else { continue };
        match task::spawn_blocking(move || labels::read(&table)).await {
            Ok(Ok(labels)) => {
                readings.set_labels(labels);
                log::line("the labels were read again");
            }
            Ok(Err(error)) => log::line(format_args!("{error}; the labels stay as they were")),
            Err(error) => log::line(error),
        }
    }
    std::future::pending().await
}
