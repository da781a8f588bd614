use std::fmt;

/// The cause of an [`Error`](crate::Error).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The kernel has no IPVS: the module `ip_vs` is not loaded, and the kernel could not
    /// load it. `modprobe ip_vs` as root loads it or says why it cannot be loaded. If the
    /// program runs in a container, run `modprobe` on the host. The kernel must be built with
    /// `CONFIG_IP_VS`.
    Unavailable,
    /// The file of the network namespace does not exist.
    /// [`Error::namespace`](crate::Error::namespace) returns the path.
    NoSuchNamespace,
    /// The file is not a network namespace. If a namespace is unmounted and its file is not
    /// deleted, an ordinary file remains at the path.
    NotANamespace,
    /// The caller lacks a capability. IPVS needs `CAP_NET_ADMIN` in the initial user
    /// namespace, for the caller and for the process that opened the socket. Root of a
    /// rootless container, or of another user namespace, does not have it.
    ///
    /// If [`Operation::Connect`](crate::Operation::Connect) failed, the caller may not open
    /// the file of the network namespace, or lacks `CAP_SYS_ADMIN` to enter it.
    PermissionDenied,
    /// A service with this identity exists already.
    ServiceExists,
    /// The service does not exist.
    NoSuchService,
    /// The service has a destination with this identity already.
    DestinationExists,
    /// The service has no such destination.
    NoSuchDestination,
    /// A synchronization daemon of this role runs already.
    DaemonExists,
    /// No synchronization daemon of this role runs.
    NoSuchDaemon,
    /// The network namespace has no such interface.
    NoSuchInterface,
    /// The kernel does not have the scheduler and could not load its module.
    UnknownScheduler,
    /// The kernel does not have the persistence engine and could not load its module.
    UnknownPersistenceEngine,
    /// The kernel does not have the scheduler or the persistence engine. The kernel uses one
    /// errno for both.
    UnknownSchedulerOrEngine,
    /// The module `ip_vs` was unloaded and loaded again during the operation. Its table is
    /// empty. The client uses the new module from now on.
    FamilyMoved,
    /// A value breaks a rule of the kernel. Nothing was sent.
    /// [`Error::invalid_value`](crate::Error::invalid_value) returns field, value and rule.
    InvalidValue,
    /// The kernel refused a value and did not say which. The reason depends on the state of
    /// the host, because this crate checks all other rules before it sends anything. For
    /// example, the address of a destination is a broadcast address of the host.
    /// [`Error::likely_reasons`](crate::Error::likely_reasons) lists the likely reasons.
    Rejected,
    /// The kernel does not support the address family. IPv6 is disabled.
    FamilyNotSupported,
    /// The kernel does not support the command.
    NotSupported,
    /// The kernel is out of memory.
    OutOfMemory,
    /// A synchronization daemon cannot use its interface or port. The interface is down or has
    /// no address, or the port is in use.
    NetworkUnavailable,
    /// No answer came within the deadline of the client, 5 s by default.
    DeadlineExceeded,
    /// The receive buffer of the socket overflowed, so answers were lost.
    ReceiveOverflow,
    /// The answer was cut off, or is malformed.
    MalformedReply,
    /// The change was not attempted, because of another change in the same submission: one is
    /// invalid, an earlier one could not be sent, or the answer to an earlier one was lost.
    NotAttempted,
    /// A desired service is outside the [`Scope`](crate::table::Scope) of what the program may
    /// change.
    OutOfScope,
    /// A plan needs kinds of changes that
    /// [`PlanOptions::allowed`](crate::table::PlanOptions::allowed) does not allow.
    NotAllowed,
    /// No async runtime runs. The future was polled outside of a runtime, or the runtime in
    /// which the client was created has ended.
    NoRuntime,
    /// A system call failed.
    Socket,
    /// The kernel refused with an errno that this crate has no kind for.
    /// [`Error::errno`](crate::Error::errno) returns the errno.
    Other,
}

impl ErrorKind {
    /// Returns the name for programs, logs and metrics, such as `no-such-service`. The name
    /// of a kind never changes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::NoSuchNamespace => "no-such-namespace",
            Self::NotANamespace => "not-a-namespace",
            Self::PermissionDenied => "permission-denied",
            Self::ServiceExists => "service-exists",
            Self::NoSuchService => "no-such-service",
            Self::DestinationExists => "destination-exists",
            Self::NoSuchDestination => "no-such-destination",
            Self::DaemonExists => "daemon-exists",
            Self::NoSuchDaemon => "no-such-daemon",
            Self::NoSuchInterface => "no-such-interface",
            Self::UnknownScheduler => "unknown-scheduler",
            Self::UnknownPersistenceEngine => "unknown-persistence-engine",
            Self::UnknownSchedulerOrEngine => "unknown-scheduler-or-engine",
            Self::FamilyMoved => "family-moved",
            Self::InvalidValue => "invalid-value",
            Self::Rejected => "rejected",
            Self::FamilyNotSupported => "family-not-supported",
            Self::NotSupported => "not-supported",
            Self::OutOfMemory => "out-of-memory",
            Self::NetworkUnavailable => "network-unavailable",
            Self::DeadlineExceeded => "deadline-exceeded",
            Self::ReceiveOverflow => "receive-overflow",
            Self::MalformedReply => "malformed-reply",
            Self::NotAttempted => "not-attempted",
            Self::OutOfScope => "out-of-scope",
            Self::NotAllowed => "not-allowed",
            Self::NoRuntime => "no-runtime",
            Self::Socket => "socket",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for ErrorKind {
    /// A clause for people, such as `no such service`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unavailable => "this kernel has no IPVS (module ip_vs)",
            Self::NoSuchNamespace => "no such network namespace",
            Self::NotANamespace => "not a network namespace",
            Self::PermissionDenied => {
                "permission denied (IPVS needs CAP_NET_ADMIN in the initial user namespace)"
            }
            Self::ServiceExists => "the service exists",
            Self::NoSuchService => "no such service",
            Self::DestinationExists => "the destination exists",
            Self::NoSuchDestination => "no such destination",
            Self::DaemonExists => "the daemon already runs",
            Self::NoSuchDaemon => "no such daemon runs",
            Self::NoSuchInterface => "no such network interface",
            Self::UnknownScheduler => "the kernel has no such scheduler",
            Self::UnknownPersistenceEngine => "the kernel has no such persistence engine",
            Self::UnknownSchedulerOrEngine => {
                "the kernel has no such scheduler or no such persistence engine"
            }
            Self::FamilyMoved => "the module ip_vs was reloaded",
            Self::InvalidValue => "invalid value",
            Self::Rejected => "the kernel rejected a value",
            Self::FamilyNotSupported => "the kernel does not support this address family",
            Self::NotSupported => "the kernel does not support the command",
            Self::OutOfMemory => "the kernel is out of memory",
            Self::NetworkUnavailable => "the interface or port of the daemon is not available",
            Self::DeadlineExceeded => "no answer within the deadline",
            Self::ReceiveOverflow => "the receive buffer overflowed",
            Self::MalformedReply => "malformed reply",
            Self::NotAttempted => "not attempted because another change failed",
            Self::OutOfScope => "outside the scope of what the program may change",
            Self::NotAllowed => "not allowed by the options of the plan",
            Self::NoRuntime => "no async runtime",
            Self::Socket => "a system call failed",
            Self::Other => "the kernel refused the command",
        })
    }
}
