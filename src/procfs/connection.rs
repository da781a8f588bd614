use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use crate::model::{AddressFamily, PersistenceEngine, Protocol, ServiceId};
use crate::procfs::fields::{address, decimal, port, socket_words, word};
use crate::procfs::{ConnectionState, ProcfsError};

/// A connection that the kernel keeps, or a template of persistence.
///
/// `FromStr` reads a row of `/proc/net/ip_vs_conn` or `/proc/net/ip_vs_conn_sync`, so that a test
/// of a program can make connections.
///
/// ```
/// use ipvs_netlink::procfs::{Connection, ConnectionState};
///
/// let row = "TCP C6336407 0FA0 C000020A 0050 0A000003 1F90 ESTABLISHED     899";
/// let connection: Connection = row.parse()?;
/// assert_eq!(connection.client, "198.51.100.7:4000".parse()?);
/// assert_eq!(connection.destination, "10.0.0.3:8080".parse()?);
/// assert_eq!(connection.state, ConnectionState::ESTABLISHED);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Connection {
    /// The protocol. Templates of firewall marks have protocol 0.
    pub protocol: Protocol,
    /// The client. A template has port 0, and the part of the client address that the netmask of
    /// the service keeps.
    pub client: SocketAddr,
    /// The virtual address: that to which the client's packets go. In a template of a firewall
    /// mark, the address is the mark. See [`service`](Self::service).
    pub virtual_address: SocketAddr,
    /// The destination. With tunnels its family may differ from that of the client.
    pub destination: SocketAddr,
    /// The state.
    pub state: ConnectionState,
    /// The time in whole seconds after which the kernel deletes the connection, if no packet
    /// comes.
    pub expires: Duration,
    /// The data of the persistence engine, if the connection has any. `None` in every row of
    /// `ip_vs_conn_sync`.
    pub engine_data: Option<Box<EngineData>>,
    /// Who made the connection. Only rows of `ip_vs_conn_sync` say so.
    pub origin: Option<Origin>,
}

impl Connection {
    /// Returns `true` for a template of persistence, which is no connection: it says to which
    /// destination new connections of a client go.
    ///
    /// The kernel's row does not say so. A template has client port 0 and the state `NONE` or
    /// `ASSURED`.
    #[must_use]
    pub fn is_template(&self) -> bool {
        let states = [ConnectionState::NONE, ConnectionState::ASSURED];
        self.client.port() == 0 && states.contains(&self.state)
    }

    /// Returns the firewall mark if this is a template of a firewall mark.
    ///
    /// The kernel writes such a template with protocol 0 and the mark in the first 32 bits of the
    /// virtual address. Source: `ip_vs_core.c:ip_vs_sched_persist`.
    #[must_use]
    pub fn fwmark(&self) -> Option<u32> {
        if self.protocol.number() != 0 || self.virtual_address.port() != 0 || !self.is_template() {
            return None;
        }
        match self.virtual_address.ip() {
            IpAddr::V4(v4) => Some(v4.to_bits()),
            IpAddr::V6(v6) => u32::try_from(v6.to_bits() >> 96).ok(),
        }
        .filter(|mark| *mark != 0)
    }

    /// Returns the identity of the service, as far as the row tells: its protocol and virtual
    /// address, or the firewall mark of a template.
    ///
    /// Connections of a firewall mark, and of a service at port 0, have the address and port of
    /// their packets. The kernel does not show the service to which they belong.
    #[must_use]
    pub fn service(&self) -> ServiceId {
        let family = AddressFamily::of(&self.virtual_address.ip());
        match self.fwmark() {
            Some(mark) => ServiceId::Fwmark { mark, family },
            None => ServiceId::Address { protocol: self.protocol, address: self.virtual_address },
        }
    }
}

impl FromStr for Connection {
    type Err = ProcfsError;

    /// Reads a row, with or without the end of the line.
    ///
    /// # Errors
    ///
    /// [`ProcfsError::Malformed`] if the text is not one row.
    fn from_str(row: &str) -> Result<Self, ProcfsError> {
        let line = row.strip_suffix('\n').unwrap_or(row).as_bytes();
        let malformed = |reason| ProcfsError::malformed("connection", 1, line, reason);
        if line.contains(&b'\n') {
            return Err(malformed("there are several lines"));
        }
        let words = Row::split(line).ok_or_else(|| malformed("the line has too few words"))?;
        // The column of the origin has words of letters, the time of expiry has digits.
        let has_origin = words.rest.trim_ascii_start().first().is_some_and(u8::is_ascii_alphabetic);
        words.parse(has_origin).map_err(malformed)
    }
}

