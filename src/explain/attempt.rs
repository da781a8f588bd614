use std::fmt;
use std::net::{IpAddr, SocketAddr};

use crate::model::{AddressFamily, Protocol, ServiceEntry, ServiceId};

/// A connection that a client would open: the question to
/// [`View::explain`](crate::explain::View::explain).
///
/// ```
/// use ipvs_netlink::explain::Attempt;
///
/// let attempt = Attempt::new("198.51.100.7".parse()?, "TCP 192.0.2.10:80".parse()?);
/// assert_eq!(attempt.to_string(), "198.51.100.7 -> TCP 192.0.2.10:80");
/// assert_eq!(attempt.client_port(40000).to_string(), "198.51.100.7:40000 -> TCP 192.0.2.10:80");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// The address of the client, as it arrives at this host.
    pub client: IpAddr,
    /// The port of the client. `None`, the default, means unknown: `sh-port` and `mh-port` hash
    /// the port, and a connection is found only with the port.
    pub client_port: Option<u16>,
    /// The service that the client connects to, or the firewall mark of its packets.
    pub target: ServiceId,
    /// The address and port that the client connects to. With a firewall mark, `None` means
    /// unknown: `dh` hashes the address.
    pub address: Option<SocketAddr>,
    /// The protocol of the packets. TCP by default with a firewall mark.
    pub protocol: Protocol,
}

impl Attempt {
    /// Creates the attempt of a client to connect to a service.
    #[must_use]
    pub const fn new(client: IpAddr, target: ServiceId) -> Self {
        let (protocol, address) = match target {
            ServiceId::Address { protocol, address } => (protocol, Some(address)),
            ServiceId::Fwmark { .. } => (Protocol::TCP, None),
        };
        Self { client, client_port: None, target, address, protocol }
    }

    /// Sets the port of the client.
    #[must_use]
    pub const fn client_port(mut self, port: u16) -> Self {
        self.client_port = Some(port);
        self
    }

    /// Sets the address and port that the client connects to, if the target is a firewall mark. An
    /// address service says them itself: the call then changes nothing.
    #[must_use]
    pub const fn address(mut self, address: SocketAddr) -> Self {
        if matches!(self.target, ServiceId::Fwmark { .. }) {
            self.address = Some(address);
        }
        self
    }

    /// Sets the protocol, if the target is a firewall mark. An address service says it itself: the
    /// call then changes nothing.
    #[must_use]
    pub const fn protocol(mut self, protocol: Protocol) -> Self {
        if matches!(self.target, ServiceId::Fwmark { .. }) {
            self.protocol = protocol;
        }
        self
    }

    /// Returns the service that the kernel takes for the packets, or `None` if it has none.
    ///
    /// That is the service of the firewall mark, else the one at the address and port, else FTP
    /// at the address (port 21) for packets to its data ports, else port 0 of the address.
    /// Source: `ip_vs_ctl.c:ip_vs_service_find`.
    #[must_use]
    pub fn service_in<'s>(&self, services: &'s [ServiceEntry]) -> Option<&'s ServiceEntry> {
        let find = |id: ServiceId| services.iter().find(|entry| entry.id() == id);
        if let Some(entry) = find(self.target) {
            return Some(entry);
        }
        ServiceId::looked_for(self.protocol, self.address?).find_map(find)
    }

    /// Whether the kernel takes the service for the packets, if there is no better one.
    pub(super) fn can_be_for(&self, id: ServiceId) -> bool {
        let of_address = self.address.map(|to| ServiceId::looked_for(self.protocol, to));
        id == self.target || of_address.into_iter().flatten().any(|it| it == id)
    }

    pub(super) const fn family(&self) -> AddressFamily {
        match self.client {
            IpAddr::V4(_) => AddressFamily::Ipv4,
            IpAddr::V6(_) => AddressFamily::Ipv6,
        }
    }
}

impl fmt::Display for Attempt {
    /// `198.51.100.7:40000 -> TCP 192.0.2.10:80`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.client_port {
            Some(port) => write!(f, "{}", SocketAddr::new(self.client, port))?,
            None => write!(f, "{}", self.client)?,
        }
        write!(f, " -> {}", self.target)?;
        match (self.target, self.address) {
            (ServiceId::Fwmark { .. }, Some(address)) => {
                write!(f, " at {} {address}", self.protocol)
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Service, Stats};

    fn found(attempt: &str, services: &[&str]) -> Option<String> {
        let entry = |id: &&str| {
            ServiceEntry::new(Service::new(id.parse::<ServiceId>().unwrap()), Stats::default())
        };
        let services: Vec<_> = services.iter().map(entry).collect();
        let attempt = Attempt::new("198.51.100.7".parse().unwrap(), attempt.parse().unwrap());
        attempt.service_in(&services).map(|entry| entry.id().to_string())
    }

    #[test]
    fn the_kernel_looks_for_the_port_then_ftp_then_port_0() {
        let all = ["TCP 192.0.2.10:0", "TCP 192.0.2.10:21", "TCP 192.0.2.10:80"];
        let of_port = |port: u16| found(&format!("TCP 192.0.2.10:{port}"), &all).unwrap();
        assert_eq!(of_port(80), "TCP 192.0.2.10:80");
        assert_eq!(of_port(81), "TCP 192.0.2.10:0");
        assert_eq!(of_port(20), "TCP 192.0.2.10:21");
        assert_eq!(of_port(1024), "TCP 192.0.2.10:21");
        assert_eq!(found("UDP 192.0.2.10:1024", &all), None);
        assert_eq!(found("TCP 192.0.2.11:80", &all), None);
        assert_eq!(found("FWM 5", &["FWM 5 IPv6", "FWM 5"]).unwrap(), "FWM 5");
        assert_eq!(found("FWM 6", &["FWM 5"]), None);
    }

    #[test]
    fn an_address_service_says_address_and_protocol_itself() {
        let client = "198.51.100.7".parse().unwrap();
        let attempt = Attempt::new(client, "TCP 192.0.2.10:80".parse().unwrap());
        let other = attempt.address("192.0.2.11:81".parse().unwrap()).protocol(Protocol::UDP);
        assert_eq!(other, attempt);
    }

    #[test]
    fn a_mark_without_a_service_leaves_the_address() {
        let client = "198.51.100.7".parse().unwrap();
        let to: SocketAddr = "192.0.2.10:80".parse().unwrap();
        let services = [ServiceEntry::new(Service::tcp(to), Stats::default())];
        let marked = Attempt::new(client, "FWM 6".parse().unwrap());
        assert_eq!(marked.service_in(&services), None);
        assert_eq!(marked.address(to).service_in(&services), services.first());
        assert_eq!(marked.address(to).to_string(), "198.51.100.7 -> FWM 6 at TCP 192.0.2.10:80");
    }
}
