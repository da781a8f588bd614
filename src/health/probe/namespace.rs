//! Work in another network namespace.

use std::cell::{Cell, OnceCell};
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::Path;
use std::thread;
use std::time::Duration;

use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// The network namespace of the thread that opens it.
const OWN: &str = "/proc/thread-self/ns/net";

/// How often a thread tries to come back into its namespace, and the time between two attempts.
const ATTEMPTS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(1);

const FLAGS: OFlags =
    OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NOCTTY).union(OFlags::NONBLOCK);

/// Why a lost thread does no check.
pub(super) const LOST_THREAD: &str =
    "the thread of the checks cannot come back into its network namespace";

thread_local! {
    /// The namespace of this thread, open since its first visit elsewhere.
    static HOME: OnceCell<OwnedFd> = const { OnceCell::new() };
    /// Whether this thread could not come back.
    static LOST: Cell<bool> = const { Cell::new(false) };
}

/// Returns `true` if this thread could not come back from another namespace. It must not go on.
pub(super) fn is_lost() -> bool {
    LOST.get()
}

/// Does `work` in the network namespace at `path`, and comes back.
///
/// Only threads of this crate's own may call this, because one that cannot come back
/// [is lost](is_lost).
pub(super) fn visit<T>(path: &Path, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    HOME.with(|home| {
        let home = match home.get() {
            Some(home) => home,
            None => {
                let opened = open(OWN, FLAGS, Mode::empty())?;
                home.get_or_init(|| opened)
            }
        };
        there(path)
            .and_then(|there| there_and_back(&there, home, enter, work))
            .map_err(|error| named(path, &error))?
    })
}

/// Does `work` on a thread of its own that ends in the network namespace at `path`.
pub(super) fn end_in<T: Send>(
    path: &Path,
    work: impl FnOnce() -> io::Result<T> + Send,
) -> io::Result<T> {
    let work = || {
        there(path).and_then(|there| enter(there.as_fd())).map_err(|error| named(path, &error))?;
        work()
    };
    thread::scope(|scope| {
        let ended = thread::Builder::new().spawn_scoped(scope, work)?.join();
        ended.unwrap_or_else(|_| Err(io::Error::other("the thread panicked")))
    })
}

fn there(path: &Path) -> io::Result<OwnedFd> {
    open(path, FLAGS, Mode::empty()).map_err(io::Error::from)
}

fn enter(namespace: BorrowedFd<'_>) -> io::Result<()> {
    move_into_link_name_space(namespace, Some(LinkNameSpaceType::Network)).map_err(|errno| {
        match errno {
            Errno::PERM => io::Error::new(errno.kind(), "entering it takes CAP_SYS_ADMIN"),
            Errno::INVAL => io::Error::new(errno.kind(), "the file is no network namespace"),
            _ => errno.into(),
        }
    })
}

/// Says which namespace could not be entered.
fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("network namespace {path:?}: {error}"))
}

/// The outer result is that of the way, the inner one that of the work.
fn there_and_back<T>(
    there: &OwnedFd,
    home: &OwnedFd,
    enter: impl Fn(BorrowedFd<'_>) -> io::Result<()>,
    work: impl FnOnce() -> io::Result<T>,
) -> io::Result<io::Result<T>> {
    enter(there.as_fd())?;
    let done = work();
    // The kernel may be short of memory for a moment.
    for attempt in 1.. {
        match enter(home.as_fd()) {
            Ok(()) => break,
            Err(_) if attempt < ATTEMPTS => thread::sleep(PAUSE),
            Err(error) => {
                LOST.set(true);
                return Err(error);
            }
        }
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> OwnedFd {
        open("/dev/null", FLAGS, Mode::empty()).unwrap()
    }

    /// Comes back at the attempt of this number. Returns the result, and whether the thread is lost.
    fn back_at(number: u32) -> (Result<u8, io::ErrorKind>, bool) {
        let visit = move || {
            let entered = Cell::new(0);
            let enter = |_: BorrowedFd<'_>| {
                entered.set(entered.get() + 1);
                match entered.get() {
                    1 => Ok(()),
                    attempt if attempt > number => Ok(()),
                    _ => Err(Errno::NOMEM.into()),
                }
            };
            let done = there_and_back(&file(), &file(), enter, || Ok(7));
            (done.map(Result::unwrap).map_err(|error| error.kind()), is_lost())
        };
        thread::spawn(visit).join().unwrap()
    }

    #[test]
    fn a_thread_that_cannot_come_back_is_lost() {
        assert_eq!(back_at(1), (Ok(7), false));
        assert_eq!(back_at(3), (Ok(7), false));
        assert_eq!(back_at(100), (Err(io::ErrorKind::OutOfMemory), true));
    }

    #[test]
    fn a_file_that_is_no_namespace_is_named() {
        let elsewhere = || visit(Path::new("/no/such"), || Ok(())).unwrap_err().to_string();
        assert!(elsewhere().starts_with("network namespace \"/no/such\": No such file"));
        let ended = end_in(Path::new("/dev/null"), || Ok(())).unwrap_err().to_string();
        assert!(ended.starts_with("network namespace \"/dev/null\": "), "{ended}");
        assert!(!is_lost());
    }
}
