//! Whose table it is, and who else works on it.

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
    /// Network namespace: a name of `ip netns`, or a path, which has a slash in it
    #[arg(long, value_name = "NAME")]
    netns: Option<Namespace>,
}

impl Kernel {
    /// The file of the network namespace that is not this program's own.
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

    /// Waits until no other program like this one writes the table. The kernel has no lock
    /// for it, but all know the file of its network namespace. Whoever is in there may lock
    /// it, without any privilege, and would keep everybody else waiting.
    pub(crate) fn alone(&self, wait: Deadline, screen: &Screen) -> Result<Lock, Failure> {
        let path = self.other().map_or_else(|| PathBuf::from("/proc/self/ns/net"), Path::to_owned);
        let name = path.display();
        let failed = |error: std::io::Error| Failure::new(format!("{name}: {error}"));
        let mut lock = Lock::open(&path).map_err(failed)?;
        let begin = Instant::now();
        let mut told = None;
        while !lock.take().map_err(failed)? {
            // It may be another one by now.
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
