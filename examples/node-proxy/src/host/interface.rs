//! Reads and writes the dummy interface by rtnetlink.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use futures::stream::{StreamExt as _, TryStreamExt as _, iter};
use rtnetlink::packet_route::AddressFamily;
use rtnetlink::packet_route::address::{AddressAttribute, AddressFlags, AddressMessage};
use rtnetlink::packet_route::link::{
    InfoKind, LinkAttribute, LinkExtentMask, LinkFlags, LinkInfo, LinkMessage,
};
use rtnetlink::{AddressMessageBuilder, Handle, LinkDummy, LinkUnspec, new_connection};
use tokio::time::timeout;

use super::binding::Held;
use super::interface_name::InterfaceName;

/// The alias of an interface that this program uses. So another one, or this one with another `--interface`, sees that
/// its addresses are those of services.
const ALIAS: &str = "node-proxy";

/// How long the kernel may take for a reading or for a batch of changes.
const DEADLINE: Duration = Duration::from_secs(30);

/// The number of requests whose answers are awaited together. The default receive buffer of a socket holds the
/// answers to about 230.
const PIPELINED: usize = 128;

/// The failure to read or to write interfaces and addresses.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InterfaceError {
    /// The socket cannot be opened.
    #[error("rtnetlink: {0}")]
    Socket(io::Error),
    /// A link of the name is there, and is another program's.
    #[error("interface {name}: is of kind {kind}, and not a dummy interface of this program")]
    Foreign {
        /// The name.
        name: InterfaceName,
        /// The kind of the link.
        kind: String,
    },
    /// The kernel refused.
    #[error("{what}: {error}")]
    Refused {
        /// What was attempted.
        what: String,
        /// The reason.
        error: io::Error,
    },
    /// The kernel did not answer in time.
    #[error("{what}: no answer from the kernel within {} s", DEADLINE.as_secs())]
    Deadline {
        /// What was attempted.
        what: String,
    },
}

/// What a reading shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    /// The own interface exists, is up, and has the alias.
    pub(crate) present: bool,
    /// The addresses of the own interface, as this program adds them: with the longest prefix.
    pub(crate) own: Vec<IpAddr>,
    /// All other addresses of the host.
    pub(crate) others: Vec<Held>,
    /// The names of other dummy interfaces with the alias.
    pub(crate) aliased: BTreeSet<String>,
}

/// The outcome of one change of a batch.
pub(crate) type Outcome = (IpAddr, Result<(), io::Error>);

/// The dummy interface that carries the addresses of services.
#[derive(Debug)]
pub(crate) struct Interface {
    handle: Handle,
    name: InterfaceName,
    index: Option<u32>,
}

impl Interface {
    /// Opens the socket. Changes nothing.
    ///
    /// # Errors
    ///
    /// [`Socket`](InterfaceError::Socket): the kernel gives no socket.
    pub(crate) fn open(name: &InterfaceName) -> Result<Self, InterfaceError> {
        let (connection, handle, _) = new_connection().map_err(InterfaceError::Socket)?;
        // It ends when the last handle is dropped.
        tokio::spawn(connection);
        Ok(Self { handle, name: name.clone(), index: None })
    }

    /// Returns the name of the interface.
    pub(crate) const fn name(&self) -> &InterfaceName {
        &self.name
    }

    /// Reads the addresses of all interfaces.
    ///
    /// # Errors
    ///
    /// - [`Foreign`](InterfaceError::Foreign): the interface of the name is no dummy interface.
    /// - [`Refused`](InterfaceError::Refused), [`Deadline`](InterfaceError::Deadline): the kernel gives no list.
    pub(crate) async fn read(&mut self) -> Result<Reading, InterfaceError> {
        let what = || "the addresses of all interfaces cannot be read".to_owned();
        within(what(), self.attempt_read()).await?.map_err(|error| match error {
            ReadError::Foreign(kind) => InterfaceError::Foreign { name: self.name.clone(), kind },
            ReadError::Netlink(error) => refused(what(), error),
        })
    }

