//! Pods: TCP servers that end as well-behaved ones do.

use std::io;
use std::net::{self, SocketAddr};
use std::thread;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::network::Namespace;

/// The port on which pods listen.
pub(crate) const PORT: u16 = 8080;

/// The last answer on a connection to a pod that terminates.
pub(crate) const GOODBYE: &str = "goodbye";

/// The phase of a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The pod answers every line with its name.
    Ready,
    /// The pod answers every line with [`GOODBYE`], and closes the connection. It still accepts new ones.
    Terminating,
    /// The process has ended: its sockets are closed.
    Gone,
}

/// A pod with one TCP server. The pod ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Pod {
    /// The address of the server.
    pub(crate) address: SocketAddr,
    phase: watch::Sender<Phase>,
}

impl Pod {
    /// Starts a server in a network namespace.
    ///
    /// # Errors
    ///
    /// The system has no thread, or the address is in use or not there.
    pub(crate) fn start(
        namespace: &Namespace,
        address: SocketAddr,
        name: &str,
    ) -> io::Result<Self> {
        let listener = namespace.run(|| net::TcpListener::bind(address))?;
        listener.set_nonblocking(true)?;
        let (phase, changes) = watch::channel(Phase::Ready);
        let name = name.to_owned();
        let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
        thread::Builder::new().name(name.clone()).spawn(move || {
            let mut ended = changes.clone();
            runtime.block_on(async {
                tokio::select! {
                    _ = ended.wait_for(|phase| *phase == Phase::Gone) => {}
                    _ = serve(listener, &name, &changes) => {}
                }
            });
        })?;
        Ok(Self { address, phase })
    }

    /// Returns the phase.
    pub(crate) fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    /// Changes the phase.
    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.send_replace(phase);
    }
}

async fn serve(
    listener: net::TcpListener,
    name: &str,
    phase: &watch::Receiver<Phase>,
) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(answer(stream, format!("{name}\n"), phase.clone()));
            }
            // No descriptor is free.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn answer(
    mut stream: TcpStream,
    name: String,
    phase: watch::Receiver<Phase>,
) -> io::Result<()> {
    let (from, mut to) = stream.split();
    let mut lines = BufReader::new(from).lines();
    while lines.next_line().await?.is_some() {
        if *phase.borrow() != Phase::Ready {
            to.write_all(format!("{GOODBYE}\n").as_bytes()).await?;
            break;
        }
        to.write_all(name.as_bytes()).await?;
    }
    to.shutdown().await
}
