//! Keeps a table as wished, for ever.
//!
//! A [`Controller`] takes wishes, and says step by step what is to be read and written. It has no
//! socket, no clock and no thread: the program, or the clients' methods, do each task and answer
//! it.
//!
#![doc = include_str!("keeping_a_table.md")]

mod agenda;
mod backoff;
mod drain_status;
mod drains;
#[cfg(any(feature = "tokio", feature = "smol"))]
mod ending;
mod event;
mod job;
mod kept;
mod options;
mod reading;
mod request;
mod services;
mod stepped;
mod stepping;
mod sweep;
mod task;
#[cfg(test)]
mod tests;
mod wish;
mod writing;

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, VecDeque};
use std::iter;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::model::{Object, ServiceId};
use crate::random::Random;
use crate::table::controller::drains::Drains;
use crate::table::controller::job::Job;
use crate::table::controller::kept::{Kept, Serving, Stage};
use crate::table::controller::services::{ByService, Services, in_order};
use crate::table::controller::stepping::Outstanding;
use crate::table::controller::sweep::Sweep;
use crate::table::{DrainPolicy, PlanError};

pub(crate) use agenda::Agenda;
pub(crate) use backoff::after;
pub use drain_status::DrainStatus;
#[cfg(any(feature = "tokio", feature = "smol"))]
#[cfg_attr(docsrs, doc(cfg(any(feature = "tokio", feature = "smol"))))]
pub use ending::Ending;
pub use event::{DrainEnd, Event};
pub use options::{ControllerOptions, RetryPolicy};
pub use request::Request;
pub use stepped::Stepped;
pub use task::{Answer, MOST, Next, Reading, Task, TaskNumber, Work};
pub use wish::Wish;

/// Keeps the kernel's table as wished.
///
/// The program changes the wishes at any time, asks for the [`next`](Self::next) task, does it, and
/// [answers](Self::answer) it. The clients' method `step` does that for a client. The
/// [`events`](Self::events) tell what happened to each wish.
///
/// The same wishes, answers and times give the same tasks and events.
#[derive(Debug)]
pub struct Controller {
    options: ControllerOptions,
    random: Random,
    /// Tells the tasks of this controller from those of others.
    number: u64,
    last_task: u64,
    services: ByService<Kept>,
    /// When single services are to be read.
    agenda: Agenda,
    drains: Drains,
    /// The services for which an attempt failed, or that another program has undone.
    troubles: BTreeMap<ServiceId, Trouble>,
    /// The plans that are being written, in boxes because they move for each task.
    jobs: ByService<Box<Job>>,
    /// The services whose jobs have steps to be written, in turn.
    ready: VecDeque<ServiceId>,
    outstanding: Option<Outstanding>,
    sweep: Option<Sweep>,
    /// When the whole table is to be read again; `None` means now.
    resync_at: Option<Instant>,
    /// The number of unexpected findings since the whole table was as wished.
    surprises: u32,
    /// When the whole table was read last.
    swept_at: Option<Instant>,
    /// `true` while so many services differ that one reading of the whole table is to confirm them
    /// together.
    mass: bool,
    /// `true` if services were written that the next reading of the whole table is to confirm.
    unconfirmed: bool,
    backing_off: Option<BackingOff>,
    events: VecDeque<Event>,
}

/// Why a service is written late.
#[derive(Clone, Copy, Debug, Default)]
struct Trouble {
    /// The failed attempts in a row.
    failures: u32,
    /// How many times in a row another program has undone what was written.
    undone: u32,
    /// `true` if changes were not sent because of others, and nothing was confirmed since.
    unsent: bool,
    /// Nothing is written before this time but the end of drains, and what takes destinations out
    /// that need no replacement.
    until: Option<Instant>,
    /// No destination is taken out before this time.
    taken_out_until: Option<Instant>,
    /// No drain is ended before this time.
    drained_until: Option<Instant>,
}

/// A failure that concerns all services.
#[derive(Clone, Copy, Debug)]
struct BackingOff {
    /// The failures in a row.
    failures: u32,
    /// When the next attempt is due.
    until: Instant,
    /// `true` if changes were refused. That the kernel can be read does not end such a failure.
    of_writing: bool,
}