    async fn attempt_read(&mut self) -> Result<Reading, ReadError> {
        let mask = vec![LinkExtentMask::SkipStats];
        let mut links =
            self.handle.link().get().set_filter_mask(AddressFamily::Unspec, mask).execute();
        let mut names = HashMap::new();
        let mut reading = Reading::default();
        self.index = None;
        while let Some(link) = links.try_next().await.map_err(ReadError::Netlink)? {
            let Some(name) = name(&link) else { continue };
            let (kind, is_aliased) = (kind(&link), alias(&link) == Some(ALIAS));
            if name == self.name.as_str() {
                match kind {
                    Some(InfoKind::Dummy) => self.index = Some(link.header.index),
                    other => return Err(ReadError::Foreign(kind_text(other))),
                }
                reading.present = is_aliased && link.header.flags.contains(LinkFlags::Up);
            } else if is_aliased && kind == Some(&InfoKind::Dummy) {
                reading.aliased.insert(name.to_owned());
            }
            names.insert(link.header.index, name.to_owned());
        }
        let mut addresses = self.handle.address().get().execute();
        while let Some(message) = addresses.try_next().await.map_err(ReadError::Netlink)? {
            let Some(address) = address(&message) else { continue };
            let index = message.header.index;
            if Some(index) == self.index && message.header.prefix_len == longest(address) {
                reading.own.push(address);
            } else {
                let interface = names.get(&index).cloned().unwrap_or_else(|| index.to_string());
                reading.others.push(Held { address, interface });
            }
        }
        Ok(reading)
    }

    /// Creates the interface if the last reading did not have it, gives it the alias, and sets it up. The next
    /// reading is then to tell its number.
    ///
    /// # Errors
    ///
    /// [`Refused`](InterfaceError::Refused), [`Deadline`](InterfaceError::Deadline): the kernel does not create
    /// it, or does not set it up.
    pub(crate) async fn create(&mut self) -> Result<(), InterfaceError> {
        let what = || format!("interface {} cannot be created", self.name);
        let (link, name) = (self.handle.link(), self.name.as_str());
        if self.index.is_none() {
            let request = link.add(LinkDummy::new(name).build());
            within(what(), request.execute()).await?.map_err(|error| refused(what(), error))?;
        }
        // The kernel takes no alias with a new link.
        let request = link.change(LinkUnspec::new_with_name(name).alias(ALIAS).up().build());
        within(what(), request.execute()).await?.map_err(|error| refused(what(), error))
    }

    /// Deletes the interface with all its addresses. Returns `false` if the last reading did not have it.
    ///
    /// # Errors
    ///
    /// [`Refused`](InterfaceError::Refused), [`Deadline`](InterfaceError::Deadline): the kernel does not delete
    /// it.
    pub(crate) async fn delete(&mut self) -> Result<bool, InterfaceError> {
        let Some(index) = self.index.take() else { return Ok(false) };
        let what = || format!("interface {} cannot be deleted", self.name);
        let request = self.handle.link().del(index);
        within(what(), request.execute()).await?.map_err(|error| refused(what(), error))?;
        Ok(true)
    }

    /// Adds addresses. An address that the interface has is a success.
    pub(crate) async fn add(&self, addresses: Vec<IpAddr>) -> Vec<Outcome> {
        self.change(addresses, async |handle, index, address| {
            let mut request = handle.address().add(index, address, longest(address));
            if address.is_ipv6() {
                // Nobody else is on the link, and the address is a route of its own.
                let flags = AddressFlags::Nodad | AddressFlags::Noprefixroute;
                request.message_mut().attributes.push(AddressAttribute::Flags(flags));
            }
            settled(request.execute().await, &[EXISTS])
        })
        .await
    }

