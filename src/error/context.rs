use crate::model::{Change, Object, Operation};

/// Whether a write that failed has changed anything.
///
/// The enum is exhaustive, so that a `match` on it needs no wildcard: every failed write is
/// one of the three.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Certainty {
    /// The change was not sent. Nothing has changed.
    NotSent,
    /// The kernel refused the change. Nothing has changed.
    Refused,
    /// The change was sent and no answer came. The kernel may or may not have done it. Read
    /// the object to find out.
    Unknown,
}

impl Certainty {
    /// Returns the name for programs and logs: `not-sent`, `refused` or `unknown`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotSent => "not-sent",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        }
    }
}

/// The extended acknowledgement: what the kernel adds to its errno.
///
/// IPVS itself adds nothing. The netlink core adds a text or an offset if an attribute is
/// malformed, for example too short.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Extack {
    pub(crate) message: Option<String>,
    pub(crate) offset: Option<u32>,
}

impl Extack {
    /// Returns the text of the kernel, if it sent one.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// Returns the position of the attribute that the kernel refuses, in bytes from the start
    /// of the request.
    #[must_use]
    pub const fn offset(&self) -> Option<u32> {
        self.offset
    }
}

/// The operation and object that an error names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context {
    pub(crate) operation: Operation,
    pub(crate) object: Option<Object>,
}

impl Context {
    pub(crate) const fn new(operation: Operation) -> Self {
        Self { operation, object: None }
    }

    pub(crate) const fn about(operation: Operation, object: Object) -> Self {
        Self { operation, object: Some(object) }
    }

    pub(crate) const fn of(change: &Change) -> Self {
        Self { operation: change.operation(), object: change.object() }
    }
}
