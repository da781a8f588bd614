//! Why sending or receiving a datagram failed.

use std::io;

use rustix::io::Errno;

/// The cause of a failed system call on a netlink socket, or of a failed wait for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// No datagram is there yet (EAGAIN).
    Empty,
    /// A signal interrupted the call (EINTR).
    Interrupted,
    /// The datagram was longer than the receive buffer; the kernel dropped the rest of it.
    CutOff,
    /// The receive buffer was full, so the kernel dropped datagrams (ENOBUFS on receive).
    Overflow,
    /// The deadline passed before a datagram came.
    DeadlineExceeded,
    /// The thread has no async runtime to wait with.
    #[cfg_attr(
        not(feature = "tokio"),
        allow(dead_code, reason = "only the client for tokio needs a runtime")
    )]
    NoRuntime,
    /// Another errno of a system call.
    System(Errno),
    /// Something failed without an errno.
    Other,
}

impl Failure {
    /// The failure of a call that receives. ENOBUFS means lost datagrams only there.
    #[inline]
    pub(crate) fn to_receive(errno: Errno) -> Self {
        if errno == Errno::NOBUFS { Self::Overflow } else { errno.into() }
    }

    /// The number to report to a user.
    pub(super) fn errno(self) -> Option<i32> {
        let errno = match self {
            Self::Empty => Errno::AGAIN,
            Self::Interrupted => Errno::INTR,
            Self::Overflow => Errno::NOBUFS,
            Self::System(errno) => errno,
            Self::CutOff | Self::DeadlineExceeded | Self::NoRuntime | Self::Other => return None,
        };
        Some(errno.raw_os_error())
    }
}

impl From<Errno> for Failure {
    #[inline]
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::AGAIN => Self::Empty,
            Errno::INTR => Self::Interrupted,
            _ => Self::System(errno),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Errno::from_io_error(&error).map_or(Self::Other, Self::from)
    }
}
