//! The error type of all operations.

mod cause;
mod context;
mod failure;
mod kind;
mod reason;
#[cfg(feature = "serde")]
mod serialized;

use std::fmt;
use std::io;
use std::path::Path;

use rustix::io::Errno;

use crate::model::{InvalidValue, Object, Operation};

pub(crate) use cause::kind_of_refusal;
pub(crate) use context::Context;
pub use context::{Certainty, Extack};
pub(crate) use failure::Failure;
pub use kind::ErrorKind;
pub use reason::Reason;
pub(crate) use reason::likely_reasons;

/// Advice for [`ErrorKind::Unavailable`].
const LOADING: &str = "load it with `modprobe ip_vs` as root, for a container on its host; \
                       the kernel must be built with CONFIG_IP_VS";

const CUT_OFF: &str = "it was longer than the receive buffer";

/// The result of an operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The failure of an operation: the operation, its object, the cause, and whether a write may
/// have been done.
///
/// Programs branch on [`kind`](Error::kind). `Display` prints one line for people.
///
/// ```
/// use ipvs_netlink::{Certainty, ErrorKind, Operation};
///
/// fn explain(error: &ipvs_netlink::Error) -> &'static str {
///     match error.kind() {
///         ErrorKind::Unavailable => "load the module ip_vs",
///         ErrorKind::PermissionDenied => "run the program as root",
///         ErrorKind::ServiceExists => "nothing to do",
///         _ if error.certainty() == Some(Certainty::Unknown) => "read the table again",
///         _ => "print the error",
///     }
/// }
/// ```
///
/// Tests create errors with [`for_test`](Self::for_test). Two errors are equal if all they
/// say is equal.
#[derive(Clone, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    kind: ErrorKind,
    operation: Operation,
    object: Option<Object>,
    certainty: Option<Certainty>,
    errno: Option<i32>,
    extack: Option<Extack>,
    invalid: Option<InvalidValue>,
    detail: Option<&'static str>,
    reasons: &'static [Reason],
    namespace: Option<Box<Path>>,
}

impl Error {
    fn new(context: Context, kind: ErrorKind, certainty: Certainty) -> Self {
        let Context { operation, object } = context;
        Self(Box::new(Inner {
            kind,
            operation,
            object,
            certainty: operation.is_write().then_some(certainty),
            errno: None,
            extack: None,
            invalid: None,
            detail: None,
            reasons: &[],
            namespace: None,
        }))
    }

    /// Creates an error for tests of code that handles errors.
    ///
    /// The error has no object and no errno. If `operation` is a write, its certainty is the
    /// usual one for `kind`: [`Certainty::Unknown`] if an answer was lost,
    /// [`Certainty::NotSent`] if `kind` is found before anything is sent, else
    /// [`Certainty::Refused`]. [`with_object`](Self::with_object) and
    /// [`with_certainty`](Self::with_certainty) set more.
    ///
    /// ```
    /// use ipvs_netlink::{Certainty, Error, ErrorKind, Operation};
    ///
    /// fn should_retry(error: &Error) -> bool {
    ///     error.certainty() == Some(Certainty::Unknown)
    /// }
    ///
    /// let lost = Error::for_test(ErrorKind::DeadlineExceeded, Operation::AddService);
    /// assert!(should_retry(&lost));
    /// let refused = Error::for_test(ErrorKind::ServiceExists, Operation::AddService);
    /// assert!(!should_retry(&refused));
    /// ```
    #[must_use]
    pub fn for_test(kind: ErrorKind, operation: Operation) -> Self {
        let certainty = match kind {
            ErrorKind::DeadlineExceeded
            | ErrorKind::ReceiveOverflow
            | ErrorKind::MalformedReply => Certainty::Unknown,
            ErrorKind::InvalidValue
            | ErrorKind::NotAttempted
            | ErrorKind::OutOfScope
            | ErrorKind::NotAllowed
            | ErrorKind::NoRuntime
            | ErrorKind::Socket
            | ErrorKind::NoSuchNamespace
            | ErrorKind::NotANamespace => Certainty::NotSent,
            _ => Certainty::Refused,
        };
        Self::new(Context::new(operation), kind, certainty)
    }

    /// Sets the object, for tests. See [`for_test`](Self::for_test).
    #[must_use]
    pub fn with_object(mut self, object: Object) -> Self {
        self.0.object = Some(object);
        self
    }

    /// Sets the certainty of a write, for tests. The error of a read keeps `None`. See
    /// [`for_test`](Self::for_test).
    #[must_use]
    pub fn with_certainty(mut self, certainty: Certainty) -> Self {
        self.0.certainty = self.0.operation.is_write().then_some(certainty);
        self
    }

