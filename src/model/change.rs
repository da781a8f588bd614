use std::convert::Infallible;

use crate::model::{
    Destination, DestinationEntry, DestinationId, InvalidValue, Object, Operation, Role, Service,
    ServiceId, SyncDaemon, Timeouts,
};

/// One write, as a value.
///
/// It prints as the `ipvsadm` command that does the same, quoted for a shell, and is read
/// from it; see [`Command`](crate::Command) for other spellings.
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
    /// Add a service. Fails when it exists.
    AddService(Service),
    /// Replace all settings of a service. Its destinations stay.
    UpdateService(Service),
    /// Delete a service and its destinations. Their connections break.
    DeleteService(ServiceId),
    /// Set the counters of a service and of its destinations to 0.
    ZeroService(ServiceId),
    /// Add a destination to a service. Fails when it exists.
    AddDestination(ServiceId, Destination),
    /// Replace all settings of a destination.
    UpdateDestination(ServiceId, Destination),
    /// Delete a destination from a service.
    DeleteDestination(ServiceId, DestinationId),
    /// Set the timeouts that are not `None`.
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
    /// Sets the weight of a destination, and keeps everything else as `entry` says.
    ///
    /// It is an update of all settings, made from an entry that was read before, such as
    /// one of a snapshot: so nothing has to be read again, and many weights can be
    /// submitted together. What another program has written since the entry was read is
    /// overwritten; where the destination is gone, the kernel refuses it.
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

    /// What kind of write it is.
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

    /// What it is about, if it is about one thing.
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

    /// Checks the change against the kernel's rules, as every client does before
    /// it sends anything.
    ///
    /// # Errors
    ///
    /// As the `validate` of the service, destination, timeouts or daemon in it.
    /// What only names an object needs to be something that a message can carry.
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

    /// Checks an update of what was read as `read`: a rule that was broken then, by the same
    /// value, may stay broken, for the kernel has that value already.
    ///
    /// Names are never excused, and one broken rule excuses no other.
    pub(crate) fn validate_update(&self, read: &Self) -> Result<(), InvalidValue> {
        let excused = read.broken_rules();
        let new = self.broken_rules().into_iter().find(|invalid| !excused.contains(invalid));
        new.map_or(Ok(()), Err)?;
        self.check_names()
    }

    /// Checks the names that reach the kernel: of schedulers and persistence engines, which
    /// it may hand to `modprobe`, and of interfaces. Nothing excuses a change from this check.
    pub(crate) fn check_names(&self) -> Result<(), InvalidValue> {
        match self {
            Self::AddService(service) | Self::UpdateService(service) => service.check_names(),
            Self::StartDaemon(daemon) => daemon.check_names(),
            _ => Ok(()),
        }
    }

    /// All rules that an update breaks, apart from those of names.
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
