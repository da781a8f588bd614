//! The thread that does checks, and how a program speaks to it.

mod options;
mod stats;
mod work;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::health::probe::runner::stats::{Counts, Published};
use crate::health::probe::runner::work::Worker;
use crate::health::probe::through::{self, Through};
use crate::health::probe::updates::Ends;
use crate::health::probe::{Probe, Updates, WatchError};
use crate::health::{Check, Maintenance, Outcome, Watched};
use crate::model::{DestinationId, ServiceId, ServiceSnapshot};
use crate::table::controller::Event;

pub use options::RunnerOptions;
pub use stats::{Lateness, RunnerStats};

/// Does the checks of a [`Monitor`](crate::health::Monitor) on a thread of its own.
///
/// The thread is the runner's own, with a tokio runtime that nobody else sees, for two reasons:
/// programs with the blocking client and on smol use the same runner as those on tokio, and a
/// program whose own runtime is busy does not take its servers for dead. The thread ends when the
/// runner is dropped. The table stays as it is, except that the last updates take back the services
/// of the marks of checks [through](Probe::through) virtual addresses. The thread also ends, and with
/// it the updates, if the kernel does not let it back from the network namespace of a check
/// ([`Origin::namespace`](crate::health::probe::Origin)), for instance for lack of memory.
pub struct Runner {
    sender: UnboundedSender<Message>,
    updates: Updates,
    published: Published,
    thread: Option<JoinHandle<()>>,
    through: Option<Arc<Through>>,
}

/// What the thread is told.
enum Message {
    Order(Order),
    /// A check has ended, and began so late.
    Ended(Check<Probe>, Outcome, Duration),
    Stop,
}

/// What a program wants of the thread.
enum Order {
    Watch(Box<Watched<Probe>>, Option<Box<ServiceSnapshot>>),
    Forget(ServiceId),
    Maintain(ServiceId, DestinationId, Maintenance),
    EndMaintenance(ServiceId, DestinationId),
    Hasten(DestinationId),
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner").finish_non_exhaustive()
    }
}

impl Runner {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// The system refuses the thread, or the descriptors of its event loop.
    pub fn start(options: RunnerOptions) -> io::Result<Self> {
        let updates = Updates::new();
        let (sender, inbox) = unbounded_channel();
        let runtime = Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(options.commands.max(1))
            .build()?;
        let counts = Counts::new(Instant::now());
        let published = Published::new(counts.clone());
        let through = options.marks.as_ref().map(|marks| Through::new(marks, updates.clone()));
        let ends = Ends(updates.clone());
        let counted = (published.clone(), counts);
        let worker = Worker::new(&options, updates.clone(), sender.clone(), counted);
        let work = move || {
            let _ends = ends;
            runtime.block_on(worker.work(inbox));
            // Does not wait for programs that run still.
            runtime.shutdown_background();
        };
        let thread = thread::Builder::new().name("ipvs-health".to_owned()).spawn(work)?;
        Ok(Self { sender, updates, published, thread: Some(thread), through })
    }

    /// Watches a service, or replaces what is watched of it: the desired destinations, the policy and
    /// the checks. What is known of destinations that stay is kept.
    ///
    /// `held` is the service as the table holds it now, at the start of the program: a destination
    /// that is there keeps its weight until a check has decided. **With `None` the table is taken for
    /// empty**, and destinations that it holds leave until their first check has passed. For a service
    /// that is watched already, `held` has no effect.
    ///
    /// ```no_run
    /// use ipvs_netlink::health::probe::{Probe, Runner, RunnerOptions};
    /// use ipvs_netlink::health::{Pace, Watched};
    /// use ipvs_netlink::table::TableService;
    /// use ipvs_netlink::{Client, Destination, Service};
    ///
    /// let web = TableService::new(Service::tcp("192.0.2.10:80".parse()?))
    ///     .with(Destination::masquerade("10.0.0.2:8080".parse()?));
    /// let held = Client::connect()?.snapshot_of(&[web.id()])?.service(web.id()).cloned();
    /// let runner = Runner::start(RunnerOptions::new())?;
    /// runner.watch(Watched::new(web).check(Probe::tcp(), Pace::new()), held)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Nothing has changed then.
    ///
    /// - [`WatchError::Invalid`]: a setting of the policy, a pace or a probe is out of its range;
    /// - [`WatchError::Through`]: a check [through](Probe::through) the virtual address cannot be done.
    ///   See [`ThroughError`](crate::health::through::ThroughError).
    pub fn watch(
        &self,
        mut watched: Watched<Probe>,
        held: Option<ServiceSnapshot>,
    ) -> Result<(), WatchError> {
        let probes = || watched.checks.iter().try_for_each(|(probe, _)| probe.validate());
        watched
            .validate()
            .and_then(|()| probes())
            .map_err(|invalid| WatchError::Invalid { service: watched.id(), invalid })?;
        through::lease(self.through.as_ref(), &mut watched)?;
        self.order(Order::Watch(Box::new(watched), held.map(Box::new)));
        Ok(())
    }

    /// Watches a service no more, and tells the program by
    /// [`Update::Forget`](crate::health::probe::Update::Forget) that the table is not to have it.
    ///
    /// To leave the service in the table as it is, ignore that update.
    pub fn forget(&self, service: ServiceId) {
        if let Some(through) = &self.through {
            through.forget(service);
        }
        self.order(Order::Forget(service));
    }

    /// Takes in an event of the controller that keeps the table: checks [through](Probe::through)
    /// virtual addresses begin when the table has the services of their marks. A program with such
    /// checks hands over all events; others need not.
    pub fn event(&self, event: &Event) {
        if let Some(through) = &self.through {
            through.event(event);
        }
    }

    /// Begins an operator's maintenance of a destination, or replaces the one that there is. See
    /// [`Pool::maintain`](crate::health::Pool::maintain). Does nothing if no such destination is
    /// watched.
    pub fn maintain(
        &self,
        service: ServiceId,
        destination: DestinationId,
        maintenance: Maintenance,
    ) {
        self.order(Order::Maintain(service, destination, maintenance));
    }

    /// Ends an operator's maintenance of a destination. Its checks decide again.
    pub fn end_maintenance(&self, service: ServiceId, destination: DestinationId) {
        self.order(Order::EndMaintenance(service, destination));
    }

    /// Makes the next checks of a destination due now, because something else says that it may not
    /// work, such as resets or retransmissions that the program has seen. No verdict changes by this.
    pub fn hasten(&self, destination: DestinationId) {
        self.order(Order::Hasten(destination));
    }

    /// Returns the updates: what the table is to hold, and what happens. Nothing else takes them out
    /// of memory, so a program reads them all.
    #[must_use]
    pub fn updates(&self) -> Updates {
        self.updates.clone()
    }

    /// Returns what the runner has done, and whether it keeps up.
    #[must_use]
    pub fn stats(&self) -> RunnerStats {
        self.published.stats(Instant::now())
    }

    fn order(&self, order: Order) {
        // Fails when the thread has ended by itself.
        let _ = self.sender.send(Message::Order(order));
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        if let Some(through) = &self.through {
            through.forget_all();
        }
        let _ = self.sender.send(Message::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
