use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipvs_netlink::metrics::{Options, ServiceLabels};
use tokio::sync::{Semaphore, watch};
use tokio::task;

use crate::{NamespaceReading, Reading, log};

/// How many readings are in memory at most: the current one, and those that slow clients still receive.
const KEPT: usize = 3;

type Read = dyn Fn() -> Vec<NamespaceReading> + Send + Sync;
type Pending = watch::Receiver<Option<Arc<Reading>>>;

/// What scrapes show of the namespaces.
#[derive(Clone, Debug, Default)]
pub struct Show {
    /// Which samples.
    pub options: Options,
    /// The users' labels.
    pub labels: Arc<ServiceLabels>,
}

/// Reads for scrapes, once at a time: who asks while a reading is under way gets that one. Nothing is kept
/// for later.
#[derive(Clone)]
pub struct Readings {
    inner: Arc<Inner>,
}

struct Inner {
    read: Box<Read>,
    options: Options,
    labels: Mutex<Arc<ServiceLabels>>,
    kept: Arc<Semaphore>,
    pending: Mutex<Option<Pending>>,
    told: Mutex<HashMap<Option<String>, String>>,
}

impl Readings {
    /// Takes the function that reads all namespaces. It is called on a thread where it may block.
    #[must_use]
    pub fn new(
        read: impl Fn() -> Vec<NamespaceReading> + Send + Sync + 'static,
        show: Show,
    ) -> Self {
        let inner = Inner {
            read: Box::new(read),
            options: show.options,
            labels: Mutex::new(show.labels),
            kept: Arc::new(Semaphore::new(KEPT)),
            pending: Mutex::default(),
            told: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Shows other labels from the next reading on.
    pub fn set_labels(&self, labels: ServiceLabels) {
        *lock(&self.inner.labels) = Arc::new(labels);
    }

    /// Waits for the reading that is under way, or for a new one. Returns `None` if reading panicked.
    ///
    /// If the future is dropped, the reading continues for those who come later.
    pub async fn next(&self) -> Option<Arc<Reading>> {
        let mut pending = self.pending();
        let reading = pending.wait_for(Option::is_some).await.ok()?;
        (*reading).clone()
    }

    fn pending(&self) -> Pending {
        let mut pending = lock(&self.inner.pending);
        pending.get_or_insert_with(|| self.begin()).clone()
    }

    fn begin(&self) -> Pending {
        let (sender, pending) = watch::channel(None);
        let inner = Arc::clone(&self.inner);
        task::spawn(async move {
            let reading = Inner::reading(&inner).await;
            // From here on a request gets a new reading.
            lock(&inner.pending).take();
            sender.send_replace(reading.map(Arc::new));
        });
        pending
    }
}

impl Inner {
    async fn reading(inner: &Arc<Self>) -> Option<Reading> {
        let permit = Arc::clone(&inner.kept).acquire_owned().await.ok()?;
        let reader = Arc::clone(inner);
        let namespaces = task::spawn_blocking(move || (reader.read)()).await;
        let namespaces = namespaces.inspect_err(|error| log::line(error)).ok()?;
        inner.tell(&namespaces);
        let (options, labels) = (inner.options, Arc::clone(&lock(&inner.labels)));
        Some(Reading { options, labels, namespaces, _permit: permit })
    }

    /// Logs what has begun or ceased to fail.
    fn tell(&self, namespaces: &[NamespaceReading]) {
        let mut told = lock(&self.told);
        for namespace in namespaces {
            let name = &namespace.name;
            let of = name.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
            match namespace.fault() {
                None if told.remove(name).is_some() => {
                    log::line(format_args!("{of}readable again"))
                }
                None => {}
                Some(fault) if told.get(name) == Some(&fault) => {}
                Some(fault) => {
                    log::line(format_args!("{of}{fault}"));
                    told.insert(name.clone(), fault);
                }
            }
        }
    }
}

/// Nothing is half done under these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Readings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readings").field("options", &self.inner.options).finish_non_exhaustive()
    }
}
