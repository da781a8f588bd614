//! What the user asked of a controller, kept by the judges themselves.

use std::collections::{BTreeMap, BTreeSet};

use ipvs_netlink::table::controller::{ControllerOptions, Wish};
use ipvs_netlink::table::{Table, TableDestination, TableService};
use ipvs_netlink::{DestinationId, Service, ServiceId};

use crate::judge::knowledge::Present;
use crate::universe::{SERVERS, server};

/// The wishes of a controller.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wishes {
    pub(crate) current: BTreeMap<ServiceId, Wish>,
    /// The destinations that an earlier wish marked to leave at once, and that were not wished
    /// since.
    marked: BTreeMap<ServiceId, BTreeSet<DestinationId>>,
    /// The services that were wished once, or named as formerly ours, and have not left.
    pub(crate) ours: BTreeSet<ServiceId>,
}

/// The destinations that a wish marks, of all that can be.
fn marks(wish: &Wish) -> impl Iterator<Item = DestinationId> {
    let servers = (1..=SERVERS).map(|host| server(wish.id(), host));
    servers.filter(|to| wish.leaves_at_once(*to))
}

impl Wishes {
    /// Returns `true` if this changes the wishes.
    pub(crate) fn put(&mut self, wish: Wish) -> bool {
        let id = wish.id();
        self.ours.insert(id);
        let former = self.current.insert(id, wish.clone());
        let marked = self.marked.entry(id).or_default();
        marked.extend(former.iter().flat_map(marks));
        marked.retain(|to| wish.service().destination(*to).is_none());
        former.is_none_or(|former| {
            former.service() != wish.service() || !marks(&former).eq(marks(&wish))
        })
    }

    /// Returns `true` if this changes the wishes.
    pub(crate) fn forget(&mut self, id: ServiceId) -> bool {
        let former = self.current.remove(&id);
        self.marked.entry(id).or_default().extend(former.iter().flat_map(marks));
        former.is_some()
    }

    pub(crate) fn destination(
        &self,
        id: ServiceId,
        to: DestinationId,
    ) -> Option<&TableDestination> {
        self.current.get(&id)?.service().destination(to)
    }

    /// Returns `true` if a destination that leaves may be deleted at once.
    pub(crate) fn leaves_at_once(&self, id: ServiceId, to: DestinationId) -> bool {
        self.current.get(&id).is_some_and(|wish| wish.leaves_at_once(to))
            || self.marked.get(&id).is_some_and(|marked| marked.contains(&to))
    }

    /// Returns `true` if the controller may change this service.
    pub(crate) fn may_change(&self, options: &ControllerOptions, id: ServiceId) -> bool {
        let scope = &options.plan.scope;
        if scope.contains(id, &Table::new()) {
            return true;
        }
        let once = self.ours.contains(&id) || self.current.contains_key(&id);
        let wished = Table::from_iter([TableService::new(Service::new(id))]);
        once && scope.contains(id, &wished)
    }

    /// Returns `true` if the wish, carried out, leaves the service with a usable destination.
    pub(crate) fn is_to_serve(
        &self,
        options: &ControllerOptions,
        id: ServiceId,
        present: Option<&Present>,
    ) -> bool {
        let Some(wish) = self.current.get(&id) else { return false };
        wish.service().destinations().any(|wished| {
            weight(
                options,
                wished,
                present.and_then(|present| {
                    present.servers.get(&wished.id()).map(|server| server.settings.weight)
                }),
            ) > 0
        })
    }
}

/// The weight that a wished destination is to have at least, if the kernel has this weight now.
pub(crate) fn weight(
    options: &ControllerOptions,
    wished: &TableDestination,
    present: Option<u32>,
) -> u32 {
    match (wished.weight(), present) {
        (None, Some(kept)) if options.plan.keep_weights => kept,
        _ => wished.destination().weight,
    }
}