/// The number of the next controller.
static CONTROLLERS: AtomicU64 = AtomicU64::new(0);

impl Controller {
    /// Creates a controller without wishes. Its first task lists the kernel's services.
    #[must_use]
    pub fn new(options: ControllerOptions) -> Self {
        Self {
            random: Random::new(options.seed),
            options,
            number: CONTROLLERS.fetch_add(1, Ordering::Relaxed),
            last_task: 0,
            services: ByService::default(),
            agenda: Agenda::new(),
            drains: Drains::default(),
            troubles: BTreeMap::new(),
            jobs: ByService::default(),
            ready: VecDeque::new(),
            outstanding: None,
            sweep: None,
            resync_at: None,
            surprises: 0,
            swept_at: None,
            mass: false,
            unconfirmed: false,
            backing_off: None,
            events: VecDeque::new(),
        }
    }

    /// Returns the options. The [`drained_weights`](crate::table::PlanOptions::drained_weights) of
    /// the plan are the present ones: a program that [keeps
    /// weights](crate::table::PlanOptions::keep_weights) stores them for its next run.
    pub const fn options(&self) -> &ControllerOptions {
        &self.options
    }

    /// Wishes a service, or replaces the wish for it. The cost does not depend on the number of
    /// other wishes.
    ///
    /// The newest wish counts, also while an earlier one is being carried out or drains.
    pub fn wish(&mut self, wish: impl Into<Wish>) {
        if let Some(id) = self.take_wish(wish.into()) {
            self.agenda.now(id);
        }
    }

    /// Takes a wish. Returns the id of its service if that is due now.
    fn take_wish(&mut self, wish: Wish) -> Option<ServiceId> {
        let id = wish.id();
        match self.services.entry(id) {
            Entry::Occupied(known) => {
                let kept = known.into_mut();
                if kept.is(&wish) {
                    return None;
                }
                if kept.is_unsettled() {
                    self.events.push_back(Event::Superseded(id));
                }
                kept.replace(wish);
            }
            Entry::Vacant(place) => {
                place.insert(Kept::wished(wish));
            }
        }
        if let Err(invalid) = id.check_encodable() {
            let object = Object::Service(id);
            self.refuse(id, PlanError::Invalid { object, invalid });
            return None;
        }
        self.changed(id);
        Some(id)
    }

    /// Takes the wish for a service back: the service leaves. Does nothing if it is not wished.
    pub fn forget(&mut self, id: ServiceId) {
        let Some(kept) = self.services.get_mut(&id) else { return };
        if kept.wish.is_none() {
            return;
        }
        if kept.is_unsettled() {
            self.events.push_back(Event::Superseded(id));
        }
        kept.forget();
        match id.check_encodable() {
            Ok(()) => {
                self.changed(id);
                self.agenda.now(id);
            }
            // No kernel can have it.
            Err(_) => self.left(id),
        }
    }

    /// Replaces all wishes. What is not among `wishes` leaves. Wishes that stay the same cost a
    /// comparison.
    ///
    /// A [`Table`](crate::table::Table) is a list of wishes.
    pub fn wish_all<W: Into<Wish>>(&mut self, wishes: impl IntoIterator<Item = W>) {
        let wishes = wishes.into_iter();
        self.services.reserve(wishes.size_hint().0.saturating_sub(self.services.len()));
        let known = self.services.iter().filter(|(_, kept)| kept.wish.is_some());
        let mut others: Services = known.map(|(id, _)| *id).collect();
        let mut due = Vec::with_capacity(wishes.size_hint().0);
        for wish in wishes {
            let wish = wish.into();
            if !others.is_empty() {
                others.remove(&wish.id());
            }
            due.extend(self.take_wish(wish));
        }
        self.agenda.all_now(due);
        for id in in_order(others.into_iter()) {
            self.forget(id);
        }
    }

