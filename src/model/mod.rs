//! The values of IPVS: services, destinations, schedulers, counters and the rest.
//!
//! They contain no netlink type and open no socket, so planners, converters and tests can
//! use them without a kernel.

mod address_family;
pub(crate) mod address_text;
mod change;
mod daemon;
mod destination;
mod flags;
mod forwarding;
mod info;
mod invalid;
pub mod iter;
mod listing;
pub(crate) mod name;
mod network;
mod operation;
mod persistence;
mod protocol;
mod scheduler;
pub(crate) mod seconds;
#[cfg(feature = "serde")]
mod serialized;
mod service;
mod service_id;
mod setting;
mod similar;
mod snapshot;
mod stats;
#[cfg(test)]
pub(crate) mod strategies;
mod timeouts;
mod warning;

pub use address_family::AddressFamily;
pub use change::Change;
pub use daemon::{InterfaceName, Role, SyncDaemon};
pub(crate) use destination::MAX_WEIGHT;
pub use destination::{Connections, Destination, DestinationEntry, DestinationId, Thresholds};
pub use flags::ServiceFlags;
pub use forwarding::{Forwarding, GueChecksum, Tunnel, UnknownForwarding, UnknownTunnel};
pub use info::{Info, Version};
pub use invalid::InvalidValue;
pub use listing::Listing;
pub use network::Network;
pub use operation::{Object, Operation};
pub use persistence::{Netmask, Persistence, PersistenceEngine};
pub use protocol::Protocol;
pub use scheduler::Scheduler;
pub use service::{Service, ServiceEntry};
pub use service_id::ServiceId;
pub(crate) use service_id::{FTP, FTP_DATA};
pub use setting::{
    InvalidSetting, KnownSetting, Setting, SettingDefault, SettingRange, SettingValue,
    SettingWritable, Settings,
};
pub use snapshot::{ServiceSnapshot, Snapshot};
pub use stats::{CountersReset, Rates, Stats};
pub use timeouts::{TimeoutKind, Timeouts};
pub use warning::{Warning, WarningKind};
