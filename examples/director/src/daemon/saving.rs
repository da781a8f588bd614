//! Writes the state file beside the loop, which a slow disk must not hold up for long.

use std::io;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;

use crate::moment::Moment;
use crate::state::{Saved, StateFile};

/// The longest that the loop waits for the disk.
const PATIENCE: Duration = Duration::from_secs(1);

/// The time after which the file is written again if that failed.
const RETRY: Duration = Duration::from_secs(10);

/// Writes the state file.
#[derive(Debug)]
pub(super) struct Saver {
    /// Not here while the file is being written.
    file: Option<StateFile>,
    writing: Option<JoinHandle<(StateFile, io::Result<()>)>>,
    /// What the file says, or will say.
    version: Option<u64>,
    retry_at: Option<Instant>,
    /// Whether the loop has waited for the present writing already.
    is_slow: bool,
    /// How long the loop waits for a writing.
    patience: Duration,
    path: String,
    /// What was wrong the last time.
    trouble: String,
}

/// Whether the disk is full, broken or not writable any more. The daemon works without the file then,
/// while a wrong path or owner is to be mended before it starts.
fn is_of_the_disk(error: &io::Error) -> bool {
    use io::ErrorKind::{QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | ReadOnlyFilesystem)
        || error.raw_os_error() == Some(Errno::IO.raw_os_error())
}

impl Saver {
    /// Writes the file for the first time. A disk that is full, broken or not writable is a trouble,
    /// which is returned, too, and the file is written later.
    ///
    /// # Errors
    ///
    /// The file cannot be written for another reason.
    pub(super) fn begin(
        mut file: StateFile,
        saved: &Saved,
        version: u64,
    ) -> io::Result<(Self, Option<String>)> {
        let done = file.save(saved);
        let mut saver = Self::new(file, version);
        let trouble = match done {
            Ok(()) => None,
            Err(error) if is_of_the_disk(&error) => Some(saver.failed(&error)),
            Err(error) => return Err(error),
        };
        Ok((saver, trouble))
    }

    /// `version` is that of what is in the file already.
    fn new(file: StateFile, version: u64) -> Self {
        let path = file.path().display().to_string();
        Self {
            file: Some(file),
            writing: None,
            version: Some(version),
            retry_at: None,
            is_slow: false,
            patience: PATIENCE,
            path,
            trouble: String::new(),
        }
    }

    /// Returns why the file does not have a version, or `None` if it has.
    pub(super) fn not_saved(&self, version: u64) -> Option<&str> {
        let is_saved = self.version == Some(version) && self.writing.is_none();
        (!is_saved).then_some(&self.trouble)
    }

    /// Makes the next attempt due now: somebody waits for the answer.
    pub(super) const fn hasten(&mut self) {
        self.retry_at = None;
    }

    /// Takes in that the file could not be written. Returns what is wrong.
    fn failed(&mut self, error: &io::Error) -> String {
        self.version = None;
        self.retry_at = Some(Instant::now() + RETRY);
        self.trouble = format!("the state file {} cannot be written: {error}", self.path);
        format!("{}; a restart forgets the orders given since", self.trouble)
    }

    /// Returns when [`save`](Self::save) is to be called at the latest.
    pub(super) const fn next(&self) -> Option<Instant> {
        self.retry_at
    }

    /// Writes what is to be saved, if it is another version than the last. Returns what is wrong, or
    /// `Ok(None)` if nothing has happened.
    pub(super) async fn save(
        &mut self,
        saved: &Saved,
        version: u64,
        now: Moment,
    ) -> Option<Result<(), String>> {
        let told = self.wait().await;
        let is_early = self.retry_at.is_some_and(|at| at > now.instant);
        if self.version == Some(version) || is_early {
            return told;
        }
        let Some(mut file) = self.file.take() else { return told };
        let saved = saved.clone();
        self.version = Some(version);
        self.retry_at = None;
        self.writing = Some(spawn_blocking(move || {
            let done = file.save(&saved);
            (file, done)
        }));
        self.wait().await
    }

    /// Writes what is left at the end of the program. A slow disk is awaited so long for each of two
    /// writings at most.
    pub(super) async fn finish(
        &mut self,
        saved: &Saved,
        version: u64,
        longest: Duration,
    ) -> Option<Result<(), String>> {
        (self.is_slow, self.patience, self.retry_at) = (false, longest, None);
        self.save(saved, version, Moment::now()).await
    }

