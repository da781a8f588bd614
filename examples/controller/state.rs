//! The names of the services that the program owns, in a file.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

use ipvs_netlink::ServiceId;

/// The file of `--state`, with one service a line, such as `TCP 192.0.2.10:80`.
pub(crate) struct State {
    path: PathBuf,
    owned: BTreeSet<ServiceId>,
}

impl State {
    /// Reads the file. A file that does not exist names no service.
    pub(crate) fn read(path: PathBuf) -> Result<Self, String> {
        let name = path.display();
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            read => read.map_err(|error| format!("{name}: {error}"))?,
        };
        let ids = text.lines().map(|line| {
            line.parse()
                .map_err(|error| format!("{name}: not the name of a service: {line:?}: {error}"))
        });
        let owned = ids.collect::<Result<_, String>>()?;
        Ok(Self { path, owned })
    }

    /// Returns the services that the file names.
    pub(crate) fn owned(&self) -> impl Iterator<Item = ServiceId> {
        self.owned.iter().copied()
    }

    /// Writes the file if other services are owned now. Replaces it, so that nobody ever reads a
    /// part of it.
    pub(crate) fn write(&mut self, owned: impl Iterator<Item = ServiceId>) -> io::Result<()> {
        let owned: BTreeSet<ServiceId> = owned.collect();
        if owned == self.owned {
            return Ok(());
        }
        let text: String = owned.iter().map(|id| format!("{id}\n")).collect();
        let mut new = self.path.clone().into_os_string();
        new.push(".new");
        fs::write(&new, text)?;
        fs::rename(&new, &self.path)?;
        self.owned = owned;
        Ok(())
    }
}
