//! Keeps the kernel's table as a file or standard input says, and prints what happens.
//!
//! ```text
//! controller --fake
//! -A -t 192.0.2.10:80 -s wlc
//! -a -t 192.0.2.10:80 -r 10.0.0.2:8080 -m
//! ```
//!
//! With `--fake` it works on a kernel in memory, without root. Otherwise it needs `CAP_NET_ADMIN`
//! and a kernel with IPVS; `tests/kernel/run --shell` gives a shell on one.

mod arguments;
mod commands;
mod input;
mod state;

use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Parser;
use ipvs_netlink::table::controller::{Controller, ControllerOptions, Event, Wish};
use ipvs_netlink::table::{DrainPolicy, PlanOptions};
use ipvs_netlink::{Client, fake};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::arguments::Arguments;
use crate::input::Input;
use crate::state::State;

/// The longest wait between two looks at the input and at the signals.
const LONGEST: Duration = Duration::from_millis(100);

fn main() -> ExitCode {
    match keep(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            note(error);
            ExitCode::FAILURE
        }
    }
}

/// Prints a line to standard error.
fn note(what: impl fmt::Display) {
    // There is no other place to report that standard error is closed.
    writeln!(io::stderr(), "controller: {what}").ok();
}

fn keep(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let drain = DrainPolicy::new().deadline(arguments.drain_deadline.0);
    let options = ControllerOptions::new()
        .plan(PlanOptions::new().drain(Some(drain)))
        .hold(arguments.hold)
        .resync(arguments.resync);
    let mut controller = Controller::new(options);
    let mut input = Input::open(arguments.file, &mut controller)?;
    // After the wishes: what is not among them leaves.
    let mut state = arguments.state.map(State::read).transpose()?;
    controller.formerly(state.iter().flat_map(State::owned));

    let mut ipvs = match arguments.fake {
        true => Client::fake(&fake::Kernel::in_real_time(fake::Version::default()))?,
        false => Client::connect()?,
    };
    // Ends here without the privilege. The controller would try again for ever.
    ipvs.check()?;
    let interrupted = signals()?;
    // `true` when no more wishes count.
    let mut closed = false;
    ipvs.keep(&mut controller, LONGEST, |controller, event| {
        if let Some(event) = event {
            return print(&event);
        }
        if !closed {
            let news = input.look(controller);
            news.errors.iter().for_each(note);
            let interrupted = interrupted.load(Ordering::SeqCst);
            closed = interrupted || news.ended;
            if closed && arguments.withdraw {
                controller.wish_all(Vec::<Wish>::new());
            } else if interrupted {
                return ControlFlow::Break(Ok(()));
            }
        }
        if let Some(Err(error)) = state.as_mut().map(|state| state.write(controller.owned())) {
            return ControlFlow::Break(Err(error));
        }
        match closed && controller.is_settled() {
            true => ControlFlow::Break(Ok(())),
            false => ControlFlow::Continue(()),
        }
    })?;
    Ok(())
}

/// Prints an event. Ends the program if nobody reads it.
fn print(event: &Event) -> ControlFlow<io::Result<()>> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{event}").and_then(|()| out.flush()) {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => ControlFlow::Break(Ok(())),
        Err(error) => ControlFlow::Break(Err(error)),
    }
}

/// Sets the returned flag at the first SIGINT or SIGTERM. The second one ends the program.
fn signals() -> io::Result<Arc<AtomicBool>> {
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // Handlers run in this order, so the first signal sees the flag before it is set.
        flag::register_conditional_default(signal, Arc::clone(&interrupted))?;
        flag::register(signal, Arc::clone(&interrupted))?;
    }
    Ok(interrupted)
}
