use std::time::Instant;

use crate::engine::Report;
use crate::error::Error;
use crate::model::{Change, DestinationEntry, Listing, ServiceEntry, ServiceId, ServiceSnapshot};

/// The most services that one task reads, and the most changes that one task writes.
pub const MOST: usize = 1024;

/// What a controller asks for. See
/// [`Controller::next`](crate::table::controller::Controller::next).
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "the controller goes on when the task is answered"]
pub enum Next {
    /// Do this task and answer it.
    Do(Task),
    /// Nothing is due before this time, unless a wish comes. `None` means that nothing is due
    /// without a wish.
    Wait(Option<Instant>),
}

/// The number of a task. It differs from the numbers of all other tasks, also of those of other
/// controllers in this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TaskNumber {
    pub(super) controller: u64,
    pub(super) number: u64,
}

/// One reading or writing that a controller asks for. It takes the kernel milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "the controller goes on when the task is answered"]
pub struct Task {
    pub(super) number: TaskNumber,
    pub(super) work: Work,
}

impl Task {
    /// Returns the number, which the answer repeats.
    #[must_use]
    pub const fn number(&self) -> TaskNumber {
        self.number
    }

    /// Returns what is to be done.
    #[must_use]
    pub const fn work(&self) -> &Work {
        &self.work
    }
}

/// What a [`Task`] does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Work {
    /// Lists all services, without their destinations. The answer is [`Answer::Services`].
    ListServices,
    /// Reads the destinations of these services, at most [`MOST`]. The answer is
    /// [`Answer::Destinations`].
    ReadDestinations(Vec<ServiceId>),
    /// Reads these services, at most [`MOST`], each with its destinations, and nothing else. The
    /// answer is [`Answer::Readings`].
    ReadServices(Vec<ServiceId>),
    /// Makes these changes, at most [`MOST`], in their order. The answer is [`Answer::Written`].
    ///
    /// An update keeps the settings that the kernel has and the wish leaves alone, also such that
    /// this crate refuses in a new object. `Client::perform` sends them; `Client::submit` does not.
    Write(Vec<Change>),
}

/// The answer to a [`Task`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Answer {
    /// All services, in the order of the kernel.
    Services(Listing<ServiceEntry>),
    /// The destinations of services, in the order of the task. A service that does not exist has
    /// none.
    Destinations(Vec<(ServiceId, Listing<DestinationEntry>)>),
    /// Single services, in the order of the task.
    Readings(Vec<Reading>),
    /// The outcome of each change, in order.
    Written(Report),
    /// Nothing could be read.
    Failed(Error),
}

/// A service that was read, and its destinations.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reading {
    /// The id of the service.
    pub id: ServiceId,
    /// The service with its destinations, `None` if it does not exist, or why it cannot be read.
    pub present: Result<Option<ServiceSnapshot>, Error>,
    /// `true` if no destination can be missing.
    pub complete: bool,
}

impl Reading {
    /// Creates a complete reading of the service `id`. `None` means that it does not exist.
    #[must_use]
    pub const fn new(id: ServiceId, present: Option<ServiceSnapshot>) -> Self {
        Self { id, present: Ok(present), complete: true }
    }

    /// Creates the reading of a service that cannot be read.
    #[must_use]
    pub const fn failed(id: ServiceId, error: Error) -> Self {
        Self { id, present: Err(error), complete: false }
    }

    /// Says that destinations may be missing.
    #[must_use]
    pub fn incomplete(self) -> Self {
        Self { complete: false, ..self }
    }
}
