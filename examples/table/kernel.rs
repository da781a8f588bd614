//! Whose table it is, and who else works on it.

use std::fs::File;
use std::path::PathBuf;

use clap::Args;
use ipvs_netlink::Client;
use rustix::fs::{FlockOperation, flock};
use rustix::io::{Errno, retry_on_intr};

use crate::exit::Failure;
use crate::screen::Screen;

#[derive(Debug, Args)]
pub(crate) struct Kernel {
    /// Network namespace: a name of `ip netns` or a path
    #[arg(long, value_name = "NAME")]
    netns: Option<PathBuf>,
}

/// While it lives, other programs like this one do not write the table.
#[derive(Debug)]
pub(crate) struct Alone {
    _namespace: File,
}

impl Kernel {
    /// The file of the network namespace that is not this program's own.
    fn other(&self) -> Option<PathBuf> {
        // An absolute path stays what it is.
        self.netns.as_ref().map(|name| PathBuf::from("/run/netns").join(name))
    }

    pub(crate) fn connect(&self) -> Result<Client, Failure> {
        let client = match self.other() {
            None => Client::connect(),
            Some(path) => Client::in_namespace(path),
        };
        let mut client = client.map_err(Failure::kernel)?;
        client.check().map_err(Failure::kernel)?;
        Ok(client)
    }

    /// Waits until no other program like this one writes the table. The kernel has no lock
    /// for it, but all know the file of its network namespace.
    pub(crate) fn alone(&self, screen: &Screen) -> Result<Alone, Failure> {
        let path = self.other().unwrap_or_else(|| PathBuf::from("/proc/self/ns/net"));
        let lock = |file: &File| match flock(file, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => {
                screen.note("another `table` is at work here; waiting for it");
                retry_on_intr(|| flock(file, FlockOperation::LockExclusive))
            }
            done => done,
        };
        let file = File::open(&path)
            .and_then(|file| lock(&file).map(|()| file).map_err(Into::into))
            .map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
        Ok(Alone { _namespace: file })
    }
}
