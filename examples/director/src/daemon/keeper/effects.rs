//! Has the effects of the desk done.

use tokio::task::yield_now;

use crate::daemon::keeper::Keeper;
use crate::daemon::settings;
use crate::desk::{Effect, Keeping, Trouble};
use crate::event::{Event, Severity};
use crate::moment::Moment;

/// After so many events, those who follow them get a turn.
const MANY: usize = 1000;

impl Keeper {
    /// Has the effects of the desk done. What is to be saved is saved before.
    pub(super) async fn carry_out(&mut self) {
        let now = Moment::now();
        let (saved, version) = self.desk.saved();
        if let Some(told) = self.saver.save(saved, version, now).await {
            self.desk.trouble(Trouble::State, told.err(), now);
        }
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
            Effect::Watch(watched) => {
                let id = watched.id();
                let held = self.held.remove(&id);
                let refused = self.runner.as_ref().map(|runner| runner.watch(*watched, held));
                if let Some(Err(error)) = refused {
                    let text = format!("{error}; what was checked before goes on");
                    self.desk.trouble(Trouble::Service(id), Some(text), Moment::now());
                }
            }
            Effect::Forget(id) => {
                self.announcing.forget(id);
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

    /// Tells an event to the log and to all who follow.
    pub(super) fn tell(&mut self, event: Event) {
        self.log.write(&event, Moment::now().instant);
        // Fails if nobody follows.
        let _ = self.events.send(event);
    }

    async fn apply_settings(&mut self) {
        let configuration = self.desk.configuration();
        let resync = Keeping::of(configuration).resync;
        let applied = settings::apply(&mut self.client, configuration).await;
        let now = Moment::now();
        self.settings_at = now.instant + resync;
        for line in applied.done {
            self.desk.tell(Event::new(now.wall, Severity::Note, "settings", &line));
        }
        let trouble = applied.failed.map(|error| format!("timeouts and synchronization: {error}"));
        self.desk.trouble(Trouble::Settings, trouble, now);
    }
}
