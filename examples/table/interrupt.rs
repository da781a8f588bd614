//! Signals that end the program, or make it apply its file again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::low_level::emulate_default_handler;

use crate::exit::Failure;

/// The signals that have come. Their handlers only set flags.
#[derive(Debug)]
pub(crate) struct Interrupt {
    /// `true` if the next signal ends the program at once. While the table is being changed,
    /// the first signal only sets this flag, and the second one ends the program.
    at_once: Arc<AtomicBool>,
    /// The last signal that asked for the end, 0 for none.
    last: Arc<AtomicUsize>,
    /// `true` if SIGHUP has come.
    hung_up: Arc<AtomicBool>,
}

impl Interrupt {
    /// Handles SIGINT (Ctrl-C), SIGTERM and SIGHUP from now on. With `reload`, SIGHUP asks for a
    /// reload and not for the end.
    pub(crate) fn new(reload: bool) -> Result<Self, Failure> {
        let interrupt = Self {
            at_once: Arc::new(AtomicBool::new(true)),
            last: Arc::default(),
            hung_up: Arc::default(),
        };
        interrupt.register(reload).map_err(|error| Failure::new(format!("signals: {error}")))?;
        Ok(interrupt)
    }

    fn register(&self, reload: bool) -> std::io::Result<()> {
        let ends = [SIGINT, SIGTERM, SIGHUP];
        for signal in ends.into_iter().filter(|signal| !(reload && *signal == SIGHUP)) {
            // Handlers run in this order, so the first signal sees the flag before it is set.
            flag::register_conditional_default(signal, Arc::clone(&self.at_once))?;
            flag::register(signal, Arc::clone(&self.at_once))?;
            let number = usize::try_from(signal).unwrap_or_default();
            flag::register_usize(signal, Arc::clone(&self.last), number)?;
        }
        if reload {
            flag::register(SIGHUP, Arc::clone(&self.hung_up))?;
        }
        Ok(())
    }

    /// Runs `work`, during which a first signal does not end the program. The work asks
    /// [`Self::came`].
    pub(crate) fn hold<T>(&self, work: impl FnOnce() -> T) -> T {
        self.at_once.store(false, Ordering::SeqCst);
        let done = work();
        self.at_once.store(true, Ordering::SeqCst);
        done
    }

    /// Returns `true` if a signal has asked for the end.
    pub(crate) fn came(&self) -> bool {
        self.last.load(Ordering::SeqCst) != 0
    }

    /// Ends the program in the way of the signal that came during [`Self::hold`].
    pub(crate) fn end(&self) {
        if let Ok(signal @ 1..) = i32::try_from(self.last.load(Ordering::SeqCst)) {
            // If that fails, the program ends with its own exit code.
            emulate_default_handler(signal).ok();
        }
    }

    /// Returns `true` if SIGHUP has come since the last call.
    pub(crate) fn take_reload(&self) -> bool {
        self.hung_up.swap(false, Ordering::SeqCst)
    }

    /// Ends the program in the default way of SIGHUP.
    pub(crate) fn hang_up() {
        emulate_default_handler(SIGHUP).ok();
    }
}
