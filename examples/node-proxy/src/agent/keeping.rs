//! The loop.

use std::convert::Infallible;
use std::time::Duration;

use ipvs_netlink::ServiceId;
use ipvs_netlink::kubernetes::Changes;
use ipvs_netlink::table::Table;
use ipvs_netlink::table::controller::Wish;

use super::failure::Failure;
use super::order::Order;
use super::{Agent, RunArguments};
use crate::checks::Checks;
use crate::log;

impl Agent {
    /// Keeps the table for ever, unless it cannot begin.
    pub(super) async fn keep(
        &mut self,
        arguments: &RunArguments,
        first: Changes,
    ) -> Result<Infallible, Failure> {
        let earlier = self.earlier(arguments).await?;
        let ids: Vec<_> = first.set.iter().map(|(service, _)| service.id()).collect();
        self.changed(first).await;
        // What waits is not wished yet, and must not look like what is stale.
        let waiting = ids.into_iter().filter(|id| waits(&self.order, &self.checks, *id));
        let gone = self.undecided.begin(waiting, earlier);
        self.controller.formerly(gone);
        let mut synchronized = false;
        loop {
            let stepped = self.ipvs.step(&mut self.controller).await;
            self.take_events().await;
            let mut pause = stepped.pause(self.ipvs.now());
            // What leaves has begun to, for the controller has nothing to do now. Its drains may go on.
            let has_wishes = !pause.is_zero() && self.has_wishes();
            let is_complete = has_wishes && self.undecided.is_empty();
            if is_complete && !std::mem::replace(&mut synchronized, true) {
                log::line("synchronized");
            }
            self.hooks.stepped(has_wishes, is_complete);
            if let Some(next) = self.hooks.next(self.ipvs.now()) {
                pause = pause.min(next.saturating_duration_since(self.ipvs.now()));
            }
            self.wait(pause).await;
            self.hooks.pass(self.ipvs.now()).await;
            self.owned.pass(self.ipvs.now());
            if let Some(addresses) = self.hooks.take_node_addresses().filter(|_| self.follows_host)
            {
                self.incoming.caches.set_node_addresses(addresses);
            }
            let updates = self.checks.take_updates();
            // The drains of some may have ended since the cluster had them again.
            self.owned.make(updates.iter().map(Wish::id));
            for wish in updates {
                let id = wish.id();
                self.wish(wish);
                if !self.controller.is_unsettled(id) {
                    self.hooks.settled(id);
                }
            }
            let changes = self.incoming.caches.convert().unwrap_or_default();
            // Other addresses of the node need not change a service.
            let node_addresses = &self.incoming.caches.converter().options().node_addresses;
            let has_moved = !self.hooks.are_for(node_addresses);
            if !changes.is_empty() || self.order.holds() || has_moved {
                self.changed(changes).await;
            }
            let (order, checks) = (&self.order, &self.checks);
            let gone = self.undecided.decide(|id| waits(order, checks, id));
            self.controller.formerly(gone);
        }
    }

    /// Returns the virtual services that are to leave if the cluster does not have them: those of earlier runs,
    /// and with `--take-over` all that are there now.
    async fn earlier(&mut self, arguments: &RunArguments) -> ipvs_netlink::Result<Vec<ServiceId>> {
        let mut earlier: Vec<_> = self.owned.services().collect();
        if arguments.take_over {
            let scope = arguments.conversion.scope();
            let there = self.ipvs.services().await?;
            let ids = there.iter().map(|entry| entry.service.id);
            earlier.extend(ids.filter(|id| scope.contains(*id, &Table::new())));
        }
        Ok(earlier)
    }

    /// Returns `true` if each virtual service that is wished is there, or cannot be for now. Others may drain.
    fn has_wishes(&self) -> bool {
        // What has nothing to keep reads nothing.
        self.completeness.is_complete() || self.controller.is_settled()
    }

    async fn wait(&mut self, longest: Duration) {
        tokio::select! {
            () = self.hooks.wait(&mut self.incoming, longest) => {}
            () = self.checks.woken() => {}
        }
    }

    /// Wishes a virtual service whose checks are taken into account.
    pub(super) fn wish(&mut self, wish: Wish) {
        let id = wish.id();
        self.undecided.wish(id);
        self.controller.wish(self.wishing.leaving(wish, self.checks.service_of(id)));
        self.completeness.wish(id, self.controller.is_unsettled(id));
    }
}

/// Returns `true` if a virtual service that the cluster has is not wished yet, but may be later.
fn waits(order: &Order, checks: &Checks, id: ServiceId) -> bool {
    order.holds_back(id) || checks.waits(id)
}
