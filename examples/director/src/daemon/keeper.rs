//! The loop of the daemon.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ipvs_netlink::health::probe::{Runner, Update, Updates};
use ipvs_netlink::table::controller::{Controller, Event as ControllerEvent, Wish};
use ipvs_netlink::tokio::Client;
use ipvs_netlink::{DestinationId, ServiceId, ServiceSnapshot, Snapshot};
use tokio::sync::{broadcast, mpsc};
use tokio::time::sleep_until;

use crate::announcement::executor::Progress;
use crate::configuration::Configuration;
use crate::control::call::Call;
use crate::control::protocol::{Answer, Order};
use crate::daemon::announcing::Announcing;
use crate::daemon::reloading::Reloading;
use crate::daemon::signals::{Asked, Signals};
use crate::daemon::{Failure, OnStop, RunArguments, settings};
use crate::desk::{Desk, Effect, Trouble};
use crate::event::{Event, Severity};
use crate::log;
use crate::moment::Moment;
use crate::state::StateFile;

/// The events that wait for a client that reads slowly.
pub(super) const MOST_EVENTS: usize = 16_384;

/// The most updates of the runner that are taken in before the table is written.
const MOST_UPDATES: usize = 4096;

/// The longest that the loop sleeps, so that its life can be told.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// The time after which the state file is written again if that failed.
const RETRY: Duration = Duration::from_secs(10);

/// What the loop keeps together.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) client: Client,
    pub(super) controller: Controller,
    pub(super) runner: Runner,
    pub(super) desk: Desk,
    pub(super) state: StateFile,
    pub(super) inbox: mpsc::Receiver<Call>,
    pub(super) events: broadcast::Sender<Event>,
    pub(super) signals: Signals,
}

/// The loop of the daemon.
#[derive(Debug)]
pub(super) struct Keeper {
    parts: Parts,
    updates: Updates,
    arguments: RunArguments,
    /// What the table holds of services that are not watched yet.
    held: BTreeMap<ServiceId, ServiceSnapshot>,
    reloading: Reloading,
    announcing: Announcing,
    /// No attempt to write the state file is made before this time.
    save_at: Option<Instant>,
    settings_are_due: bool,
}

/// What the loop has waited for.
enum Woken {
    Asked(Asked),
    Called(Option<Call>),
    Updated(Option<Update>),
    Read(Result<Configuration, Vec<String>>),
    Progressed(Progress),
    Due,
}

impl Keeper {
    pub(super) fn new(parts: Parts, held: Snapshot, arguments: RunArguments) -> Self {
        let updates = parts.runner.updates();
        let held = held.services().map(|service| (service.id(), service.clone())).collect();
        let (reloading, announcing) = (Reloading::default(), Announcing::new());
        let (save_at, settings_are_due) = (None, false);
        Self { parts, updates, arguments, held, reloading, announcing, save_at, settings_are_due }
    }

    /// Keeps the table until a signal ends that.
    pub(super) async fn keep(mut self) -> Result<(), Failure> {
        loop {
            self.carry_out().await;
            let due = self.step().await;
            match self.wait(due).await {
                Woken::Asked(Asked::Stop) => break,
                Woken::Asked(Asked::Reload) => self.reloading.ask(&self.arguments, None),
                Woken::Called(Some(call)) => self.obey(call).await,
                Woken::Called(None) | Woken::Due => {}
                Woken::Updated(Some(update)) => self.take_in(update),
                Woken::Updated(None) => return Err(Failure::ChecksEnded),
                Woken::Read(read) => self.take_over(read).await,
                Woken::Progressed(progress) => self.announcing.progressed(progress),
            }
            self.parts.desk.pass(Moment::now());
        }
        self.stop().await;
        Ok(())
    }

    async fn wait(&mut self, due: Instant) -> Woken {
        tokio::select! {
            biased;
            asked = self.parts.signals.next() => Woken::Asked(asked),
            progress = self.announcing.progress() => Woken::Progressed(progress),
            call = self.parts.inbox.recv() => Woken::Called(call),
            update = self.updates.next() => Woken::Updated(update),
            read = self.reloading.read() => Woken::Read(read),
            () = sleep_until(due.into()) => Woken::Due,
        }
    }

