use std::fmt;
use std::time::Instant;

use crate::error::Error;
use crate::model::{Change, Connections, DestinationId, ServiceId};
use crate::table::PlanError;

/// What a controller found or did. See
/// [`Controller::events`](crate::table::controller::Controller::events).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The kernel made a change.
    Done(Change),
    /// The kernel refused a change. The controller reads the service again and makes another
    /// attempt at the time `retry`. Until then destinations that drain stay in rotation, because
    /// what was refused may be their replacement; those of a lower weight, and those
    /// [marked](crate::table::controller::Wish::at_once), are taken out.
    #[non_exhaustive]
    Failed {
        /// The change.
        change: Change,
        /// The reason.
        error: Error,
        /// The time of the next attempt.
        retry: Instant,
    },
    /// It is not known whether the kernel made a change. The controller reads the service to find
    /// out.
    #[non_exhaustive]
    Unknown {
        /// The change.
        change: Change,
        /// Why the outcome is unknown.
        error: Error,
    },
    /// A service could not be read, so nothing is written for it. The controller makes another
    /// attempt at the time `retry`.
    #[non_exhaustive]
    Unread {
        /// The service.
        service: ServiceId,
        /// The reason, or `None` if destinations may be missing in the reading because other
        /// programs write the service all the time.
        error: Option<Error>,
        /// The time of the next attempt.
        retry: Instant,
    },
    /// A wish cannot be carried out: a setting is invalid, the service is out of scope, or the
    /// options do not allow a change that it needs. Nothing is written for the service until the
    /// wish or the kernel's table changes.
    #[non_exhaustive]
    Refused {
        /// The service.
        service: ServiceId,
        /// The reason.
        error: PlanError,
    },
    /// The service was read, and is as wished. Destinations that leave may still drain.
    Settled(ServiceId),
    /// Another wish replaced the wish for this service before it was settled.
    Superseded(ServiceId),
    /// Another program keeps undoing what is wished for this service. The controller makes the
    /// next attempt at the time `until`.
    #[non_exhaustive]
    Contested {
        /// The service.
        service: ServiceId,
        /// How many times in a row another program has undone it.
        times: u32,
        /// The time of the next attempt.
        until: Instant,
    },
    /// A destination that leaves has weight 0. It is deleted when its connections have ended, or
    /// at the deadline.
    #[non_exhaustive]
    DrainBegun {
        /// The service.
        service: ServiceId,
        /// The destination.
        destination: DestinationId,
        /// The time at which the destination is deleted in any case, if there is one.
        deadline: Option<Instant>,
    },
    /// The drain of a destination has ended.
    #[non_exhaustive]
    DrainEnded {
        /// The service.
        service: ServiceId,
        /// The destination.
        destination: DestinationId,
        /// How the drain ended.
        end: DrainEnd,
    },
    /// A destination was deleted without a wait, and its connections broke.
    #[non_exhaustive]
    Cut {
        /// The service.
        service: ServiceId,
        /// The destination, or `None` if the service was deleted as a whole.
        destination: Option<DestinationId>,
        /// The connections at the last reading.
        connections: Connections,
    },
    /// The kernel has the service with a usable destination: bind the address, announce the route.
    Serving(ServiceId),
    /// The service is wished, and its last usable destination is gone.
    NotServing(ServiceId),
    /// The service is about to leave: withdraw the route. The controller takes no destination from
    /// it before the time `until`.
    #[non_exhaustive]
    Leaving {
        /// The service.
        service: ServiceId,
        /// The end of the hold time.
        until: Instant,
    },
    /// The service was read, and has left the table.
    Left(ServiceId),
    /// The whole table was read.
    #[non_exhaustive]
    Resynchronized {
        /// The number of services in the table.
        services: usize,
        /// The number of services that were not as wished.
        differed: usize,
    },
    /// A failure concerns all services: no module, privilege, memory or socket, no such namespace,
    /// no answer to a reading. The controller does nothing before the time `until`.
    #[non_exhaustive]
    BackingOff {
        /// The failure.
        error: Error,
        /// The time of the next attempt.
        until: Instant,
    },
    /// The failure that concerned all services is over. The whole table is read.
    Recovered,
}

/// How a drain ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DrainEnd {
    /// The destination was deleted when no connection carried data.
    Emptied,
    /// The destination was deleted while connections carried data, and these broke.
    Cut(Connections),
    /// The destination is wished again.
    WantedAgain,
    /// Another program deleted the destination or its service.
    DeletedByOthers,
}

