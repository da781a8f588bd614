//! One error type for everything that can go wrong.

mod cause;
mod context;
mod kind;
mod reason;

use std::fmt;
use std::io;
use std::path::Path;

use rustix::io::Errno;

use crate::model::{InvalidValue, Object, Operation};

pub(crate) use cause::kind_of_refusal;
pub(crate) use context::Context;
pub use context::{Certainty, Extack};
pub use kind::ErrorKind;
pub use reason::Reason;
pub(crate) use reason::likely_reasons;

/// What to do where there is no IPVS.
const LOADING: &str = "load it with `modprobe ip_vs` as root, for a container on its host; \
                       the kernel has to be built with CONFIG_IP_VS";

const CUT_OFF: &str = "it was longer than the receive buffer";

/// The result of an operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation failed: what was attempted, on which object, with which
/// outcome, and the cause.
///
/// [`kind`](Error::kind) is what a program branches on; `Display` is one line for
/// a person.
///
/// ```
/// use ipvs_netlink::{Certainty, ErrorKind, Operation};
///
/// fn explain(error: &ipvs_netlink::Error) -> &'static str {
///     match error.kind() {
///         ErrorKind::Unavailable => "load the module ip_vs",
///         ErrorKind::PermissionDenied => "run it as root",
///         ErrorKind::ServiceExists => "nothing to do",
///         _ if error.certainty() == Some(Certainty::Unknown) => "read the table again",
///         _ => "look at the message",
///     }
/// }
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
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

    /// A setting that was refused before anything was sent.
    pub(crate) fn invalid(context: Context, invalid: InvalidValue) -> Self {
        let mut error = Self::new(context, ErrorKind::InvalidValue, Certainty::NotSent);
        error.0.invalid = Some(invalid);
        error
    }

    /// The kernel's refusal. `kind` comes from [`kind_of_refusal`].
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

    /// A system call that failed before the request was sent.
    pub(crate) fn not_sent(context: Context, cause: &io::Error) -> Self {
        let kind = match cause.kind() {
            io::ErrorKind::PermissionDenied => ErrorKind::PermissionDenied,
            // No system call on a netlink socket of ours ends in it.
            io::ErrorKind::NotConnected => ErrorKind::NoRuntime,
            _ => ErrorKind::Socket,
        };
        let mut error = Self::new(context, kind, Certainty::NotSent);
        error.0.errno = cause.raw_os_error();
        error
    }

    /// A failure to receive the answer to a request that was sent.
    pub(crate) fn unanswered(context: Context, cause: &io::Error) -> Self {
        if cause.kind() == io::ErrorKind::UnexpectedEof {
            return Self::malformed(context, CUT_OFF);
        }
        let kind = match cause.raw_os_error() {
            Some(errno) if errno == Errno::NOBUFS.raw_os_error() => ErrorKind::ReceiveOverflow,
            _ if cause.kind() == io::ErrorKind::TimedOut => ErrorKind::DeadlineExceeded,
            _ if cause.kind() == io::ErrorKind::NotConnected => ErrorKind::NoRuntime,
            _ => ErrorKind::Socket,
        };
        let mut error = Self::new(context, kind, Certainty::Unknown);
        error.0.errno = cause.raw_os_error();
        error
    }

    /// An answer that cannot be what the kernel meant.
    pub(crate) fn malformed(context: Context, detail: &'static str) -> Self {
        let mut error = Self::new(context, ErrorKind::MalformedReply, Certainty::Unknown);
        error.0.detail = Some(detail);
        error
    }

    /// Whether the receive buffer took only a part of the answer.
    pub(crate) fn is_cut_off(&self) -> bool {
        self.0.detail == Some(CUT_OFF)
    }

    /// Adds what was being done.
    pub(crate) fn because(mut self, detail: &'static str) -> Self {
        self.0.detail = Some(detail);
        self
    }

    /// Adds why the kernel may have refused.
    pub(crate) fn likely(mut self, reasons: &'static [Reason]) -> Self {
        self.0.reasons = reasons;
        self
    }

    /// The file at `path` is to be a network namespace, and is none.
    pub(crate) fn no_namespace(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Adds the file of the network namespace that was to be entered.
    pub(crate) fn at(mut self, path: &Path) -> Self {
        self.0.namespace = Some(path.into());
        self
    }

    /// Something known without the kernel's errno.
    pub(crate) fn known(context: Context, kind: ErrorKind, certainty: Certainty) -> Self {
        Self::new(context, kind, certainty)
    }

    /// The same failure, as one of the operation that `context` names. If that is a
    /// write, what failed came after the kernel's refusal of it.
    pub(crate) fn within(mut self, context: Context) -> Self {
        let certainty = self.0.certainty.unwrap_or(Certainty::Refused);
        self.0.certainty = context.operation.is_write().then_some(certainty);
        self.0.operation = context.operation;
        self.0.object = context.object;
        self
    }

    /// The failure of the reading before the write that `context` names.
    pub(crate) fn unwritten(mut self, context: Context) -> Self {
        self.0.certainty = Some(Certainty::NotSent);
        self.within(context)
    }

    /// The cause, to branch on.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What was attempted.
    #[must_use]
    pub fn operation(&self) -> Operation {
        self.0.operation
    }

    /// What it was attempted on, if it was about one object.
    #[must_use]
    pub fn object(&self) -> Option<Object> {
        self.0.object
    }

    /// Whether a write may have happened; `None` for reads.
    #[must_use]
    pub fn certainty(&self) -> Option<Certainty> {
        self.0.certainty
    }

    /// The number of the system's error, if there was one.
    #[must_use]
    pub fn errno(&self) -> Option<i32> {
        self.0.errno
    }

    /// What the kernel added to the errno, if anything.
    #[must_use]
    pub fn extack(&self) -> Option<&Extack> {
        self.0.extack.as_ref()
    }

    /// The field, value and rule of an [`ErrorKind::InvalidValue`].
    #[must_use]
    pub fn invalid_value(&self) -> Option<&InvalidValue> {
        self.0.invalid.as_ref()
    }

    /// Why the kernel may have refused a value, where it did not say
    /// ([`ErrorKind::Rejected`]): states of the host, the likeliest first. They are derived
    /// from the request alone; nothing was looked up. Empty where nothing is known.
    #[must_use]
    pub fn likely_reasons(&self) -> &[Reason] {
        self.0.reasons
    }

    /// The file of the network namespace in which a client was to be opened.
    #[must_use]
    pub fn namespace(&self) -> Option<&Path> {
        self.0.namespace.as_deref()
    }

    /// Whether the object of the operation does not exist: the service, the
    /// destination or the daemon.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(
            self.kind(),
            ErrorKind::NoSuchService | ErrorKind::NoSuchDestination | ErrorKind::NoSuchDaemon
        )
    }

    /// Whether the object to be added exists: the service, the destination or the
    /// daemon.
    #[must_use]
    pub fn is_already_exists(&self) -> bool {
        matches!(
            self.kind(),
            ErrorKind::ServiceExists | ErrorKind::DestinationExists | ErrorKind::DaemonExists
        )
    }
}

