//! Servers that answer requests with their name, and that can be made to fail.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use rustix::process::{Signal, set_parent_process_death_signal};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::runtime::{Builder, Runtime};

use crate::certificates::Certificates;
use crate::network::Namespace;

/// The name of a server process, in its environment.
const NAME: &str = "SERVER_NAME";

/// How long a slow server takes for an answer.
pub(crate) const SLOW: Duration = Duration::from_millis(2000);

/// What a server does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Manner {
    /// It answers.
    Well,
    /// It says nothing, and keeps the connection.
    Silent,
    /// It answers 500.
    Error,
    /// It answers after some time.
    Slow,
    /// It answers four checks, and all clients meanwhile, with 500, the next four well, and so on.
    Flapping,
    /// It answers with a certificate that has expired, if it has one.
    Expired,
}

const MANNERS: [Manner; 6] =
    [Manner::Well, Manner::Silent, Manner::Error, Manner::Slow, Manner::Flapping, Manner::Expired];

/// The manner of a server, which the test changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Manners(Arc<Behaviour>);

#[derive(Debug, Default)]
struct Behaviour {
    manner: AtomicU8,
    checks: AtomicU32,
}

impl Manners {
    pub(crate) fn set(&self, manner: Manner) {
        self.0.manner.store(manner as u8, Ordering::SeqCst);
    }

    fn now(&self) -> Manner {
        let now = self.0.manner.load(Ordering::SeqCst);
        MANNERS.into_iter().find(|it| *it as u8 == now).unwrap()
    }

    /// Returns what to do with a request.
    fn of(&self, request: &[u8]) -> Manner {
        let checks = match request.starts_with(b"GET /check ") {
            true => self.0.checks.fetch_add(1, Ordering::SeqCst),
            false => self.0.checks.load(Ordering::SeqCst),
        };
        match self.now() {
            Manner::Flapping if checks / 4 % 2 == 0 => Manner::Error,
            Manner::Flapping => Manner::Well,
            other => other,
        }
    }
}

/// Servers on one thread of this process.
#[derive(Debug)]
pub(crate) struct Servers(Runtime);

impl Servers {
    pub(crate) fn new() -> Self {
        let mut runtime = Builder::new_multi_thread();
        Self(runtime.worker_threads(1).enable_all().build().unwrap())
    }

    /// Starts a server. With certificates it speaks TLS.
    pub(crate) fn start(
        &self,
        namespace: &Namespace,
        address: SocketAddr,
        name: &str,
        certificates: Option<&Certificates>,
    ) -> Manners {
        let listener = namespace.run(|| TcpListener::bind(address)).unwrap();
        let manners = Manners::default();
        let certificates = certificates.cloned();
        self.0.spawn(serve(listener, name.to_owned(), manners.clone(), certificates));
        manners
    }
}

/// A server in a process of its own.
#[derive(Debug)]
pub(crate) struct Process(Child);

impl Process {
    /// Starts a server. The process ends with the thread that starts it.
    pub(crate) fn start(namespace: &Namespace, address: SocketAddr, name: &str) -> Self {
        let listener = namespace.run(|| TcpListener::bind(address)).unwrap();
        let child = Command::new("/proc/self/exe")
            .args(["--ignored", "--exact", "server::a_process"])
            .env(NAME, name)
            .stdin(Stdio::from(OwnedFd::from(listener)))
            .stdout(Stdio::null())
            .spawn();
        Self(child.unwrap())
    }

    /// Kills the process. The kernel closes its sockets.
    pub(crate) fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

#[test]
#[ignore = "the process of a server, which other tests start"]
fn a_process() {
    let name = std::env::var(NAME).expect("started by another test");
    set_parent_process_death_signal(Some(Signal::KILL)).unwrap();
    let socket = io::stdin().as_fd().try_clone_to_owned().unwrap();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(serve(socket.into(), name, Manners::default(), None));
}

async fn serve(
    listener: TcpListener,
    name: String,
    manners: Manners,
    certificates: Option<Certificates>,
) {
    listener.set_nonblocking(true).unwrap();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    let name = Arc::<str>::from(name);
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let (name, manners) = (Arc::clone(&name), manners.clone());
        let acceptor = certificates.as_ref().map(|certificates| match manners.now() {
            Manner::Expired => certificates.expired.clone(),
            _ => certificates.good.clone(),
        });
        tokio::spawn(async move {
            match acceptor {
                None => answer(stream, &name, &manners).await,
                Some(acceptor) => answer(acceptor.accept(stream).await?, &name, &manners).await,
            }
        });
    }
}

/// Answers one request.
async fn answer(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    name: &str,
    manners: &Manners,
) -> io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    let status = match manners.of(&request) {
        Manner::Well | Manner::Flapping | Manner::Expired => "200 OK",
        Manner::Error => "500 Internal Server Error",
        Manner::Slow => {
            tokio::time::sleep(SLOW).await;
            "200 OK"
        }
        Manner::Silent => {
            // Until the client gives up.
            stream.read_buf(&mut request).await?;
            return Ok(());
        }
    };
    let length = name.len();
    let answer =
        format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{name}");
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}

/// Waits until a process serves at an address.
pub(crate) fn wait_for(namespace: &Namespace, address: SocketAddr) {
    let served = namespace.run(|| {
        let exchange = || {
            use std::io::{Read as _, Write as _};
            let mut stream = std::net::TcpStream::connect(address)?;
            stream.set_read_timeout(Some(Duration::from_secs(20)))?;
            stream.write_all(b"GET / HTTP/1.1\r\n\r\n")?;
            stream.read_to_string(&mut String::new())
        };
        for _ in 0..100 {
            if exchange().is_ok_and(|length| length > 0) {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(20));
        }
        exchange().map(drop)
    });
    served.unwrap();
}
