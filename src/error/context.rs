use crate::model::{Change, Object, Operation};

/// What is known of a write that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Certainty {
    /// The change was not sent: nothing has changed.
    NotSent,
    /// The kernel refused it: nothing has changed.
    Refused,
    /// It was sent and no answer came: it may or may not have been done. Read the
    /// object to know.
    Unknown,
}

/// What the kernel added to its errno.
///
/// IPVS itself adds nothing; the netlink core does for attributes that are too
/// short and the like, and for the attributes of a synchronization daemon.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Extack {
    pub(crate) message: Option<String>,
    pub(crate) offset: Option<u32>,
}

impl Extack {
    /// The kernel's text.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// Where in the request the attribute is that the kernel objects to, in bytes
    /// from the start of the message.
    #[must_use]
    pub const fn offset(&self) -> Option<u32> {
        self.offset
    }
}

/// What an operation is about, for the errors it may end in.
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
