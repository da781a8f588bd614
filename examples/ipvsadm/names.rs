//! Prints addresses and ports as names, or with `-n` as numbers.

use std::collections::HashMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ipvs_netlink::{AddressFamily, Names as _, Protocol, SystemNames};

/// Longest text of an address with a port, in bytes. The original cuts longer ones in its lists.
const LONGEST: usize = 59;

/// Reads the file with the names of ports, if it is a regular file. Opening another kind of file,
/// such as a FIFO, could block for ever.
fn services() -> Option<Vec<u8>> {
    const FILE: &str = "/etc/services";
    fs::metadata(FILE).ok().filter(fs::Metadata::is_file).and_then(|_| fs::read(FILE).ok())
}

/// Looks up names. Asks for the name of each host only once.
#[derive(Debug, Default)]
pub(crate) struct Names {
    numeric: bool,
    /// If set, a name is used only if these names map it back to the same number.
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
                // The first line with a port counts.
                services.entry((port, protocol.to_owned())).or_insert_with(|| name.to_owned());
            }
        }
        Self { numeric, back: None, services, hosts: HashMap::new() }
    }

    /// Makes names that `-R` maps back to the same numbers.
    pub(crate) fn to_restore(numeric: bool) -> Self {
        Self { back: Some(SystemNames::new()), ..Self::new(numeric) }
    }

    /// The text of an address with a port. Without a protocol the port is a number.
    pub(crate) fn text(&mut self, address: SocketAddr, protocol: Option<Protocol>) -> String {
        let host = self.host(address.ip());
        let port = self.port(address.port(), protocol);
        if address.is_ipv4() { format!("{host}:{port}") } else { format!("[{host}]:{port}") }
    }

    /// The text of an address with a port, cut as in the original's lists.
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
            // The name comes from the network: it may hold control characters.
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

/// Whether a terminal can show the name safely.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The address as a number, as the C library writes it: `::1.2.3.4` for an IPv6 address that
/// contains an IPv4 address.
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
    fn addresses_are_written_as_by_the_c_library() {
        for text in ["10.0.0.1", "::", "::1", "::1.2.3.4", "::ffff:1.2.3.4", "2001:db8::1"] {
            assert_eq!(number(text.parse().unwrap()), text);
        }
    }
}
