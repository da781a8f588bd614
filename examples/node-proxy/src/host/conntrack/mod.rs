//! Tracked UDP flows that would keep a client at an endpoint that is gone.

mod entries;
mod stale;

use std::io;

use ipvs_netlink::AddressFamily;

use self::entries::Entries;
pub(crate) use self::stale::Stale;

/// Deletes stale flows.
#[derive(Debug, Default)]
pub(crate) struct Cleaner {
    entries: Option<Entries>,
}

impl Cleaner {
    /// Deletes the stale flows of the services that are due, and returns their number.
    ///
    /// # Errors
    ///
    /// The kernel does not list or delete flows, as without the module `nf_conntrack_netlink`.
    pub(crate) async fn clean(&mut self, stale: &Stale) -> io::Result<usize> {
        let cleaned = self.attempt(stale).await;
        if cleaned.is_err() {
            // The answers to requests that were given up would come to the next ones.
            self.entries = None;
        }
        cleaned
    }

    async fn attempt(&mut self, stale: &Stale) -> io::Result<usize> {
        let entries = match &mut self.entries {
            Some(entries) => entries,
            none => none.insert(Entries::open()?),
        };
        let mut deleted = 0;
        for family in [AddressFamily::Ipv4, AddressFamily::Ipv6] {
            if stale.concerns(family) {
                let found = entries.stale(family, |flow| stale.is_stale(flow)).await?;
                deleted += entries.delete(found).await?;
            }
        }
        Ok(deleted)
    }
}
