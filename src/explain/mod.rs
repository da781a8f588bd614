//! Says which destination the kernel would choose for a client, and why.
//!
//! A [`View`] is what is known of a service, and an [`Attempt`] is a connection that a client would
//! open. [`View::explain`] answers where the connection goes. Nothing here reads from the kernel,
//! so a program can also ask about a table that does not exist: see [`View::after`] and
//! [`View::moves`].
//!
//! ```
//! use ipvs_netlink::explain::{Attempt, TableSizes, View};
//! use ipvs_netlink::{Connections, Destination, DestinationEntry, Scheduler, Service, Stats};
//!
//! let web = Service::tcp("192.0.2.10:80".parse()?).scheduler(Scheduler::SOURCE_HASHING);
//! let idle = |host| {
//!     let server = Destination::masquerade(([10, 0, 0, host], 8080).into());
//!     DestinationEntry::new(server, Connections::default(), Stats::default())
//! };
//! // The kernel has the destination last that was added first.
//! let view = View::new(&web, vec![idle(3), idle(2)])
//!     .table_sizes(TableSizes::DEFAULT_BUILD)
//!     .address_is_local(Some(true));
//! let told = view.explain(&Attempt::new("198.51.100.7".parse()?, web.id));
//! assert_eq!(told.to_string(), "\
//! 198.51.100.7 -> TCP 192.0.2.10:80 goes to 10.0.0.2:8080: the client hashes to slot 171 of 256, \
//! which belongs to 10.0.0.2:8080
//! service TCP 192.0.2.10:80 sh
//!   10.0.0.3:8080 weight 1, active 0 inactive 0 persistent 0, 128 slots
//! * 10.0.0.2:8080 weight 1, active 0 inactive 0 persistent 0, 128 slots");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What decides, in this order:
//!
//! 1. The address must be on this host, or packets of other hosts do not come to IPVS.
//! 2. A connection that the kernel keeps of the same client address and port.
//! 3. The service: by the firewall mark, the address and port, or port 0 of the address.
//! 4. A template of persistence for the client.
//! 5. The scheduler.
//!
//! | scheduler | the answer |
//! | --- | --- |
//! | `sh`, `dh`, `mh` | exactly one destination or a refusal, also with `sh-fallback`, `sh-port`, `mh-fallback` and `mh-port` |
//! | `lc`, `wlc`, `sed`, `nq`, `fo`, `ovf` | the destination by the connections that were read: others may come first |
//! | `rr`, `wrr`, `lblc`, `lblcr`, `twos` | the candidates in order, and the rule: the kernel does not show the rest |
//!
//! # What is unknown
//!
//! An input that is not set is unknown. Where an unknown input matters, the answer is
//! [`Undetermined`](Answer::Undetermined), with the destinations that are possible and the
//! [`Missing`] inputs.
//!
//! - What the kernel shows elsewhere: the connections and templates that it keeps
//!   ([`View::connections`]), the settings about them ([`View::settings`]), and other services
//!   ([`View::other_services`]). They matter to an attempt with a client port and to persistent
//!   services.
//! - What the kernel does not show: the sizes of tables ([`TableSizes`]), the last weight of a
//!   destination of weight 0 ([`View::last_weight`]), and whether a destination between its
//!   thresholds is overloaded ([`Availability`]).
//!
//! # For which kernels
//!
//! The rules are those of Linux from 4.18 on, and for `mh` of kernels of 64 bits that are
//! little-endian. Tests compare them with real connections on Linux 6.1 and 6.12. Before Linux
//! 5.16, `expire_nodest_conn` does nothing for new connections while `conn_reuse_mode` is 0, unless
//! the kernel's maker has taken over the change.
//!
//! Not known here:
//!
//! - The settings `drop_packet`, `drop_entry` and `cache_bypass`.
//! - With the setting `conntrack`, the kernel drops the first packet of a connection whose port was
//!   used before. The answer holds for the second one, which the client sends a second later.
//! - A connection that the kernel keeps is taken to belong to the service that now takes the
//!   packets, if that service has the destination. A service that is not persistent is taken to have
//!   been so when the connection was made.
//! - A connection that a synchronization daemon has received goes to its destination though the
//!   table has none such.

mod answer;
mod attempt;
mod availability;
mod choice;
mod choosing;
mod hashing;
mod joining;
mod kept_settings;
mod moves;
mod notes;
mod others;
mod ranking;
mod rows;
mod slots;
mod standing;
mod table_sizes;
#[cfg(test)]
mod tests;
mod view;

pub use answer::{Answer, Candidate, Explanation, Missing, Note, Passed, Reason, Rule, Slot, Why};
pub use attempt::Attempt;
pub use availability::Availability;
pub use moves::Moves;
pub use table_sizes::TableSizes;
pub use view::View;
