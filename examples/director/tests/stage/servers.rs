//! Servers that answer requests with their name, and that can be killed and made to fail.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::{fmt, io};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::task::{JoinHandle, JoinSet};

/// What a server does with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// It answers with its name.
    Well,
    /// It keeps the connection and says nothing.
    Silent,
    /// It answers 500.
    Error,
    /// It answers checks with these bytes, and clients with its name.
    Checks(Arc<[u8]>),
    /// It says these bytes to whoever connects.
    AtOnce(Arc<[u8]>),
    /// It answers with its name, in several parts.
    InParts,
    /// It answers two of three checks with 500, and clients with its name.
    TwoOfThree,
}

/// What requests begin with that are checks.
const CHECK: &[u8] = b"GET /check";

/// A server. It dies with this value.
pub(crate) struct Server {
    handle: Handle,
    listen: Box<dyn Fn() -> io::Result<TcpListener> + Send>,
    shared: Arc<Shared>,
    task: Option<JoinHandle<()>>,
}

struct Shared {
    name: String,
    manner: Mutex<Manner>,
    accepted: Mutex<Vec<Instant>>,
    checks: Mutex<Vec<Instant>>,
    /// How long checks took, from the connection to its end at the other side.
    took: Mutex<Vec<Duration>>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("name", &self.shared.name).finish_non_exhaustive()
    }
}

impl Server {
    pub(crate) fn start(
        handle: &Handle,
        bind: impl Fn() -> io::Result<std::net::TcpListener> + Send + 'static,
        name: &str,
    ) -> Self {
        let on = handle.clone();
        let listen = move || {
            let listener = bind()?;
            listener.set_nonblocking(true)?;
            let _on = on.enter();
            TcpListener::from_std(listener)
        };
        let shared = Shared {
            name: name.to_owned(),
            manner: Mutex::new(Manner::Well),
            accepted: Mutex::default(),
            checks: Mutex::default(),
            took: Mutex::default(),
        };
        let shared = Arc::new(shared);
        let mut server =
            Self { handle: handle.clone(), listen: Box::new(listen), shared, task: None };
        server.revive();
        server
    }

    /// Lets a server that was killed serve again.
    pub(crate) fn revive(&mut self) {
        let listener = (self.listen)().unwrap();
        self.task = Some(self.handle.spawn(serve(listener, Arc::clone(&self.shared))));
    }

    /// Closes all sockets of the server, as the kernel does where a process is killed.
    pub(crate) fn kill(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
            // It has ended, with its connections, when this returns.
            let _ = self.handle.block_on(task);
        }
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.task.is_some()
    }

    pub(crate) fn set(&self, manner: Manner) {
        *self.shared.manner.lock().unwrap() = manner;
    }

    /// How many connections the server has accepted.
    pub(crate) fn accepted(&self) -> usize {
        self.shared.accepted.lock().unwrap().len()
    }

    /// When connections were accepted, since a time.
    pub(crate) fn accepted_since(&self, time: Instant) -> Vec<Instant> {
        let all = self.shared.accepted.lock().unwrap();
        all.iter().filter(|at| **at >= time).copied().collect()
    }

    /// How long checks took that were answered in parts.
    pub(crate) fn took(&self) -> Vec<Duration> {
        self.shared.took.lock().unwrap().clone()
    }

    /// When requests came that are checks, since a time.
    pub(crate) fn checks_since(&self, time: Instant) -> Vec<Instant> {
        let all = self.shared.checks.lock().unwrap();
        all.iter().filter(|at| **at >= time).copied().collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            shared.accepted.lock().unwrap().push(Instant::now());
            let shared = Arc::clone(&shared);
            connections.spawn(async move {
                let _ = answer(stream, &shared).await;
            });
        } else {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        while connections.try_join_next().is_some() {}
    }
}

/// Answers one request.
async fn answer(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    let begin = Instant::now();
    let manner = shared.manner.lock().unwrap().clone();
    if let Manner::AtOnce(bytes) = manner {
        stream.write_all(&bytes).await?;
        return stream.shutdown().await;
    }
    let mut request = Vec::new();
    while !request.ends_with(b"\n") {
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    let is_check = request.starts_with(CHECK);
    let mut checks = 0;
    if is_check {
        let mut all = shared.checks.lock().unwrap();
        all.push(Instant::now());
        checks = all.len();
    }
    let status = match manner {
        Manner::Checks(bytes) if is_check => {
            stream.write_all(&bytes).await?;
            return stream.shutdown().await;
        }
        Manner::TwoOfThree if checks % 3 > 0 => "500 Internal Server Error",
        Manner::InParts => {
            // The second part waits for the acknowledgement of the first one (Nagle's algorithm).
            for part in ["HTTP/1.1 2", "00 ", "OK\r\nconnection: close\r\n\r\n", &shared.name] {
                stream.write_all(part.as_bytes()).await?;
            }
            stream.shutdown().await?;
            // The other side may close with a reset.
            while stream.read_buf(&mut request).await.is_ok_and(|length| length > 0) {}
            shared.took.lock().unwrap().push(begin.elapsed());
            return Ok(());
        }
        Manner::Well | Manner::Checks(_) | Manner::AtOnce(_) | Manner::TwoOfThree => "200 OK",
        Manner::Error => "500 Internal Server Error",
        Manner::Silent => {
            // Until the other side gives up.
            while stream.read_buf(&mut request).await? > 0 {}
            return Ok(());
        }
    };
    let name = &shared.name;
    let length = name.len();
    let answer =
        format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{name}");
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}
