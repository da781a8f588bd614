//! The loop of the daemon.

mod effects;
mod held;
mod life;
mod looks;
mod orders;
mod stopping;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use ipvs_netlink::ServiceId;
use ipvs_netlink::health::ServiceStatus;
use ipvs_netlink::health::probe::{Probe, Runner, Update, Updates};
use ipvs_netlink::table::controller::{Controller, Event as ControllerEvent};
use ipvs_netlink::tokio::Client;
use tokio::sync::{broadcast, mpsc};
use tokio::time::sleep_until;

use crate::announcement::executor::Progress;
use crate::configuration::Configuration;
use crate::control::call::Call;
use crate::daemon::announcing::Announcing;
use crate::daemon::catching_up::CatchingUp;
use crate::daemon::keeper::orders::asking;
use crate::daemon::keeper::stopping::CLEAN_UP;
use crate::daemon::looking::Looking;
use crate::daemon::reading::read_file;
use crate::daemon::saving::Saver;
use crate::daemon::shared::Shared;
use crate::daemon::signals::{Asked, Signals};
use crate::daemon::{Failure, RunArguments};
use crate::desk::Desk;
use crate::event::{Event, Severity};
use crate::log::Log;
use crate::metrics::{Server, SharedCounts};
use crate::moment::Moment;
use crate::systemd::Systemd;

/// The events that wait for a client that reads slowly.
pub(super) const MOST_EVENTS: usize = 16_384;

/// The most updates of the runner that are taken in before the table is written.
const MOST_UPDATES: usize = 4096;

/// After so many times [`MOST_UPDATES`], none of the updates that wait is as old as the first time.
const MOST_BATCHES: usize = 32;

/// The longest that the loop sleeps, so that its life can be told.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

pub(super) use held::Held;

/// What the loop keeps together.
#[derive(Debug)]
pub(super) struct Keeper {
    pub(super) client: Client,
    pub(super) controller: Controller,
    pub(super) desk: Desk,
    /// `None` when the daemon withdraws its services.
    pub(super) runner: Option<Runner>,
    pub(super) updates: Updates,
    pub(super) announcing: Announcing,
    pub(super) saver: Saver,
    pub(super) inbox: mpsc::Receiver<Call>,
    pub(super) events: broadcast::Sender<Event>,
    pub(super) signals: Signals,
    pub(super) systemd: Systemd,
    pub(super) log: Log,
    pub(super) arguments: RunArguments,
    /// What the table holds of services that are not watched yet.
    pub(super) held: Held,
    /// The services that the runner has refused to watch.
    pub(super) refused: BTreeSet<ServiceId>,
    /// When they are tried again.
    pub(super) watch_again_at: Option<Instant>,
    pub(super) reading: Shared<Result<Configuration, Vec<String>>>,
    pub(super) asking: Shared<Option<Vec<ServiceStatus<Probe>>>>,
    pub(super) catching_up: CatchingUp,
    /// The runner's state, after updates were lost.
    pub(super) state: Shared<Option<Vec<ServiceStatus<Probe>>>>,
    /// When timeouts, settings and synchronization daemons are to be looked at.
    pub(super) settings_at: Instant,
    /// What was told of timeouts and settings that differ from the file and are not written.
    pub(super) differs: Vec<String>,
    /// What is counted for metrics.
    pub(super) counts: SharedCounts,
    /// Serves metrics, if that is wanted.
    pub(super) metrics: Option<Server>,
    /// Looks for signs in the traffic.
    pub(super) looking: Looking,
    /// Why signs could not be looked for, as was told.
    pub(super) not_looked: String,
}

/// What the loop has waited for.
enum Woken {
    Asked(Asked),
    Called(Call),
    Updated(Option<Update>),
    Read(Result<Configuration, Vec<String>>),
    Reported(Option<Vec<ServiceStatus<Probe>>>),
    CaughtUp(Option<Vec<ServiceStatus<Probe>>>),
    Command(Progress),
    Looked,
    Due,
}

impl Keeper {
    /// Keeps the table until a signal ends that.
    pub(super) async fn keep(mut self) -> Result<(), Failure> {
        // The table has been read after the first one.
        let mut due = self.round().await;
        self.systemd.ready();
        loop {
            match self.wait(due).await {
                Woken::Asked(Asked::Stop) => break,
                Woken::Updated(None) => {
                    self.stop_checks().await;
                    self.finish_commands().await;
                    self.save_at_last(CLEAN_UP).await;
                    return Err(Failure::ChecksEnded);
                }
                woken => self.take_in(woken).await,
            }
            due = self.round().await;
        }
        self.stop().await
    }

