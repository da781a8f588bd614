//! A client for IPVS, the load balancer inside the Linux kernel, over generic netlink.
//!
//! A **virtual service** ([`Service`]) is an address, protocol and port, or a firewall mark. Its
//! **scheduler** ([`Scheduler`]) chooses one of its **destinations** ([`Destination`], "real
//! server") for each new connection. A **forwarding method** ([`Forwarding`]) says how packets
//! reach the destination. Each network namespace has one table of services and destinations. A
//! [`Client`] reads and changes it.
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
//! Programs need `CAP_NET_ADMIN` in the initial user namespace, so run them as root of the host.
//!
//! # Modules
//!
//! | module | what it is for |
//! | --- | --- |
//! | the root of the crate | the blocking [`Client`]; the values that it takes and returns; [`Error`] |
//! | [`table`] | declares a whole table, plans the difference to the kernel's, and applies it without breaking connections |
//! | [`table::controller`] | keeps a table as wished, for ever; the chapter "Keeping a table" |
//! | [`health`] | checks servers, and decides what the table is to hold; the chapter "Health checks". Checks over the network need the feature `health`. |
//! | `table::document` (feature `serde`) | the keys of a table as YAML, TOML or JSON |
//! | [`procfs`] | connections, totals and settings, as the kernel shows them under `/proc` |
//! | [`growth`] | rates and growth between two snapshots |
//! | [`metrics`] | samples for monitoring systems, and text formats for them |
//! | `kubernetes` (feature of this name) | services and endpoint slices of Kubernetes as a table, by kube-proxy's rules |
//! | [`explain`] | which destination the kernel would choose for a client, and why |
//! | `tokio`, `smol` (features of these names) | the async clients, with the methods of the blocking one |
//! | `fake` (feature of this name) | a kernel in memory, for tests without Linux's IPVS and without root |
//! | [`cookbook`] | documentation only: whole programs for common tasks |
//! | [`iter`] | the types of iterators, for programs that must name them |
//!
//! # Which method
//!
//! | you want to | use |
//! | --- | --- |
//! | make one change | [`Client::add_service`], [`Client::add_destination`], [`Client::set_weight`], ... |
//! | make many changes, with an outcome for each | [`Client::submit`] |
//! | have exactly the services that you declare | [`Client::reconcile`] with a [`table::Table`] |
//! | keep a table for ever, with wishes that change | [`Client::step`] with a [`table::controller::Controller`] |
//! | take dead servers out of rotation, and put them back | [`health`] |
//! | see a difference before it is applied | [`table::Plan::new`], [`Client::apply`] |
//! | take a destination out without breaking connections | [`Client::drain`] |
//! | read everything, or a few services | [`Client::snapshot`], [`Client::snapshot_of`] |
//! | tell how fast traffic is, and which counters were reset | [`growth::Growth`] |
//! | export counters to Prometheus | [`metrics::Scrape`] |
//! | read a table that is larger than memory should hold | [`Client::stream_services`], [`Client::stream_destinations`] |
//! | read what `ipvsadm -S` wrote | [`table::Table::from_ipvsadm`] |
//! | see connections and what binds a client to a server | [`procfs::Procfs::connections`] |
//! | know which server a client gets, and why | [`explain::View::explain`] |
//! | see each request to the kernel, for debugging | [`Client::observe`] |
//! | read or change the settings `net.ipv4.vs.*` | [`procfs::Procfs::settings`], [`procfs::Procfs::set_settings`], [`Setting::KNOWN`] |
//!
//! # Values
//!
//! An identity and settings are separate types. [`ServiceId`] and [`DestinationId`] name an object,
//! and are `Copy`. [`Service`] and [`Destination`] hold an identity and settings, and have setters
//! that chain. [`ServiceEntry`] and [`DestinationEntry`] are what the kernel reports: the settings
//! and the counters. The settings of an entry equal the settings that were written.
//!
//! Schedulers, persistence engines, protocols, forwarding methods, tunnels, flags and settings are
//! open sets.
//! A value that this crate does not know is read, kept and written back, and is no error.
//!
//! # Errors
//!
//! The kernel answers nearly every bad setting with `EINVAL` and no explanation. A client therefore
//! checks settings before it sends them, and the error names the field, the value and the rule.
//! [`Error::kind`] is the cause of a failure, to branch on. [`Error::certainty`] says whether a
//! write may have happened.
//!
//! # Privileges
//!
//! Every command, reading too, takes `CAP_NET_ADMIN` in the initial user namespace, of the caller
//! and of whoever opened the sockets. Connecting takes no privilege; [`Client::check`] tells whether
//! commands will be allowed.
//!
//! # Crate features
//!
//! None is on by default.
//!
//! - **`tokio`**: `tokio::Client`, for programs on tokio.
//! - **`smol`**: `smol::Client`, for programs on smol and on any other runtime.
//! - **`serde`**: [`table::Table`] as YAML, TOML or JSON (`table::document`), and `Timeouts` and the
//!   names of services, destinations, schedulers, persistence engines, flags and networks as text.
//!   The program chooses the format crate. For status pages and logs, [`Snapshot`], [`Listing`],
//!   [`Stats`], [`Change`], [`Warning`], [`Error`], [`Report`] and the types in them implement
//!   `Serialize` only: keys are field names, identities and names are text, durations are seconds.
//! - **`fake`**: `fake::Kernel`, a kernel in memory for tests, to which `Client::fake` connects.
//! - **`health`**: `health::probe`, the checks of servers and the thread that does them.
//! - **`health-dns`**: checks of name servers.
//! - **`health-grpc`**: checks by the health protocol of gRPC.
//! - **`health-http`**: checks over HTTP/1.1 and HTTP/2.
//! - **`health-tls`**: checks over TLS and, with `health-http`, over HTTPS; also gRPC. It uses rustls with ring,
//!   which is C and assembler: building it takes a C compiler.
//! - **`kubernetes`**: `kubernetes`, which converts services and endpoint slices of Kubernetes to a
//!   [`table::Table`] by kube-proxy's rules, whole or event by event. It has no client of the API.
//! - **`prometheus`**: `metrics::Collector`, which puts the samples of [`metrics`] into a registry of the crate
//!   `prometheus_client`, for programs that have one. Samples and text formats need no feature.
//! - **`packet`**: `IpvsMessage`, the netlink message type, and `Client::from_sockets`, for programs
//!   that bring their own netlink transport. Ties the program to this crate's versions of
//!   `netlink-packet-core`, `netlink-packet-generic` and `netlink-sys`.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg(target_os = "linux")]

