//! Tracked UDP flows that would keep a client at an endpoint that is gone.

mod entries;
mod stale;

use std::io;
use std::time::{Duration, Instant};

use ipvs_netlink::AddressFamily;

use self::entries::Entries;
pub(crate) use self::stale::Stale;

/// What was done about the stale flows of one family.
#[derive(Clone, Copy, Debug)]
pub struct Cleaned {
    /// The family of the flows.
    pub family: AddressFamily,
    /// How many were deleted.
    pub deleted: usize,
    /// How long the list of all flows and the deletions took.
    pub took: Duration,
}

/// Deletes stale flows.
#[derive(Debug, Default)]
pub(crate) struct Cleaner {
    entries: Option<Entries>,
}

impl Cleaner {
    /// Deletes the stale flows of the services that are due. Returns what was done, of each family whose flows could be
    /// listed, also if the rest fails: the kernel does not list or delete flows, as without the module
    /// `nf_conntrack_netlink`.
    pub(crate) async fn clean(&mut self, stale: &Stale) -> (Vec<Cleaned>, io::Result<()>) {
        let mut done = Vec::new();
        let outcome = self.attempt(stale, &mut done).await;
        if outcome.is_err() {
            // The answers to requests that were given up would come to the next ones.
            self.entries = None;
        }
        (done, outcome)
    }

    async fn attempt(&mut self, stale: &Stale, done: &mut Vec<Cleaned>) -> io::Result<()> {
        let entries = match &mut self.entries {
            Some(entries) => entries,
            none => none.insert(Entries::open()?),
        };
        for family in [AddressFamily::Ipv4, AddressFamily::Ipv6] {
            if stale.concerns(family) {
                let begun = Instant::now();
                let found = entries.stale(family, |flow| stale.is_stale(flow)).await?;
                let (deleted, outcome) = entries.delete(found).await;
                done.push(Cleaned { family, deleted, took: begun.elapsed() });
                outcome?;
            }
        }
        Ok(())
    }
}
