//! Which services are not served at all of their addresses.

use std::collections::BTreeMap;

use ipvs_netlink::ServiceId;
use ipvs_netlink::kubernetes::ObjectName;

use crate::serving::NotServed;

/// The virtual services that the kernel's table does not have although the cluster does, with their services.
#[derive(Debug, Default)]
pub(super) struct Unserved {
    /// Those that are not wished, because they wait or are refused, with the reason.
    unwished: BTreeMap<ServiceId, (ObjectName, &'static str)>,
    /// Those that are wished, and that the kernel does not take.
    rejected: BTreeMap<ServiceId, ObjectName>,
    is_new: bool,
}

impl Unserved {
    /// Notes that a virtual service is not wished.
    pub(super) fn unwish(&mut self, id: ServiceId, service: &ObjectName, reason: &'static str) {
        let unwished = (service.clone(), reason);
        self.is_new |= self.unwished.insert(id, unwished.clone()) != Some(unwished);
    }

    /// Notes that a virtual service is wished.
    pub(super) fn wish(&mut self, id: ServiceId) {
        self.is_new |= self.unwished.remove(&id).is_some();
    }

    /// Notes that the kernel does not take a virtual service that is wished.
    pub(super) fn reject(&mut self, id: ServiceId, service: &ObjectName) {
        self.is_new |= self.rejected.insert(id, service.clone()).as_ref() != Some(service);
    }

    /// Notes that the kernel's table has a virtual service, or is to have it no more.
    pub(super) fn end_rejection(&mut self, id: ServiceId) {
        self.is_new |= self.rejected.remove(&id).is_some();
    }

    /// Returns what is not served, if that has changed since this was called last.
    pub(super) fn take(&mut self) -> Option<NotServed> {
        let unwished = self.unwished.values().map(|(service, reason)| (service, *reason));
        let rejected = self.rejected.values().map(|it| (it, NotServed::KERNEL_REFUSES));
        let all = || unwished.chain(rejected).collect();
        let taken = self.is_new.then(all);
        self.is_new = false;
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_served_is_counted_by_its_reason() {
        let [a, b] = [80, 81].map(|port| ServiceId::tcp(([10, 96, 0, 10], port).into()));
        let web = ObjectName::new("shop", "web");
        let mut unserved = Unserved::default();
        let mut counts = |change: &dyn Fn(&mut Unserved)| {
            change(&mut unserved);
            unserved.take().map(|taken| NotServed::REASONS.map(|it| taken.count(it)))
        };
        assert_eq!(counts(&|it| it.unwish(a, &web, NotServed::WAITS)), Some([1, 0, 0, 0]));
        assert_eq!(counts(&|it| it.unwish(a, &web, NotServed::WAITS)), None);
        assert_eq!(counts(&|it| it.unwish(a, &web, NotServed::NO_FIREWALL)), Some([0, 1, 0, 0]));
        assert_eq!(counts(&|it| it.reject(b, &web)), Some([0, 1, 0, 1]));
        assert_eq!(counts(&|it| it.wish(a)), Some([0, 0, 0, 1]));
        assert_eq!(counts(&|it| it.end_rejection(b)), Some([0, 0, 0, 0]));
    }
}
