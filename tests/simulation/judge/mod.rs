//! Judges every step of a controller. A judge knows what the controller knows, and nothing else:
//! what the user asked for, the readings, and the answers.

pub(crate) mod convergence;
mod drains;
pub(crate) mod knowledge;
mod pace;
mod scope;
mod serving;
mod told;
pub(crate) mod wishes;

use std::collections::BTreeSet;
use std::fmt;
use std::time::Instant;

use ipvs_netlink::ServiceId;
use ipvs_netlink::table::controller::{Answer, ControllerOptions, Event, Wish, Work};

use crate::judge::drains::Drains;
use crate::judge::knowledge::Knowledge;
use crate::judge::pace::Pace;
use crate::judge::told::Told;
use crate::judge::wishes::Wishes;

/// What a judge found, or nothing.
pub(crate) type Verdict = Result<(), String>;

/// The promises, in the order of their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Promise {
    Serving,
    Scope,
    Convergence,
    Drains,
    Told,
    Pace,
    Health,
    /// What is no promise of its own: answers that are late or foreign are ignored, and so on.
    Protocol,
}

/// A promise that was broken, and how.
#[derive(Clone, Debug)]
pub(crate) struct Broken {
    pub(crate) promise: Promise,
    pub(crate) how: String,
}

impl Broken {
    pub(crate) fn new(promise: Promise, how: impl Into<String>) -> Self {
        Self { promise, how: how.into() }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.promise, self.how)
    }
}

fn of(promise: Promise, verdict: Verdict) -> Result<(), Broken> {
    verdict.map_err(|how| Broken::new(promise, how))
}

/// What the judges look at.
#[derive(Clone, Copy)]
pub(crate) struct Case<'a> {
    pub(crate) now: Instant,
    pub(crate) knowledge: &'a Knowledge,
    pub(crate) wishes: &'a Wishes,
    pub(crate) options: &'a ControllerOptions,
    /// The services for which nothing is written, because their wishes cannot be carried out.
    pub(crate) refused: &'a BTreeSet<ServiceId>,
}

/// The judges of one controller, and what they share.
#[derive(Debug)]
pub(crate) struct Court {
    pub(crate) options: ControllerOptions,
    pub(crate) knowledge: Knowledge,
    pub(crate) wishes: Wishes,
    pub(crate) refused: BTreeSet<ServiceId>,
    drains: Drains,
    told: Told,
    pace: Pace,
    /// The number of services that there may be.
    services: usize,
    /// Nothing but the user disturbs this run.
    faultless: bool,
}

impl Court {
    pub(crate) fn new(options: ControllerOptions, services: usize, faultless: bool) -> Self {
        Self {
            options,
            knowledge: Knowledge::default(),
            wishes: Wishes::default(),
            refused: BTreeSet::new(),
            drains: Drains::default(),
            told: Told::default(),
            pace: Pace::default(),
            services,
            faultless,
        }
    }

