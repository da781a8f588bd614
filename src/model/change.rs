use std::convert::Infallible;

use crate::model::{
    Destination, DestinationEntry, DestinationId, InvalidValue, Object, Operation, Role, Service,
    ServiceId, SyncDaemon, Timeouts,
};

/// One write to the table, as a value. `Client::submit` executes many of them.
///
/// `Display` prints the `ipvsadm` command that does the same, quoted for a shell. `FromStr`
/// parses that command. [`Command`](crate::Command) also parses host names and port names.
///
/// ```
/// use ipvs_netlink::{Change, Service};
///
/// let change = Change::AddService(Service::tcp("192.0.2.10:80".parse()?));
/// assert_eq!(change.to_string(), "ipvsadm -A -t 192.0.2.10:80 -s wlc");
/// assert_eq!("ipvsadm -At 192.0.2.10:80".parse(), Ok(change));
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Change {
    /// Add a service. The kernel refuses it if a service with this identity exists.
    AddService(Service),
    /// Replace all settings of a service. The destinations stay.
    UpdateService(Service),
    /// Delete a service and its destinations. Existing connections break.
    DeleteService(ServiceId),
    /// Set the counters of a service and its destinations to 0.
    ZeroService(ServiceId),
    /// Add a destination to a service. The kernel refuses it if the service has a destination
    /// with this identity.
    AddDestination(ServiceId, Destination),
    /// Replace all settings of a destination.
    UpdateDestination(ServiceId, Destination),
    /// Delete a destination from a service. Its connections break.
    DeleteDestination(ServiceId, DestinationId),
    /// Set the timeouts of the network namespace. Timeouts that are `None` stay as they are.
    SetTimeouts(Timeouts),
    /// Start a synchronization daemon.
    StartDaemon(SyncDaemon),
    /// Stop a synchronization daemon.
    StopDaemon(Role),
    /// Set all counters of the network namespace to 0.
    ZeroAll,
    /// Delete all services and destinations of the network namespace.
    Flush,
}

impl Change {
    /// Creates the change that sets the weight of a destination and keeps the other settings
    /// in `entry`.
    ///
    /// The change needs no further read, so a program can set many weights in one submission,
    /// from the entries of a snapshot. It overwrites settings that another program wrote after
    /// `entry` was read. The kernel refuses it if the destination was deleted.
    ///
    /// ```no_run
    /// # use ipvs_netlink::{Change, Client};
    /// # let mut ipvs = Client::connect()?;
    /// let snapshot = ipvs.snapshot()?;
    /// let mut changes = Vec::new();
    /// for service in &snapshot {
    ///     for entry in &service.destinations {
    ///         let weight = entry.destination.weight.div_ceil(2);
    ///         changes.push(Change::weight_of(service.entry.service.id, entry, weight));
    ///     }
    /// }
    /// ipvs.submit(&changes).into_result()?;
    /// # Ok::<(), ipvs_netlink::Error>(())
    /// ```
    #[must_use]
    pub fn weight_of(service: ServiceId, entry: &DestinationEntry, weight: u32) -> Self {
        Self::UpdateDestination(service, entry.destination.clone().weight(weight))
    }

    /// Returns the operation that executes the change.
    #[must_use]
    pub const fn operation(&self) -> Operation {
        match self {
            Self::AddService(_) => Operation::AddService,
            Self::UpdateService(_) => Operation::UpdateService,
            Self::DeleteService(_) => Operation::DeleteService,
            Self::ZeroService(_) => Operation::ZeroService,
            Self::AddDestination(..) => Operation::AddDestination,
            Self::UpdateDestination(..) => Operation::UpdateDestination,
            Self::DeleteDestination(..) => Operation::DeleteDestination,
            Self::SetTimeouts(_) => Operation::SetTimeouts,
            Self::StartDaemon(_) => Operation::StartDaemon,
            Self::StopDaemon(_) => Operation::StopDaemon,
            Self::ZeroAll => Operation::ZeroAll,
            Self::Flush => Operation::Flush,
        }
    }

