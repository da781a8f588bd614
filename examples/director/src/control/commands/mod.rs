//! The commands that talk to the daemon: `status`, `events`, `drain` and the other orders.

mod arguments;
mod events;
mod maintain;
mod screen;
mod status;
mod wait;

use std::time::Duration;

use crate::control::client::{Client, ClientError};
use crate::control::protocol::Order;
use crate::control::response::Received;
use crate::exit::Exit;

pub use arguments::{
    CheckNow, DaemonArguments, Drain, EventsArguments, MaintenanceArguments, Reload,
    StatusArguments, Weight,
};

use screen::Screen;

/// What a command ends with.
type Outcome = Result<Exit, ClientError>;

impl DaemonArguments {
    fn client(&self) -> Client {
        Client { path: self.socket.clone(), patience: Duration::from_secs(self.timeout) }
    }

    /// Gives an order, and prints what was done.
    fn order(&self, order: &Order) -> Outcome {
        match self.client().ask(order)? {
            Received::Done { lines, not_saved } => {
                let screen = Screen::new();
                let printed = screen.print_lines(&lines);
                let Some(reason) = not_saved else { return Ok(printed) };
                let text =
                    "warning: the order is carried out, but not saved: a restart now forgets it";
                screen.note(&format!("{text}: {reason}"));
                Ok(if printed == Exit::Done { Exit::NotSaved } else { printed })
            }
            _ => Err(ClientError::Malformed("another answer than `done`".to_owned())),
        }
    }
}

/// Prints why a command came to nothing.
fn told(outcome: Outcome) -> Exit {
    outcome.unwrap_or_else(|error| {
        Screen::new().note(&error.to_string());
        error.exit()
    })
}

impl StatusArguments {
    /// Prints the state.
    #[must_use]
    pub fn run(&self) -> Exit {
        told(status::run(self))
    }
}

impl EventsArguments {
    /// Prints the events, until the daemon ends or standard output is closed.
    #[must_use]
    pub fn run(&self) -> Exit {
        told(events::run(self))
    }
}

impl Drain {
    /// Begins a drain.
    #[must_use]
    pub fn run(&self) -> Exit {
        told(maintain::drain(self))
    }
}

impl MaintenanceArguments {
    /// Begins or ends a maintenance.
    #[must_use]
    pub fn run(&self) -> Exit {
        told(maintain::maintenance(self))
    }
}

impl Weight {
    /// Orders a weight.
    #[must_use]
    pub fn run(&self) -> Exit {
        let (service, destination) = (self.place.service, self.place.destination);
        let order = Order::Weight { service, destination, weight: self.weight.0 };
        told(self.daemon.order(&order))
    }
}

impl CheckNow {
    /// Makes checks due.
    #[must_use]
    pub fn run(&self) -> Exit {
        told(self.daemon.order(&Order::CheckNow(self.destination)))
    }
}

impl Reload {
    /// Has the file read again.
    #[must_use]
    pub fn run(&self) -> Exit {
        told(self.daemon.order(&Order::Reload))
    }
}
