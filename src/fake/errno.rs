use std::{fmt, io};

/// An error number of Linux, such as 3 for `ESRCH`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Errno(i32);

impl Errno {
    /// `EPERM`: the sender may not do this.
    pub const PERM: Self = Self(1);
    /// `ENOENT`: no such destination, scheduler, persistence engine or family.
    pub const NOENT: Self = Self(2);
    /// `ESRCH`: no such service, or no such daemon.
    pub const SRCH: Self = Self(3);
    /// `EINTR`: a signal interrupted the call.
    pub const INTR: Self = Self(4);
    /// `EAGAIN`: no datagram is there.
    pub const AGAIN: Self = Self(11);
    /// `ENOMEM`: the kernel has no memory for it.
    pub const NOMEM: Self = Self(12);
    /// `EBUSY`: the socket has an unfinished dump.
    pub const BUSY: Self = Self(16);
    /// `EEXIST`: the object exists already.
    pub const EXIST: Self = Self(17);
    /// `ENODEV`: no such interface.
    pub const NODEV: Self = Self(19);
    /// `EINVAL`: a value is refused or missing.
    pub const INVAL: Self = Self(22);
    /// `ERANGE`: a number is out of its range.
    pub const RANGE: Self = Self(34);
    /// `ENODATA`: an empty datagram cannot be sent.
    pub const NODATA: Self = Self(61);
    /// `EMSGSIZE`: the datagram is longer than the send buffer.
    pub const MSGSIZE: Self = Self(90);
    /// `EOPNOTSUPP`: no such command.
    pub const OPNOTSUPP: Self = Self(95);
    /// `EAFNOSUPPORT`: no such address family.
    pub const AFNOSUPPORT: Self = Self(97);
    /// `EADDRNOTAVAIL`: the interface is down, and the group is of IPv6.
    pub const ADDRNOTAVAIL: Self = Self(99);
    /// `ENETUNREACH`: the interface is down, or the group is of IPv6 and the interface `lo`.
    pub const NETUNREACH: Self = Self(101);
    /// `ENOBUFS`: the receive buffer was full, and answers were lost.
    pub const NOBUFS: Self = Self(105);

    /// Makes an error number from its positive value.
    #[must_use]
    pub const fn new(number: i32) -> Self {
        Self(number)
    }

    /// Returns the positive value.
    #[must_use]
    pub const fn number(self) -> i32 {
        self.0
    }
}

impl fmt::Display for Errno {
    /// The text of the operating system, such as `No such process (os error 3)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        io::Error::from_raw_os_error(self.0).fmt(f)
    }
}

impl fmt::Debug for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Errno({}: {self})", self.0)
    }
}

impl std::error::Error for Errno {}

impl From<Errno> for io::Error {
    fn from(errno: Errno) -> Self {
        Self::from_raw_os_error(errno.0)
    }
}
