//! The exporter on a thread of the test, and tables from memory.

use std::net::{SocketAddr, TcpListener};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use exporter::{Contents, NamespaceReading, Readings, Show, server};
use ipvs_netlink::metrics::{Destinations, Options};
use ipvs_netlink::{
    Connections, Destination, DestinationEntry, Service, ServiceEntry, ServiceSnapshot, Snapshot,
    Stats,
};
use tokio::runtime::Builder;
use tokio::sync::oneshot;

/// An exporter that ends when it is dropped.
pub(crate) struct Exporter {
    pub(crate) address: SocketAddr,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Exporter {
    pub(crate) fn start(
        longest: Duration,
        read: impl Fn() -> Vec<NamespaceReading> + Send + Sync + 'static,
    ) -> Self {
        let options = Options::new().destinations(Destinations::ALL);
        let readings = Readings::new(read, Show { options, ..Show::default() });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (end, ended) = oneshot::channel::<()>();
        let thread = thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                server::serve(listener, readings, longest, async { drop(ended.await) }).await;
            });
            runtime.shutdown_background();
        });
        Self { address, end: Some(end), thread: Some(thread) }
    }

    /// Asks the exporter to end. It answers those who have asked before.
    pub(crate) fn end(&mut self) {
        self.end.take();
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        self.end();
        self.thread.take().unwrap().join().unwrap();
    }
}

/// A reading of a namespace in which every counter is `count`.
pub(crate) fn reading(services: u16, destinations: u16, count: u64) -> Vec<NamespaceReading> {
    let snapshot = Snapshot::from_iter((0..services).map(|service| {
        let stats = stats(count);
        let [high, low] = service.to_be_bytes();
        let id = Service::tcp(([10, 0, high, low], 80).into());
        let entries = (0..destinations).map(|destination| {
            let [high, low] = destination.to_be_bytes();
            let destination = Destination::masquerade(([10, 1, high, low], 8080).into());
            DestinationEntry::new(destination, Connections::default(), stats)
        });
        ServiceSnapshot::new(ServiceEntry::new(id, stats), entries.collect::<Vec<_>>())
    }));
    let contents = Contents { snapshot, totals: Some(stats(count)), ..Contents::default() };
    vec![NamespaceReading {
        name: None,
        contents: Ok(contents),
        took: Duration::ZERO,
        counts: Default::default(),
    }]
}

fn stats(count: u64) -> Stats {
    let mut stats = Stats::default();
    stats.connections = count;
    stats.incoming_packets = count;
    stats.outgoing_packets = count;
    stats.incoming_bytes = count;
    stats.outgoing_bytes = count;
    stats
}