impl fmt::Display for DrainEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Emptied => f.write_str("deleted: its connections had ended"),
            Self::Cut(connections) => {
                write!(f, "deleted, and cut connections that carried data: {connections}")
            }
            Self::WantedAgain => f.write_str("wished again"),
            Self::DeletedByOthers => f.write_str("another program deleted it"),
        }
    }
}

impl Event {
    /// Returns the name for programs, logs and metrics, such as `drain-begun`. The name of an
    /// event never changes.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Done(_) => "done",
            Self::Failed { .. } => "failed",
            Self::Unknown { .. } => "unknown",
            Self::Unread { .. } => "unread",
            Self::Refused { .. } => "refused",
            Self::Settled(_) => "settled",
            Self::Superseded(_) => "superseded",
            Self::Contested { .. } => "contested",
            Self::DrainBegun { .. } => "drain-begun",
            Self::DrainEnded { .. } => "drain-ended",
            Self::Cut { .. } => "cut",
            Self::Serving(_) => "serving",
            Self::NotServing(_) => "not-serving",
            Self::Leaving { .. } => "leaving",
            Self::Left(_) => "left",
            Self::Resynchronized { .. } => "resynchronized",
            Self::BackingOff { .. } => "backing-off",
            Self::Recovered => "recovered",
        }
    }

    /// Returns the service of the event, or `None` if it concerns the whole table.
    #[must_use]
    pub const fn service(&self) -> Option<ServiceId> {
        match self {
            Self::Done(change) | Self::Failed { change, .. } | Self::Unknown { change, .. } => {
                change.service()
            }
            Self::Settled(service)
            | Self::Superseded(service)
            | Self::Serving(service)
            | Self::NotServing(service)
            | Self::Left(service)
            | Self::Unread { service, .. }
            | Self::Refused { service, .. }
            | Self::Contested { service, .. }
            | Self::DrainBegun { service, .. }
            | Self::DrainEnded { service, .. }
            | Self::Cut { service, .. }
            | Self::Leaving { service, .. } => Some(*service),
            Self::Resynchronized { .. } | Self::BackingOff { .. } | Self::Recovered => None,
        }
    }
}

impl fmt::Display for Event {
    /// Prints a line for people, without times, such as
    /// `TCP 192.0.2.10:80 -> 10.0.0.2:8080 drains`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done(change) => write!(f, "done: {change}"),
            // An error names its object itself.
            Self::Failed { change, error, .. } => write!(f, "failed: {change}: {error}"),
            Self::Unknown { change, error } => write!(f, "unknown: {change}: {error}"),
            Self::Unread { service, error: Some(error), .. } => {
                write!(f, "{service} cannot be read: {error}")
            }
            Self::Unread { service, error: None, .. } => {
                write!(f, "{service} cannot be read: other programs keep writing it")
            }
            Self::Refused { service, error } => write!(f, "{service} cannot be kept: {error}"),
            Self::Settled(service) => write!(f, "{service} is as wished"),
            Self::Superseded(service) => write!(f, "{service} has a newer wish"),
            Self::Contested { service, times, .. } => {
                write!(f, "{service} was undone {times} times by another program")
            }
            Self::DrainBegun { service, destination, .. } => {
                write!(f, "{service} -> {destination} drains")
            }
            Self::DrainEnded { service, destination, end } => {
                write!(f, "{service} -> {destination} {end}")
            }
            Self::Cut { service, destination: Some(destination), connections } => {
                write!(f, "{service} -> {destination} deleted at once, and cut: {connections}")
            }
            Self::Cut { service, destination: None, connections } => {
                write!(f, "{service} deleted at once, and cut: {connections}")
            }
            Self::Serving(service) => write!(f, "{service} serves"),
            Self::NotServing(service) => write!(f, "{service} has no usable destination"),
            Self::Leaving { service, .. } => write!(f, "{service} is about to leave"),
            Self::Left(service) => write!(f, "{service} has left"),
            Self::Resynchronized { services, differed } => {
                write!(f, "{services} services read, {differed} differed")
            }
            Self::BackingOff { error, .. } => write!(f, "backing off: {error}"),
            Self::Recovered => f.write_str("recovered"),
        }
    }
}
