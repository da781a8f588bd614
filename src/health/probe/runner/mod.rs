//! The thread that does checks, and how a program speaks to it.

mod examination;
mod finished;
mod options;
mod query;
mod stats;
#[cfg(test)]
mod tests;
mod work;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::health::probe::programs::Programs;
use crate::health::probe::runner::examination::examine;
use crate::health::probe::runner::finished::Observer;
use crate::health::probe::runner::query::Query;
use crate::health::probe::runner::stats::{Counts, Published};
use crate::health::probe::runner::work::Worker;
use crate::health::probe::through::{self, Through};
use crate::health::probe::updates::Ends;
use crate::health::probe::{Probe, Updates, WatchError};
use crate::health::{Check, Maintenance, Outcome, Watched};
use crate::model::{DestinationId, ServiceId, ServiceSnapshot};
use crate::table::controller::Event;

pub use finished::FinishedCheck;
pub use options::RunnerOptions;
pub use query::{StatusAnswer, StatusError};
pub use stats::{Lateness, RunnerStats};

/// The longest that the end of a runner waits for a check that blocks the thread.
const LONGEST_END: Duration = Duration::from_secs(3);

/// Does the checks of a [`Monitor`](crate::health::Monitor) on a thread of its own.
///
/// The thread is the runner's own, with a tokio runtime that nobody else sees, for two reasons:
/// programs with the blocking client and on smol use the same runner as those on tokio, and a
/// program whose own runtime is busy does not take its servers for dead.
///
/// The thread ends when the runner is dropped, which waits 3 s at most if a check of the program's own
/// blocks the thread. The programs of checks are killed then; a process that exits without dropping the
/// runner leaves them behind. The table stays as it is, except that the last updates take back the
/// services of the marks of checks [through](Probe::through) virtual addresses. The thread also ends, and with
/// it the updates, if the kernel does not let it back from the network namespace of a check
/// ([`Origin::namespace`](crate::health::probe::Origin)), for instance for lack of memory.
pub struct Runner {
    /// Held from the marks of a service to the order about it, so that both have the same order.
    ordering: Mutex<()>,
    sender: UnboundedSender<Message>,
    updates: Updates,
    published: Published,
    thread: Option<JoinHandle<()>>,
    through: Option<Arc<Through>>,
    programs: Programs,
}

/// The threads for what blocks beside programs: reading certificates, and what checks of the program's
/// own do.
const OTHER_THREADS: usize = 64;

/// What the thread is told.
enum Message {
    Order(Order),
    /// A check has ended.
    Ended(Check<Probe>, Outcome, Times),
    Stop,
}

/// How late a check began, and how long it took.
#[derive(Clone, Copy)]
struct Times {
    late: Duration,
    took: Duration,
}

