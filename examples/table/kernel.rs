//! Whose table it is, and who else works on it.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use clap::Args;
use ipvs_netlink::Client;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::exit::Failure;
use crate::screen::Screen;
use crate::values::Deadline;

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
    /// for it, but all know the file of its network namespace. Whoever is in there may lock
    /// it, without any privilege, and would keep everybody else waiting.
    pub(crate) fn alone(&self, wait: Deadline, screen: &Screen) -> Result<Alone, Failure> {
        let path = self.other().unwrap_or_else(|| PathBuf::from("/proc/self/ns/net"));
        let name = path.display();
        let failed = |error: io::Error| Failure::new(format!("{name}: {error}"));
        let file = File::open(&path).map_err(failed)?;
        let begin = Instant::now();
        let mut told = false;
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Err(Errno::INTR) => continue,
                Err(Errno::WOULDBLOCK) => {}
                done => {
                    done.map_err(|error| failed(error.into()))?;
                    return Ok(Alone { _namespace: file });
                }
            }
            if wait.0.is_some_and(|wait| begin.elapsed() >= wait) {
                let text = format!("another program keeps the lock on {name}; nothing was changed");
                return Err(Failure::new(text));
            }
            if !told {
                screen.note(&format!(
                    "another program has the lock on {name}; waiting {wait} for it"
                ));
                told = true;
            }
            sleep(Duration::from_millis(100));
        }
    }
}