    /// Waits for a writing that has begun.
    async fn wait(&mut self) -> Option<Result<(), String>> {
        let writing = self.writing.as_mut()?;
        let path = &self.path;
        let patience = if self.is_slow { Duration::ZERO } else { self.patience };
        let Ok(written) = timeout(patience, writing).await else {
            self.is_slow = true;
            self.retry_at = Some(Instant::now() + PATIENCE);
            self.trouble = format!("the state file {path} takes long to be written");
            return Some(Err(self.trouble.clone()));
        };
        (self.writing, self.is_slow, self.retry_at) = (None, false, None);
        let Ok((file, done)) = written else {
            // The thread has panicked, and the file with it.
            self.version = None;
            self.trouble = format!("the state file {path} is not written any more");
            return Some(Err(self.trouble.clone()));
        };
        self.file = Some(file);
        match done {
            Ok(()) => Some(Ok(())),
            Err(error) => Some(Err(self.failed(&error))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread::sleep;

    use super::*;

    #[tokio::test]
    async fn what_waits_for_a_slow_disk_is_written_before_the_end() {
        let folder = std::env::temp_dir().join(format!("director-finish-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("state.json");
        let mut saver = Saver::new(StateFile::new(path.clone()), 1);
        let mut file = saver.file.take().unwrap();
        let mut third = Saved::default();
        third.owned.insert("TCP 192.0.2.10:443".parse().unwrap());
        saver.version = Some(2);
        saver.writing = Some(spawn_blocking(move || {
            sleep(PATIENCE + Duration::from_millis(200));
            let done = file.save(&Saved::default());
            (file, done)
        }));
        let told = saver.save(&third, 3, Moment::now()).await;
        assert!(told.is_some_and(|told| told.is_err()), "the loop does not wait so long");
        let longest = Duration::from_secs(20);
        assert_eq!(saver.finish(&third, 3, longest).await, Some(Ok(())));
        assert_eq!(Saved::parse(&std::fs::read(&path).unwrap()).unwrap(), third);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[tokio::test]
    async fn what_was_ordered_during_a_slow_writing_is_saved_before_the_answer() {
        let folder = std::env::temp_dir().join(format!("director-saving-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("state.json");
        let mut saver = Saver::new(StateFile::new(path.clone()), 1);
        // The version 2 is being written, and the disk is slow.
        let mut file = saver.file.take().unwrap();
        let (mut second, mut third) = (Saved::default(), Saved::default());
        second.owned.insert("TCP 192.0.2.10:80".parse().unwrap());
        third.owned.insert("TCP 192.0.2.10:443".parse().unwrap());
        saver.version = Some(2);
        saver.writing = Some(spawn_blocking(move || {
            sleep(Duration::from_millis(200));
            let done = file.save(&second);
            (file, done)
        }));
        assert_eq!(saver.save(&third, 3, Moment::now()).await, Some(Ok(())));
        assert_eq!(Saved::parse(&std::fs::read(&path).unwrap()).unwrap(), third);
        assert_eq!(saver.save(&third, 3, Moment::now()).await, None);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[tokio::test]
    async fn what_is_not_in_the_file_is_known() {
        let folder = std::env::temp_dir().join(format!("director-unsaved-{}", std::process::id()));
        let path = folder.join("state.json");
        let mut saver = Saver::new(StateFile::new(path.clone()), 1);
        let mut saved = Saved::default();
        saved.owned.insert("TCP 192.0.2.10:80".parse().unwrap());
        assert_eq!(saver.not_saved(1), None);
        // The folder is missing.
        assert!(saver.save(&saved, 2, Moment::now()).await.unwrap().is_err());
        assert!(saver.not_saved(2).unwrap().contains("state.json cannot be written: No such file"));
        std::fs::create_dir_all(&folder).unwrap();
        assert_eq!(saver.save(&saved, 2, Moment::now()).await, None, "it is too early");
        saver.hasten();
        assert_eq!(saver.save(&saved, 2, Moment::now()).await, Some(Ok(())));
        assert_eq!((saver.not_saved(2), saver.not_saved(3).is_some()), (None, true));
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_disk_that_is_full_or_broken_is_no_reason_not_to_start() {
        let is = |error: Errno| is_of_the_disk(&error.into());
        assert!([Errno::NOSPC, Errno::DQUOT, Errno::IO, Errno::ROFS].into_iter().all(is));
        assert!(![Errno::ACCESS, Errno::ISDIR, Errno::NOTDIR, Errno::NOENT].into_iter().any(is));
    }
}
