//! Whose fault an error is: that of the target, or of this host.

use std::error::Error;
use std::fmt;
use std::io;

use rustix::io::Errno;

use crate::health::Outcome;

/// An error of this host, before anything was sent to the target.
#[derive(Debug)]
struct Ours(io::Error);

impl fmt::Display for Ours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Ours {}

/// Marks an error as one of this host.
pub(super) fn ours(error: io::Error) -> io::Error {
    io::Error::new(error.kind(), Ours(error))
}

/// Returns `true` if this host is the reason of an error: it is marked, or this host is short of
/// memory or ports, lacks the address or the interface, or does not let the packet out.
pub(super) fn is_ours(error: &io::Error) -> bool {
    let marked = error.get_ref().is_some_and(|inner| inner.is::<Ours>());
    marked
        || matches!(
            error.raw_os_error().map(Errno::from_raw_os_error),
            Some(
                Errno::NOBUFS
                    | Errno::NOMEM
                    | Errno::ADDRNOTAVAIL
                    | Errno::ADDRINUSE
                    | Errno::NODEV
                    | Errno::PERM
            )
        )
}

/// Returns the result of a check that an error has ended.
pub(super) fn outcome(error: &io::Error, reason: impl Into<String>) -> Outcome {
    if is_ours(error) { Outcome::not_done(reason) } else { Outcome::failed(reason) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_host_lacks_says_nothing_of_a_target() {
        let of = |errno: Errno| is_ours(&errno.into());
        assert!(of(Errno::NOBUFS) && of(Errno::ADDRNOTAVAIL));
        assert!(!of(Errno::CONNREFUSED) && !of(Errno::HOSTUNREACH) && !of(Errno::TIMEDOUT));
        let marked = ours(Errno::MFILE.into());
        assert_eq!(marked.to_string(), io::Error::from(Errno::MFILE).to_string());
        assert_eq!(outcome(&marked, "no descriptor"), Outcome::not_done("no descriptor"));
        assert!(!of(Errno::MFILE), "only where it is known to be ours");
    }
}