/// What a program wants of the thread.
enum Order {
    Watch(Box<Watched<Probe>>, Option<Box<ServiceSnapshot>>),
    Forget(ServiceId),
    Maintain(ServiceId, DestinationId, Maintenance),
    EndMaintenance(ServiceId, DestinationId),
    Hasten(DestinationId),
    Status(Query),
    Observe(Observer),
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
        Self::start_with(options, Programs::default())
    }

    pub(super) fn start_with(options: RunnerOptions, programs: Programs) -> io::Result<Self> {
        let updates = Updates::new();
        let (sender, inbox) = unbounded_channel();
        let runtime = Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(options.commands.max(1).saturating_add(OTHER_THREADS))
            .build()?;
        let counts = Counts::new(Instant::now());
        let published = Published::new(counts.clone());
        let through = options.marks.as_ref().map(|marks| Through::new(marks, updates.clone()));
        let ends = Ends(updates.clone());
        let counted = (published.clone(), counts);
        let programs_too = programs.clone();
        let worker = Worker::new(&options, updates.clone(), sender.clone(), counted, programs_too);
        let work = move || {
            let _ends = ends;
            runtime.block_on(worker.work(inbox));
            // Does not wait for programs that run still.
            runtime.shutdown_background();
        };
        let thread = thread::Builder::new().name("ipvs-health".to_owned()).spawn(work)?;
        let ordering = Mutex::new(());
        Ok(Self { ordering, sender, updates, published, thread: Some(thread), through, programs })
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
    /// - [`WatchError::NoPort`]: a probe that connects to a port has none, and a destination's is 0;
    /// - [`WatchError::Ended`]: the thread has ended by itself;
    /// - [`WatchError::Through`]: a check [through](Probe::through) the virtual address cannot be done.
    ///   See [`ThroughError`](crate::health::through::ThroughError).
    pub fn watch(
        &self,
        mut watched: Watched<Probe>,
        held: Option<ServiceSnapshot>,
    ) -> Result<(), WatchError> {
        let pairs = examine(&watched, self.through.is_some())?;
        let service = watched.id();
        let _ordering = self.ordering();
        if self.sender.is_closed() {
            return Err(WatchError::Ended { service });
        }
        through::lease(self.through.as_ref(), &mut watched, pairs)
            .map_err(|error| WatchError::Through { service, error })?;
        self.order(Order::Watch(Box::new(watched), held.map(Box::new)));
        Ok(())
    }

    /// Checks that all these services can be watched, without watching any. If [`watch`](Self::watch) is
    /// called for each of them afterwards, and nothing else takes marks meanwhile, no call fails unless the
    /// thread ends. A program that takes over a new file learns so before it changes anything.
    ///
    /// What is forgotten or watched otherwise gives no mark free at once, so it does not count here.
    ///
    /// ```
    /// use ipvs_netlink::health::probe::{Probe, Runner, RunnerOptions};
    /// use ipvs_netlink::health::{Pace, Watched};
    /// use ipvs_netlink::table::TableService;
    /// use ipvs_netlink::{Destination, Service};
    ///
    /// let web = TableService::new(Service::tcp("192.0.2.10:80".parse()?))
    ///     .with(Destination::masquerade("10.0.0.2:0".parse()?));
    /// let runner = Runner::start(RunnerOptions::new())?;
    /// let error = runner.examine([&Watched::new(web).check(Probe::tcp(), Pace::new())]).unwrap_err();
    /// assert!(error.to_string().contains("10.0.0.2:0 has port 0"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first one that [`watch`](Self::watch) would return. With
    /// [`NotEnoughMarks`](crate::health::through::ThroughError::NotEnoughMarks), `needed` is the number for
    /// all services.
    pub fn examine<'w>(
        &self,
        all: impl IntoIterator<Item = &'w Watched<Probe>>,
    ) -> Result<(), WatchError> {
        let mut pairs = BTreeMap::new();
        for watched in all {
            let service = watched.id();
            pairs.insert(service, examine(watched, self.through.is_some())?);
            if self.sender.is_closed() {
                return Err(WatchError::Ended { service });
            }
        }
        match &self.through {
            Some(through) => through
                .examine(&pairs)
                .map_err(|(service, error)| WatchError::Through { service, error }),
            None => Ok(()),
        }
    }

    /// Watches a service no more, and tells the program by
    /// [`Update::Forget`](crate::health::probe::Update::Forget) that the table is not to have it.
    ///
    /// To leave the service in the table as it is, ignore that update.
    pub fn forget(&self, service: ServiceId) {
        let _ordering = self.ordering();
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

    /// Has a function called with each check that ends from now on, in place of an earlier one: to count results
    /// by destination, or to log them.
    ///
    /// The function is called on the thread of the checks, which waits for it. It must neither block nor
    /// panic: a panic ends the thread.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicU64, Ordering};
    ///
    /// use ipvs_netlink::health::probe::{Runner, RunnerOptions};
    ///
    /// let runner = Runner::start(RunnerOptions::new())?;
    /// let failed = Arc::new(AtomicU64::new(0));
    /// let counted = Arc::clone(&failed);
    /// runner.observe(move |check| {
    ///     counted.fetch_add(u64::from(!check.outcome.is_passed()), Ordering::Relaxed);
    /// });
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn observe(&self, observer: impl FnMut(FinishedCheck<'_>) + Send + 'static) {
        self.order(Order::Observe(Observer(Box::new(observer))));
    }

    /// Returns the updates: what the table is to hold, and what happens. [`Updates`] says what is kept
    /// of those that nobody takes out.
    #[must_use]
    pub fn updates(&self) -> Updates {
        self.updates.clone()
    }

    /// Asks what is known of a service, or with `None` of all: what its pool has decided, and what each
    /// check says of each destination.
    ///
    /// The thread answers in the order of all calls, so the answer knows of the services that were
    /// watched before. The thread describes about a hundred destinations at once and goes on with its
    /// checks in between, so a long answer is not of one moment; each service in it is. The answer is empty
    /// if the service is not watched.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use ipvs_netlink::health::probe::{Probe, Runner, RunnerOptions};
    /// use ipvs_netlink::health::{Pace, Watched};
    /// use ipvs_netlink::table::TableService;
    /// use ipvs_netlink::{Destination, Service};
    ///
    /// let web = TableService::new(Service::tcp("192.0.2.10:80".parse()?))
    ///     .with(Destination::masquerade("127.0.0.1:8080".parse()?));
    /// let runner = Runner::start(RunnerOptions::new())?;
    /// runner.watch(Watched::new(web).check(Probe::tcp(), Pace::new()), None)?;
    /// // In async code: `runner.status(None).await?`.
    /// for service in runner.status(None).within(Duration::from_secs(10))? {
    ///     for (destination, member) in &service.pool.members {
    ///         println!("{destination} is {} since {:?}", member.verdict, member.since);
    ///     }
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn status(&self, service: Option<ServiceId>) -> StatusAnswer {
        StatusAnswer::new(service, |query| self.order(Order::Status(query)))
    }

    /// Returns what the runner has done, and whether it keeps up.
    #[must_use]
    pub fn stats(&self) -> RunnerStats {
        self.published.stats(Instant::now())
    }

    fn ordering(&self) -> MutexGuard<'_, ()> {
        self.ordering.lock().unwrap_or_else(PoisonError::into_inner)
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
        self.programs.stop();
        // A thread that a check blocks is left alone. It ends when that check does.
        let thread = self.thread.take().filter(|_| self.updates.wait_for_end(LONGEST_END));
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}
