use crate::model::{DestinationId, FTP, Network, Protocol, ServiceId};
use crate::procfs::connection::Row;
use crate::procfs::fields::address;
use crate::procfs::{Connection, ConnectionState};

/// Which connections a reader returns. The default is all of them.
///
/// The reader compares the text of each row before it reads the row, so a row that does not match
/// costs little. It does not cost the kernel less: see
/// [`ConnectionReader`](crate::procfs::ConnectionReader).
///
/// ```
/// use ipvs_netlink::procfs::{ConnectionFilter, ConnectionState};
///
/// let filter = ConnectionFilter::new()
///     .service("TCP 192.0.2.10:80".parse()?)
///     .client("198.51.100.0/24".parse()?)
///     .state(ConnectionState::ESTABLISHED)
///     .state(ConnectionState::SYN_RECV);
/// # Ok::<(), ipvs_netlink::InvalidValue>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ConnectionFilter {
    service: Option<ServiceId>,
    destination: Option<DestinationId>,
    client: Option<Network>,
    states: Vec<ConnectionState>,
}

impl ConnectionFilter {
    /// Creates a filter that every connection matches.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes only connections and templates of this service.
    ///
    /// The kernel does not show the service of a connection, so the filter compares addresses.
    /// [`Owners`](crate::procfs::Owners) says more with the table at hand.
    ///
    /// - A service at port 0 matches its address at every port, also at ports that other services
    ///   have.
    /// - A service of a firewall mark matches its templates only. Its connections have the address
    ///   of their packets, which does not tell the mark.
    /// - A service at port 21 matches its templates, which have port 0, too, but no data connections
    ///   at other ports.
    #[must_use]
    pub const fn service(mut self, service: ServiceId) -> Self {
        self.service = Some(service);
        self
    }

    /// Takes only connections to this destination. The port counts.
    #[must_use]
    pub const fn destination(mut self, destination: DestinationId) -> Self {
        self.destination = Some(destination);
        self
    }

    /// Takes only connections of clients in this network. `From` makes a network of a single
    /// address. The address of a template is masked with the netmask of the service.
    #[must_use]
    pub const fn client(mut self, network: Network) -> Self {
        self.client = Some(network);
        self
    }

    /// Takes only connections in this state. Further calls add states.
    #[must_use]
    pub fn state(mut self, state: ConnectionState) -> Self {
        self.states.push(state);
        self
    }

    /// Returns `true` if a reader with this filter would return `connection`.
    #[must_use]
    pub fn matches(&self, connection: &Connection) -> bool {
        let is_of = |service: &ServiceId| match service {
            ServiceId::Fwmark { .. } => connection.service() == *service,
            ServiceId::Address { protocol, address } => {
                let port = connection.virtual_address.port();
                // Those have virtual port 0.
                let is_template_of_ftp =
                    address.port() == FTP && port == 0 && connection.client.port() == 0;
                connection.protocol == *protocol
                    && connection.virtual_address.ip() == address.ip()
                    && (address.port() == 0 || address.port() == port || is_template_of_ftp)
            }
        };
        self.service.as_ref().is_none_or(is_of)
            && self.destination.is_none_or(|it| it.address == connection.destination)
            && self.client.is_none_or(|network| network.contains(connection.client.ip()))
            && (self.states.is_empty() || self.states.contains(&connection.state))
    }

    /// Returns `false` if `row` cannot match, as far as its text tells cheaply.
    #[inline]
    pub(super) fn may_match(&self, row: &Row<'_>) -> bool {
        if let Some(ServiceId::Address { protocol, address: wanted }) = &self.service {
            let named = match *protocol {
                Protocol::TCP => row.protocol == b"TCP",
                Protocol::UDP => row.protocol == b"UDP",
                _ => true,
            };
            let [ip, _] = row.virtual_address;
            if !named || address(ip).is_some_and(|ip| ip != wanted.ip()) {
                return false;
            }
        }
        if let Some(destination) = &self.destination {
            let [ip, _] = row.destination;
            if address(ip).is_some_and(|ip| ip != destination.address.ip()) {
                return false;
            }
        }
        if let Some(network) = &self.client {
            let [ip, _] = row.client;
            if address(ip).is_some_and(|ip| !network.contains(ip)) {
                return false;
            }
        }
        self.states.is_empty() || self.states.iter().any(|state| state.as_bytes() == row.state)
    }
}
