use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ipvs_netlink::Client;

/// The kernel that is read, and the network namespace in it.
#[derive(Clone)]
pub struct Source {
    connect: Arc<Connect>,
    /// The file of the namespace.
    namespace: PathBuf,
    name: Option<String>,
    /// Whether a director counts as that of this table where its namespace may not be looked at.
    trusts_director: bool,
}

type Connect = dyn Fn() -> ipvs_netlink::Result<Client> + Send + Sync;

const OWN: &str = "/proc/thread-self/ns/net";

impl Source {
    /// The network namespace of this process.
    #[must_use]
    pub fn own() -> Self {
        Self {
            connect: Arc::new(Client::connect),
            namespace: OWN.into(),
            name: None,
            trusts_director: false,
        }
    }

    /// A network namespace as users name it: by its name under `/run/netns`, as in `ip netns`, or by
    /// the path of its file.
    ///
    /// # Errors
    ///
    /// An empty text, or a name that is not the name of a file.
    pub fn named(text: &str) -> Result<Self, String> {
        let path = match text {
            "" | "." | ".." => return Err("not the name of a network namespace".to_owned()),
            path if path.starts_with('/') => PathBuf::from(path),
            name if name.contains('/') => {
                return Err("neither a name nor an absolute path".to_owned());
            }
            name => Path::new("/run/netns").join(name),
        };
        let namespace = path.clone();
        let connect = Arc::new(move || Client::in_namespace(&path));
        Ok(Self { connect, namespace, name: Some(text.to_owned()), trusts_director: false })
    }

    /// Another kernel, such as that of a test.
    #[must_use]
    pub fn of(connect: impl Fn() -> ipvs_netlink::Result<Client> + Send + Sync + 'static) -> Self {
        Self {
            connect: Arc::new(connect),
            namespace: PathBuf::new(),
            name: None,
            trusts_director: true,
        }
    }

    /// Whether a director counts as that of this table where its namespace may not be looked at, as one does
    /// that the user named.
    #[must_use]
    pub fn trusting_director(self, trusts_director: bool) -> Self {
        Self { trusts_director, ..self }
    }

    /// Whether the director with this process is that of the table. `None`: that cannot be told.
    #[must_use]
    pub fn has_director(&self, process: u32) -> Option<bool> {
        self.has(process).or_else(|| self.trusts_director.then_some(true))
    }

    /// The name of the namespace, or `None` for the own one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Opens a client. A client of its own for each reading finds a namespace that was made anew under
    /// the same name, and keeps none alive that was deleted.
    ///
    /// # Errors
    ///
    /// Those of `Client::connect` and `Client::in_namespace`.
    pub fn connect(&self) -> ipvs_netlink::Result<Client> {
        (self.connect)()
    }

    /// Whether the kernel is that of this host, whose processes `/proc` shows.
    pub(super) fn is_of_this_host(&self) -> bool {
        !self.namespace.as_os_str().is_empty()
    }

    /// Whether a process is in the namespace. `None`: that may not be looked at, because the process is
    /// another user's or in a container of its own.
    #[must_use]
    pub fn has(&self, process: u32) -> Option<bool> {
        // A kernel of a test has no namespace.
        if !self.is_of_this_host() {
            return None;
        }
        let identity = |path: &Path| {
            let file = fs::metadata(path)?;
            Ok::<_, std::io::Error>((file.dev(), file.ino()))
        };
        let ours = identity(&self.namespace).ok()?;
        match identity(Path::new(&format!("/proc/{process}/ns/net"))) {
            Ok(theirs) => Some(theirs == ours),
            Err(error) if error.kind() == ErrorKind::NotFound && process != 0 => Some(false),
            Err(_) => None,
        }
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source").field("namespace", &self.namespace).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_not_be_looked_at_is_not_elsewhere() {
        assert_eq!(Source::own().has(std::process::id()), Some(true));
        assert_eq!(Source::own().has(u32::MAX), Some(false));
        assert_eq!(Source::own().has(0), None);
        let gone = Source::named("/no/such/namespace").unwrap();
        assert_eq!(gone.has(std::process::id()), None);
    }

    #[test]
    fn namespaces_are_named_as_in_ip_netns() {
        let path = |text| Source::named(text).map(|source| source.namespace);
        assert_eq!(path("blue"), Ok("/run/netns/blue".into()));
        assert_eq!(path("/proc/1/ns/net"), Ok("/proc/1/ns/net".into()));
        for text in ["", ".", "..", "a/b", "../x"] {
            assert!(path(text).is_err(), "{text}");
        }
    }
}
