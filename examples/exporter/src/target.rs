use std::path::{Path, PathBuf};

use ipvs_netlink::Client;

/// A network namespace that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The namespace of this process. Its samples have no label `netns`.
    Own,
    /// Another one.
    Named {
        /// The value of the label `netns`.
        name: String,
        /// The file of the namespace.
        path: PathBuf,
    },
}

impl Target {
    /// Names a namespace as users do: by its name under `/run/netns`, as in `ip netns`, or by the path of
    /// its file.
    ///
    /// # Errors
    ///
    /// An empty text, or a name that is not the name of a file.
    pub fn parse(text: &str) -> Result<Self, String> {
        let path = match text {
            "" | "." | ".." => return Err(String::from("not the name of a network namespace")),
            path if path.starts_with('/') => PathBuf::from(path),
            name if name.contains('/') => {
                return Err(String::from("neither a name nor an absolute path"));
            }
            name => Path::new("/run/netns").join(name),
        };
        Ok(Self::Named { name: text.to_owned(), path })
    }

    /// The value of the label `netns`.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Own => None,
            Self::Named { name, .. } => Some(name),
        }
    }

    /// Opens a client. A client of its own for each reading finds a namespace that was made anew under the
    /// same name, and keeps none alive that was deleted.
    pub(crate) fn connect(&self) -> ipvs_netlink::Result<Client> {
        match self {
            Self::Own => Client::connect(),
            Self::Named { path, .. } => Client::in_namespace(path),
        }
    }
}