    /// Lets the controller do what is due. Returns when the loop has something to do again.
    async fn step(&mut self) -> Instant {
        let stepped = self.parts.client.step(&mut self.parts.controller).await;
        let now = Moment::now();
        let events: Vec<_> = self.parts.controller.events().collect();
        for event in &events {
            self.parts.runner.event(event);
            self.parts.desk.controller_event(event, now);
            self.announcing.controller_event(event, now.instant);
            if let ControllerEvent::Resynchronized { .. } = event {
                self.settings_are_due = true;
            }
        }
        if !events.is_empty() {
            return now.instant;
        }
        let pause = stepped.pause(self.parts.client.now()).min(LONGEST_SLEEP);
        let announcing = self.announcing.next(now.instant);
        let times = [self.parts.desk.next(), self.save_at, announcing];
        times.into_iter().flatten().fold(now.instant + pause, Instant::min)
    }

    /// Takes in an update of the runner, and those that wait behind it.
    fn take_in(&mut self, first: Update) {
        let now = Moment::now();
        let mut next = Some(first);
        for _ in 0..MOST_UPDATES {
            let Some(update) = next else { break };
            self.parts.desk.update(&update, now);
            self.announcing.update(&update, now.instant);
            if let Some(request) = update.into_request() {
                self.parts.controller.accept(request);
            }
            next = self.updates.try_next();
        }
        if let Some(update) = next {
            self.parts.desk.update(&update, now);
            self.announcing.update(&update, now.instant);
            if let Some(request) = update.into_request() {
                self.parts.controller.accept(request);
            }
        }
    }

    /// Has the effects of the desk done. What is to be saved is saved before.
    async fn carry_out(&mut self) {
        self.save();
        let settings = std::mem::take(&mut self.settings_are_due);
        let mut apply_settings = settings;
        for effect in self.parts.desk.effects() {
            match effect {
                Effect::Watch(watched) => {
                    let id = watched.id();
                    let held = self.held.remove(&id);
                    if let Err(error) = self.parts.runner.watch(*watched, held) {
                        let text = format!("{error}; its former checks go on, if it had any");
                        let about = Trouble::Service(id);
                        self.parts.desk.trouble(about, Some(text), Moment::now());
                    }
                }
                Effect::Forget(id) => {
                    self.announcing.forget(id);
                    self.parts.runner.forget(id);
                }
                Effect::Maintain(service, destination, maintenance) => {
                    self.parts.runner.maintain(service, destination, maintenance);
                }
                Effect::EndMaintenance(service, destination) => {
                    self.parts.runner.end_maintenance(service, destination);
                }
                Effect::Hasten(destination) => self.parts.runner.hasten(destination),
                Effect::Settings => apply_settings = true,
                Effect::Announce { service, commands, settles } => {
                    self.announcing.watch(service, commands, settles, &self.parts.controller);
                }
                Effect::Tell(event) => self.tell(event),
            }
        }
        if apply_settings {
            self.apply_settings().await;
        }
        for effect in self.parts.desk.effects() {
            // What applying settings has told.
            if let Effect::Tell(event) = effect {
                self.tell(event);
            }
        }
        for event in self.announcing.carry_out() {
            self.tell(event);
        }
    }

    fn tell(&self, event: Event) {
        log::write(&event);
        // Fails if nobody follows.
        let _ = self.parts.events.send(event);
    }

    fn save(&mut self) {
        let now = Moment::now();
        if self.save_at.is_some_and(|at| at > now.instant) {
            return;
        }
        let had_failed = self.save_at.is_some();
        let trouble = match self.parts.state.save(self.parts.desk.saved()) {
            Ok(()) => {
                self.save_at = None;
                None
            }
            Err(error) => {
                self.save_at = Some(now.instant + RETRY);
                let path = self.parts.state.path().display();
                Some(format!("the state file {path} cannot be written: {error}"))
            }
        };
        if had_failed || trouble.is_some() {
            self.parts.desk.trouble(Trouble::State, trouble, now);
        }
    }

