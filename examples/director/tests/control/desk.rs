//! A daemon that only notes its orders, behind a real control socket.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc as std_mpsc;
use std::thread;
use std::time::{Duration, SystemTime};

use director::control::call::{Call, MOST_WAITING};
use director::control::limits::Limits;
use director::control::protocol::{Answer, Order};
use director::control::server::{Rights, Socket, serve};
use director::event::{Event, Severity};
use director::status::Status;
use serde_json::Value;
use tokio::sync::{broadcast, mpsc, oneshot};

/// A folder that only this test can write in.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("control-{}-{name}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        rustix::fs::chmod(&path, rustix::fs::Mode::RWXU).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.0.join("control.sock")
    }

    /// The socket for reading only.
    pub(crate) fn status_socket(&self) -> PathBuf {
        self.0.join("status.sock")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// The daemon, on a thread of its own.
pub(crate) struct Desk {
    pub(crate) folder: Folder,
    pub(crate) events: broadcast::Sender<Event>,
    orders: std_mpsc::Receiver<(Order, String)>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Desk {
    /// Starts a daemon that answers `status` with this, and all else with `Done`.
    pub(crate) fn start(name: &str, limits: Limits, status: Status) -> Self {
        let folder = Folder::new(name);
        let (socket, status_socket) = (folder.socket(), folder.status_socket());
        let (events, _) = broadcast::channel(64);
        let (noted, orders) = std_mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let (ready, is_ready) = std_mpsc::channel();
        let sender = events.clone();
        let thread = thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let sockets = vec![
                    Socket::bind(&socket, Rights::All, None).unwrap(),
                    Socket::bind(&status_socket, Rights::Read, None).unwrap(),
                ];
                ready.send(()).unwrap();
                let (calls, inbox) = mpsc::channel(MOST_WAITING);
                let desk = desk(inbox, status, noted, stopped);
                tokio::join!(serve(sockets, limits, calls, sender), desk);
            });
        });
        is_ready.recv().unwrap();
        Self { folder, events, orders, stop: Some(stop), thread: Some(thread) }
    }

    /// Returns the orders that have come, other than `status`.
    pub(crate) fn orders(&self) -> Vec<(Order, String)> {
        self.orders.try_iter().collect()
    }

    pub(crate) fn client(&self) -> Client {
        Client::connect(&self.folder.socket())
    }

    pub(crate) fn event(&self, text: &str) {
        let event = Event::new(SystemTime::now(), Severity::Note, "test", text);
        self.events.send(event).ok();
    }

    pub(crate) fn stop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.stop();
        }
    }
}

async fn desk(
    mut inbox: mpsc::Receiver<Call>,
    status: Status,
    noted: std_mpsc::Sender<(Order, String)>,
    mut stopped: oneshot::Receiver<()>,
) {
    loop {
        let call = tokio::select! {
            call = inbox.recv() => call.unwrap(),
            _ = &mut stopped => return,
        };
        if let Order::Status { service, destination } = call.order {
            let mut status = status.clone();
            status.keep_only(service, destination);
            call.reply.send(Answer::Status(Box::new(status)));
            continue;
        }
        noted.send((call.order, call.by)).ok();
        call.reply.send(Answer::done(vec!["done".to_owned()]));
    }
}

/// A client that writes and reads what the test says.
pub(crate) struct Client {
    pub(crate) stream: BufReader<UnixStream>,
}

impl Client {
    pub(crate) fn connect(path: &Path) -> Self {
        let stream = UnixStream::connect(path).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Self { stream: BufReader::new(stream) }
    }

    pub(crate) fn write(&mut self, text: impl AsRef<[u8]>) -> &mut Self {
        self.stream.get_mut().write_all(text.as_ref()).unwrap();
        self
    }

    /// Reads a line; `None` at the end of the connection.
    pub(crate) fn read(&mut self) -> Option<Value> {
        let mut line = String::new();
        match self.stream.read_line(&mut line) {
            Ok(0) => None,
            // The server has closed a connection of which it did not read all.
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => None,
            Err(error) => panic!("{error}"),
            Ok(_) => Some(serde_json::from_str(&line).unwrap()),
        }
    }

    /// Reads an answer and returns its kind, or the name of the error.
    pub(crate) fn kind(&mut self) -> Option<String> {
        let answer = self.read()?;
        assert_eq!(answer["version"], 1, "{answer}");
        let kind = match answer["answer"].as_str() {
            Some("error") => &answer["error"],
            _ => &answer["answer"],
        };
        kind.as_str().map(str::to_owned)
    }
}

/// Returns a state of so many destinations.
pub(crate) fn status(destinations: u32) -> Status {
    use director::status::{Connections, DestinationState, DestinationStatus, ServiceStatus};
    let now = SystemTime::now();
    let destination = |number: u32| DestinationStatus {
        id: std::net::SocketAddr::from((std::net::Ipv4Addr::from(0x0a00_0000 + number), 80)).into(),
        state: DestinationState::Up,
        since: Some(now),
        signs: Vec::new(),
        reason: String::new(),
        maintenance: None,
        weight: 1,
        is_weight_ordered: false,
        in_table: Some(1),
        connections: Some(Connections { active: 0, inactive: 0 }),
    };
    let service = ServiceStatus {
        id: "TCP 192.0.2.10:80".parse().unwrap(),
        scheduler: "wlc".to_owned(),
        is_available: true,
        is_serving: true,
        has_sorry_server: false,
        reason: "all live".to_owned(),
        announcement: String::new(),
        destinations: (1..=destinations).map(destination).collect(),
    };
    Status {
        taken: now,
        since: now,
        loaded: now,
        troubles: Vec::new(),
        is_table_read: true,
        services: vec![service],
    }
}
