//! Which virtual services stay in the kernel's table until it is decided whether they are wished.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipvs_netlink::ServiceId;
use ipvs_netlink::table::Scope;

/// The virtual services of the first conversion that are not wished yet: the firewall does not have them, or
/// their checks have not said anything. Those that an earlier run has made go on serving meanwhile, because
/// nothing is deleted of what is undecided.
#[derive(Debug, Default)]
pub(super) struct Undecided {
    ids: Arc<Mutex<BTreeSet<ServiceId>>>,
    /// The virtual services of earlier runs that are undecided.
    earlier: BTreeSet<ServiceId>,
}

impl Undecided {
    /// Returns the scope without what is undecided at the time when the scope is asked.
    pub(super) fn spare(&self, scope: Scope) -> Scope {
        let ids = Arc::clone(&self.ids);
        scope.except(Scope::new().matching(move |id| lock(&ids).contains(&id)))
    }

    /// Begins with the virtual services that are undecided. Returns those of `earlier` that are not: they are to
    /// leave unless they are wished.
    pub(super) fn begin(
        &mut self,
        undecided: impl IntoIterator<Item = ServiceId>,
        earlier: impl IntoIterator<Item = ServiceId>,
    ) -> Vec<ServiceId> {
        let mut ids = lock(&self.ids);
        *ids = undecided.into_iter().collect();
        let (stay, decided): (Vec<_>, _) = earlier.into_iter().partition(|id| ids.contains(id));
        self.earlier = stay.into_iter().collect();
        decided
    }

    /// Notes that a virtual service is wished.
    pub(super) fn wish(&mut self, id: ServiceId) {
        lock(&self.ids).remove(&id);
        self.earlier.remove(&id);
    }

    /// Keeps what is undecided `still`. Returns those of earlier runs that are not going to be wished, and so are
    /// to leave.
    pub(super) fn decide(&mut self, still: impl Fn(ServiceId) -> bool) -> Vec<ServiceId> {
        let mut ids = lock(&self.ids);
        ids.retain(|id| still(*id));
        let (stay, leave): (Vec<_>, _) =
            std::mem::take(&mut self.earlier).into_iter().partition(|id| ids.contains(id));
        self.earlier = stay.into_iter().collect();
        leave
    }

    /// Returns `true` if an earlier run has made a virtual service that is undecided.
    pub(super) fn is_of_earlier_run(&self, id: ServiceId) -> bool {
        self.earlier.contains(&id)
    }

    /// Returns `true` if everything is decided.
    pub(super) fn is_empty(&self) -> bool {
        lock(&self.ids).is_empty()
    }
}

/// Nothing is half done under the lock.
fn lock(ids: &Mutex<BTreeSet<ServiceId>>) -> MutexGuard<'_, BTreeSet<ServiceId>> {
    ids.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use ipvs_netlink::table::Table;

    use super::*;

    fn id(port: u16) -> ServiceId {
        ServiceId::tcp(([10, 96, 0, 10], port).into())
    }

    fn in_scope(scope: &Scope) -> [bool; 2] {
        [1, 2].map(|port| scope.contains(id(port), &Table::new()))
    }

    #[test]
    fn nothing_is_deleted_of_what_is_undecided() {
        let mut undecided = Undecided::default();
        let scope = undecided.spare(Scope::new().network("10.96.0.0/16".parse().unwrap()));
        assert_eq!(in_scope(&scope), [true, true]);
        assert_eq!(undecided.begin([id(1), id(2)], [id(2), id(3)]), [id(3)]);
        assert_eq!(in_scope(&scope), [false, false]);
        assert_eq!((undecided.decide(|_| true), undecided.is_empty()), (vec![], false));
        assert_eq!([1, 2].map(|port| undecided.is_of_earlier_run(id(port))), [false, true]);
        assert_eq!(in_scope(&scope), [false, false]);
        // Both are refused, and only one of them was there before.
        assert_eq!((undecided.decide(|_| false), undecided.is_empty()), (vec![id(2)], true));
        assert_eq!(in_scope(&scope), [true, true]);
        assert_eq!(undecided.decide(|_| true), []);
    }

    /// A wish out of scope would be refused.
    #[test]
    fn what_is_wished_is_decided() {
        let mut undecided = Undecided::default();
        let scope = undecided.spare(Scope::new());
        let wished: Table = "-A -t 10.96.0.10:1".parse().unwrap();
        undecided.begin([id(1)], [id(1)]);
        assert!(!scope.contains(id(1), &wished));
        undecided.wish(id(1));
        assert!(scope.contains(id(1), &wished) && undecided.is_empty());
        assert_eq!(undecided.decide(|_| false), []);
    }
}
