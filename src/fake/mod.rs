//! A kernel in memory, for tests of programs that use this crate (feature `fake`).
//!
//! A [`Kernel`] speaks the netlink of IPVS: requests are read and answers written byte by byte as
//! Linux does it, with the same errors in the same order. `Client::fake` and the `fake` of the
//! async clients connect to it. A test needs neither Linux with IPVS nor root.
//!
//! ```
//! use std::time::Duration;
//!
//! use ipvs_netlink::fake::Kernel;
//! use ipvs_netlink::{Client, Destination, Service};
//!
//! let kernel = Kernel::new();
//! let mut ipvs = Client::fake(&kernel)?;
//! let web = Service::tcp("192.0.2.10:80".parse()?);
//! ipvs.add_service(&web)?;
//! let server = Destination::masquerade("10.0.0.2:8080".parse()?);
//! ipvs.add_destination(web.id, &server)?;
//!
//! let host = kernel.initial();
//! host.open_connections(web.id, server.id, 3, Duration::from_secs(30), Duration::ZERO)?;
//! assert_eq!(ipvs.destination(web.id, server.id)?.connections.active, 3);
//! kernel.advance(Duration::from_secs(30));
//! assert_eq!(ipvs.destination(web.id, server.id)?.connections.active, 0);
//! assert_eq!(host.table().len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Namespaces
//!
//! A kernel has network namespaces: [`Kernel::initial`], in which `Client::fake` works, and any
//! [`Kernel::namespace`] by its name, in which `Client::fake_in` works. A [`Namespace`] is also
//! the way to look at a table and to change it without netlink: [`Namespace::table`] returns
//! services and destinations, and [`Namespace::write`] makes a change as another program would.
//!
//! # Time
//!
//! The clock of a kernel is virtual. [`Kernel::advance`] moves it, and a client that waits moves
//! it by the length of the wait, without waiting. So a test of minutes takes milliseconds, and
//! has the same result each time. Clients read the time of the kernel wherever they need one:
//! `Snapshot::read_at` is [`Kernel::now`].
//!
//! An answer that was lost never comes, so a client that waits for it fails when the clock
//! is at the client's deadline. Without a deadline it waits without end, as with Linux.
//!
//! A kernel made by [`Kernel::in_real_time`] has no clock of its own: clients wait as they do
//! with Linux, in real time or in tokio's, which a test may pause.
//!
//! # Traffic
//!
//! No packets flow. A test says which connections there are: [`Namespace::set_connections`] sets
//! numbers, and [`Namespace::open_connections`] opens connections that end by themselves.
//! [`Namespace::set_stats`] sets counters, and [`Namespace::set_traffic`] lets them grow. So
//! schedulers and thresholds, which decide about new connections, are stored and have no effect.
//!
//! # Faults
//!
//! [`Kernel::fail`] plans a [`Fault`] for a request to come, [`Kernel::before`] runs code between
//! two requests, and [`Kernel::intercept`] sees every request and decides. [`Kernel::unload`]
//! unloads the module, [`Kernel::set_privileged`] takes the privilege away.
//!
//! ```
//! use ipvs_netlink::fake::{Errno, Fault, Kernel};
//! use ipvs_netlink::{Change, Client, ErrorKind, Service};
//!
//! let kernel = Kernel::new();
//! let mut ipvs = Client::fake(&kernel)?;
//! let web = Service::tcp("192.0.2.10:80".parse()?);
//!
//! // Another program is faster.
//! let other = web.clone();
//! kernel.before(1, move |kernel| {
//!     kernel.initial().write(&Change::AddService(other)).unwrap();
//! });
//! assert_eq!(ipvs.add_service(&web).unwrap_err().kind(), ErrorKind::ServiceExists);
//!
//! // The answer does not come: the service may have been deleted, and it has.
//! kernel.fail(1, Fault::AnswerLost);
//! assert!(ipvs.delete_service(web.id).is_err());
//! assert!(kernel.initial().table().is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # A test of a controller
//!
//! Somebody deletes everything, and the controller makes it again when it has read the table for
//! the next time:
//!
//! ```
//! use std::time::Duration;
//!
//! use ipvs_netlink::fake::Kernel;
//! use ipvs_netlink::table::controller::{Controller, ControllerOptions, Stepped};
//! use ipvs_netlink::table::Table;
//! use ipvs_netlink::{Change, Client};
//!
//! fn settle(ipvs: &mut Client, controller: &mut Controller) {
//!     while ipvs.step(controller) == Stepped::Again {
//!         controller.events().for_each(|event| println!("{event}"));
//!     }
//! }
//!
//! let kernel = Kernel::new();
//! let (host, mut ipvs) = (kernel.initial(), Client::fake(&kernel)?);
//! let mut controller = Controller::new(ControllerOptions::new());
//! let wish = "-A -t 192.0.2.10:80 -s rr\n-a -t 192.0.2.10:80 -r 10.0.0.2:8080 -m -w 1\n";
//! controller.wish_all(wish.parse::<Table>()?);
//! settle(&mut ipvs, &mut controller);
//! let made = host.table();
//! assert_eq!((made.len(), controller.is_settled()), (1, true));
//!
//! host.write(&Change::Flush)?;
//! kernel.advance(Duration::from_secs(90));
//! settle(&mut ipvs, &mut controller);
//! assert_eq!(host.table(), made);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is the same as in Linux
//!
//! Errors and their order, the order of lists, the length of datagrams, the continuation of a
//! dump by position, acknowledgements that the receive buffer has no room for, deleted
//! destinations that come back with their connections, the flags and names that the kernel stores
//! unchecked. [`Version`] chooses between releases where they differ. The crate's own tests run
//! the same operations on the fake kernel and on real ones, and compare every byte.
//!
//! # What is missing
//!
//! Packets, `/proc`, sysctls and the older socket options of IPVS (`IP_VS_SO_SET_ADD` and others).
//! The module `ip_vs` can be missing, but not single schedulers. Of the family `nlctrl`, the
//! kernel knows how to look up the family of IPVS.

mod clock;
mod commands;
mod convert;
mod dispatch;
mod dump;
mod errno;
mod faults;
mod kernel;
mod log;
mod meddling;
mod module;
mod namespace;
mod netlink;
mod reading;
mod replies;
mod request;
mod requests;
mod socket;
mod socket_state;
mod state;
mod table;
#[cfg(test)]
mod tests;
mod traffic;
mod version;
mod writing;

pub use errno::Errno;
pub use faults::Fault;
pub use kernel::Kernel;
pub use namespace::Namespace;
pub use request::Request;
pub use socket::Socket;
pub use version::Version;
