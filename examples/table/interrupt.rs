//! Signals that end the program, or make it apply its file again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::low_level::emulate_default_handler;

use crate::exit::Failure;

/// What signals have asked for. Their handlers only set flags.
#[derive(Debug)]
pub(crate) struct Interrupt {
    /// Whether a signal ends the program at once. It does unless the table is being changed,
    /// and then the second one does.
    at_once: Arc<AtomicBool>,
    /// The last signal that asked for the end, 0 for none.
    last: Arc<AtomicUsize>,
    /// Whether SIGHUP came.
    hung_up: Arc<AtomicBool>,
}

impl Interrupt {
    /// Handles Ctrl-C and SIGTERM from now on; SIGHUP, too, which is for `--watch`.
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
            // In this order: the first signal finds the flag as it was.
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

    /// Does work that a signal shall not end at once; the work asks [`Self::came`].
    pub(crate) fn hold<T>(&self, work: impl FnOnce() -> T) -> T {
        self.at_once.store(false, Ordering::SeqCst);
        let done = work();
        self.at_once.store(true, Ordering::SeqCst);
        done
    }

    /// Whether a signal has asked for the end.
    pub(crate) fn came(&self) -> bool {
        self.last.load(Ordering::SeqCst) != 0
    }

    /// Ends the program as the signal would have that came while work was held.
    pub(crate) fn end(&self) {
        if let Ok(signal @ 1..) = i32::try_from(self.last.load(Ordering::SeqCst)) {
            // Where it cannot, the program ends with a status of its own.
            emulate_default_handler(signal).ok();
        }
    }

    /// Whether SIGHUP came since the last time.
    pub(crate) fn take_reload(&self) -> bool {
        self.hung_up.swap(false, Ordering::SeqCst)
    }

    /// Ends the program as SIGHUP does by default.
    pub(crate) fn hang_up() {
        emulate_default_handler(SIGHUP).ok();
    }
}
