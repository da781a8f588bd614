//! The runner of the checks, and what it says.

use std::future::pending;

use ipvs_netlink::health::PoolEvent;
use ipvs_netlink::health::Watched;
use ipvs_netlink::health::probe::{Probe, Runner, RunnerOptions, Update, Updates};
use ipvs_netlink::kubernetes::{Changes, Converter, ObjectName, VirtualService};
use ipvs_netlink::table::TableService;
use ipvs_netlink::table::controller::Wish;
use ipvs_netlink::{ServiceId, ServiceSnapshot, Snapshot};

use super::CheckOptions;
use super::watching::Watching;
use crate::log;

/// The most checks that run at the same time. A check takes a file descriptor, and memory for what the endpoint
/// says.
const CONCURRENCY: usize = 512;

/// The most updates of the runner that are taken in at once.
const MOST_UPDATES: usize = 65_536;

/// Checks endpoints, and says what the table is to hold of their services.
///
/// The thread of the checks begins with the first service that has checks.
#[derive(Debug)]
pub(crate) struct Checks {
    watching: Watching,
    runner: Option<Runner>,
    updates: Option<Updates>,
    /// The update that has woken the agent.
    first: Option<Update>,
    has_ended: bool,
}

impl Checks {
    pub(crate) fn new(options: &CheckOptions) -> Self {
        Self {
            watching: Watching::new(options.clone()),
            runner: None,
            updates: None,
            first: None,
            has_ended: false,
        }
    }

    /// Returns the Kubernetes service of a virtual service that is wished.
    pub(crate) fn service_of(&self, id: ServiceId) -> Option<&ObjectName> {
        self.watching.service_of(id)
    }

    /// Returns `true` while it is not known what the table is to hold of a virtual service.
    pub(crate) fn waits(&self, id: ServiceId) -> bool {
        self.watching.waits(id)
    }

    /// Reads the annotations that have changed. Adds the virtual services that they concern to the changes.
    pub(crate) fn annotated(&mut self, changes: &mut Changes, converter: &Converter) {
        self.watching.annotated(changes, |id| {
            let (service, facts) = converter.get(id)?;
            Some((service, facts.clone()))
        });
        self.tell();
    }

    /// Takes in virtual services that are to be wished. Returns the wishes; those of new services with checks
    /// come with [`take_updates`](Self::take_updates).
    pub(crate) async fn set(
        &mut self,
        services: Vec<(TableService, VirtualService)>,
        ipvs: &mut ipvs_netlink::tokio::Client,
    ) -> Vec<Wish> {
        let mut wishes = Vec::with_capacity(services.len());
        let mut new = Vec::new();
        for (service, facts) in services {
            let id = service.id();
            let step = self.watching.set(service, &facts);
            if step.forget {
                self.runner_forgets(id);
            }
            wishes.extend(step.wish);
            match step.watch {
                Some(watched) if step.is_new => new.push(watched),
                Some(watched) => wishes.extend(self.watch(watched, None)),
                None => {}
            }
        }
        if !new.is_empty() {
            let ids: Vec<_> = new.iter().map(Watched::id).collect();
            let table = match ipvs.snapshot_of(&ids).await {
                Ok(table) => table,
                Err(error) => {
                    log::line(format_args!("the table before the checks: {error}"));
                    Snapshot::default()
                }
            };
            for watched in new {
                let held = held(&watched.service, &table);
                wishes.extend(self.watch(watched, Some(held)));
            }
        }
        self.tell();
        wishes
    }

    /// Returns the wishes for virtual services that were refused for want of room and have it now. Like those of
    /// [`set`](Self::set), some come later.
    pub(crate) async fn look_again(&mut self, ipvs: &mut ipvs_netlink::tokio::Client) -> Vec<Wish> {
        let fitting = self.watching.take_fitting();
        self.set(fitting, ipvs).await
    }

    /// Takes in that a virtual service is to leave.
    pub(crate) fn forget(&mut self, id: ServiceId) {
        if self.watching.forget(id) {
            self.runner_forgets(id);
        }
    }

    /// Waits until the runner says something. Nothing is lost if the future is dropped.
    pub(crate) async fn woken(&mut self) {
        let Some(updates) = &self.updates else { return pending().await };
        let update = updates.next().await;
        self.has_ended = update.is_none();
        self.first = update;
    }

    /// Takes in what the runner has said. Returns the wishes that follow.
    pub(crate) fn take_updates(&mut self) -> Vec<Wish> {
        let updates = self.updates.clone();
        let others = std::iter::from_fn(|| updates.as_ref()?.try_next());
        for update in self.first.take().into_iter().chain(others).take(MOST_UPDATES) {
            self.take(update);
        }
        let mut wishes = self.watching.take_wishes();
        if self.has_ended {
            (self.runner, self.updates, self.has_ended) = (None, None, false);
            wishes.extend(self.watching.end("the thread of the checks has ended"));
        }
        self.tell();
        wishes
    }

    fn take(&mut self, update: Update) {
        match &update {
            Update::Event(id, PoolEvent::Verdict { destination, .. }) => {
                if self.watching.watches(*id) {
                    log::line(&update);
                }
                self.watching.judged(*id, *destination);
            }
            Update::NotDone { destination, .. } => {
                log::line(&update);
                self.watching.not_done(*destination);
            }
            Update::Forget(id) => self.watching.ended(*id),
            Update::Wish(wish) => self.watching.wished(wish.clone()),
            _ => {}
        }
    }

    /// Has a virtual service watched. Returns what the table is to hold if that fails.
    fn watch(&mut self, watched: Watched<Probe>, held: Option<ServiceSnapshot>) -> Option<Wish> {
        let id = watched.id();
        let begun = self
            .runner()
            .and_then(|runner| runner.watch(watched, held).map_err(|error| error.to_string()));
        begun.err().and_then(|why| self.watching.give_up(id, why))
    }

    fn runner(&mut self) -> Result<&Runner, String> {
        let runner = match self.runner.take() {
            Some(runner) => runner,
            None => {
                let options = RunnerOptions::new().concurrency(CONCURRENCY);
                let runner =
                    Runner::start(options).map_err(|error| format!("a thread: {error}"))?;
                self.updates = Some(runner.updates());
                runner
            }
        };
        Ok(self.runner.insert(runner))
    }

    fn runner_forgets(&self, id: ServiceId) {
        if let Some(runner) = &self.runner {
            runner.forget(id);
        }
    }

    fn tell(&mut self) {
        self.watching.take_told().iter().for_each(log::line);
    }
}

/// Returns what the pool is to take for the table's. A service that the table does not have yet comes with all
/// its endpoints: nothing bad is known of them.
fn held(service: &TableService, table: &Snapshot) -> ServiceSnapshot {
    let held = table.service(service.id()).filter(|held| !held.destinations.is_empty());
    held.cloned().unwrap_or_else(|| service.into())
}