impl fmt::Display for Error {
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
            // What connecting lacks is not what the commands of IPVS ask for.
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
            f.write_str("; it may or may not have been done")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    /// For people and their logs: what `Display` says, and the kind. All fields with `{:#?}`.
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

/// `Display` says all of it, so there is no `source`.
impl std::error::Error for Error {}

impl From<Error> for io::Error {
    /// Keeps the whole error as the inner one.
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
mod tests {
    use super::*;
    use crate::model::{Service, ServiceId};

    fn context() -> Context {
        let service = ServiceId::tcp("192.0.2.10:80".parse().unwrap());
        Context::about(Operation::AddService, Object::Service(service))
    }

    #[test]
    fn it_is_small_and_can_be_shared() {
        fn shared<T: Clone + Send + Sync + std::error::Error + 'static>() {}
        shared::<Error>();
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }

    #[test]
    fn it_names_operation_object_cause_and_errno() {
        let error = Error::refused(context(), ErrorKind::ServiceExists, 17, None);
        assert_eq!(
            error.to_string(),
            "add service TCP 192.0.2.10:80: the service exists (File exists (os error 17))"
        );
        assert_eq!(error.certainty(), Some(Certainty::Refused));
        assert!(error.is_already_exists());
    }

    #[test]
    fn a_lost_answer_is_said_to_be_one() {
        let cause = io::Error::from(io::ErrorKind::TimedOut);
        let error = Error::unanswered(context(), &cause);
        assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
        assert_eq!(error.certainty(), Some(Certainty::Unknown));
        assert!(error.to_string().ends_with("; it may or may not have been done"));
        let read = Error::unanswered(Context::new(Operation::ReadServices), &cause);
        assert_eq!(read.certainty(), None);
    }

    #[test]
    fn an_invalid_value_is_said_once() {
        let service = Service::tcp("[fe80::1%2]:80".parse().unwrap());
        let invalid = service.validate().unwrap_err();
        let error = Error::invalid(context(), invalid.clone());
        assert_eq!(error.invalid_value(), Some(&invalid));
        assert_eq!(error.certainty(), Some(Certainty::NotSent));
        assert!(error.to_string().contains("must not have a scope"), "{error}");
        assert!(std::error::Error::source(&error).is_none());
    }

    #[test]
    fn a_kernel_without_ipvs_is_told_what_to_do() {
        let context = Context::new(Operation::ResolveFamily);
        let error = Error::refused(context, ErrorKind::Unavailable, 2, None).to_string();
        for advice in ["`modprobe ip_vs`", "for a container on its host", "CONFIG_IP_VS"] {
            assert!(error.contains(advice), "{error}");
        }
    }

    #[test]
    fn likely_reasons_follow_the_errno() {
        let reasons = &[Reason::NoLoopback, Reason::BroadcastAddress];
        let error = Error::refused(context(), ErrorKind::Rejected, 22, None).likely(reasons);
        assert_eq!(error.likely_reasons(), reasons);
        assert!(
            error.to_string().ends_with(
                "the kernel rejected a value (Invalid argument (os error 22)); likely the \
                 loopback interface of this network namespace has never been up (`ip link set \
                 lo up`), or the address is the broadcast address of a network of this host"
            ),
            "{error}"
        );
    }

    #[test]
    fn the_kernels_words_cannot_move_the_cursor() {
        let extack = Extack { message: Some("bad\x1b[2J".into()), offset: Some(20) };
        let error = Error::refused(context(), ErrorKind::Rejected, 34, Some(extack));
        assert!(!error.to_string().contains('\x1b'));
        assert!(error.to_string().contains("at byte 20"));
    }
}
