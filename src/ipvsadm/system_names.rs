use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::OnceLock;

use super::names::{NameError, Names};
use crate::model::{AddressFamily, Protocol};

/// Looks up hosts with the resolver of this system, and ports in `/etc/services`.
///
/// A lookup of a host blocks until the resolver answers. If a host has several addresses of the
/// family, the first one counts. The file is read at the first lookup of a port.
#[derive(Debug, Default)]
pub struct SystemNames {
    ports: OnceLock<Ports>,
}

impl SystemNames {
    /// Makes a value that has not read anything yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Names for SystemNames {
    fn host(&self, name: &str, family: AddressFamily) -> Result<IpAddr, NameError> {
        let failed = |error: std::io::Error| NameError::Failed(error.to_string());
        let mut addresses = (name, 0).to_socket_addrs().map_err(failed)?.map(|found| found.ip());
        addresses.find(|ip| AddressFamily::of(ip) == family).ok_or(NameError::Unknown)
    }

    fn port(&self, name: &str, protocol: Protocol) -> Result<u16, NameError> {
        let ports = self.ports.get_or_init(|| Ports::read("/etc/services"));
        ports.0.get(&(name.to_owned(), protocol)).copied().ok_or(NameError::Unknown)
    }
}

/// Bytes of `/etc/services` that are read at most. Real files are much smaller.
const FILE_LIMIT: u64 = 8 << 20;

/// The ports of a file, by name and protocol.
#[derive(Debug, Default)]
struct Ports(HashMap<(String, Protocol), u16>);

impl Ports {
    /// Reads a file. A file that cannot be read has no names.
    fn read(path: &str) -> Self {
        let mut bytes = Vec::new();
        // Opening another kind of file, such as a FIFO, could block for ever.
        if std::fs::metadata(path).is_ok_and(|file| file.is_file()) {
            let file = File::open(path).map(|file| file.take(FILE_LIMIT));
            file.and_then(|mut file| file.read_to_end(&mut bytes)).unwrap_or_default();
        }
        Self::parse(&String::from_utf8_lossy(&bytes))
    }

    /// Parses lines such as `http 80/tcp www # comment` and skips other lines. The first line with
    /// a name counts, as in the C library.
    fn parse(text: &str) -> Self {
        let mut ports = HashMap::new();
        for line in text.lines() {
            let entry = line.split('#').next().unwrap_or_default();
            let mut words = entry.split_ascii_whitespace();
            let (Some(name), Some(number)) = (words.next(), words.next()) else { continue };
            let Some((port, protocol)) = number.split_once('/') else { continue };
            let (Ok(port), Ok(protocol)) = (port.parse(), protocol.parse()) else { continue };
            for name in std::iter::once(name).chain(words) {
                ports.entry((name.to_owned(), protocol)).or_insert(port);
            }
        }
        Self(ports)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_regular_file_is_opened() {
        let folder = std::env::temp_dir().join("services-XXXXXX");
        let folder = nix::unistd::mkdtemp(&folder).unwrap();
        let fifo = folder.join("services");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRUSR).unwrap();
        // Opening the FIFO would block until somebody opens it for writing.
        assert!(Ports::read(fifo.to_str().unwrap()).0.is_empty());
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn ports_are_found_by_name_alias_and_protocol() {
        let text = "# comment\nhttp\t80/tcp www # the web\nhttp 8080/tcp\n http 81/udp\n\
                    amqp 5672/sctp\nodd\nodd 1\nodd x/tcp\nodd 65536/tcp\nodd 1/ddp\n\n#";
        let Ports(ports) = Ports::parse(text);
        let port = |name: &str, protocol| ports.get(&(name.to_owned(), protocol)).copied();
        assert_eq!(port("http", Protocol::TCP), Some(80));
        assert_eq!(port("www", Protocol::TCP), Some(80));
        assert_eq!(port("http", Protocol::UDP), Some(81));
        assert_eq!(port("amqp", Protocol::SCTP), Some(5672));
        assert_eq!(port("www", Protocol::UDP), None);
        assert_eq!(ports.len(), 4);
    }

    #[test]
    fn a_missing_file_has_no_names() {
        assert!(Ports::read("/nonexistent/services").0.is_empty());
    }

    /// Uses an address as the name, so that this test does not depend on files of the host.
    /// `tests/live/text.rs` looks up names.
    #[test]
    fn the_first_address_of_the_family_counts() {
        let host = |family| SystemNames::new().host("127.0.0.1", family);
        assert_eq!(host(AddressFamily::Ipv4), Ok(IpAddr::from([127, 0, 0, 1])));
        assert_eq!(host(AddressFamily::Ipv6), Err(NameError::Unknown));
    }
}
