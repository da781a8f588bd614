use std::fmt;

use crate::model::{DestinationId, Role, ServiceId};

/// An operation of a client. Errors name the operation that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Open the sockets.
    Connect,
    /// Look up the generic netlink family of IPVS.
    ResolveFamily,
    /// Read the version and size of IPVS.
    ReadInfo,
    /// Add a service.
    AddService,
    /// Replace the settings of a service.
    UpdateService,
    /// Delete a service and its destinations.
    DeleteService,
    /// Read one service.
    ReadService,
    /// Read all services.
    ReadServices,
    /// Add a destination to a service.
    AddDestination,
    /// Replace the settings of a destination.
    UpdateDestination,
    /// Delete a destination from a service.
    DeleteDestination,
    /// Read the destinations of a service.
    ReadDestinations,
    /// Read the timeouts of the network namespace.
    ReadTimeouts,
    /// Set the timeouts of the network namespace.
    SetTimeouts,
    /// Start a synchronization daemon.
    StartDaemon,
    /// Stop a synchronization daemon.
    StopDaemon,
    /// Read the running synchronization daemons.
    ReadDaemons,
    /// Set the counters of a service and its destinations to 0.
    ZeroService,
    /// Set all counters of the network namespace to 0.
    ZeroAll,
    /// Delete all services and destinations of the network namespace.
    Flush,
}

impl Operation {
    /// Returns `true` if the operation changes something in the kernel.
    #[must_use]
    pub const fn is_write(self) -> bool {
        !matches!(
            self,
            Self::Connect
                | Self::ResolveFamily
                | Self::ReadInfo
                | Self::ReadService
                | Self::ReadServices
                | Self::ReadDestinations
                | Self::ReadTimeouts
                | Self::ReadDaemons
        )
    }
}

impl fmt::Display for Operation {
    /// Words in lower case, such as `add service`. They never change.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "connect",
            Self::ResolveFamily => "look up IPVS",
            Self::ReadInfo => "read info",
            Self::AddService => "add service",
            Self::UpdateService => "update service",
            Self::DeleteService => "delete service",
            Self::ReadService => "read service",
            Self::ReadServices => "read services",
            Self::AddDestination => "add destination",
            Self::UpdateDestination => "update destination",
            Self::DeleteDestination => "delete destination",
            Self::ReadDestinations => "read destinations",
            Self::ReadTimeouts => "read timeouts",
            Self::SetTimeouts => "set timeouts",
            Self::StartDaemon => "start daemon",
            Self::StopDaemon => "stop daemon",
            Self::ReadDaemons => "read daemons",
            Self::ZeroService => "zero service",
            Self::ZeroAll => "zero all",
            Self::Flush => "flush",
        })
    }
}

/// The object of an operation, a change or a warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Object {
    /// A service.
    Service(ServiceId),
    /// A destination, with its service.
    Destination(ServiceId, DestinationId),
    /// A synchronization daemon, by its role.
    Daemon(Role),
}

impl fmt::Display for Object {
    /// `TCP 192.0.2.10:80`, `TCP 192.0.2.10:80 -> 10.0.0.2:8080` or `master`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(service) => service.fmt(f),
            Self::Destination(service, destination) => write!(f, "{service} -> {destination}"),
            Self::Daemon(role) => role.fmt(f),
        }
    }
}
