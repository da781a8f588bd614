//! What the thread of a runner does.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use rustix::process::{Resource, getrlimit};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::time::sleep_until;

use crate::health::probe::programs::Programs;
use crate::health::probe::runner::finished::Observer;
use crate::health::probe::runner::query::Queries;
use crate::health::probe::runner::stats::{Counts, Published};
use crate::health::probe::runner::{FinishedCheck, Message, Order, RunnerOptions, Times};
use crate::health::probe::{Probe, ProbeKind, Update, Updates, namespace};
use crate::health::{Check, Monitor, Outcome};

/// The least time between two wishes, so that many results make one wish.
const PAUSE: Duration = Duration::from_millis(10);

/// The longest sleep: the thread shows that it lives.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// The most messages that are taken at once.
const MOST_MESSAGES: usize = 256;

/// Does checks and takes orders.
pub(super) struct Worker {
    monitor: Monitor<Probe>,
    updates: Updates,
    /// For the results of checks.
    sender: UnboundedSender<Message>,
    published: Published,
    counts: Counts,
    sockets: Slots,
    commands: Slots,
    programs: Programs,
    /// The checks by programs that wait for others to end.
    waiting: VecDeque<Check<Probe>>,
    queries: Queries,
    observer: Option<Observer>,
    /// When the next wishes may be made.
    pause: Instant,
}

/// How many checks run at the same time.
struct Slots {
    used: usize,
    most: usize,
}

impl Slots {
    fn new(most: usize) -> Self {
        Self { used: 0, most: most.max(1) }
    }

    const fn are_free(&self) -> bool {
        self.used < self.most
    }
}

/// Hands back the result of a check, also when the check panics.
struct Report {
    sender: UnboundedSender<Message>,
    check: Option<Check<Probe>>,
    late: Duration,
    begin: Instant,
    outcome: Option<Outcome>,
}

impl Drop for Report {
    fn drop(&mut self) {
        let outcome = self.outcome.take().unwrap_or_else(Outcome::panicked);
        let times = Times { late: self.late, took: self.begin.elapsed() };
        if let Some(check) = self.check.take() {
            // Fails when the runner has ended.
            let _ = self.sender.send(Message::Ended(check, outcome, times));
        }
    }
}

/// Returns how many checks may run at the same time, so that descriptors are left for others.
fn concurrency(options: &RunnerOptions) -> usize {
    let limit = getrlimit(Resource::Nofile).current.and_then(|limit| usize::try_from(limit).ok());
    options.concurrency.min(limit.map_or(usize::MAX, |limit| limit - limit / 4))
}

impl Worker {
    pub(super) fn new(
        options: &RunnerOptions,
        updates: Updates,
        sender: UnboundedSender<Message>,
        (published, counts): (Published, Counts),
        programs: Programs,
    ) -> Self {
        Self {
            monitor: Monitor::new(options.seed),
            updates,
            sender,
            published,
            sockets: Slots::new(concurrency(options)),
            commands: Slots::new(options.commands),
            programs,
            waiting: VecDeque::new(),
            queries: Queries::default(),
            observer: None,
            pause: counts.seen,
            counts,
        }
    }

    /// Works until the runner is dropped.
    pub(super) async fn work(mut self, mut inbox: UnboundedReceiver<Message>) {
        let mut messages = Vec::new();
        let mut timer = Box::pin(sleep_until(Instant::now().into()));
        loop {
            let now = Instant::now();
            for message in messages.drain(..) {
                match message {
                    Message::Order(order) => self.obey(order, now),
                    Message::Ended(check, outcome, times) => {
                        self.ended(&check, outcome, times, now)
                    }
                    Message::Stop => return,
                }
            }
            if namespace::is_lost() {
                return;
            }
            self.start_due(now);
            self.tell(now);
            self.queries.answer(&self.monitor, now);
            self.publish(now);
            timer.as_mut().reset(self.wake(now).into());
            tokio::select! {
                biased;
                _ = inbox.recv_many(&mut messages, MOST_MESSAGES) => {}
                () = &mut timer => {}
            }
        }
    }

    fn obey(&mut self, order: Order, now: Instant) {
        let monitor = &mut self.monitor;
        match order {
            Order::Watch(watched, held) => monitor.watch(*watched, held.as_deref(), now),
            Order::Forget(service) => {
                monitor.forget(service, now);
                self.updates.add([Update::Forget(service)]);
            }
            Order::Maintain(service, destination, maintenance) => {
                monitor.maintain(service, destination, maintenance, now);
            }
            Order::EndMaintenance(service, destination) => {
                monitor.end_maintenance(service, destination, now);
            }
            Order::Hasten(destination) => monitor.hasten(destination, now),
            Order::Status(query) => self.queries.add(query),
            Order::Observe(observer) => self.observer = Some(observer),
        }
    }