    fn judge<R>(
        &mut self,
        now: Instant,
        judge: impl FnOnce(&Case<'_>, &mut Drains, &mut Told, &mut Pace) -> R,
    ) -> R {
        let Self { options, knowledge, wishes, refused, drains, told, pace, .. } = self;
        judge(&Case { now, knowledge, wishes, options, refused }, drains, told, pace)
    }

    /// Another controller takes over, which knows nothing but the services that were ours.
    pub(crate) fn restart(&mut self, formerly: BTreeSet<ServiceId>) {
        *self = Self::new(self.options.clone(), self.services, self.faultless);
        self.wishes.ours = formerly;
    }

    /// A refused wish ends, or a hold time begins: until then nothing is deleted.
    fn pause(&mut self, id: ServiceId, now: Instant) {
        let hold = self.options.hold;
        if self.refused.remove(&id) || !hold.is_zero() {
            self.drains.pause(id, now + hold);
        }
    }

    pub(crate) fn wish(&mut self, wish: Wish, now: Instant) {
        let id = wish.id();
        if self.wishes.put(wish) {
            self.pause(id, now);
            self.told.wished(id, true);
            self.judge(now, |case, drains, _, _| drains.wished(case, id));
        }
        self.pace.input(now);
    }

    pub(crate) fn forget(&mut self, id: ServiceId, now: Instant) {
        if self.wishes.forget(id) {
            self.pause(id, now);
            self.told.wished(id, false);
            if !self.wishes.may_change(&self.options, id) {
                self.told.no_concern(id);
            }
            self.judge(now, |case, drains, _, _| drains.wished(case, id));
        }
        self.pace.input(now);
    }

    /// A service was ours in an earlier run. If it is not wished, it is to leave.
    pub(crate) fn formerly(&mut self, id: ServiceId, now: Instant) {
        if !self.wishes.current.contains_key(&id) {
            self.told.wished(id, false);
        }
        self.pace.input(now);
    }

    /// Something happened that gives the controller work.
    pub(crate) fn disturb(&mut self, now: Instant) {
        self.pace.input(now);
    }

    /// The controller asks for a task.
    pub(crate) fn given(&mut self, work: &Work, now: Instant) -> Result<(), Broken> {
        let services = self.services;
        self.judge(now, |case, drains, told, pace| {
            of(Promise::Pace, pace.task(case, services, drains.is_draining()))?;
            match work {
                Work::Write(writes) => {
                    let most = ipvs_netlink::table::controller::MOST;
                    if writes.is_empty() || writes.len() > most {
                        let how = format!("{} changes in a task", writes.len());
                        return Err(Broken::new(Promise::Protocol, how));
                    }
                    of(Promise::Scope, scope::judge(case, writes))?;
                    of(Promise::Serving, serving::judge(case, writes))?;
                    of(Promise::Told, told.given(case, writes))?;
                    of(Promise::Drains, drains.given(case, writes))
                }
                Work::ReadServices(ids) | Work::ReadDestinations(ids)
                    if ids.is_empty() || ids.len() > ipvs_netlink::table::controller::MOST =>
                {
                    let how = format!("{} services in a task", ids.len());
                    Err(Broken::new(Promise::Protocol, how))
                }
                _ => Ok(()),
            }
        })
    }

    /// The controller accepted an answer.
    pub(crate) fn answered(&mut self, work: &Work, answer: &Answer, now: Instant) {
        self.knowledge.answer(work, answer);
        self.judge(now, |case, drains, told, _| {
            drains.answered(case, work, answer);
            told.answered(work, answer);
        });
    }

    /// A task will not be answered.
    pub(crate) fn unanswered(&mut self, work: &Work, now: Instant) {
        self.knowledge.unanswered(work);
        self.told.unanswered(work);
        self.pace.input(now);
    }

    /// The controller told something.
    pub(crate) fn told(&mut self, event: &Event, now: Instant) -> Result<(), Broken> {
        match event {
            Event::Refused { service, .. } => {
                self.refused.insert(*service);
            }
            Event::Settled(id) => {
                self.refused.remove(id);
            }
            _ => {}
        }
        self.judge(now, |case, drains, told, _| {
            of(Promise::Told, told.told(case, event))?;
            of(Promise::Drains, drains.told(case, event))
        })?;
        if let Event::Left(id) = event {
            self.wishes.ours.remove(id);
        }
        Ok(())
    }

    /// The controller has nothing to do for the time being.
    pub(crate) fn waits(&mut self, now: Instant) -> Result<(), Broken> {
        if !self.faultless {
            return Ok(());
        }
        self.judge(now, |case, drains, _, _| of(Promise::Drains, drains.waits(case)))
    }

    /// Nothing is left to do but the next resynchronization.
    pub(crate) fn settled(&self) -> Result<(), Broken> {
        of(Promise::Told, self.told.settled())
    }

    pub(crate) fn is_serving(&self, id: ServiceId) -> bool {
        self.told.is_serving(id)
    }
}
