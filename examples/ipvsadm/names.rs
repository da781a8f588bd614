//! Addresses and ports as lists show them: as names, or with `-n` as numbers.

use std::collections::HashMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ipvs_netlink::{AddressFamily, Names as _, Protocol, SystemNames};

/// The longest address with port that the original's lists show.
const LONGEST: usize = 59;

/// The text of the file with the names of ports. To open anything but a regular file in its
/// place could take for ever.
fn services() -> Option<Vec<u8>> {
    const FILE: &str = "/etc/services";
    fs::metadata(FILE).ok().filter(fs::Metadata::is_file).and_then(|_| fs::read(FILE).ok())
}

/// Finds names, each once.
#[derive(Debug, Default)]
pub(crate) struct Names {
    numeric: bool,
    /// Who tells what a name stands for, where it is to stand for this number.
    back: Option<SystemNames>,
    /// The names in /etc/services by port and protocol.
    services: HashMap<(u16, String), String>,
    hosts: HashMap<IpAddr, String>,
}

impl Names {
    pub(crate) fn new(numeric: bool) -> Self {
        let text = if numeric { None } else { services() };
        let text = String::from_utf8_lossy(&text.unwrap_or_default()).into_owned();
        let mut services = HashMap::new();
        for line in text.lines() {
            let words = line.split('#').next().unwrap_or_default();
            let mut words = words.split_ascii_whitespace();
            let (Some(name), Some(port)) = (words.next(), words.next()) else { continue };
            let Some((port, protocol)) = port.split_once('/') else { continue };
            if let (Ok(port), true) = (port.parse(), is_plain(name)) {
                // The first line of a port is the one that counts.
                services.entry((port, protocol.to_owned())).or_insert_with(|| name.to_owned());
            }
        }
        Self { numeric, back: None, services, hosts: HashMap::new() }
    }

    /// Names of which `-R` makes the same numbers again.
    pub(crate) fn to_restore(numeric: bool) -> Self {
        Self { back: Some(SystemNames::new()), ..Self::new(numeric) }
    }

    /// An address with its port, which may be a port of no protocol.
    pub(crate) fn text(&mut self, address: SocketAddr, protocol: Option<Protocol>) -> String {
        let host = self.host(address.ip());
        let port = self.port(address.port(), protocol);
        if address.is_ipv4() { format!("{host}:{port}") } else { format!("[{host}]:{port}") }
    }

    /// The same, cut as the original cuts it in lists.
    pub(crate) fn cut(&mut self, address: SocketAddr, protocol: Option<Protocol>) -> String {
        let mut text = self.text(address, protocol);
        text.truncate(LONGEST);
        text
    }

    fn host(&mut self, address: IpAddr) -> String {
        if self.numeric {
            return number(address);
        }
        let name = self.hosts.entry(address).or_insert_with(|| {
            // A name comes from the network. What is no name is not shown.
            let name = dns_lookup::lookup_addr(&address).ok().filter(|name| is_plain(name));
            let same = |name: &String| {
                let family = match address {
                    IpAddr::V4(_) => AddressFamily::Ipv4,
                    IpAddr::V6(_) => AddressFamily::Ipv6,
                };
                self.back.as_ref().is_none_or(|names| names.host(name, family) == Ok(address))
            };
            name.filter(same).unwrap_or_else(|| number(address))
        });
        name.clone()
    }

    fn port(&self, port: u16, protocol: Option<Protocol>) -> String {
        let name = protocol.and_then(|protocol| {
            let name = self.services.get(&(port, protocol.to_string().to_ascii_lowercase()))?;
            let back = self.back.as_ref().map(|names| names.port(name, protocol));
            Some(name).filter(|_| back.is_none_or(|back| back == Ok(port)))
        });
        name.cloned().unwrap_or_else(|| port.to_string())
    }
}

/// Whether it may be shown on a terminal.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The address as the C library writes it: an IPv6 address that holds nothing but an
/// IPv4 one ends like that.
fn number(address: IpAddr) -> String {
    match address {
        IpAddr::V6(v6) if v6.to_bits() >> 32 == 0 && v6.to_bits() >> 16 != 0 => {
            let [.., a, b, c, d] = v6.octets();
            format!("::{}", Ipv4Addr::new(a, b, c, d))
        }
        _ => address.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn addresses_are_written_as_the_c_library_does() {
        for text in ["10.0.0.1", "::", "::1", "::1.2.3.4", "::ffff:1.2.3.4", "2001:db8::1"] {
            assert_eq!(number(text.parse().unwrap()), text);
        }
    }
}
