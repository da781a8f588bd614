use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;
use std::thread;

use rustix::fs::{Mode, OFlags, Stat, fstat, open, stat};
use rustix::io::Errno;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::procfs::ProcfsError;

const THREAD: &str = "/proc/thread-self";
pub(super) const OWN_NAMESPACE: &str = "/proc/thread-self/ns/net";

/// The files under `/proc` of one network namespace.
///
/// The handle holds the namespace open, so the namespace lives as long as the handle. Clones share
/// the descriptor. The files need no privilege, unless a method says otherwise.
///
/// The handle opens each file when it is read. If the calling thread is in another network
/// namespace, a thread of the handle's own enters that namespace, opens the file and ends; the
/// calling thread keeps its namespace. Entering takes `CAP_SYS_ADMIN`. An open file keeps the
/// namespace in which it was opened.
///
/// ```no_run
/// use ipvs_netlink::procfs::Procfs;
///
/// for connection in Procfs::open()?.connections()? {
///     let connection = connection?;
///     println!("{} -> {}: {}", connection.client, connection.destination, connection.state);
/// }
/// # Ok::<(), ipvs_netlink::procfs::ProcfsError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Procfs {
    namespace: Arc<OwnedFd>,
}

impl Procfs {
    /// Opens the files of the network namespace of the calling thread.
    ///
    /// # Errors
    ///
    /// - [`NoProc`](ProcfsError::NoProc): `/proc` is not mounted.
    /// - [`System`](ProcfsError::System): no descriptor is left.
    pub fn open() -> Result<Self, ProcfsError> {
        let namespace = open_namespace(Path::new(OWN_NAMESPACE));
        namespace.map(Self::of).map_err(ProcfsError::of_own_namespace)
    }

    /// Opens the files of the network namespace of the file at `path`, such as `/run/netns/blue`
    /// or `/proc/1234/ns/net`. The calling thread keeps its namespace.
    ///
    /// # Errors
    ///
    /// - [`NoSuchNamespace`](ProcfsError::NoSuchNamespace): the file does not exist.
    /// - [`PermissionDenied`](ProcfsError::PermissionDenied): the caller may not open the file.
    /// - [`NotANamespace`](ProcfsError::NotANamespace): the file is not a network namespace.
    /// - [`MayNotEnter`](ProcfsError::MayNotEnter): the caller has no `CAP_SYS_ADMIN`.
    /// - [`System`](ProcfsError::System): the file cannot be opened for another reason.
    pub fn in_namespace(path: impl AsRef<Path>) -> Result<Self, ProcfsError> {
        let path = path.as_ref();
        let namespace =
            open_namespace(path).map_err(|errno| ProcfsError::of_namespace(path, errno))?;
        let procfs = Self::of(namespace);
        procfs.within(|| ())?;
        Ok(procfs)
    }

    /// Opens the files of the network namespace of the open file `namespace`.
    pub(crate) fn of_descriptor(namespace: &OwnedFd) -> Result<Self, ProcfsError> {
        let namespace = namespace.try_clone();
        namespace.map(Self::of).map_err(|cause| ProcfsError::of_reading(OWN_NAMESPACE, &cause))
    }

    fn of(namespace: OwnedFd) -> Self {
        Self { namespace: Arc::new(namespace) }
    }

    /// Calls `work` on a thread in the network namespace: the calling thread if it is there, else a
    /// thread that ends with `work`. What `work` opens stays in the namespace.
    pub(crate) fn within<T: Send>(
        &self,
        work: impl FnOnce() -> T + Send,
    ) -> Result<T, ProcfsError> {
        if self.is_of_this_thread() {
            return Ok(work());
        }
        let enter_and_work = || {
            let kind = Some(LinkNameSpaceType::Network);
            match move_into_link_name_space(self.namespace.as_fd(), kind) {
                Ok(()) => Ok(work()),
                Err(Errno::PERM) => Err(ProcfsError::MayNotEnter),
                Err(Errno::INVAL) => Err(ProcfsError::NotANamespace),
                Err(errno) => Err(ProcfsError::of_file("the network namespace", errno)),
            }
        };
        let thread = "a thread in the network namespace";
        thread::scope(|scope| match thread::Builder::new().spawn_scoped(scope, enter_and_work) {
            Ok(opener) => {
                opener.join().unwrap_or_else(|_| Err(ProcfsError::of_file(thread, Errno::CANCELED)))
            }
            Err(cause) => Err(ProcfsError::of_reading(thread, &cause)),
        })
    }

    /// Opens the file at `path` of the network namespace. The path is one below
    /// `/proc/thread-self/net` or `/proc/sys/net`; other files are no different in another
    /// namespace.
    pub(crate) fn open_file(&self, path: &str, access: OFlags) -> Result<File, ProcfsError> {
        let flags = access | OFlags::CLOEXEC | OFlags::NOCTTY;
        let opened = self.within(|| open(path, flags, Mode::empty()))?;
        opened.map(File::from).map_err(|errno| match errno {
            Errno::NOENT if stat(THREAD).is_err() => ProcfsError::NoProc,
            errno => ProcfsError::of_file(path, errno),
        })
    }

    fn is_of_this_thread(&self) -> bool {
        let identity = |stat: Stat| (stat.st_dev, stat.st_ino);
        match (fstat(&self.namespace), stat(OWN_NAMESPACE)) {
            (Ok(ours), Ok(threads)) => identity(ours) == identity(threads),
            _ => false,
        }
    }
}

fn open_namespace(path: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
    open(path, flags, Mode::empty())
}
