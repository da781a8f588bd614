//! Which virtual services this program has made, kept over restarts.
//!
//! The file `owned` in the state directory has one line for each, written before the kernel gets the service. What
//! it names and the cluster no longer has leaves at the next start, and so does what `--cleanup` is to remove.

mod ledger;

use std::path::PathBuf;
use std::time::{Duration, Instant};
use std::{fs, io, thread};

use ipvs_netlink::ServiceId;

use self::ledger::Ledger;
use crate::host::{StateFile, StateFileError, StateFolder, StateLock};
use crate::log;

/// The name of the file.
pub(crate) const FILE: &str = "owned";

/// The longest file that is read, in bytes.
const LONGEST: usize = 64 << 20;

/// The shortest time between two times that the file is written as a whole.
const SHORTEST_PAUSE: Duration = Duration::from_secs(10);

/// The time between two attempts to claim a state directory.
const BETWEEN: Duration = Duration::from_millis(100);

/// The state directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StateError {
    /// Another program has locked it.
    #[error("--state-dir {}: another node-proxy uses it", .0.display())]
    InUse(PathBuf),
    /// The lock cannot be had.
    #[error("--state-dir: the lock: {0}")]
    Lock(#[from] io::Error),
    /// The folder or a file of it cannot be used.
    #[error("--state-dir: {0}")]
    File(#[from] StateFileError),
}

/// The virtual services that this program has made.
#[derive(Debug)]
pub(crate) struct Owned {
    file: StateFile,
    /// It is locked until this is dropped.
    _lock: StateLock,
    ledger: Ledger,
    /// Before this time the file is not written as a whole.
    rewritten: Option<Instant>,
    /// The log knows that the file cannot be written.
    failing: bool,
}

/// Keeps others from using a state directory, until this is dropped.
#[derive(Debug)]
pub(crate) struct Claim {
    _lock: Option<StateLock>,
}

/// Claims a state directory, and makes none. Waits for a program that ends.
pub(crate) fn claim(folder: &StateFolder, longest: Duration) -> Result<Claim, StateError> {
    let lock = folder.lock()?;
    let mut left = longest;
    if let Some(lock) = &lock {
        while !lock.claim()? {
            left = left.checked_sub(BETWEEN).ok_or_else(|| in_use(folder))?;
            thread::sleep(BETWEEN);
        }
    }
    Ok(Claim { _lock: lock })
}

/// Returns what the file of a directory names, and changes nothing.
pub(crate) fn read(folder: &StateFolder) -> Result<Vec<ServiceId>, StateError> {
    let mut ledger = Ledger::new(&network_namespace());
    ledger.read(&folder.file(FILE).read(LONGEST)?.unwrap_or_default());
    Ok(ledger.services().collect())
}

fn in_use(folder: &StateFolder) -> StateError {
    StateError::InUse(folder.path().to_owned())
}

/// Returns the network namespace of this process, such as `net:[4026531840]`, or `net:unknown`.
fn network_namespace() -> String {
    let link = fs::read_link("/proc/self/ns/net");
    link.map_or_else(|_| "net:unknown".to_owned(), |it| it.to_string_lossy().into_owned())
}

impl Owned {
    /// Opens the directory and makes it if need be, and reads what earlier runs made.
    pub(crate) fn open(folder: &StateFolder) -> Result<Self, StateError> {
        folder.make()?;
        let lock = folder.make_lock()?;
        if !lock.claim()? {
            return Err(in_use(folder));
        }
        let (file, mut ledger) = (folder.file(FILE), Ledger::new(&network_namespace()));
        if let Some(text) = file.read(LONGEST)? {
            for line in ledger.read(&text) {
                log::line(format_args!("{}: {line}", file.path().display()));
            }
        }
        Ok(Self { file, _lock: lock, ledger, rewritten: None, failing: false })
    }

    /// Returns what the file names, in order.
    pub(crate) fn services(&self) -> impl Iterator<Item = ServiceId> {
        self.ledger.services()
    }

    /// Stores that virtual services are about to be made.
    pub(crate) fn make(&mut self, ids: impl IntoIterator<Item = ServiceId>) {
        let text = self.ledger.make(ids);
        match (text.is_empty(), self.ledger.is_new()) {
            (true, _) => {}
            (false, true) => self.replace(),
            (false, false) => {
                let appended = self.file.append(&text);
                self.note(appended);
            }
        }
    }

    /// Forgets virtual services that belong to others now.
    pub(crate) fn disown(&mut self, is_foreign: impl Fn(ServiceId) -> bool) {
        let foreign: Vec<_> = self.services().filter(|id| is_foreign(*id)).collect();
        foreign.into_iter().for_each(|id| self.left(id));
        self.end();
    }

    /// Notes that a virtual service has left the kernel's table.
    pub(crate) fn left(&mut self, id: ServiceId) {
        self.ledger.left(id);
    }

    /// Writes the file anew if services have left or the last attempt to write failed, now and then.
    pub(crate) fn pass(&mut self, now: Instant) {
        let is_early = |at: Instant| now.saturating_duration_since(at) < SHORTEST_PAUSE;
        if !self.rewritten.is_some_and(is_early) {
            self.rewritten = Some(now);
            self.end();
        }
    }

    /// Writes the file anew if services have left or the last attempt to write failed.
    pub(crate) fn end(&mut self) {
        if self.failing || self.ledger.is_stale() {
            self.replace();
        }
    }

    fn replace(&mut self) {
        let replaced = self.file.replace(&self.ledger.text());
        if replaced.is_ok() {
            self.ledger.replaced();
        }
        self.note(replaced);
    }

    /// The table is kept although the file cannot be written: an outage would be worse.
    fn note(&mut self, written: Result<(), StateFileError>) {
        let failed = written.is_err();
        if let Err(error) = written {
            self.ledger.failed();
            if !self.failing {
                log::line(error);
            }
        }
        self.failing = failed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder that is removed when the test ends.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let name = format!("node-proxy-owned-{name}-{}", std::process::id());
            Self(std::env::temp_dir().join(name))
        }

        fn state(&self) -> StateFolder {
            StateFolder::new(&self.0)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn id(port: u16) -> ServiceId {
        ServiceId::tcp(([10, 96, 0, 10], port).into())
    }

    /// Without that, services that were made meanwhile would stay after a kill.
    #[test]
    fn what_could_not_be_written_is_written_later() {
        let folder = Folder::new("later");
        let mut owned = Owned::open(&folder.state()).unwrap();
        owned.make([id(80)]);
        // The system refuses to append.
        fs::remove_file(folder.0.join("owned")).unwrap();
        owned.make([id(81)]);
        assert_eq!(read(&folder.state()).unwrap(), []);
        owned.pass(Instant::now());
        assert_eq!(read(&folder.state()).unwrap(), [id(80), id(81)]);
    }

    #[test]
    fn one_program_at_a_time_uses_a_directory() {
        let folder = Folder::new("claim");
        claim(&folder.state(), Duration::ZERO).unwrap();
        assert!(!folder.0.exists(), "no program has used it");
        let owned = Owned::open(&folder.state()).unwrap();
        let refused = claim(&folder.state(), BETWEEN).unwrap_err().to_string();
        assert!(refused.ends_with("another node-proxy uses it"), "{refused}");
        drop(owned);
        let claimed = claim(&folder.state(), Duration::ZERO).unwrap();
        assert!(Owned::open(&folder.state()).is_err());
        drop(claimed);
        Owned::open(&folder.state()).unwrap();
    }

    /// Neither `--cleanup` nor a later run may delete what was handed over.
    #[test]
    fn what_belongs_to_others_now_is_on_no_list() {
        let folder = Folder::new("disown");
        let mut owned = Owned::open(&folder.state()).unwrap();
        owned.make([id(80), id(81)]);
        owned.disown(|it| it == id(80));
        assert!(owned.services().eq([id(81)]));
        assert_eq!(read(&folder.state()).unwrap(), [id(81)]);
    }
}
