//! Brings changes of the conversion to the hooks and to the controller.

use ipvs_netlink::Scheduler;
use ipvs_netlink::kubernetes::Changes;
use ipvs_netlink::table::controller::Wish;

use super::order::Decided;
use super::{Agent, schedulers};
use crate::log;
use crate::serving::Wished;

impl Agent {
    /// Brings changes of the conversion to the hooks and to the controller.
    pub(super) async fn changed(&mut self, changes: Changes) {
        let untried = self.schedulers.untried(&changes);
        self.apply(changes).await;
        let mut lacking = Vec::new();
        for scheduler in untried {
            // What cannot be tried now is told when the kernel refuses it.
            let has = schedulers::has(&mut self.ipvs, scheduler).await;
            if matches!(has, Ok(false)) && self.schedulers.lacks(scheduler) {
                lacking.push(scheduler);
            }
        }
        self.lack(lacking).await;
    }

    /// Converts anew without schedulers that the kernel lacks.
    pub(super) async fn lack(&mut self, lacking: Vec<Scheduler>) {
        if lacking.is_empty() {
            return;
        }
        self.incoming.caches.set_options(|options| options.lacking_schedulers.extend(lacking));
        if let Some(changes) = self.incoming.caches.convert() {
            self.apply(changes).await;
        }
    }

    async fn apply(&mut self, mut changes: Changes) {
        for skipped in &changes.skipped_added {
            log::line(format_args!("left out: {skipped}"));
        }
        let converter = self.incoming.caches.converter();
        self.hooks.changed(&changes, converter, self.ipvs.now());
        for name in self.wishing.change(&changes) {
            let all = converter.of_service(&name);
            changes.set.extend(all.map(|(service, facts)| (service, facts.clone())));
        }
        self.checks.annotated(&mut changes, converter);
        let (hooks, now) = (&self.hooks, self.ipvs.now());
        let decided = self.order.decide(changes, now, |it, facts| hooks.verdict(it, facts));
        let Decided { told, addresses_removed, wishes, forgotten, addresses_added, .. } = decided;
        let Decided { waiting, held, refused, dropped, mut absent, .. } = decided;
        absent.retain(|id| !self.undecided.is_of_earlier_run(*id));
        self.hooks.absent(&absent);
        waiting.iter().for_each(log::line);
        self.tell_unserved();
        for (service, line) in &told {
            log::line(line);
            self.hooks.not_served(service, line, self.ipvs.now());
        }
        if !addresses_removed.is_empty() {
            self.hooks.remove_addresses(&addresses_removed).await;
        }
        let wished = Wished::of(&wishes, &forgotten, self.order.holds());
        let wished = wished.unwished(held, refused, dropped);
        self.owned.make(wishes.iter().map(|(service, _)| service.id()));
        for wish in self.checks.set(wishes, &mut self.ipvs).await {
            self.wish(wish);
        }
        for id in forgotten {
            self.checks.forget(id);
            self.controller.forget(id);
            // It does not know what waits for its first checks, and is to tell that this has left, too.
            self.controller.formerly([id]);
            self.completeness.settle(id);
        }
        let again = self.checks.look_again(&mut self.ipvs).await;
        self.owned.make(again.iter().map(Wish::id));
        for wish in again {
            self.wish(wish);
        }
        let (controller, checks) = (&self.controller, &self.checks);
        self.hooks.wished(wished, |id| controller.is_unsettled(id) || checks.waits(id));
        self.hooks.add_addresses(&addresses_added);
    }

    pub(super) fn tell_unserved(&mut self) {
        if let Some(unserved) = self.order.take_unserved() {
            self.hooks.unserved(unserved);
        }
    }
}