    /// Takes over services that an earlier run of the program wished, such as those of
    /// [`owned`](Self::owned). Those that are not wished now leave, even if the scope does not
    /// name them.
    ///
    /// Wish first, and then call this.
    pub fn formerly(&mut self, ids: impl IntoIterator<Item = ServiceId>) {
        for id in ids {
            if !self.services.contains_key(&id) && id.check_encodable().is_ok() {
                self.services.insert(id, Kept::leaving());
                self.agenda.now(id);
            }
        }
    }

    /// Returns the services that are wished, and those that are still leaving, in order. A program
    /// that stores them hands them to [`formerly`](Self::formerly) when it starts again.
    pub fn owned(&self) -> impl Iterator<Item = ServiceId> {
        let scope = &self.options.plan.scope;
        in_order(self.services.keys().copied().filter(|id| !scope.excludes(*id))).into_iter()
    }

    /// Makes the controller read the whole table now, and write what differs without a delay: what
    /// failed is tried again at once, and a quarrel with another program begins anew.
    ///
    /// While it [backs off](Event::BackingOff) it reads at the end of that delay.
    pub fn resynchronize(&mut self) {
        self.resync_at = None;
        self.troubles.clear();
    }

    /// Takes out the events, in their order. Nothing else removes them: take them out now and then,
    /// also if you do not use them. Those that the iterator has not returned yet when it is
    /// dropped stay.
    pub fn events(&mut self) -> impl Iterator<Item = Event> + use<'_> {
        iter::from_fn(|| self.events.pop_front())
    }

    /// Returns `true` if there are events.
    #[must_use]
    pub fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// Returns the destinations that drain, in the order of their services.
    pub fn drains(&self) -> impl Iterator<Item = DrainStatus> {
        self.drains.status()
    }

    /// Returns `true` if nothing is left to do but to read the whole table now and then: each
    /// wished service is settled or refused, the others have left, and nothing drains. Before the
    /// first reading this is `true` only without a wish and a scope.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let confirmed = self.swept_at.is_some() && !self.unconfirmed;
        let idle = self.outstanding.is_none() && self.jobs.is_empty() && self.sweep.is_none();
        let calm = self.resync_at.is_some() && self.backing_off.is_none();
        // Nothing is deleted from a service whose wish is refused.
        let refused =
            |id: &ServiceId| self.services.get(id).is_some_and(|kept| kept.stage == Stage::Refused);
        let waiting = !self.agenda.is_empty() || !self.drains.services().all(refused);
        (confirmed && idle && calm && !waiting) || !self.has_claims()
    }

    /// Returns `true` if the program was told last that the service is
    /// [serving](Event::Serving).
    #[must_use]
    pub fn is_serving(&self, id: ServiceId) -> bool {
        self.services.get(&id).is_some_and(|kept| kept.serving == Serving::Yes)
    }

    /// Returns `true` if it is not known yet what becomes of the newest wish for a service: neither was the
    /// service found as wished, nor was the wish refused. That changes with an
    /// [event](Self::events), [`Settled`](Event::Settled) or [`Refused`](Event::Refused).
    #[must_use]
    pub fn is_unsettled(&self, id: ServiceId) -> bool {
        self.services.get(&id).is_some_and(Kept::is_unsettled)
    }

    /// Returns `true` if there can be a service that is wished or leaves.
    fn has_claims(&self) -> bool {
        !self.services.is_empty() || !self.options.plan.scope.names_nothing()
    }

    /// Returns how destinations of a service drain; `None` means not at all.
    fn drain_policy(&self, id: ServiceId) -> Option<DrainPolicy> {
        let usual = self.options.plan.drain;
        self.services.get(&id).map_or(usual, |kept| kept.drain(usual))
    }

    /// Gives up what was planned for a service, because its wish has changed.
    fn changed(&mut self, id: ServiceId) {
        self.troubles.remove(&id);
        let is_being_written = self.outstanding.as_ref().is_some_and(|task| task.writes(id));
        match self.jobs.get_mut(&id) {
            Some(job) if is_being_written => job.obsolete = true,
            Some(_) => {
                self.jobs.remove(&id);
            }
            None => {}
        }
    }
}
