//! Program IPVS, the load balancer inside the Linux kernel, over generic netlink.
//!
//! A **virtual service** ([`Service`]) is an address, protocol and port, or a
//! firewall mark. Its **scheduler** ([`Scheduler`]) spreads new connections over
//! its **destinations** ([`Destination`]), which packets reach by a **forwarding
//! method** ([`Forwarding`]). A [`Client`] reads and writes the table of a network
//! namespace.
//!
//! ```no_run
//! use ipvs_netlink::{Client, Destination, Service};
//!
//! let mut ipvs = Client::connect()?;
//! let web = Service::tcp("192.0.2.10:80".parse()?);
//! ipvs.add_service(&web)?;
//! ipvs.add_destination(web.id, &Destination::masquerade("10.0.0.2:8080".parse()?).weight(3))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Which call
//!
//! - One change: [`Client::add_service`], [`Client::set_weight`] and their like.
//! - Many changes, with an outcome for each: [`Client::submit`].
//! - To declare what there is to be: the module [`table`], with [`Client::reconcile`].
//! - To take a destination out without breaking connections: [`Client::drain`].
//! - Everything there is: [`Client::snapshot`]; one after the other, in bounded memory:
//!   [`Client::stream_services`] and [`Client::stream_destinations`].
//!
//! # Values
//!
//! What names an object ([`ServiceId`], [`DestinationId`]) is apart from its
//! settings ([`Service`], [`Destination`]), which are their own builders. What the
//! kernel reports comes as [`ServiceEntry`] and [`DestinationEntry`]: the settings in
//! the same form, so that they equal what was written, and the counters beside them.
//!
//! Names and numbers that a kernel may add to (schedulers, persistence engines,
//! protocols, forwarding methods, tunnels, flags) are open: what this crate has no
//! name for is read, kept and written back, never an error.
//!
//! # Errors
//!
//! The kernel answers nearly every bad setting with `EINVAL` and no explanation, so
//! settings are checked against its rules before anything is sent, and the error
//! names field, value and rule. What the kernel refuses becomes an [`ErrorKind`] by
//! command and errno. [`Error::certainty`] tells whether a write may have happened.
//!
//! # Privileges
//!
//! Every command, reading too, takes `CAP_NET_ADMIN` in the initial user namespace,
//! of the caller and of whoever opened the sockets. Connecting takes nothing.
//!
//! # Crate features
//!
//! None is on by default.
//!
//! - **`tokio`**: `tokio::Client`, the same operations for programs on tokio.
//! - **`smol`**: `smol::Client`, for programs on smol and on any other runtime.
//! - **`packet`**: `IpvsMessage`, the netlink message type, and
//!   `Client::from_sockets`, for programs that bring their own netlink transport.
//!   Ties the program to this crate's versions of `netlink-packet-core`,
//!   `netlink-packet-generic` and `netlink-sys`.
//! - **`serde`**: [`table::Table`] as YAML, TOML or JSON for people to write
//!   (`table::document`), `Timeouts`, and the names of services, destinations, schedulers,
//!   persistence engines, flags and networks as text. The format crate is the program's
//!   choice.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg(target_os = "linux")]

mod client;
pub mod cookbook;
mod engine;
mod error;
mod ipvsadm;
mod model;
mod proto;
pub mod table;
mod uapi;
mod wire;

pub use client::{Client, Destinations, Services, SubmitStream};
pub use engine::{Outcome, Report};
pub use error::{Certainty, Error, ErrorKind, Extack, Reason, Result};
pub use ipvsadm::{
    Command, CommandError, NameError, Names, NumericNames, SystemNames, TextError, Unsaid,
};
pub use model::{
    AddressFamily, Change, Connections, CountersReset, Destination, DestinationEntry,
    DestinationId, Forwarding, GueChecksum, Info, InterfaceName, InvalidValue, Listing, Netmask,
    Object, Operation, Persistence, PersistenceEngine, Protocol, Rates, Role, Scheduler, Service,
    ServiceEntry, ServiceFlags, ServiceId, ServiceSnapshot, Snapshot, Stats, SyncDaemon,
    Thresholds, Timeouts, Tunnel, UnknownForwarding, UnknownTunnel, Version, Warning, WarningKind,
    iter,
};
#[cfg(feature = "packet")]
#[cfg_attr(docsrs, doc(cfg(feature = "packet")))]
pub use wire::IpvsMessage;

/// The client for programs on tokio (feature `tokio`).
#[cfg(feature = "tokio")]
#[cfg_attr(docsrs, doc(cfg(feature = "tokio")))]
pub mod tokio {
    pub use crate::client::tokio::{Client, Destinations, Services, SubmitStream};
}

/// The client for programs on smol (feature `smol`), and on whatever else drives
/// futures: it brings its own reactor.
#[cfg(feature = "smol")]
#[cfg_attr(docsrs, doc(cfg(feature = "smol")))]
pub mod smol {
    pub use crate::client::smol::{Client, Destinations, Services, SubmitStream};
}

/// The examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
