//! Tells how much the counters grew between two snapshots, and how fast.
//!
//! [`Growth::between`] compares two [`Reading`]s: two [`Snapshot`]s with their times. It says for each
//! service and each destination what became of its counters, as a [`Grown`], and adds them up. It copies
//! nothing, reads no clock and asks no kernel.
//!
//! ```no_run
//! use ipvs_netlink::growth::{Growth, Reading};
//! # let mut ipvs = ipvs_netlink::Client::connect()?;
//! let procfs = ipvs.procfs()?;
//! // Counters that stand still look like no traffic unless that is said.
//! let (before, ran) = (ipvs.snapshot()?, procfs.settings()?.counters_run().unwrap_or(true));
//! std::thread::sleep(std::time::Duration::from_secs(10));
//! let (after, run) = (ipvs.snapshot()?, procfs.settings()?.counters_run().unwrap_or(true));
//!
//! if let (Some(before), Some(after)) = (Reading::of(&before), Reading::of(&after)) {
//!     let before = before.estimation_enabled(ran);
//!     let growth = Growth::between(before, after.estimation_enabled(run));
//!     for service in growth.services() {
//!         let grown = service.grown();
//!         print!("{}: {} connections", service.id(), grown.least().connections);
//!         match growth.rates(&grown) {
//!             Some(rates) => println!(", {:.1} per second", rates.mean.connections),
//!             None => println!(" ({grown})"),
//!         }
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How old a counter may be
//!
//! The kernel copies what it has counted into the counters that clients read every two seconds, one
//! [`STEP`]. A counter is therefore up to two seconds old when it is read, and later than that if the
//! kernel is too busy to copy in time. Growth over an interval is the traffic of a whole number of steps,
//! whose time differs from the interval by up to one step. So:
//!
//! - [`Growth::rates`] gives bounds beside the mean: over 10 s the traffic is that of 8 to 12 s.
//! - An interval shorter than a step holds the traffic of one whole step or none. There are no rates for it.
//! - The counters of a service and of its destinations may be copied at different moments of the step.
//!   Linux from 6.2 spreads them over the two seconds. The sum over the destinations then differs from the
//!   service's growth by the traffic of up to two seconds.
//!
//! While the sysctl `net.ipv4.vs.run_estimation` is 0, or `net.ipv4.vs.est_cpulist` is an empty list (Linux 6.2
//! and later), nothing is copied: counters stand still, and catch up at once afterwards. The method
//! [`Settings::counters_run`](crate::Settings::counters_run) tells both. Pass its answer to
//! [`Reading::estimation_enabled`]: the growth then says [`Estimation::Stopped`], and has no rates. One other
//! cause is not visible: Linux from 6.2 leaves out objects beyond the capacity of its threads, some hundreds
//! of thousands.
//!
//! Source: `ip_vs_est.c`, and `ip_vs_ctl.c:ip_vs_copy_stats`.
//!
//! # Resets, and destinations that come back
//!
//! | what happened between the readings | what is told |
//! | --- | --- |
//! | nothing | [`Grown::Continued`], with the growth |
//! | the object was zeroed, or deleted and made again, and its counters are smaller than before | [`Grown::Reset`], with what was counted since |
//! | the same, and its counters have grown beyond the former values since | [`Grown::Continued`]; the growth is too small, never too large |
//! | a destination was deleted and added to the same service again, within the 120 s or more for which the kernel keeps it | [`Grown::Continued`]: its counters went on |
//! | a destination was not in the earlier reading, its service was | [`Grown::Uncertain`]: it is new and counted from 0, or the kernel took it back and it went on from an old value that no reading shows |
//! | a destination was in both readings and did not shrink, but its service was reset | [`Grown::Uncertain`]: its counters were reset with the service's, or the kernel took it back after that |
//! | the service was not in the earlier reading | [`Grown::Started`], also for its destinations: those of a new service count from 0 |
//! | the object is not in the later reading | [`Grown::Ended`] |
//! | the same, but others kept writing the table, so that the later reading is not [complete] | [`Grown::Unread`]: it may be there |
//!
//! The kernel shows neither when an object was made nor when it was zeroed, so shrunken counters are the
//! only sign of a reset. Read often: a busy counter takes as long to grow back as it took to reach its value.
//!
//! Compare readings of the same services: two of `Client::snapshot`, or two of `Client::snapshot_of` with
//! the same ids. A service that only the later reading was asked for looks as if it were new.
//!
//! [`Snapshot`]: crate::Snapshot
//! [complete]: crate::Snapshot::is_complete

mod between;
mod counted;
mod grown;
mod join;
mod rates;
mod reading;
#[cfg(test)]
mod tests;
mod total;

pub use between::{DestinationGrowth, Growth, ServiceGrowth};
pub use counted::Counted;
pub use grown::Grown;
pub use rates::{PerSecond, RateBounds, STEP};
pub use reading::{Estimation, Reading};
pub use total::Total;
