use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::reading::Bell;

/// Notices panics of all threads. The terminal is given back before the message is printed.
#[derive(Clone, Debug)]
pub struct Panics(Arc<AtomicBool>);

impl Panics {
    /// Begins. The bell rings when a thread panics.
    #[must_use]
    pub fn notice(bell: Bell) -> Self {
        let panicked = Arc::new(AtomicBool::new(false));
        let (flag, former) = (Arc::clone(&panicked), panic::take_hook());
        panic::set_hook(Box::new(move |panic| {
            super::end();
            former(panic);
            // The main thread ends the program then: not before the message is printed.
            flag.store(true, Ordering::SeqCst);
            bell.ring();
        }));
        Self(panicked)
    }

    /// Whether a thread has panicked.
    #[must_use]
    pub fn any(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}
