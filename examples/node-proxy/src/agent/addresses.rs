//! Which addresses the dummy interface is to have, and when.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::IpAddr;

use ipvs_netlink::ServiceId;
use ipvs_netlink::kubernetes::Changes;

/// Decides when addresses come and go: an address comes when one of its virtual services is in the kernel's
/// table, because without one the host itself would answer there, and goes before the last one leaves.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    /// What the conversion asks for.
    wanted: HashSet<IpAddr>,
    /// The virtual services that are wished at each address.
    wished: HashMap<IpAddr, HashSet<ServiceId>>,
    /// Those of them that the kernel's table was seen to have.
    present: HashSet<ServiceId>,
    /// What the interface was told to have.
    bound: HashSet<IpAddr>,
}

impl Addresses {
    /// Takes in what the conversion asks for.
    pub(super) fn change(&mut self, changes: &Changes) {
        self.wanted.extend(&changes.addresses_added);
        for address in &changes.addresses_removed {
            self.wanted.remove(address);
        }
    }

    /// Notes that a virtual service is wished.
    pub(super) fn wish(&mut self, id: ServiceId) {
        if let Some(at) = id.address() {
            self.wished.entry(at.ip()).or_default().insert(id);
        }
    }

    /// Notes that a virtual service is to leave.
    pub(super) fn forget(&mut self, id: ServiceId) {
        self.present.remove(&id);
        let Some(address) = id.address().map(|at| at.ip()) else { return };
        if let Some(there) = self.wished.get_mut(&address) {
            there.remove(&id);
            if there.is_empty() {
                self.wished.remove(&address);
            }
        }
    }

    /// Returns the addresses that are to go now. `touched` are those about which anything changed.
    pub(super) fn take_gone(&mut self, touched: &BTreeSet<IpAddr>) -> Vec<IpAddr> {
        let is_due = |it: &IpAddr| self.wanted.contains(it) && self.wished.contains_key(it);
        let gone: Vec<_> = touched.iter().copied().filter(|it| !is_due(it)).collect();
        gone.into_iter().filter(|it| self.bound.remove(it)).collect()
    }

    /// Returns the addresses that are to come now, because they are wanted now.
    pub(super) fn take_due(&mut self, wanted: &[IpAddr]) -> Vec<IpAddr> {
        let is_present = |it: &IpAddr| {
            let wished = self.wished.get(it);
            wished.is_some_and(|there| there.iter().any(|id| self.present.contains(id)))
        };
        let due: Vec<_> = wanted.iter().copied().filter(is_present).collect();
        due.into_iter().filter(|it| self.bound.insert(*it)).collect()
    }

    /// Returns `true` if the kernel's table was seen to have a virtual service that is wished.
    pub(super) fn has(&self, id: ServiceId) -> bool {
        self.present.contains(&id)
    }

    /// Notes that a virtual service is in the kernel's table. Returns its address if it is to come now.
    pub(super) fn present(&mut self, id: ServiceId) -> Option<IpAddr> {
        let address = id.address()?.ip();
        if !self.wished.get(&address)?.contains(&id) {
            return None;
        }
        self.present.insert(id);
        (self.wanted.contains(&address) && self.bound.insert(address)).then_some(address)
    }
}