    /// Has everything done that is due. Returns when the loop has something to do by itself again.
    async fn round(&mut self) -> Instant {
        self.desk.pass(Moment::now());
        if self.runner.is_some() {
            // Clients that give orders all the time must not keep a dead server in the table.
            self.take_in_updates(None);
        }
        self.look();
        self.carry_out().await;
        let stepped = self.client.step(&mut self.controller).await;
        let now = Moment::now();
        let events: Vec<_> = self.controller.events().collect();
        for event in &events {
            if let Some(runner) = &self.runner {
                runner.event(event);
            }
            self.desk.controller_event(event, now);
            self.announcing.controller_event(event, now.instant);
            self.counts.lock().controller_event(event);
            if let ControllerEvent::Recovered = event {
                self.settings_at = now.instant;
            }
        }
        let is_read = |event: &ControllerEvent| {
            matches!(event, ControllerEvent::Settled(_) | ControllerEvent::Resynchronized { .. })
        };
        if self.controller.is_settled() && events.iter().any(is_read) {
            self.counts.lock().settled(now.wall);
        }
        if !events.is_empty() {
            self.carry_out().await;
        }
        self.live(now);
        let pause = stepped.pause(self.client.now()).min(LONGEST_SLEEP);
        let announcing = self.announcing.next(now.instant);
        let settings = Some(self.settings_at);
        let again = self.watch_again_at;
        let looking = self.looking.next();
        let times = [
            self.desk.next(),
            announcing,
            self.saver.next(),
            self.log.next(),
            settings,
            again,
            looking,
        ];
        times.into_iter().flatten().fold(now.instant + pause, Instant::min)
    }

    /// Waits for what happens next, until something is due.
    async fn wait(&mut self, due: Instant) -> Woken {
        let Self {
            signals,
            inbox,
            updates,
            reading,
            asking,
            state,
            announcing,
            runner,
            looking,
            ..
        } = self;
        let is_checking = runner.is_some();
        let failed = || Err(vec!["the reading of the file has panicked".to_owned()]);
        tokio::select! {
            biased;
            asked = signals.next() => Woken::Asked(asked),
            progress = announcing.progress() => Woken::Command(progress),
            update = updates.next(), if is_checking => Woken::Updated(update),
            read = reading.done() => Woken::Read(read.unwrap_or_else(failed)),
            state = state.done() => Woken::CaughtUp(state.flatten()),
            report = asking.done() => Woken::Reported(report.flatten()),
            _ = looking.done() => Woken::Looked,
            // Clients come last, so that they keep the daemon from nothing.
            Some(call) = inbox.recv() => Woken::Called(call),
            () = sleep_until(due.into()) => Woken::Due,
        }
    }

    async fn take_in(&mut self, woken: Woken) {
        match woken {
            Woken::Asked(Asked::Reload) if self.runner.is_some() => self.read(None),
            Woken::Called(call) => self.obey(call).await,
            Woken::Updated(first) => self.take_in_updates(first),
            Woken::Read(read) => self.take_over(read).await,
            Woken::CaughtUp(state) => self.catch_up(state),
            Woken::Reported(known) => self.report(known).await,
            Woken::Command(progress) => self.announcing.progressed(progress),
            Woken::Looked => self.take_in_signs(),
            Woken::Asked(_) | Woken::Due => {}
        }
    }

    /// Takes in an update of the runner, and those that wait behind it.
    fn take_in_updates(&mut self, first: Option<Update>) {
        let now = Moment::now();
        let updates = self.updates.clone();
        let others = std::iter::from_fn(|| updates.try_next());
        let shared = self.counts.clone();
        let mut counts = shared.lock();
        for update in first.into_iter().chain(others).take(MOST_UPDATES) {
            self.desk.update(&update, now);
            self.catching_up.update(&update);
            counts.update(&update);
            self.announcing.update(&update, now.instant);
            if let Some(request) = update.into_request() {
                self.controller.accept(request);
            }
        }
        if let Some(lost) = self.catching_up.lost(self.updates.lost()) {
            let s = if lost == 1 { "" } else { "s" };
            let text = format!("{lost} event{s} of the checks were lost: the daemon is too slow");
            self.desk.tell(Event::new(now.wall, Severity::Warning, "events-lost", &text));
            self.ask_for_state();
        }
    }

    /// Asks for the runner's state, which says what lost updates have said.
    fn ask_for_state(&mut self) {
        let Self { catching_up, state, runner, .. } = self;
        state.ask(None, || {
            catching_up.asks();
            asking(runner.as_ref())
        });
    }

    /// Takes in the runner's state after a loss.
    fn catch_up(&mut self, state: Option<Vec<ServiceStatus<Probe>>>) {
        // All updates that are older than the state come before it.
        for _ in 0..MOST_BATCHES {
            self.take_in_updates(None);
        }
        if let Some(state) = &state {
            self.counts.lock().state(state);
        }
        let now = Moment::now().instant;
        for service in state.iter().flatten() {
            if self.catching_up.is_news(service.pool.service) {
                self.announcing.pool_is(&service.pool, now);
            }
        }
        let Self { catching_up, state: shared, runner, .. } = self;
        shared.take_waiting(|| {
            catching_up.asks();
            asking(runner.as_ref())
        });
        if state.is_none() && runner.is_some() {
            self.ask_for_state();
        }
    }

    /// Begins to read the file.
    fn read(&mut self, call: Option<Call>) {
        self.systemd.reloading();
        let arguments = &self.arguments;
        self.reading.ask(call, || reading(arguments));
    }
}

/// Reads the file on a thread of its own.
fn reading(
    arguments: &RunArguments,
) -> tokio::task::JoinHandle<Result<Configuration, Vec<String>>> {
    let arguments = arguments.clone();
    tokio::task::spawn_blocking(move || read_file(&arguments))
}
