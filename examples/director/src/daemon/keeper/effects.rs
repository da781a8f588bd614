//! Has the effects of the desk done.

use std::time::Duration;

use ipvs_netlink::health::Watched;
use ipvs_netlink::health::probe::Probe;
use tokio::task::yield_now;

use crate::daemon::keeper::Keeper;
use crate::daemon::{settings, synchronization};
use crate::desk::{Effect, Keeping, Trouble};
use crate::event::{Event, Severity};
use crate::moment::Moment;

/// The time after which a service that the runner has refused is tried again.
const WATCH_AGAIN: Duration = Duration::from_secs(5);

/// After so many events, those who follow them get a turn.
const MANY: usize = 1000;

impl Keeper {
    /// Has the effects of the desk done. What is to be saved is saved before.
    pub(super) async fn carry_out(&mut self) {
        self.watch_again();
        self.save().await;
        loop {
            let now = Moment::now();
            let effects = self.desk.effects();
            let settings_are_due = self.settings_at <= now.instant;
            if effects.is_empty() && !settings_are_due {
                break;
            }
            let told = effects.len();
            for effect in effects {
                self.have_done(effect);
            }
            if self.settings_at <= Moment::now().instant {
                self.apply_settings().await;
            }
            if told > MANY {
                yield_now().await;
            }
        }
        for event in self.announcing.carry_out() {
            self.tell(event);
        }
        let withdrawn = self.announcing.removed();
        if !withdrawn.is_empty() {
            withdrawn.into_iter().for_each(|service| self.desk.withdrawn(service));
            self.save().await;
        }
    }

    /// Writes the state file if it is to say something else.
    async fn save(&mut self) {
        let now = Moment::now();
        let (saved, version) = self.desk.saved();
        if let Some(told) = self.saver.save(saved, version, now).await {
            self.desk.trouble(Trouble::State, told.err(), now);
        }
    }

    /// Writes what the state file does not say yet, because the daemon ends.
    pub(super) async fn save_at_last(&mut self, longest: Duration) {
        let (saved, version) = self.desk.saved();
        if let Some(Err(text)) = self.saver.finish(saved, version, longest).await {
            let now = Moment::now();
            self.tell(Event::new(now.wall, Severity::Error, "trouble", &text));
        }
    }

    fn have_done(&mut self, effect: Effect) {
        match effect {
            Effect::Tell(event) => self.tell(event),
            Effect::Announce { service, commands, settles } => {
                self.announcing.watch(service, commands, settles, &self.controller);
            }
            Effect::ApplySettings => self.settings_at = Moment::now().instant,
            Effect::Keep(Keeping { drain, resync, hold }) => {
                let controller = &mut self.controller;
                let is_other = controller.options().resync != resync;
                controller.set_drain(drain);
                controller.set_resync(resync);
                controller.set_hold(hold);
                if is_other {
                    controller.resynchronize();
                }
            }
            Effect::Watch(watched) => self.watch(*watched),
            Effect::Forget(id) => {
                self.announcing.forget(id);
                self.catching_up.forgets(id);
                self.held.forget(id);
                self.refused.remove(&id);
                if let Some(runner) = &self.runner {
                    runner.forget(id);
                }
            }
            Effect::Maintain(service, destination, maintenance) => {
                if let Some(runner) = &self.runner {
                    runner.maintain(service, destination, maintenance);
                }
            }
            Effect::EndMaintenance(service, destination) => {
                if let Some(runner) = &self.runner {
                    runner.end_maintenance(service, destination);
                }
            }
            Effect::Hasten(destination) => {
                if let Some(runner) = &self.runner {
                    runner.hasten(destination);
                }
            }
        }
    }

    /// Has a service watched. One that the runner refuses is tried again: marks of checks are free only
    /// when the table has them no more.
    fn watch(&mut self, watched: Watched<Probe>) {
        let id = watched.id();
        let Some(runner) = &self.runner else { return };
        let refused = runner.watch(watched, self.held.of(id)).err();
        match &refused {
            None => self.held.forget(id),
            Some(_) => self.watch_again_at = Some(Moment::now().instant + WATCH_AGAIN),
        }
        let is_trouble = refused.is_some();
        let was_refused = self.refused.remove(&id);
        if is_trouble {
            self.refused.insert(id);
        }
        // Another reason than before is told, too.
        if is_trouble || was_refused {
            let text = refused.map(|it| format!("{it}; what was checked before goes on"));
            self.desk.trouble(Trouble::ChecksOf(id), text, Moment::now());
        }
    }

    /// Has the services watched that the runner has refused, if that is due.
    pub(super) fn watch_again(&mut self) {
        if self.watch_again_at.is_none_or(|at| at > Moment::now().instant) {
            return;
        }
        self.watch_again_at = None;
        for id in self.refused.clone() {
            match self.desk.watched(id) {
                Some(watched) => self.watch(watched),
                None => drop(self.refused.remove(&id)),
            }
        }
    }

    /// Tells an event to the log and to all who follow.
    pub(super) fn tell(&mut self, event: Event) {
        self.log.write(&event, Moment::now().instant);
        // Fails if nobody follows.
        let _ = self.events.send(event);
    }

    async fn apply_settings(&mut self) {
        let configuration = self.desk.configuration();
        let resync = Keeping::of(configuration).resync;
        let write = configuration.write_settings || self.arguments.write_settings;
        let mut applied = settings::apply(&mut self.client, configuration, write).await;
        if let Some(wanted) = &configuration.synchronization {
            let done = &mut applied.done;
            let failed = synchronization::apply(&mut self.client, wanted, done).await.err();
            applied.failed.extend(failed.map(|error| error.to_string()));
        }
        let now = Moment::now();
        self.settings_at = now.instant + resync;
        for line in applied.done {
            self.desk.tell(Event::new(now.wall, Severity::Note, "settings", &line));
        }
        if self.differs != applied.differs {
            for line in applied.differs.iter().filter(|line| !self.differs.contains(line)) {
                self.desk.tell(Event::new(now.wall, Severity::Note, "settings", line));
            }
            self.differs = applied.differs;
        }
        let trouble = (!applied.failed.is_empty()).then(|| {
            let failed = applied.failed.join("; ");
            format!("timeouts, settings and synchronization: {failed}")
        });
        self.desk.trouble(Trouble::Settings, trouble, now);
    }
}