    /// Removes addresses. An address that the interface does not have is a success.
    pub(crate) async fn remove(&self, addresses: Vec<IpAddr>) -> Vec<Outcome> {
        self.change(addresses, async |handle, index, address| {
            let message = match address {
                IpAddr::V4(v4) => {
                    AddressMessageBuilder::<Ipv4Addr>::new().index(index).address(v4, 32).build()
                }
                IpAddr::V6(v6) => {
                    AddressMessageBuilder::<Ipv6Addr>::new().index(index).address(v6, 128).build()
                }
            };
            let done = handle.address().del(message).execute().await;
            settled(done, &[ADDRESS_NOT_AVAILABLE, NO_DEVICE])
        })
        .await
    }

    async fn change(
        &self,
        addresses: Vec<IpAddr>,
        one: impl AsyncFn(Handle, u32, IpAddr) -> Result<(), io::Error>,
    ) -> Vec<Outcome> {
        let Some(index) = self.index else {
            let absent = || io::Error::new(io::ErrorKind::NotFound, "there is no such interface");
            return addresses.into_iter().map(|it| (it, Err(absent()))).collect();
        };
        let one = &one;
        let attempts = addresses.into_iter().map(async |address| {
            let done = timeout(DEADLINE, one(self.handle.clone(), index, address)).await;
            (address, done.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())))
        });
        iter(attempts).buffer_unordered(PIPELINED).collect().await
    }
}

// linux/errno.h
const EXISTS: i32 = 17;
const NO_DEVICE: i32 = 19;
const ADDRESS_NOT_AVAILABLE: i32 = 99;

/// Why a reading failed.
enum ReadError {
    Foreign(String),
    Netlink(rtnetlink::Error),
}

async fn within<T>(what: String, work: impl Future<Output = T>) -> Result<T, InterfaceError> {
    timeout(DEADLINE, work).await.map_err(|_| InterfaceError::Deadline { what })
}

fn refused(what: String, error: rtnetlink::Error) -> InterfaceError {
    InterfaceError::Refused { what, error: to_io(error) }
}

fn to_io(error: rtnetlink::Error) -> io::Error {
    match error {
        rtnetlink::Error::NetlinkError(message) => message.to_io(),
        other => io::Error::other(other.to_string()),
    }
}

/// Takes errors that show that nothing is to be done as a success.
fn settled(done: Result<(), rtnetlink::Error>, fine: &[i32]) -> Result<(), io::Error> {
    match done.map_err(to_io) {
        Err(error) if error.raw_os_error().is_some_and(|errno| fine.contains(&errno)) => Ok(()),
        other => other,
    }
}

const fn longest(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn name(link: &LinkMessage) -> Option<&str> {
    link.attributes.iter().find_map(|it| match it {
        LinkAttribute::IfName(name) => Some(name.as_str()),
        _ => None,
    })
}

fn alias(link: &LinkMessage) -> Option<&str> {
    link.attributes.iter().find_map(|it| match it {
        LinkAttribute::IfAlias(alias) => Some(alias.as_str()),
        _ => None,
    })
}

fn kind(link: &LinkMessage) -> Option<&InfoKind> {
    let infos = link.attributes.iter().filter_map(|it| match it {
        LinkAttribute::LinkInfo(infos) => Some(infos),
        _ => None,
    });
    infos.flatten().find_map(|it| match it {
        LinkInfo::Kind(kind) => Some(kind),
        _ => None,
    })
}

fn kind_text(kind: Option<&InfoKind>) -> String {
    // A link of hardware has no kind.
    kind.map_or_else(|| "device".to_owned(), |kind| format!("{kind:?}").to_lowercase())
}

/// Returns the host's own address of a message. `IFA_ADDRESS` is the peer's where both are there.
fn address(message: &AddressMessage) -> Option<IpAddr> {
    let local = message.attributes.iter().find_map(|it| match it {
        AddressAttribute::Local(address) => Some(*address),
        _ => None,
    });
    local.or_else(|| {
        message.attributes.iter().find_map(|it| match it {
            AddressAttribute::Address(address) => Some(*address),
            _ => None,
        })
    })
}
