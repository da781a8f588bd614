use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::OnceLock;

use crate::model::{AddressFamily, Protocol};

/// Where the names in a command come from: `ipvsadm -S` without `-n` writes names of hosts
/// and ports, such as `www.example.com:http`.
///
/// ```
/// use std::net::IpAddr;
/// use ipvs_netlink::{AddressFamily, Command, NameError, Names, Protocol};
///
/// /// Knows one host.
/// struct Web;
///
/// impl Names for Web {
///     fn host(&self, name: &str, _: AddressFamily) -> Result<IpAddr, NameError> {
///         if name == "web" { Ok([192, 0, 2, 10].into()) } else { Err(NameError::Unknown) }
///     }
///
///     fn port(&self, _: &str, _: Protocol) -> Result<u16, NameError> {
///         Err(NameError::Unknown)
///     }
/// }
///
/// let command = Command::parse(&["-D", "-t", "web:80"], &Web)?;
/// assert_eq!(command.change.to_string(), "ipvsadm -D -t 192.0.2.10:80");
/// # Ok::<(), ipvs_netlink::CommandError>(())
/// ```
pub trait Names {
    /// The address of `family` of the host `name`. As with `ipvsadm` it is IPv6 for a name
    /// in brackets, else IPv4.
    ///
    /// # Errors
    ///
    /// When there is none, or names are not looked up.
    fn host(&self, name: &str, family: AddressFamily) -> Result<IpAddr, NameError>;

    /// The port that `name` is for `protocol`; TCP for destinations of a firewall mark.
    ///
    /// # Errors
    ///
    /// When there is none, or names are not looked up.
    fn port(&self, name: &str, protocol: Protocol) -> Result<u16, NameError>;
}

/// Why a name has no number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// Names are not looked up.
    #[error("names need a resolver")]
    NotLookedUp,
    /// There is no such name, or it has no address of the family, or no port for the
    /// protocol.
    #[error("there is no such name")]
    Unknown,
    /// Looking it up failed, for this reason.
    #[error("{0}")]
    Failed(String),
}

/// Every name is an error: addresses and ports are numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NumericNames;

impl Names for NumericNames {
    fn host(&self, _: &str, _: AddressFamily) -> Result<IpAddr, NameError> {
        Err(NameError::NotLookedUp)
    }

    fn port(&self, _: &str, _: Protocol) -> Result<u16, NameError> {
        Err(NameError::NotLookedUp)
    }
}

/// The names that this system knows: hosts from its resolver, ports from
/// `/etc/services`.
///
/// Looking up a host blocks, for as long as the resolver takes. Of several addresses the
/// first one counts. The file is read once.
#[derive(Debug, Default)]
pub struct SystemNames {
    ports: OnceLock<Ports>,
}

impl SystemNames {
    /// Names of this system. Nothing is read yet.
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

/// More than any `/etc/services` has.
const FILE_LIMIT: u64 = 8 << 20;

/// Ports by name and protocol.
#[derive(Debug, Default)]
struct Ports(HashMap<(String, Protocol), u16>);

impl Ports {
    /// A file that cannot be read has no names.
    fn read(path: &str) -> Self {
        let mut bytes = Vec::new();
        let file = File::open(path).map(|file| file.take(FILE_LIMIT));
        file.and_then(|mut file| file.read_to_end(&mut bytes)).unwrap_or_default();
        Self::parse(&String::from_utf8_lossy(&bytes))
    }

    /// Reads lines such as `http 80/tcp www # comment`. Other lines are skipped, and the
    /// first one with a name counts, as in the C library.
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

    #[test]
    fn the_system_knows_itself() {
        let names = SystemNames::new();
        assert_eq!(names.host("localhost", AddressFamily::Ipv4), Ok(IpAddr::from([127, 0, 0, 1])));
    }
}
