//! Says which destination the kernel would choose for a client, and why.
//!
//! A [`View`] is what is known of a service, and an [`Attempt`] is a connection that a client would
//! open. [`View::explain`] answers where the connection goes. Nothing here reads from the kernel,
//! so a program can also ask about a table that does not exist: see [`View::after`] and
//! [`View::moves`].
//!
//! ```
//! use ipvs_netlink::explain::{Attempt, Tables, View};
//! use ipvs_netlink::{Connections, Destination, DestinationEntry, Scheduler, Service, Stats};
//!
//! let web = Service::tcp("192.0.2.10:80".parse()?).scheduler(Scheduler::SOURCE_HASHING);
//! let idle = |host| {
//!     let server = Destination::masquerade(([10, 0, 0, host], 8080).into());
//!     DestinationEntry::new(server, Connections::default(), Stats::default())
//! };
//! // The kernel has the destination last that was added first.
//! let view = View::new(&web, vec![idle(3), idle(2)])
//!     .tables(Tables::DEFAULT_BUILD)
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
//! 1. The address must be on this host, or the packets do not come to IPVS.
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
//! Some inputs the kernel does not show: the sizes of tables ([`Tables`]), the last weight of a
//! destination of weight 0 ([`View::last_weight`]), and whether a destination between its
//! thresholds is overloaded ([`Availability`]). Where such an input is unknown and matters, the
//! answer is [`Undetermined`](Answer::Undetermined), with the destinations that are possible.
//!
//! The rules are those of Linux from 4.18 on, of 64 bits and little-endian for `mh`. Tests compare
//! them with real connections on Linux 6.1 and 6.12. Not known here: the settings `drop_packet`,
//! `drop_entry` and `cache_bypass`.

mod answer;
mod attempt;
mod availability;
mod choosing;
mod hashing;
mod moves;
mod ranking;
mod slots;
mod standing;
mod tables;
#[cfg(test)]
mod tests;
mod view;

pub use answer::{Answer, Candidate, Explanation, Missing, Note, Passed, Reason, Rule, Slot, Why};
pub use attempt::Attempt;
pub use availability::Availability;
pub use moves::Moves;
pub use tables::Tables;
pub use view::View;
