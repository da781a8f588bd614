//! Chooses the next task.

use std::mem;
use std::time::Instant;

use crate::error::{Context, Error, Failure};
use crate::model::ServiceId;
use crate::table::Phase;
use crate::table::controller::backoff::after;
use crate::table::controller::options::SHORTEST_RESYNC;
use crate::table::controller::services::in_order;
use crate::table::controller::sweep::Sweep;
use crate::table::controller::{
    Answer, BackingOff, Controller, Event, MOST, Next, Stage, Task, TaskNumber, Trouble, Work,
};

/// The task that has not been answered.
#[derive(Debug)]
pub(super) struct Outstanding {
    number: u64,
    kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    List,
    Destinations,
    Services(Vec<ServiceId>),
    /// The steps that are written, by their services.
    Write(Vec<(ServiceId, Vec<usize>)>),
}

impl Outstanding {
    /// Returns `true` if the task writes a service.
    pub(super) fn writes(&self, id: ServiceId) -> bool {
        match &self.kind {
            Kind::Write(parts) => parts.iter().any(|(service, _)| *service == id),
            _ => false,
        }
    }
}

impl Controller {
    /// Returns what is to be done at the time `now`.
    ///
    /// Answer each task before you call this again. If you cannot, call this all the same: the
    /// controller then finds out by reading what came of the task.
    pub fn next(&mut self, now: Instant) -> Next {
        if let Some(unanswered) = self.outstanding.take() {
            self.take_back(unanswered.kind, now);
        }
        if let Some(delay) = self.backing_off.filter(|delay| delay.until > now) {
            return Next::Wait(Some(delay.until));
        }
        loop {
            if let Some((work, parts)) = self.gather_writes(now) {
                return self.hand_out(work, Kind::Write(parts));
            }
            if !self.has_claims() {
                return Next::Wait(None);
            }
            let due = self.agenda.due_now(now);
            let many = is_mass(due, self.services.len());
            let resync = self.resync_at.is_none_or(|at| at <= now);
            if self.sweep.is_none() && (resync || many) {
                self.mass = many;
                self.unconfirmed = false;
                self.sweep = Some(Sweep::new(many || self.swept_at.is_none()));
                let interval = self.options.resync.max(SHORTEST_RESYNC);
                self.resync_at = Some(after(now, self.random.interval(interval)));
            }
            if due > 0 && !self.sweep.as_ref().is_some_and(Sweep::goes_first) {
                let ids = self.agenda.take(MOST, now);
                if let Some(sweep) = &mut self.sweep {
                    sweep.read_alone(ids.len());
                }
                return self.hand_out(Work::ReadServices(ids.clone()), Kind::Services(ids));
            }
            let Some(sweep) = &mut self.sweep else {
                let times = self.agenda.next().into_iter().chain(self.resync_at);
                return Next::Wait(times.min());
            };
            if !sweep.listed {
                return self.hand_out(Work::ListServices, Kind::List);
            }
            if let Some(id) = sweep.next_absent() {
                // Enough for one task. The others follow when these are written.
                let mut absent = Some(id);
                let mut changes = 0;
                while let Some(id) = absent {
                    self.sweep_found(id, None, now);
                    changes += self.jobs.get(&id).map_or(0, |job| job.execution.plan().len());
                    let more = self.sweep.as_mut().filter(|_| changes < MOST);
                    absent = more.and_then(Sweep::next_absent);
                }
                continue;
            }
            let ids = sweep.next_portion();
            if ids.is_empty() {
                if sweep.is_over(due) {
                    self.finish_sweep(now);
                }
                continue;
            }
            return self.hand_out(Work::ReadDestinations(ids), Kind::Destinations);
        }
    }

    fn hand_out(&mut self, work: Work, kind: Kind) -> Next {
        self.last_task += 1;
        let number = self.last_task;
        self.outstanding = Some(Outstanding { number, kind });
        Next::Do(Task { number: TaskNumber { controller: self.number, number }, work })
    }

    /// Takes in what came of the task `number`, at the time `now`.
    ///
    /// Returns `false` and does nothing if the task is not the last one of this controller, if it
    /// was answered before, or if the answer is of another kind than the task.
    pub fn answer(&mut self, number: TaskNumber, answer: Answer, now: Instant) -> bool {
        let is_expected = self.outstanding.as_ref().is_some_and(|outstanding| {
            let fits = matches!(
                (&outstanding.kind, &answer),
                (Kind::List, Answer::Services(_))
                    | (Kind::Destinations, Answer::Destinations(_))
                    | (Kind::Services(_), Answer::Readings(_))
                    | (Kind::Write(_), Answer::Written(_))
                    | (_, Answer::Failed(_))
            );
            fits && number == TaskNumber { controller: self.number, number: outstanding.number }
        });
        let Some(Outstanding { kind, .. }) = self.outstanding.take_if(|_| is_expected) else {
            return false;
        };
        match (kind, answer) {
            (Kind::List, Answer::Services(listing)) => {
                self.recover(false);
                self.listed(listing);
            }
            (Kind::Destinations, Answer::Destinations(destinations)) => {
                self.recover(false);
                self.read_destinations(destinations, now);
            }
            (Kind::Services(ids), Answer::Readings(readings)) => {
                self.recover(false);
                self.read_services(ids, readings, now);
            }
            (Kind::Write(parts), Answer::Written(report)) => self.written(parts, &report, now),
            (Kind::Destinations, Answer::Failed(error)) if !error.concerns_all_services() => {
                // One of them is at fault. Each is read alone.
                let entries = self.sweep.as_mut().map(Sweep::take_reading).unwrap_or_default();
                entries.iter().for_each(|entry| self.agenda.now(entry.service.id));
            }
            (kind, Answer::Failed(error)) => {
                let of_writing = matches!(kind, Kind::Write(_));
                self.take_back(kind, now);
                self.back_off(error, None, of_writing, now);
            }
            _ => {}
        }
        true
    }