    fn ended(&mut self, check: &Check<Probe>, outcome: Outcome, times: Times, now: Instant) {
        match check.check.kind {
            ProbeKind::Command(_) => self.commands.used -= 1,
            _ => self.sockets.used -= 1,
        }
        match &outcome {
            Outcome::Passed(_) => self.counts.passed += 1,
            Outcome::Failed(_) => self.counts.failed += 1,
            Outcome::NotDone(reason) => {
                self.counts.not_done += 1;
                // The monitor keeps the beginning of a long reason.
                let told = |last: &str| !last.is_empty() && reason.starts_with(last);
                let is_news = self.monitor.reason(check).is_some_and(|last| !told(last));
                // Of checks through virtual addresses `Update::Refused` says more.
                if is_news && !check.check.through {
                    let (destination, reason) = (check.destination, reason.clone());
                    self.updates.add([Update::NotDone { destination, reason }]);
                }
            }
        }
        self.counts.lateness.count(times.late);
        if let Some(Observer(observer)) = &mut self.observer {
            let services: Vec<_> = self.monitor.services_of(check).collect();
            // Nobody wants to know any more.
            if !services.is_empty() {
                observer(FinishedCheck {
                    services: &services,
                    destination: check.destination,
                    probe: &check.check,
                    outcome: &outcome,
                    took: times.took,
                });
            }
        }
        self.monitor.finished(check, outcome, now);
    }

    /// Starts the checks that are due, as far as slots are free.
    fn start_due(&mut self, now: Instant) {
        while self.sockets.are_free() {
            let Some(check) = self.monitor.due(now) else { break };
            if let ProbeKind::Command(_) = check.check.kind {
                self.waiting.push_back(check);
            } else {
                self.sockets.used += 1;
                self.start(check);
            }
        }
        while let Some(check) = self.waiting.pop_front() {
            let (probe, target) = (&check.check, check.destination.address);
            let most = self.commands.most;
            if let Some(outcome) = self.programs.refusal(probe, target, most) {
                self.commands.used += 1;
                let (sender, late) = (self.sender.clone(), check.due.elapsed());
                let begin = Instant::now();
                drop(Report { sender, check: Some(check), late, begin, outcome: Some(outcome) });
            } else if self.commands.used + self.programs.stuck_count() < most {
                self.commands.used += 1;
                self.start(check);
            } else {
                self.waiting.push_front(check);
                break;
            }
        }
    }

    fn start(&self, check: Check<Probe>) {
        tokio::spawn(report(self.sender.clone(), check, self.programs.clone()));
    }

    /// Tells the program what has changed.
    fn tell(&mut self, now: Instant) {
        if self.next_wish(now).is_none_or(|next| next > now) {
            return;
        }
        self.pause = now + PAUSE;
        let wishes = self.monitor.wishes(now).into_iter().map(Update::Wish);
        let events = self.monitor.events().into_iter().map(|(id, event)| Update::Event(id, event));
        self.updates.add(events.chain(wishes));
    }

    fn next_wish(&self, now: Instant) -> Option<Instant> {
        self.monitor.next_wish(now).map(|next| next.max(self.pause))
    }

    fn publish(&mut self, now: Instant) {
        self.counts.running = self.sockets.used + self.commands.used;
        self.counts.waiting = self.waiting.len();
        let behind = self.monitor.next_check().map(|due| now.saturating_duration_since(due));
        self.counts.behind = behind.unwrap_or_default();
        self.counts.seen = now;
        self.published.set(&self.counts);
    }

    /// Returns when there is something to do, unless a message comes.
    fn wake(&self, now: Instant) -> Instant {
        if self.queries.are_open() {
            return now;
        }
        let check = self.monitor.next_check().filter(|_| self.sockets.are_free());
        let times = check.into_iter().chain(self.next_wish(now));
        times.fold(now + LONGEST_SLEEP, Instant::min)
    }
}

/// Does a check, and hands back the result.
async fn report(sender: UnboundedSender<Message>, check: Check<Probe>, programs: Programs) {
    let (probe, target) = (check.check.clone(), check.destination.address);
    let late = check.due.elapsed();
    let begin = Instant::now();
    let mut report = Report { sender, check: Some(check), late, begin, outcome: None };
    report.outcome = Some(probe.run(target, &programs).await);
}
