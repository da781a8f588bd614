#![cfg_attr(docsrs, feature(doc_cfg))]
//! placeholder
mod client;
mod error;
mod model;
mod proto;
mod uapi;
mod wire;

pub use client::{Client, Destinations, Services};
pub use error::{Certainty, Error, ErrorKind, Extack, Result};
pub use model::{
    AddressFamily, Change, Connections, Destination, DestinationEntry, DestinationId, Forwarding,
    GueChecksum, Info, InterfaceName, InvalidValue, Netmask, Object, Operation, Persistence,
    PersistenceEngine, Protocol, Rates, Role, Scheduler, Service, ServiceEntry, ServiceFlags,
    ServiceId, Stats, SyncDaemon, Thresholds, Timeouts, Tunnel, UnknownForwarding, UnknownTunnel,
    Version,
};
#[cfg(feature = "packet")]
#[cfg_attr(docsrs, doc(cfg(feature = "packet")))]
pub use wire::IpvsMessage;
