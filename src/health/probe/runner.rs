use std::collections::HashMap;
use std::fmt;
use std::io;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use tokio::runtime::Builder;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{Id, JoinSet};
use tokio::time::sleep_until;

use crate::health::probe::{Probe, Update, Updates, namespace};
use crate::health::{Check, Maintenance, Monitor, Outcome, Watched};
use crate::model::{DestinationId, ServiceId, ServiceSnapshot};

/// How a [`Runner`] works.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct RunnerOptions {
    /// The most checks that run at the same time, 1024 by default, 1 at least. Each takes a file
    /// descriptor or, if it runs a program, a thread.
    pub concurrency: usize,
    /// The most programs that run at the same time, 16 by default, 1 at least.
    pub commands: usize,
    /// The seed of the times of checks, 0 by default.
    pub seed: u64,
}

impl RunnerOptions {
    /// Creates the default options.
    pub const fn new() -> Self {
        Self { concurrency: 1024, commands: 16, seed: 0 }
    }

    /// Sets the most checks that run at the same time.
    pub const fn concurrency(mut self, concurrency: usize) -> Self {
        self.concurrency = concurrency;
        self
    }

    /// Sets the most programs that run at the same time.
    pub const fn commands(mut self, commands: usize) -> Self {
        self.commands = commands;
        self
    }

    /// Sets the seed of the times of checks.
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }
}

impl Default for RunnerOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// Does the checks of a [`Monitor`] on a thread of its own.
///
/// The thread is the runner's own, with a tokio runtime that nobody else sees, for two reasons:
/// programs with the blocking client and on smol use the same runner as those on tokio, and a
/// program whose own runtime is busy does not take its servers for dead. The thread ends when the
/// runner is dropped; the table stays as it is. The thread also ends, and with it the updates, if the
/// kernel does not let it back from the network namespace of a check
/// ([`Origin::namespace`](crate::health::probe::Origin)), for instance for lack of memory.
pub struct Runner {
    orders: Option<UnboundedSender<Order>>,
    updates: Updates,
    thread: Option<JoinHandle<()>>,
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
        let (orders, received) = unbounded_channel();
        let runtime = Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(options.commands.max(1))
            .build()?;
        let out = updates.clone();
        let work = move || {
            runtime.block_on(run(&options, received, &out));
            out.end();
            // Does not wait for programs that run still.
            runtime.shutdown_background();
        };
        let thread = thread::Builder::new().name("ipvs-health".to_owned()).spawn(work)?;
        Ok(Self { orders: Some(orders), updates, thread: Some(thread) })
    }

    /// Watches a service, or replaces what is watched of it. See [`Monitor::watch`].
    pub fn watch(&self, watched: Watched<Probe>, held: Option<ServiceSnapshot>) {
        self.order(Order::Watch(Box::new(watched), held.map(Box::new)));
    }

    /// Watches a service no more. See [`Monitor::forget`].
    pub fn forget(&self, service: ServiceId) {
        self.order(Order::Forget(service));
    }

    /// Begins an operator's maintenance. See [`Monitor::maintain`].
    pub fn maintain(
        &self,
        service: ServiceId,
        destination: DestinationId,
        maintenance: Maintenance,
    ) {
        self.order(Order::Maintain(service, destination, maintenance));
    }

    /// Ends an operator's maintenance. See [`Monitor::end_maintenance`].
    pub fn end_maintenance(&self, service: ServiceId, destination: DestinationId) {
        self.order(Order::EndMaintenance(service, destination));
    }

    /// Makes the next checks of a destination due now. See [`Monitor::hasten`].
    pub fn hasten(&self, destination: DestinationId) {
        self.order(Order::Hasten(destination));
    }

    /// Returns the updates.
    #[must_use]
    pub fn updates(&self) -> Updates {
        self.updates.clone()
    }

    fn order(&self, order: Order) {
        if let Some(orders) = &self.orders {
            // The thread takes orders until the sender is dropped.
            let _ = orders.send(order);
        }
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Does checks and takes orders until the runner is dropped.
async fn run(options: &RunnerOptions, mut orders: UnboundedReceiver<Order>, updates: &Updates) {
    let mut monitor: Monitor<Probe> = Monitor::new(options.seed);
    let mut running: JoinSet<Outcome> = JoinSet::new();
    let mut checks: HashMap<Id, Check<Probe>> = HashMap::new();
    loop {
        let now = Instant::now();
        while running.len() < options.concurrency.max(1) {
            let Some(check) = monitor.due(now) else { break };
            let (probe, target) = (check.check.clone(), check.destination.address);
            let task = running.spawn(async move { probe.run(target).await });
            checks.insert(task.id(), check);
        }
        let wishes = monitor.wishes(now).into_iter().map(Update::Wish);
        let events = monitor.events().into_iter().map(|(id, event)| Update::Event(id, event));
        updates.add(events.chain(wishes));
        let full = running.len() >= options.concurrency.max(1);
        let next = monitor.next(now).filter(|_| !full);
        let wait = async {
            match next {
                Some(next) => sleep_until(next.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            order = orders.recv() => match order {
                Some(order) => obey(&mut monitor, order),
                None => return,
            },
            Some(ended) = running.join_next_with_id() => {
                if namespace::is_lost() {
                    return;
                }
                let (id, outcome) = match ended {
                    Ok(ended) => ended,
                    // A check of the program's own has panicked.
                    Err(error) => (error.id(), Outcome::failed("the check panicked")),
                };
                if let Some(check) = checks.remove(&id) {
                    monitor.finished(&check, outcome, Instant::now());
                }
            }
            () = wait => {}
        }
    }
}

fn obey(monitor: &mut Monitor<Probe>, order: Order) {
    let now = Instant::now();
    match order {
        Order::Watch(watched, held) => monitor.watch(*watched, held.as_deref(), now),
        Order::Forget(service) => monitor.forget(service),
        Order::Maintain(service, destination, maintenance) => {
            monitor.maintain(service, destination, maintenance, now);
        }
        Order::EndMaintenance(service, destination) => {
            monitor.end_maintenance(service, destination, now);
        }
        Order::Hasten(destination) => monitor.hasten(destination, now),
    }
}
