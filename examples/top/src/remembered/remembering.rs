use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{io, thread};

use crate::reading::Desk;
use crate::state::{News, View};

/// A thread that writes the view, so that no key waits for a home on a network. Of several views it writes
/// the latest.
#[derive(Debug)]
pub struct Remembering {
    latest: Arc<Mutex<Option<View>>>,
    wake: SyncSender<()>,
    ended: Receiver<()>,
}

impl Remembering {
    /// Starts the thread, which writes with `write` and tells failures at the desk.
    ///
    /// # Errors
    ///
    /// The system gives no thread.
    pub fn start(
        write: impl Fn(&View) -> io::Result<()> + Send + 'static,
        desk: Desk,
    ) -> io::Result<Self> {
        let latest = Arc::new(Mutex::new(None));
        let (wake, woken) = mpsc::sync_channel(1);
        let (end, ended) = mpsc::channel();
        let waiting = Arc::clone(&latest);
        let work = move || {
            let _end = end;
            while woken.recv().is_ok() {
                let view: Option<View> =
                    waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
                let Some(Err(error)) = view.map(|view| write(&view)) else { continue };
                if !desk.tell(News::NotRemembered(error.to_string())) {
                    return;
                }
            }
        };
        thread::Builder::new().name("remembering".to_owned()).spawn(work)?;
        Ok(Self { latest, wake, ended })
    }

    /// Remembers a view, in place of one that is not written yet.
    pub fn remember(&self, view: &View) {
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner) = Some(view.clone());
        // A thread that was woken already takes this one.
        let _ = self.wake.try_send(());
    }

    /// Waits until all is written, but no longer than so long.
    pub fn finish(self, longest: Duration) {
        drop(self.wake);
        // Nothing is ever sent: the channel closes when the thread ends.
        let _ = self.ended.recv_timeout(longest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::Bell;

    #[test]
    fn a_file_that_hangs_makes_nobody_wait() {
        let (desk, news) = Desk::new(Bell::new().unwrap());
        let (write, written) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let remembering = Remembering::start(
            move |view| {
                write.send(view.descending).unwrap();
                released.recv().map_err(|_| io::Error::other("gone"))
            },
            desk,
        )
        .unwrap();
        let view = |descending| View { descending, ..View::default() };
        remembering.remember(&view(true));
        assert!(written.recv().unwrap());
        // The first one hangs, and these return all the same.
        for descending in [true, true, false] {
            remembering.remember(&view(descending));
        }
        release.send(()).unwrap();
        assert!(!written.recv().unwrap(), "not the latest");
        drop(release);
        assert!(matches!(news.recv().unwrap(), News::NotRemembered(reason) if reason == "gone"));
        remembering.finish(Duration::from_secs(30));
        assert!(written.try_recv().is_err(), "more than the latest was written");
    }
}
