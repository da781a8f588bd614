//! Files of a client's network namespace.

use crate::engine::Home;
use crate::procfs::{Procfs, ProcfsError};

/// The files of the namespace `home`.
pub(crate) fn of(home: &Home) -> Result<Procfs, ProcfsError> {
    match home {
        Home::Open(namespace) => Procfs::of_descriptor(namespace),
        Home::NotOpen(errno) => Err(ProcfsError::of_own_namespace(*errno)),
        #[cfg(feature = "fake")]
        Home::Fake => Err(ProcfsError::UnknownNamespace { reason: "a fake kernel has no /proc" }),
        Home::Unknown => Err(ProcfsError::UnknownNamespace {
            reason: "the client was created from sockets, which do not tell their namespace",
        }),
    }
}
