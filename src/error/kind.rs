use std::fmt;

/// The cause of an [`Error`](crate::Error).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The kernel has no IPVS: the module `ip_vs` is neither loaded nor could the
    /// kernel load it. `modprobe ip_vs` as root tells why not; for a container that is done
    /// on its host. The kernel has to be built with `CONFIG_IP_VS`.
    Unavailable,
    /// There is no file of a network namespace at the path. See
    /// [`Error::namespace`](crate::Error::namespace).
    NoSuchNamespace,
    /// The file is not that of a network namespace. An ordinary file of this name stays where
    /// a namespace was, when it is unmounted but not deleted.
    NotANamespace,
    /// The caller may not steer IPVS. It takes `CAP_NET_ADMIN` in the initial user
    /// namespace; being root of a rootless container or of any other user
    /// namespace never suffices. The socket must have been opened with it too. Where
    /// [`Operation::Connect`](crate::Operation::Connect) failed, the file of the network
    /// namespace may not be opened, or entering it takes `CAP_SYS_ADMIN`.
    PermissionDenied,
    /// The service to be added exists.
    ServiceExists,
    /// There is no such service.
    NoSuchService,
    /// The destination to be added exists.
    DestinationExists,
    /// There is no such destination in the service.
    NoSuchDestination,
    /// A synchronization daemon of that role runs.
    DaemonExists,
    /// No synchronization daemon of that role runs.
    NoSuchDaemon,
    /// There is no such network interface in the namespace.
    NoSuchInterface,
    /// The kernel has no such scheduler.
    UnknownScheduler,
    /// The kernel has no such persistence engine.
    UnknownPersistenceEngine,
    /// The kernel does not have the scheduler or does not have the persistence
    /// engine; it has one errno for both.
    UnknownSchedulerOrEngine,
    /// The module `ip_vs` was unloaded and loaded again in the midst of the
    /// operation. Its table is empty; the client goes on with the new module.
    FamilyMoved,
    /// A value breaks a rule and nothing was sent. See
    /// [`Error::invalid_value`](crate::Error::invalid_value).
    InvalidValue,
    /// The kernel refused a value without saying which. What this crate can check
    /// it has checked before; what remains depends on the host, such as a destination that is
    /// one of its broadcast addresses. [`Error::likely_reasons`](crate::Error::likely_reasons)
    /// lists what it may be.
    Rejected,
    /// The kernel does not do this address family, IPv6 being switched off.
    FamilyNotSupported,
    /// The kernel does not know the command.
    NotSupported,
    /// The kernel is out of memory.
    OutOfMemory,
    /// The network or port that a synchronization daemon needs cannot be had: the
    /// interface is down, or the port is taken.
    NetworkUnavailable,
    /// No answer came within the deadline.
    DeadlineExceeded,
    /// The receive buffer overflowed and answers were lost.
    ReceiveOverflow,
    /// The answer was cut off, or is not what the kernel sends.
    MalformedReply,
    /// The change was not attempted: another one submitted with it is invalid, or
    /// earlier ones could not be sent or their answers were lost.
    NotAttempted,
    /// A desired service is outside of what the program may change. See
    /// [`Scope`](crate::table::Scope).
    OutOfScope,
    /// A plan needs changes that were not allowed. See
    /// [`PlanOptions::allowed`](crate::table::PlanOptions::allowed).
    NotAllowed,
    /// There is no async runtime to wait with: the future was not polled inside one, or the
    /// one in which the client was made has ended.
    NoRuntime,
    /// A system call failed.
    Socket,
    /// The kernel refused for a reason that this crate has no name for; see
    /// [`Error::errno`](crate::Error::errno).
    Other,
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unavailable => "this kernel has no IPVS (module ip_vs)",
            Self::NoSuchNamespace => "there is no such network namespace",
            Self::NotANamespace => "this is not a network namespace",
            Self::PermissionDenied => {
                "permission denied (IPVS needs CAP_NET_ADMIN in the initial user namespace)"
            }
            Self::ServiceExists => "the service exists",
            Self::NoSuchService => "no such service",
            Self::DestinationExists => "the destination exists",
            Self::NoSuchDestination => "no such destination",
            Self::DaemonExists => "the daemon runs already",
            Self::NoSuchDaemon => "no such daemon runs",
            Self::NoSuchInterface => "no such network interface",
            Self::UnknownScheduler => "the kernel has no such scheduler",
            Self::UnknownPersistenceEngine => "the kernel has no such persistence engine",
            Self::UnknownSchedulerOrEngine => {
                "the kernel has no such scheduler or no such persistence engine"
            }
            Self::FamilyMoved => "the module ip_vs was loaded anew",
            Self::InvalidValue => "invalid value",
            Self::Rejected => "the kernel rejected a value",
            Self::FamilyNotSupported => "the kernel does not do this address family",
            Self::NotSupported => "the kernel does not know the command",
            Self::OutOfMemory => "the kernel is out of memory",
            Self::NetworkUnavailable => "the daemon's network or port is not available",
            Self::DeadlineExceeded => "no answer within the deadline",
            Self::ReceiveOverflow => "the receive buffer overflowed",
            Self::MalformedReply => "malformed reply",
            Self::NotAttempted => "not attempted because another change failed",
            Self::OutOfScope => "outside the scope of what is ours",
            Self::NotAllowed => "not allowed by the options of the plan",
            Self::NoRuntime => "there is no async runtime",
            Self::Socket => "a system call failed",
            Self::Other => "the kernel refused",
        })
    }
}
