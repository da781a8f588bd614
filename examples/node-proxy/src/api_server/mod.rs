//! A small API server in memory, for tests: it has discovery, lists in pages, watches with
//! bookmarks, and writes with revisions, for services, endpoint slices, nodes and pods.
//!
//! Clients of Kubernetes such as `kubectl` work against it. It has no rights, no admission and no
//! defaults, and no TLS. [`ApiServer`] can do to its clients what a real server does on a bad day.

mod answer;
mod asked;
mod faults;
mod merge_patch;
mod request;
mod resource;
mod selector;
mod store;
mod watching;
mod writing;

use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle};
use tokio::sync::{oneshot, watch};

pub use self::asked::Asked;
use self::faults::Faults;
use self::resource::Resource;
use self::store::{Key, Store};

/// What requests share.
#[derive(Debug)]
struct Shared {
    store: Mutex<Store>,
    faults: Mutex<Faults>,
    asked: Mutex<BTreeSet<Asked>>,
    /// Changes with each write and each fault.
    changed: watch::Sender<u64>,
    bookmarks: Duration,
}

impl Shared {
    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, asked: Asked) {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(asked);
    }

    fn announce(&self) {
        self.changed.send_modify(|count| *count = count.wrapping_add(1));
    }
}

/// An API server on a thread of its own. It ends when it is dropped.
#[derive(Debug)]
pub struct ApiServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Why an object could not be put or deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an object with a known kind and a name")]
pub struct NoObject;

impl ApiServer {
    /// Starts a server on a free port of 127.0.0.1.
    ///
    /// # Errors
    ///
    /// The system has no port, no thread or no memory.
    pub fn start() -> io::Result<Self> {
        Self::start_at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
    }

    /// Starts a server at an address, such as that of a former one.
    ///
    /// # Errors
    ///
    /// The address cannot be listened on.
    pub fn start_at(address: SocketAddr) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            store: Mutex::default(),
            faults: Mutex::default(),
            asked: Mutex::default(),
            changed: watch::Sender::new(0),
            bookmarks: Duration::from_millis(200),
        });
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind(address))?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let serving = Arc::clone(&shared);
        let thread =
            std::thread::Builder::new().name("api-server".to_owned()).spawn(move || {
                runtime.block_on(async move {
                    tokio::select! {
                        () = serve(listener, serving) => {}
                        _ = stopped => {}
                    }
                });
            })?;
        Ok(Self { address, shared, stop: Some(stop), thread: Some(thread) })
    }

    /// Returns the address of the server.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the URL of the server.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Creates an object, or replaces the one of its name.
    ///
    /// # Errors
    ///
    /// The object has no known kind or no name.
    pub fn put(&self, object: Value) -> Result<(), NoObject> {
        let key = key(&object).ok_or(NoObject)?;
        let mut store = self.shared.store();
        let put = match store.get(&key) {
            Some(_) => store.replace(key, object),
            None => store.create(key, object),
        };
        drop(store);
        self.shared.announce();
        put.map(drop).map_err(|_| NoObject)
    }

    /// Deletes the object that has this one's kind, namespace and name.
    ///
    /// # Errors
    ///
    /// There is no such object.
    pub fn delete(&self, object: &Value) -> Result<(), NoObject> {
        let key = key(object).ok_or(NoObject)?;
        let deleted = self.shared.store().delete(key);
        self.shared.announce();
        deleted.map(drop).map_err(|_| NoObject)
    }

    /// Forgets all former versions, as etcd does after 5 minutes. Watches from there, and lists that
    /// go on there, get 410.
    pub fn compact(&self) {
        self.shared.store().compact();
    }

    /// Ends all watches: within an event, as when the server crashes, or else between events.
    pub fn cut_watches(&self, within_event: bool) {
        self.shared.faults().cut_watches(within_event);
        self.shared.announce();
    }

    /// Tells all watches that their version is gone (410), in the stream.
    pub fn expire_watches(&self) {
        self.shared.faults().expire_watches();
        self.shared.announce();
    }

    /// Has watches tell nothing, not even bookmarks, until they are to go on.
    pub fn hold_watches(&self, held: bool) {
        self.shared.faults().held = held;
        self.shared.announce();
    }

    /// Breaks the next lists off in the middle of their text.
    pub fn break_lists(&self, count: usize) {
        self.shared.faults().broken_lists = count;
    }

    /// Answers the next requests with this status, such as 429 or 500.
    pub fn refuse(&self, status: u16, count: usize) {
        self.shared.faults().refused = (status, count);
    }

    /// Returns what clients have asked for, refused or not.
    #[must_use]
    pub fn asked(&self) -> BTreeSet<Asked> {
        self.shared.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns how many lists and watches have begun.
    #[must_use]
    pub fn begun(&self) -> Begun {
        self.shared.faults().begun
    }
}

/// How many requests of some kinds have begun.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Begun {
    /// Pages of lists.
    pub pages: usize,
    /// Watches.
    pub watches: usize,
}

impl Drop for ApiServer {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Returns the key of an object that says its kind and name itself.
fn key(object: &Value) -> Option<Key> {
    let resource = Resource::of(object)?;
    let text = |field| object.get("metadata")?.get(field)?.as_str();
    let namespace = match resource.namespaced {
        true => text("namespace").unwrap_or("default"),
        false => "",
    };
    let name = text("name").filter(|name| !name.is_empty())?;
    Some((resource, namespace.to_owned(), name.to_owned()))
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // No descriptor is free.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let shared = Arc::clone(&shared);
        let answer = service_fn(move |request| request::answer(request, Arc::clone(&shared)));
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new());
        let connection = http.serve_connection(TokioIo::new(stream), answer);
        Handle::current().spawn(async move {
            // A client that breaks off is no matter of the server.
            let _ = connection.await;
        });
    }
}