    /// Returns the service, destination or daemon of the change, or `None` if the change
    /// concerns the whole network namespace.
    #[must_use]
    pub const fn object(&self) -> Option<Object> {
        match self {
            Self::AddService(service) | Self::UpdateService(service) => {
                Some(Object::Service(service.id))
            }
            Self::DeleteService(service) | Self::ZeroService(service) => {
                Some(Object::Service(*service))
            }
            Self::AddDestination(service, destination)
            | Self::UpdateDestination(service, destination) => {
                Some(Object::Destination(*service, destination.id))
            }
            Self::DeleteDestination(service, destination) => {
                Some(Object::Destination(*service, *destination))
            }
            Self::StartDaemon(daemon) => Some(Object::Daemon(daemon.role)),
            Self::StopDaemon(role) => Some(Object::Daemon(*role)),
            Self::SetTimeouts(_) | Self::ZeroAll | Self::Flush => None,
        }
    }

    /// Returns the service that the change is about, or whose destination the change is about.
    /// Returns `None` for all other changes.
    #[must_use]
    pub const fn service(&self) -> Option<ServiceId> {
        match self.object() {
            Some(Object::Service(id) | Object::Destination(id, _)) => Some(id),
            _ => None,
        }
    }

    /// Checks the change against the rules of the kernel. Clients do this before they send
    /// anything.
    ///
    /// # Errors
    ///
    /// As for `validate` of the service, destination, timeouts or daemon in the change. A
    /// change that only names an object fails if no message can carry the identity.
    pub fn validate(&self) -> Result<(), InvalidValue> {
        match self {
            Self::AddService(service) => service.validate(),
            Self::UpdateService(service) => service.validate_settings(),
            Self::DeleteService(service) | Self::ZeroService(service) => service.check_encodable(),
            Self::AddDestination(service, destination) => destination.validate(*service),
            Self::UpdateDestination(service, destination) => {
                destination.validate_settings(*service)
            }
            Self::DeleteDestination(service, destination) => {
                service.check_encodable()?;
                destination.check_encodable()
            }
            Self::SetTimeouts(timeouts) => timeouts.validate(),
            Self::StartDaemon(daemon) => daemon.validate(),
            Self::StopDaemon(_) | Self::ZeroAll | Self::Flush => Ok(()),
        }
    }

    /// Checks an update of the object that was read as `read`. A value that was read may
    /// break a rule and be written again, because the kernel has it already.
    ///
    /// This does not apply to names. A value other than the one that was read must keep all
    /// rules.
    pub(crate) fn validate_update(&self, read: &Self) -> Result<(), InvalidValue> {
        let excused = read.broken_rules();
        let new = self.broken_rules().into_iter().find(|invalid| !excused.contains(invalid));
        new.map_or(Ok(()), Err)?;
        self.check_names()
    }

    /// Checks the names in the change: of schedulers and persistence engines, which the kernel
    /// may pass to `modprobe`, and of interfaces. No change is exempt.
    pub(crate) fn check_names(&self) -> Result<(), InvalidValue> {
        match self {
            Self::AddService(service) | Self::UpdateService(service) => service.check_names(),
            Self::StartDaemon(daemon) => daemon.check_names(),
            _ => Ok(()),
        }
    }

    /// Returns all broken rules, except those of names.
    fn broken_rules(&self) -> Vec<InvalidValue> {
        let mut broken = Vec::new();
        let mut note = |invalid| -> Result<(), Infallible> {
            broken.push(invalid);
            Ok(())
        };
        let Ok(()) = match self {
            Self::UpdateService(service) => service.check_settings(&mut note),
            Self::UpdateDestination(service, destination) => {
                destination.check_settings(*service, &mut note)
            }
            other => other.validate().or_else(note),
        };
        broken
    }
}