    /// A setting broke a rule before anything was sent.
    pub(crate) fn invalid(context: Context, invalid: InvalidValue) -> Self {
        let mut error = Self::new(context, ErrorKind::InvalidValue, Certainty::NotSent);
        error.0.invalid = Some(invalid);
        error
    }

    /// The kernel refused the operation. `kind` comes from [`kind_of_refusal`].
    pub(crate) fn refused(
        context: Context,
        kind: ErrorKind,
        errno: i32,
        extack: Option<Extack>,
    ) -> Self {
        let mut error = Self::new(context, kind, Certainty::Refused);
        error.0.errno = Some(errno);
        error.0.extack = extack;
        error
    }

    /// A system call failed before the request was sent.
    pub(crate) fn not_sent(context: Context, failure: Failure) -> Self {
        let kind = match failure {
            Failure::System(Errno::PERM | Errno::ACCESS) => ErrorKind::PermissionDenied,
            Failure::NoRuntime => ErrorKind::NoRuntime,
            _ => ErrorKind::Socket,
        };
        let mut error = Self::new(context, kind, Certainty::NotSent);
        error.0.errno = failure.errno();
        error
    }

    /// The request was sent and its answer was not received.
    pub(crate) fn unanswered(context: Context, failure: Failure) -> Self {
        let kind = match failure {
            Failure::CutOff => return Self::malformed(context, CUT_OFF),
            Failure::Overflow => ErrorKind::ReceiveOverflow,
            Failure::DeadlineExceeded => ErrorKind::DeadlineExceeded,
            Failure::NoRuntime => ErrorKind::NoRuntime,
            _ => ErrorKind::Socket,
        };
        let mut error = Self::new(context, kind, Certainty::Unknown);
        error.0.errno = failure.errno();
        error
    }

    /// The answer is malformed. `detail` says how.
    pub(crate) fn malformed(context: Context, detail: &'static str) -> Self {
        let mut error = Self::new(context, ErrorKind::MalformedReply, Certainty::Unknown);
        error.0.detail = Some(detail);
        error
    }

    /// Returns `true` if the answer was longer than the receive buffer.
    pub(crate) fn is_cut_off(&self) -> bool {
        self.0.detail == Some(CUT_OFF)
    }

    /// Adds a detail to the text.
    pub(crate) fn because(mut self, detail: &'static str) -> Self {
        self.0.detail = Some(detail);
        self
    }

    /// Adds the likely reasons of a refusal.
    pub(crate) fn likely(mut self, reasons: &'static [Reason]) -> Self {
        self.0.reasons = reasons;
        self
    }

    /// Sets the kind to that of a file that is no network namespace.
    pub(crate) fn no_namespace(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Adds the path of the network namespace.
    pub(crate) fn at(mut self, path: &Path) -> Self {
        self.0.namespace = Some(path.into());
        self
    }

    /// A failure without an errno.
    pub(crate) fn known(context: Context, kind: ErrorKind, certainty: Certainty) -> Self {
        Self::new(context, kind, certainty)
    }

    /// Relabels this error as one of the operation in `context`. If that is a write and the
    /// failed operation was a read, the read came after the kernel refused the write, so the
    /// certainty becomes `Refused`.
    pub(crate) fn within(mut self, context: Context) -> Self {
        let certainty = self.0.certainty.unwrap_or(Certainty::Refused);
        self.0.certainty = context.operation.is_write().then_some(certainty);
        self.0.operation = context.operation;
        self.0.object = context.object;
        self
    }

    /// Relabels the failure of a read as one of the write in `context`, which was to follow
    /// the read and was not sent.
    pub(crate) fn unwritten(mut self, context: Context) -> Self {
        self.0.certainty = Some(Certainty::NotSent);
        self.within(context)
    }

    /// Returns the cause. Programs branch on it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the operation that failed.
    #[must_use]
    pub fn operation(&self) -> Operation {
        self.0.operation
    }

    /// Returns the object of the operation, or `None` if the operation has no single object.
    #[must_use]
    pub fn object(&self) -> Option<Object> {
        self.0.object
    }

    /// Returns whether a write may have been done, or `None` if the operation was a read.
    #[must_use]
    pub fn certainty(&self) -> Option<Certainty> {
        self.0.certainty
    }

    /// Returns the errno of the kernel or of a system call, or `None` if there was none.
    #[must_use]
    pub fn errno(&self) -> Option<i32> {
        self.0.errno
    }

    /// Returns what the kernel added to the errno, or `None` if it added nothing.
    #[must_use]
    pub fn extack(&self) -> Option<&Extack> {
        self.0.extack.as_ref()
    }

    /// Returns field, value and rule of an [`ErrorKind::InvalidValue`]; `None` for other
    /// kinds.
    #[must_use]
    pub fn invalid_value(&self) -> Option<&InvalidValue> {
        self.0.invalid.as_ref()
    }

    /// Returns likely reasons of an [`ErrorKind::Rejected`], the most likely one first.
    ///
    /// The reasons are states of the host that are possible for this request. The client does
    /// not read the state of the host. The list is empty if no reason is known.
    #[must_use]
    pub fn likely_reasons(&self) -> &[Reason] {
        self.0.reasons
    }

    /// Returns the path of the network namespace that could not be opened or entered, or
    /// `None` if the failure was another.
    #[must_use]
    pub fn namespace(&self) -> Option<&Path> {
        self.0.namespace.as_deref()
    }

    /// Returns `true` if the service, destination or daemon does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(
            self.kind(),
            ErrorKind::NoSuchService | ErrorKind::NoSuchDestination | ErrorKind::NoSuchDaemon
        )
    }

    /// Returns `true` if the cause has nothing to do with a single service, such as a missing
    /// module or privilege.
    pub(crate) fn concerns_all_services(&self) -> bool {
        matches!(
            self.kind(),
            ErrorKind::Unavailable
                | ErrorKind::FamilyMoved
                | ErrorKind::NoSuchNamespace
                | ErrorKind::NotANamespace
                | ErrorKind::PermissionDenied
                | ErrorKind::OutOfMemory
                | ErrorKind::DeadlineExceeded
                | ErrorKind::ReceiveOverflow
                | ErrorKind::NoRuntime
                | ErrorKind::Socket
        )
    }

    /// Returns `true` if the service, destination or daemon exists already.
    #[must_use]
    pub fn is_already_exists(&self) -> bool {
        matches!(
            self.kind(),
            ErrorKind::ServiceExists | ErrorKind::DestinationExists | ErrorKind::DaemonExists
        )
    }
}