mod client;
pub mod cookbook;
mod engine;
mod error;
#[cfg(test)]
mod error_texts;
pub mod explain;
#[cfg(feature = "fake")]
#[cfg_attr(docsrs, doc(cfg(feature = "fake")))]
pub mod fake;
pub mod growth;
mod hashing;
pub mod health;
mod ipvsadm;
#[cfg(feature = "kubernetes")]
#[cfg_attr(docsrs, doc(cfg(feature = "kubernetes")))]
pub mod kubernetes;
pub mod metrics;
mod model;
pub mod procfs;
mod proto;
mod random;
pub mod table;
mod uapi;
mod wire;

pub use client::{Client, Destinations, Services, SettingsError, SubmitStream, WrittenSettings};
pub use engine::{Exchange, Failed, Failures, Outcome, Outcomes, Report};
pub use error::{Certainty, Error, ErrorKind, Extack, Reason, Result};
pub use ipvsadm::{
    Command, CommandError, CommandOption, NameError, Names, NumericNames, OptionArgument,
    OptionGroup, SystemNames, TextError, Unsaid,
};
pub use model::{
    AddressFamily, Change, Connections, CountersReset, Destination, DestinationEntry,
    DestinationId, Forwarding, GueChecksum, Info, InterfaceName, InvalidSetting, InvalidValue,
    KnownSetting, Listing, Netmask, Object, Operation, Persistence, PersistenceEngine, Protocol,
    Rates, Role, Scheduler, Service, ServiceEntry, ServiceFlags, ServiceId, ServiceSnapshot,
    Setting, SettingDefault, SettingRange, SettingValue, SettingWritable, Settings, Snapshot,
    Stats, SyncDaemon, Thresholds, TimeoutKind, Timeouts, Tunnel, UnknownForwarding, UnknownTunnel,
    Version, Warning, WarningKind, iter,
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

/// The client for programs on smol and on any other runtime (feature `smol`).
///
/// It brings its own reactor, so every executor can poll its futures.
#[cfg(feature = "smol")]
#[cfg_attr(docsrs, doc(cfg(feature = "smol")))]
pub mod smol {
    pub use crate::client::smol::{Client, Destinations, Services, SubmitStream};
}

/// The examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