    async fn apply_settings(&mut self) {
        let applied =
            settings::apply(&mut self.parts.client, self.parts.desk.configuration()).await;
        let now = Moment::now();
        let trouble = match applied {
            Ok(done) => {
                for line in done {
                    self.parts.desk.tell(Event::new(now.wall, Severity::Note, "settings", &line));
                }
                None
            }
            Err(error) => Some(format!("timeouts or synchronization daemons: {error}")),
        };
        self.parts.desk.trouble(Trouble::Settings, trouble, now);
    }

    async fn obey(&mut self, call: Call) {
        let answer = match call.order {
            Order::Reload => return self.reloading.ask(&self.arguments, Some(call)),
            Order::Status { service, destination } => self.status(service, destination).await,
            Order::Events { .. } => self.status(None, None).await,
            order => self.parts.desk.order(order, &call.by, Moment::now()),
        };
        // An order is answered when it is done.
        self.carry_out().await;
        call.reply.send(answer);
    }

    async fn status(
        &mut self,
        service: Option<ServiceId>,
        destination: Option<DestinationId>,
    ) -> Answer {
        let snapshot = self.parts.client.snapshot().await.ok();
        let announced = |id| self.announcing.status(id);
        let mut status = self.parts.desk.status(snapshot.as_ref(), announced, Moment::now());
        status.troubles.extend(self.announcing.troubles());
        status.keep_only(service, destination);
        Answer::Status(Box::new(status))
    }

    /// Takes over a configuration that was read, or tells why not.
    async fn take_over(&mut self, read: Result<Configuration, Vec<String>>) {
        let taken = self.try_to_take_over(read).await;
        let now = Moment::now();
        let answer = match taken {
            Ok(lines) => Answer::Done(lines),
            Err(lines) => {
                self.parts.desk.refuse_reload(&lines, now);
                Answer::Refused(lines)
            }
        };
        self.carry_out().await;
        for call in self.reloading.taken_over(&self.arguments) {
            call.reply.send(answer.clone());
        }
    }

    async fn try_to_take_over(
        &mut self,
        read: Result<Configuration, Vec<String>>,
    ) -> Result<Vec<String>, Vec<String>> {
        let configuration = read?;
        let new = self.parts.desk.examine(&configuration)?;
        if !new.is_empty() {
            let held = self.parts.client.snapshot_of(&new).await.map_err(|error| {
                vec![format!("the table cannot be read, and the file has new services: {error}")]
            })?;
            self.held = held.services().map(|it| (it.id(), it.clone())).collect();
        }
        Ok(self.parts.desk.reload(configuration, Moment::now()))
    }

    async fn stop(mut self) {
        let now = Moment::now();
        let text = match self.arguments.on_stop {
            OnStop::Keep => "the daemon ends, and the table stays as it is",
            OnStop::Withdraw => "the daemon ends, and its services leave the table",
        };
        self.tell(Event::new(now.wall, Severity::Note, "stopping", text));
        let Parts { mut client, mut controller, runner, events, .. } = self.parts;
        drop(runner);
        while let Some(update) = self.updates.try_next() {
            if let Some(request) = update.into_request() {
                controller.accept(request);
            }
        }
        let longest = self.arguments.longest_stop();
        let tell = |event: Event| {
            log::write(&event);
            let _ = events.send(event);
        };
        // The controller holds its services while they are withdrawn.
        let announcing = async {
            match self.arguments.on_stop {
                OnStop::Keep => self.announcing.finish(longest, tell).await,
                OnStop::Withdraw => self.announcing.withdraw(longest, tell).await,
            }
        };
        if self.arguments.on_stop == OnStop::Withdraw {
            controller.wish_all(std::iter::empty::<Wish>());
        }
        tokio::join!(announcing, client.settle(&mut controller, longest, |_| ()));
    }
}