/// The data of a persistence engine in a connection, such as the Call-ID of SIP.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct EngineData {
    /// The engine.
    pub engine: PersistenceEngine,
    /// The data, at most 255 bytes. It comes from a client's packet, or from another host by
    /// synchronization, and may have any bytes but NUL and the end of a line.
    pub data: Box<[u8]>,
}

impl fmt::Debug for EngineData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EngineData({} \"{}\")", self.engine, self.data.escape_ascii())
    }
}

/// Who made a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// This host: a packet made the connection.
    Local,
    /// Another host: the synchronization daemon received the connection.
    Sync,
}

impl fmt::Display for Origin {
    /// `LOCAL` or `SYNC`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Local => "LOCAL",
            Self::Sync => "SYNC",
        })
    }
}

/// The words of a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'l> {
    pub(super) protocol: &'l [u8],
    pub(super) client: [&'l [u8]; 2],
    pub(super) virtual_address: [&'l [u8]; 2],
    pub(super) destination: [&'l [u8]; 2],
    pub(super) state: &'l [u8],
    /// What follows the state.
    rest: &'l [u8],
}

impl<'l> Row<'l> {
    /// Splits a line. `None` if the line ends before the state.
    #[inline]
    pub(super) fn split(line: &'l [u8]) -> Option<Self> {
        let rest = &mut { line };
        let protocol = word(rest);
        // The next word begins behind one blank, or more behind a short name.
        while let [b' ', tail @ ..] = rest {
            *rest = tail;
        }
        let row = Self {
            protocol,
            client: socket_words(rest),
            virtual_address: socket_words(rest),
            destination: socket_words(rest),
            state: word(rest),
            rest,
        };
        (!row.state.is_empty()).then_some(row)
    }

    /// Reads all words. `with_origin` says whether there is a column of the origin. The error says
    /// what is wrong.
    #[inline]
    pub(super) fn parse(&self, with_origin: bool) -> Result<Connection, &'static str> {
        let rest = &mut { self.rest };
        let connection = Connection {
            protocol: protocol(self.protocol).ok_or("the protocol has no known name")?,
            client: socket(self.client).ok_or("the client is not an address and a port")?,
            virtual_address: socket(self.virtual_address)
                .ok_or("the virtual address is not an address and a port")?,
            destination: socket(self.destination)
                .ok_or("the destination is not an address and a port")?,
            state: ConnectionState::reported(self.state).ok_or("the state is not a name")?,
            origin: match with_origin {
                true => Some(origin(word(rest)).ok_or("the origin is neither LOCAL nor SYNC")?),
                false => None,
            },
            expires: seconds(word(rest)).ok_or("the time of expiry is not a number of seconds")?,
            engine_data: engine_data(rest)?,
        };
        if connection.client.is_ipv4() != connection.virtual_address.is_ipv4() {
            return Err("the client and the virtual address differ in family");
        }
        Ok(connection)
    }
}

/// Reads a protocol as the kernel names it. Source: `ip_vs_core.c:ip_vs_proto_name`.
#[inline]
pub(super) fn protocol(name: &[u8]) -> Option<Protocol> {
    Some(match name {
        b"TCP" => Protocol::TCP,
        b"UDP" => Protocol::UDP,
        b"SCTP" => Protocol::SCTP,
        b"IP" => Protocol::from_number(0),
        b"ICMP" => Protocol::from_number(1),
        b"ICMPv6" => Protocol::from_number(58),
        other => Protocol::from_number(decimal(other.strip_prefix(b"IP_")?)?.try_into().ok()?),
    })
}

#[inline]
fn socket([ip, number]: [&[u8]; 2]) -> Option<SocketAddr> {
    Some(SocketAddr::new(address(ip)?, port(number)?))
}

fn origin(name: &[u8]) -> Option<Origin> {
    match name {
        b"LOCAL" => Some(Origin::Local),
        b"SYNC" => Some(Origin::Sync),
        _ => None,
    }
}

fn seconds(text: &[u8]) -> Option<Duration> {
    Some(Duration::from_secs(u32::try_from(decimal(text)?).ok()?.into()))
}

/// Reads what follows the time of expiry: nothing, or an engine and its data.
#[inline]
fn engine_data(rest: &[u8]) -> Result<Option<Box<EngineData>>, &'static str> {
    if rest.trim_ascii().is_empty() {
        return Ok(None);
    }
    let mut data = rest;
    let engine = PersistenceEngine::reported(word(&mut data))
        .ok_or("the persistence engine is not a name")?;
    // One blank separates the two.
    let data = data.strip_prefix(b" ").unwrap_or(data).into();
    Ok(Some(Box::new(EngineData { engine, data })))
}