    /// Handles a task that was not answered: its outcome is found out by reading.
    fn take_back(&mut self, kind: Kind, now: Instant) {
        match kind {
            Kind::List => {}
            Kind::Destinations => {
                if let Some(sweep) = &mut self.sweep {
                    sweep.put_back();
                }
            }
            Kind::Services(ids) => ids.into_iter().for_each(|id| self.agenda.now(id)),
            Kind::Write(parts) => {
                for (id, indices) in parts {
                    if let Some(job) = self.jobs.remove(&id) {
                        let steps = indices.into_iter().filter_map(|at| job.execution.step(at));
                        for step in steps {
                            let change = step.change.clone();
                            let context = Context::of(&change);
                            let error = Error::unanswered(context, Failure::DeadlineExceeded);
                            self.drains.in_doubt(id, step, now);
                            self.events.push_back(Event::Unknown { change, error });
                        }
                    }
                    self.reopen(id);
                    self.agenda.now(id);
                }
            }
        }
    }

    /// Delays everything after a failure that concerns all services, until the time `at_least`. Then
    /// reads the whole table: the module may have been reloaded. `of_writing` tells that changes
    /// were refused.
    pub(super) fn back_off(
        &mut self,
        error: Error,
        at_least: Option<Instant>,
        of_writing: bool,
        now: Instant,
    ) {
        let before = self.backing_off;
        let failures = before.map_or(0, |before| before.failures).saturating_add(1);
        let of_writing = of_writing || before.is_some_and(|before| before.of_writing);
        let until = after(now, self.random.delay(self.options.retry, failures));
        let until = at_least.map_or(until, |at_least| until.max(at_least));
        self.backing_off = Some(BackingOff { failures, until, of_writing });
        for id in in_order(mem::take(&mut self.jobs).into_keys()) {
            self.reopen(id);
            self.agenda.now(id);
        }
        self.ready.clear();
        self.sweep = None;
        self.resync_at = None;
        self.events.push_back(Event::BackingOff { error, until });
    }

    /// Notes that the kernel can be read, or that it has also done what was asked.
    pub(super) fn recover(&mut self, has_done: bool) {
        if self.backing_off.take_if(|delay| has_done || !delay.of_writing).is_some() {
            self.events.push_back(Event::Recovered);
        }
    }

    /// Notes a finding that nobody expected: the whole table is read again, at once for the first
    /// time.
    pub(super) fn surprised(&mut self, now: Instant) {
        let delay = match self.surprises {
            0 => None,
            before => Some(self.random.delay(self.options.retry, before)),
        };
        self.surprises = self.surprises.saturating_add(1);
        let soon = delay.map(|delay| after(now, delay));
        self.resync_at = soon.zip(self.resync_at).map(|(soon, later)| soon.min(later));
    }

    /// Delays the writes for a service after a failed attempt, and the end of its drains, too, if
    /// that has failed. Returns the time of the next attempt.
    pub(super) fn fail(&mut self, id: ServiceId, phase: Option<Phase>, now: Instant) -> Instant {
        let trouble = self.troubles.entry(id).or_default();
        trouble.failures = trouble.failures.saturating_add(1);
        let until = after(now, self.random.delay(self.options.retry, trouble.failures));
        trouble.until = Some(until);
        match phase {
            Some(Phase::Drained) => trouble.drained_until = Some(until),
            Some(Phase::Reduce | Phase::Delete) => trouble.taken_out_until = Some(until),
            _ => {}
        }
        until
    }

    /// Notes that another program has undone what was written in a phase. From the second time on
    /// delays the writes, and the end of drains if that was undone, and tells of it. `swept` is
    /// `true` in a reading of the whole table.
    pub(super) fn undone(
        &mut self,
        id: ServiceId,
        phase: Option<Phase>,
        swept: bool,
        now: Instant,
    ) {
        let trouble = self.troubles.entry(id).or_default();
        let Trouble { undone: times, until, drained_until, .. } = trouble;
        *times = times.saturating_add(1);
        let times = *times;
        if times > 1 {
            let next = after(now, self.random.delay(self.options.retry, times - 1));
            *until = Some(next);
            if phase == Some(Phase::Drained) {
                *drained_until = Some(next);
            }
            self.events.push_back(Event::Contested { service: id, times, until: next });
        }
        self.reopen(id);
        if !swept {
            self.surprised(now);
        }
    }

    /// Notes that a service may not be as wished.
    pub(super) fn reopen(&mut self, id: ServiceId) {
        if let Some(kept) = self.services.get_mut(&id) {
            kept.stage = Stage::Open;
        }
    }
}

/// Returns `true` if reading the whole table costs less than reading `some` of `all` services one
/// by one.
pub(super) const fn is_mass(some: usize, all: usize) -> bool {
    some > 64 && some.saturating_mul(4) > all
}
