use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::{getpid, getppid, getsid};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGWINCH};

use crate::reading::Bell;

/// A signal that the program acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// End: SIGTERM, SIGINT, SIGQUIT or SIGHUP, with its number.
    End(i32),
    /// The window has another size.
    Resized,
    /// Suspend.
    Suspend,
    /// The program was continued.
    Continued,
}

const ALL: [(i32, Signal); 7] = [
    (SIGTERM, Signal::End(SIGTERM)),
    (SIGINT, Signal::End(SIGINT)),
    (SIGQUIT, Signal::End(SIGQUIT)),
    (SIGHUP, Signal::End(SIGHUP)),
    (SIGTSTP, Signal::Suspend),
    (SIGCONT, Signal::Continued),
    (SIGWINCH, Signal::Resized),
];

/// Notes the signals of the program.
#[derive(Debug)]
pub struct Signals(Vec<(Arc<AtomicBool>, Signal)>);

impl Signals {
    /// Begins. The bell rings for each signal.
    ///
    /// # Errors
    ///
    /// The system takes no handler.
    pub fn note(bell: &Bell) -> io::Result<Self> {
        let mut flags = Vec::new();
        for (number, signal) in ALL {
            let flag = Arc::new(AtomicBool::new(false));
            signal_hook::flag::register(number, Arc::clone(&flag))?;
            signal_hook::low_level::pipe::register(number, bell.rope()?)?;
            flags.push((flag, signal));
        }
        Ok(Self(flags))
    }

    /// Returns the signals that came since the last call.
    pub fn take(&self) -> impl Iterator<Item = Signal> {
        let came = self.0.iter().filter(|(flag, _)| flag.swap(false, Ordering::SeqCst));
        came.map(|(_, signal)| *signal)
    }

    /// Stops the program until somebody continues it. Returns `false` if nobody would: no shell of this
    /// session waits for it.
    pub fn stop(&self) -> bool {
        let session = |process| getsid(process).ok();
        let has_shell = getppid().is_some_and(|parent| {
            session(Some(parent)).is_some() && session(Some(parent)) == session(Some(getpid()))
        });
        has_shell && signal_hook::low_level::emulate_default_handler(SIGTSTP).is_ok()
    }
}
