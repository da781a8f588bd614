//! The network namespace of the table, and its lock.

use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use clap::Args;
use ipvs_netlink::Client;

use crate::exit::Failure;
use crate::lock::Lock;
use crate::screen::Screen;
use crate::values::{Deadline, Namespace};

#[derive(Debug, Args)]
pub(crate) struct Kernel {
    /// Network namespace: a name of `ip netns`, or a path (with a slash)
    #[arg(long, value_name = "NAME")]
    netns: Option<Namespace>,
}

impl Kernel {
    /// Returns the file of `--netns`, or `None` for this program's own namespace.
    fn other(&self) -> Option<&Path> {
        self.netns.as_ref().map(|netns| netns.0.as_path())
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

    /// Takes the lock, so that no other run of this program writes the table.
    ///
    /// The kernel has no lock for the table. This program locks the file of the network namespace,
    /// which every run of it knows. Any process in the namespace can take that lock, without a
    /// privilege, and so keep this program waiting.
    pub(crate) fn alone(&self, wait: Deadline, screen: &Screen) -> Result<Lock, Failure> {
        let path = self.other().map_or_else(|| PathBuf::from("/proc/self/ns/net"), Path::to_owned);
        let name = path.display();
        let failed = |error: std::io::Error| Failure::new(format!("{name}: {error}"));
        let mut lock = Lock::open(&path).map_err(failed)?;
        let begin = Instant::now();
        let mut told = None;
        while !lock.take().map_err(failed)? {
            // Look each time: another process may have taken the lock since.
            let holder = lock.holder().unwrap_or_else(|| "another program".to_owned());
            if wait.0.is_some_and(|wait| begin.elapsed() >= wait) {
                let text = format!("{holder} keeps the lock on {name}; nothing was changed");
                return Err(Failure::new(text));
            }
            if told.as_ref() != Some(&holder) {
                screen.note(&format!("{holder} has the lock on {name}; waiting {wait} for it"));
                told = Some(holder);
            }
            sleep(Duration::from_millis(100));
        }
        Ok(lock)
    }
}