impl fmt::Display for Error {
    /// One line: operation, object, cause, details, errno, and advice where there is some.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        write!(f, "{}", inner.operation)?;
        if let Some(object) = inner.object {
            write!(f, " {object}")?;
        }
        if let Some(path) = &inner.namespace {
            write!(f, " in {path:?}")?;
        }
        match &inner.invalid {
            Some(invalid) => write!(f, ": {invalid}")?,
            // Connecting needs other capabilities than the commands of IPVS.
            None if inner.kind == ErrorKind::PermissionDenied
                && inner.operation == Operation::Connect =>
            {
                f.write_str(": permission denied")?;
            }
            None => write!(f, ": {}", inner.kind)?,
        }
        if let Some(detail) = inner.detail {
            write!(f, ": {detail}")?;
        }
        if let Some(extack) = &inner.extack {
            if let Some(message) = &extack.message {
                write!(f, ": {}", message.escape_debug())?;
            }
            if let Some(offset) = extack.offset {
                write!(f, " at byte {offset}")?;
            }
        }
        if let Some(errno) = inner.errno {
            write!(f, " ({})", io::Error::from_raw_os_error(errno))?;
        }
        if inner.kind == ErrorKind::Unavailable {
            write!(f, "; {LOADING}")?;
        }
        for (index, reason) in inner.reasons.iter().enumerate() {
            write!(f, "{}{reason}", if index == 0 { "; likely " } else { ", or " })?;
        }
        if inner.certainty == Some(Certainty::Unknown) {
            f.write_str("; the kernel may or may not have done it")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    /// Prints the text of `Display` and the kind. `{:#?}` prints all fields.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        if !f.alternate() {
            return write!(f, "{self} [{:?}]", inner.kind);
        }
        f.debug_struct("Error")
            .field("kind", &inner.kind)
            .field("operation", &inner.operation)
            .field("object", &inner.object)
            .field("certainty", &inner.certainty)
            .field("errno", &inner.errno)
            .field("extack", &inner.extack)
            .field("invalid", &inner.invalid)
            .field("detail", &inner.detail)
            .field("reasons", &inner.reasons)
            .field("namespace", &inner.namespace)
            .finish()
    }
}

/// There is no `source`, because `Display` prints the whole error.
impl std::error::Error for Error {}

impl From<Error> for io::Error {
    /// Wraps the whole error. The kind of the `io::Error` follows [`Error::kind`] and the
    /// errno.
    fn from(error: Error) -> Self {
        let kind = match error.kind() {
            ErrorKind::PermissionDenied => io::ErrorKind::PermissionDenied,
            ErrorKind::InvalidValue => io::ErrorKind::InvalidInput,
            ErrorKind::MalformedReply => io::ErrorKind::InvalidData,
            ErrorKind::DeadlineExceeded => io::ErrorKind::TimedOut,
            _ if error.is_not_found() => io::ErrorKind::NotFound,
            _ if error.is_already_exists() => io::ErrorKind::AlreadyExists,
            _ => error
                .errno()
                .map_or(io::ErrorKind::Other, |errno| Self::from_raw_os_error(errno).kind()),
        };
        Self::new(kind, error)
    }
}

#[cfg(test)]
mod tests;
