//! Takes connections, each of which is a task.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::geteuid;
use tokio::net::UnixStream;
use tokio::sync::broadcast;
use tokio::task::JoinSet;
use tokio::time;

use crate::control::call::Calls;
use crate::control::limits::Limits;
use crate::control::problem::Problem;
use crate::control::response::Response;
use crate::control::server::connection::{Connection, Peer};
use crate::control::server::names;
use crate::control::server::places::Places;
use crate::control::server::socket::Socket;
use crate::event::Event;

/// What all connections share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) limits: Limits,
    pub(super) calls: Calls,
    pub(super) events: broadcast::Sender<Event>,
    places: Mutex<Places>,
}

/// The time in which the last answers go out when the daemon ends.
const FAREWELL: Duration = Duration::from_secs(1);
/// The time without new connections when the process has no descriptors left.
const PATIENCE: Duration = Duration::from_millis(100);

/// Serves the sockets, until the receiver of the calls is closed. Then followers get the last events,
/// clients that wait are told that the daemon ends, and after a second at most this returns.
///
/// Dropping this closes all connections.
pub async fn serve(
    sockets: Vec<Socket>,
    limits: Limits,
    calls: Calls,
    events: broadcast::Sender<Event>,
) {
    let places = Mutex::new(Places::new(limits, geteuid().as_raw()));
    let shared = Arc::new(Shared { limits, calls, events, places });
    let mut listeners = JoinSet::new();
    for socket in sockets {
        listeners.spawn(accept(socket, Arc::clone(&shared)));
    }
    while listeners.join_next().await.is_some() {}
}

async fn accept(socket: Socket, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = socket.listener.accept() => accepted,
            () = shared.calls.closed() => break,
        };
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, _)) => {
                if let Some(connection) = admit(stream, &socket, &shared) {
                    connections.spawn(connection.run());
                }
            }
            Err(error) => {
                tracing::warn!("{}: no connection taken: {error}", socket.path().display());
                time::sleep(PATIENCE).await;
            }
        }
    }
    let all = async { while connections.join_next().await.is_some() {} };
    time::timeout(FAREWELL, all).await.ok();
}

/// Gives a client a place, or tells it that there is none.
fn admit(stream: UnixStream, socket: &Socket, shared: &Arc<Shared>) -> Option<Connection> {
    let problem = match enter(&stream, shared) {
        Ok(peer) => return Some(Connection::new(stream, socket.rights, peer, Arc::clone(shared))),
        Err(problem) => problem,
    };
    let mut line = Vec::new();
    Response::write_problem(&problem, &mut line);
    // A new socket has room for a line. Without room nobody reads.
    stream.try_write(&line).ok();
    None
}

fn enter(stream: &UnixStream, shared: &Shared) -> Result<Peer, Problem> {
    let unknown = |_: io::Error| Problem::Busy("the system does not say who is connected");
    let peer = stream.peer_cred().map_err(unknown)?;
    let owner = shared.places().enter(peer.uid(), Instant::now())?;
    // Only for those that have a place, because files are read.
    let user = names::user(peer.uid());
    let process = peer.pid().map_or_else(String::new, |pid| format!(" (process {pid})"));
    Ok(Peer { owner, process: format!("{user}{process}"), user })
}

impl Shared {
    pub(super) fn places(&self) -> std::sync::MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
