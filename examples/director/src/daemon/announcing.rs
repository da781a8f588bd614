//! Has the commands of services run.

use std::time::{Duration, Instant};

use ipvs_netlink::ServiceId;
use ipvs_netlink::health::PoolStatus;
use ipvs_netlink::health::probe::Update;
use ipvs_netlink::table::controller::{Controller, Event as ControllerEvent};

use crate::announcement::executor::{Executor, MOST, Progress};
use crate::announcement::{Announcements, Watch};
use crate::configuration::Commands;
use crate::event::Event;
use crate::moment::Moment;

/// Decides which commands are due, and has them run.
#[derive(Debug)]
pub(super) struct Announcing {
    announcements: Announcements,
    executor: Executor,
}

impl Announcing {
    pub(super) fn new() -> Self {
        Self { announcements: Announcements::new(MOST), executor: Executor::new() }
    }

    /// Announces a service from now on.
    pub(super) fn watch(
        &mut self,
        service: ServiceId,
        commands: Option<Commands>,
        settles: Duration,
        controller: &Controller,
    ) {
        let is_serving = controller.is_serving(service);
        let watch = Watch { service, commands, settles, is_serving };
        self.announcements.watch(watch, Instant::now());
    }

    /// Withdraws a service that is not in the file any more.
    pub(super) fn forget(&mut self, service: ServiceId) {
        self.announcements.forget(service, Instant::now());
    }

    pub(super) fn update(&mut self, update: &Update, now: Instant) {
        match update {
            Update::Event(service, event) => self.announcements.pool_event(*service, event, now),
            Update::Forget(service) => self.announcements.pool_ended(*service, now),
            _ => {}
        }
    }

    /// Takes in the state of a pool, where its events were lost.
    pub(super) fn pool_is(&mut self, pool: &PoolStatus, now: Instant) {
        let until = pool.hold_until;
        self.announcements.pool_is(pool.service, pool.is_available, until, now);
    }

    pub(super) fn controller_event(&mut self, event: &ControllerEvent, now: Instant) {
        self.announcements.controller_event(event, now);
    }

    /// Starts and stops the commands that are due. Returns what there is to tell.
    pub(super) fn carry_out(&mut self) -> Vec<Event> {
        let now = Moment::now();
        while let Some(action) = self.announcements.due(now.instant) {
            self.executor.carry_out(action);
        }
        self.announcements.told().map(|told| told.event(now.wall)).collect()
    }

    /// Takes out the services that are not in the file any more, and need no command any more.
    pub(super) fn removed(&mut self) -> Vec<ServiceId> {
        self.announcements.removed()
    }

    /// Returns when a command is due by itself.
    pub(super) fn next(&self, now: Instant) -> Option<Instant> {
        self.announcements.next(now)
    }

    /// Waits until something happens to a command. Dropping the future loses nothing.
    pub(super) async fn progress(&mut self) -> Progress {
        self.executor.progress().await
    }

    pub(super) fn progressed(&mut self, progress: Progress) {
        match progress {
            Progress::Ended(number, outcome) => {
                self.announcements.ended(number, outcome, Instant::now());
            }
            Progress::Stuck(number) => self.announcements.stuck(number),
        }
    }

    /// Returns what is announced of a service, for people.
    pub(super) fn status(&self, service: ServiceId) -> String {
        let status = self.announcements.status(service, Instant::now());
        status.map(|status| status.to_string()).unwrap_or_default()
    }

    /// Returns what is wrong with services that are not in the file any more, one line each.
    pub(super) fn troubles(&self) -> impl Iterator<Item = String> {
        let failing = self.announcements.forgotten().filter_map(|service| {
            let status = self.announcements.status(service, Instant::now())?;
            (status.failure.is_some() || status.is_stuck).then_some((service, status))
        });
        failing.map(|(service, status)| format!("{service} is not in the file any more: {status}"))
    }

    /// Withdraws all services, because the daemon ends.
    pub(super) fn forget_all(&mut self) {
        self.announcements.forget_all(Instant::now());
    }

    /// Returns `true` if no command runs and none is due.
    pub(super) fn is_settled(&self) -> bool {
        self.announcements.is_settled()
    }

    /// Returns the services that are not in the file any more and could not be withdrawn yet.
    pub(super) fn forgotten(&self) -> impl Iterator<Item = ServiceId> {
        self.announcements.forgotten()
    }

    /// Lets only those withdrawals begin from now on that are due.
    pub(super) fn conclude(&mut self) {
        self.announcements.conclude(Instant::now());
    }

    /// Returns `true` if a command runs.
    pub(super) fn runs_any(&self) -> bool {
        self.announcements.runs_any()
    }

    /// Returns the services that are to be withdrawn and are not yet.
    pub(super) fn not_withdrawn(&self) -> impl Iterator<Item = ServiceId> {
        self.announcements.not_withdrawn()
    }
}
