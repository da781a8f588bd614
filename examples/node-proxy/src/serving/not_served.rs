//! What the cluster has and the node does not serve.

use std::collections::{BTreeMap, BTreeSet};

use ipvs_netlink::kubernetes::ObjectName;

/// The virtual services that are not served.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NotServed {
    /// The services that have them.
    pub(crate) services: BTreeSet<ObjectName>,
    counts: BTreeMap<&'static str, usize>,
}

impl NotServed {
    /// The firewall has not what they need yet.
    pub(crate) const WAITS: &'static str = "waits-for-firewall";
    /// There is no usable firewall.
    pub(crate) const NO_FIREWALL: &'static str = "no-firewall";
    /// The sysctls of their family could not be set.
    pub(crate) const NOT_FORWARDED: &'static str = "not-forwarded";
    /// The kernel does not take them.
    pub(crate) const KERNEL_REFUSES: &'static str = "kernel-refuses";
    /// All reasons.
    pub(crate) const REASONS: [&'static str; 4] =
        [Self::WAITS, Self::NO_FIREWALL, Self::NOT_FORWARDED, Self::KERNEL_REFUSES];

    /// Returns the number of virtual services that are not served for a reason.
    pub(crate) fn count(&self, reason: &str) -> usize {
        self.counts.get(reason).copied().unwrap_or_default()
    }
}

impl<'s> FromIterator<(&'s ObjectName, &'static str)> for NotServed {
    /// Takes the service and the reason of each virtual service.
    fn from_iter<I: IntoIterator<Item = (&'s ObjectName, &'static str)>>(all: I) -> Self {
        let mut not_served = Self::default();
        for (service, reason) in all {
            not_served.services.insert(service.clone());
            *not_served.counts.entry(reason).or_default() += 1;
        }
        not_served
    }
}
