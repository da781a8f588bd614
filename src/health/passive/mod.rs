//! Signs in the traffic that a destination does not work, beside what checks say.
//!
//! A program reads the table, and the connections under `/proc`, every few seconds. [`PassiveSigns`] finds
//! two [`Sign`]s for each destination:
//!
//! | sign | what is seen | which destinations |
//! | --- | --- | --- |
//! | [`Sign::HalfOpen`] | clients open TCP connections, and none is established | those with any forwarding method |
//! | [`Sign::NoAnswers`] | packets go to the destination, and none comes back | those whose answers pass through this host |
//!
//! A sign is a hint. What the kernel shows does not say why, so nothing here takes a destination out of
//! rotation. A program tells the sign, and may have the next check come at once with
//! [`Monitor::hasten`](crate::health::Monitor::hasten).
//!
//! ```
//! use std::time::{Duration, Instant};
//!
//! use ipvs_netlink::health::passive::{PassiveSigns, ReadingSchedule};
//! use ipvs_netlink::procfs::{Ending, Procfs};
//! use ipvs_netlink::{Client, Result};
//!
//! /// Reads once. The program calls this at `schedule.next()`.
//! fn look(
//!     ipvs: &mut Client,
//!     procfs: &Procfs,
//!     schedule: &mut ReadingSchedule,
//!     signs: &mut PassiveSigns,
//! ) -> Result<()> {
//!     let (snapshot, at) = (ipvs.snapshot()?, Instant::now());
//!     let reader = match schedule.may_read_connections(&snapshot, at) {
//!         true => procfs.connections().ok(),
//!         false => None,
//!     };
//!     let connections = reader.and_then(|reader| {
//!         let mut reader = reader.most_time(Duration::from_secs(2));
//!         let counts = reader.by_ref().collect::<std::result::Result<_, _>>().ok()?;
//!         (reader.ending() == Some(Ending::Complete)).then_some(counts)
//!     });
//!     for change in signs.observe(snapshot, at, connections.as_ref()) {
//!         println!("{change}");
//!     }
//!     Ok(())
//! }
//! ```
//!
//! # When there is no sign
//!
//! - **Answers that IPVS does not see.** With direct routing and tunnels, destinations answer the client
//!   directly. The kernel counts their packets only where this host happens to route them. It does not count
//!   the answers of UDP services with one-packet scheduling either. None of these has the sign
//!   [`NoAnswers`](Sign::NoAnswers). [`HalfOpen`](Sign::HalfOpen) holds for them: the kernel takes a
//!   connection as established when the client's next packet shows that the client has an answer.
//! - **Protocols without answers.** Syslog over UDP gets none. For services of UDP, other protocols and
//!   firewall marks, packets without answers are a sign only if the destination has ever answered, or if
//!   another destination of the service answers meanwhile.
//! - **Older connections.** While the kernel keeps one established connection of the destination, or one
//!   that was established and has ended, `HalfOpen` does not appear. `NoAnswers` does.
//! - **Few packets.** A sign needs two intervals in a row, so that a burst at a reading is none.
//! - **Counters that stand still**, as with the sysctl `net.ipv4.vs.run_estimation=0`.
//!
//! # When a sign does not mean a dead server
//!
//! Clients that send SYNs and never go on, as in a SYN flood, leave half-open connections, too. Where the
//! answers pass through this host, the kernel counts them and there is no sign. With direct routing and
//! tunnels, a flood on a service without other clients looks as if its servers were dead: then all its
//! destinations have the sign at the same time.
//!
//! Source: `ip_vs_proto_tcp.c:tcp_states`, `ip_vs_core.c:ip_vs_out_stats`, `ip_vs_ctl.c:__ip_vs_update_dest`
//! (`IP_VS_CONN_F_NOOUTPUT`).

mod connections;
mod schedule;
mod sign;
mod signs;
#[cfg(test)]
mod tests;

pub use connections::ConnectionCounts;
pub use schedule::ReadingSchedule;
pub use sign::{Sign, SignChange};
pub use signs::PassiveSigns;
