//! The terminal: how it is taken, and how it is given back whatever happens.

mod backend;
mod panics;
mod signals;
mod wait;
mod while_taken;

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

use ratatui::Terminal;
use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};

pub use backend::Output;
pub use panics::Panics;
pub use signals::{Signal, Signals};
pub use wait::{Woken, read, wait};

/// The terminal, which is given back when this is dropped.
#[derive(Debug)]
pub struct Taken {
    mouse: bool,
}

/// Whether the terminal is taken. A panic gives it back, too, and what is given back twice would put the
/// cursor where it was at the beginning, over the message.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

/// Whether the terminal is never taken again, because a thread has panicked.
static IS_OVER: AtomicBool = AtomicBool::new(false);

fn is_taken() -> bool {
    IS_TAKEN.load(Ordering::SeqCst)
}

impl Taken {
    /// Returns whether input and output are terminals.
    #[must_use]
    pub fn is_possible() -> bool {
        io::stdin().is_terminal() && io::stdout().is_terminal()
    }

    /// Takes the terminal: keys come one by one, and the screen is another one.
    ///
    /// # Errors
    ///
    /// The terminal fails.
    pub fn take(mouse: bool) -> io::Result<(Self, Terminal<Output>)> {
        let mut taken = Self { mouse };
        taken.again()?;
        Ok((taken, Terminal::new(Output::new())?))
    }

    /// Takes the terminal again, unless a thread has panicked.
    ///
    /// # Errors
    ///
    /// The terminal fails.
    pub fn again(&mut self) -> io::Result<()> {
        let _lock = io::stdout().lock();
        if IS_OVER.load(Ordering::SeqCst) {
            return Ok(());
        }
        IS_TAKEN.store(true, Ordering::SeqCst);
        // A shell may have changed the modes of a program that was stopped, and `enable_raw_mode` does nothing
        // where it was called before.
        disable_raw_mode()?;
        enable_raw_mode()?;
        execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste, Hide)?;
        if self.mouse {
            execute!(io::stdout(), EnableMouseCapture)?;
        }
        Ok(())
    }

    /// Gives the terminal back, as it was.
    pub fn give_back(&mut self) {
        restore();
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.give_back();
    }
}

/// Gives the terminal back for ever. What other threads draw is dropped.
fn end() {
    IS_OVER.store(true, Ordering::SeqCst);
    restore();
}

/// Gives the terminal back, if it is taken. What fails is left: there is nobody to tell.
fn restore() {
    // Whoever draws has the lock, and finds the terminal given back after it.
    let _lock = io::stdout().lock();
    if !IS_TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut output = io::stdout();
    let _ =
        execute!(output, DisableMouseCapture, DisableBracketedPaste, LeaveAlternateScreen, Show);
    let _ = output.flush();
    let _ = disable_raw_mode();
}
