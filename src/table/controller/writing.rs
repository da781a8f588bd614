//! Writes plans portion by portion, and takes in the outcomes.

use std::collections::{BTreeSet, VecDeque};
use std::time::Instant;

use crate::engine::{Outcome, Report};
use crate::error::{Context, Error, ErrorKind, Failure};
use crate::model::{Change, ServiceId};
use crate::table::controller::job::Job;
use crate::table::controller::reading::goes_without_replacement;
use crate::table::controller::{Controller, Event, MOST, Stage, Work};
use crate::table::execute::{CAREFUL_PORTION, done};
use crate::table::plan::Purpose;
use crate::table::{OnFailure, Phase, Plan, Step, StepOutcome};

/// The steps that a task writes, by their services.
type Parts = Vec<(ServiceId, Vec<usize>)>;

/// What a refusal means.
enum Refusal {
    /// There was nothing to do: another program has done it.
    AlreadySo,
    /// It follows from the failure of the step at this index.
    Skipped { because: usize },
    /// Another program has written the service since it was read.
    Conflict,
    /// It concerns all services.
    All,
    /// The kernel does not take the change.
    Failed,
}

impl Controller {
    /// Returns the next changes to be written, and the steps that they belong to. Returns `None`
    /// if there are none.
    pub(super) fn gather_writes(&mut self, now: Instant) -> Option<(Work, Parts)> {
        let (mut writes, mut parts) = (Vec::new(), Parts::new());
        let phase = self.common_phase();
        let most = if phase.is_some() { CAREFUL_PORTION } else { MOST };
        let mut later = VecDeque::new();
        while writes.len() < most {
            let Some(id) = self.ready.pop_front() else { break };
            let Some(job) = self.jobs.get_mut(&id).filter(|job| job.queued) else { continue };
            if phase.is_some() && !job.obsolete && job.execution.phase_to_come() > phase {
                later.push_back(id);
                continue;
            }
            job.queued = false;
            let portion = match job.obsolete {
                true => None,
                false => job.execution.next_portion(most - writes.len()),
            };
            let Some(steps) = portion else {
                if let Some(job) = self.jobs.remove(&id) {
                    self.finish_job(id, *job, now);
                }
                continue;
            };
            if writes.is_empty() {
                writes.reserve(MOST.min(steps.len() * (self.ready.len() + 1)));
            }
            writes.extend(
                steps
                    .iter()
                    .filter_map(|at| job.execution.step(*at))
                    .map(|step| step.change.clone()),
            );
            parts.push((id, steps));
            if let Some(sweep) = &mut self.sweep {
                sweep.supersede(id);
            }
        }
        self.ready.append(&mut later);
        (!writes.is_empty()).then_some((Work::Write(writes), parts))
    }

    /// Returns the phase that all services finish before one of them begins the next: a failure is
    /// to stop what comes later. Returns `None` if a failure stops its own service only.
    fn common_phase(&self) -> Option<Phase> {
        if self.options.plan.on_failure == OnFailure::KeepService {
            return None;
        }
        let jobs = self.ready.iter().filter_map(|id| self.jobs.get(id));
        jobs.filter(|job| !job.obsolete).filter_map(|job| job.execution.phase_to_come()).min()
    }

    /// Takes in the outcomes of a task.
    pub(super) fn written(&mut self, parts: Parts, report: &Report, now: Instant) {
        let mut outcomes = report.outcomes();
        let mut concerns_all = None;
        for (id, steps) in parts {
            let mut job = self.jobs.remove(&id);
            for at in steps {
                let (Some(job), outcome) = (&mut job, outcomes.next()) else { continue };
                let (outcome, failure) = self.step_written(id, job, at, outcome, now);
                job.set(at, outcome);
                concerns_all = failure.or(concerns_all);
            }
            if let Some(job) = job {
                self.tell_serving(id, job.serves());
                self.queue(id, job);
            }
        }
        if let Some((error, at_least)) = concerns_all {
            self.back_off(error, at_least, true, now);
        }
    }

    /// Takes in the outcome of a step. Returns what becomes of the step, and a failure that
    /// concerns all services with the time before which nothing is to be tried.
    fn step_written(
        &mut self,
        id: ServiceId,
        job: &mut Job,
        at: usize,
        outcome: Option<&Outcome>,
        now: Instant,
    ) -> (StepOutcome, Option<(Error, Option<Instant>)>) {
        let Some(step) = job.execution.step(at) else { return (StepOutcome::Stopped, None) };
        let (phase, change) = (step.phase, &step.change);
        let failed = |error: &Error| StepOutcome::Failed(error.clone());
        let concerning_all =
            |error: &Error| error.concerns_all_services().then(|| (error.clone(), None));
        match outcome {
            Some(Outcome::Done) => {
                self.recover(true);
                self.step_done(id, step, now);
                (done(step), None)
            }
            Some(Outcome::Refused(error)) => match refusal(job, step, error) {
                Refusal::AlreadySo => {
                    job.conflict = Some(phase);
                    (StepOutcome::AlreadySo, None)
                }
                Refusal::Skipped { because } => (StepOutcome::Skipped { because }, None),
                Refusal::Conflict => {
                    job.conflict = Some(phase);
                    (failed(error), None)
                }
                Refusal::All => (failed(error), concerning_all(error)),
                Refusal::Failed => {
                    (failed(error), self.refused(id, step, error, &mut job.retry, now))
                }
            },
            Some(Outcome::NotSent(error))
                if error.kind() == ErrorKind::NotAttempted || error.concerns_all_services() =>
            {
                job.unsent = Some(phase);
                (failed(error), concerning_all(error))
            }
            Some(Outcome::NotSent(error)) => {
                (failed(error), self.refused(id, step, error, &mut job.retry, now))
            }
            Some(Outcome::Unknown(_)) | None => {
                let lost = || Error::unanswered(Context::of(change), Failure::DeadlineExceeded);
                let error = outcome.and_then(Outcome::error).cloned().unwrap_or_else(lost);
                self.drains.in_doubt(id, step, now);
                let outcome = failed(&error);
                self.events.push_back(Event::Unknown { change: change.clone(), error });
                job.unknown = Some(phase);
                (outcome, None)
            }
        }
    }

    /// Notes that a step was refused. All that are refused of one job are tried again at the same
    /// time, `retry`. Returns the failure, if it stops all services.
    fn refused(
        &mut self,
        id: ServiceId,
        step: &Step,
        error: &Error,
        retry: &mut Option<Instant>,
        now: Instant,
    ) -> Option<(Error, Option<Instant>)> {
        let retry = *retry.get_or_insert_with(|| self.fail(id, Some(step.phase), now));
        let change = step.change.clone();
        self.events.push_back(Event::Failed { change, error: error.clone(), retry });
        self.stops_at_failure().then(|| (error.clone(), Some(retry)))
    }

    fn stops_at_failure(&self) -> bool {
        self.options.plan.on_failure == OnFailure::Stop
    }

    /// Takes in a step that the kernel has done.
    fn step_done(&mut self, id: ServiceId, step: &Step, now: Instant) {
        self.options.plan.drained_weights.note_step(step);
        self.events.push_back(Event::Done(step.change.clone()));
        let cut = |destination| {
            let event = |connections| Event::Cut { service: id, destination, connections };
            done(step).cut().map(event)
        };
        match &step.change {
            Change::UpdateDestination(_, destination) if step.purpose == Purpose::Drain => {
                if let Some(policy) = self.drain_policy(id) {
                    self.events.extend(self.drains.begin(id, destination.id, policy, None, now));
                }
            }
            Change::DeleteDestination(_, destination) => {
                let drained = self.drains.deleted(id, *destination, now);
                self.events.extend(drained.or_else(|| cut(Some(*destination))));
            }
            Change::DeleteService(_) => {
                self.events.extend(cut(None));
                self.events.extend(self.drains.deleted_service(id, now));
            }
            _ => {}
        }
    }

    /// Ends the writing of a plan. Decides when the service is read again.
    fn finish_job(&mut self, id: ServiceId, job: Job, now: Instant) {
        if job.conflict.is_some() && !job.obsolete {
            self.undone(id, job.conflict, false, now);
        }
        if job.obsolete || job.conflict.is_some() {
            self.reopen(id);
            self.agenda.now(id);
        } else if job.unsent.is_some() && job.unknown.is_none() {
            self.reopen(id);
            let trouble = self.troubles.entry(id).or_default();
            match std::mem::replace(&mut trouble.unsent, true) {
                false => self.agenda.now(id),
                true => {
                    let retry = self.fail(id, job.unsent, now);
                    self.agenda.at(id, retry);
                }
            }
        } else if job.unknown.is_some() {
            self.reopen(id);
            self.fail(id, job.unknown, now);
            self.agenda.now(id);
        } else if let Some(retry) = job.retry {
            self.reopen(id);
            if job.added_in_vain() {
                self.undo(id, retry);
            }
            match job.skipped(goes_without_replacement) && !job.partial {
                true => self.agenda.now(id),
                false => self.agenda.at(id, retry),
            }
            // Other destinations may have begun to drain.
            if let Some(look) = self.drains.next_look(id, now) {
                self.agenda.at(id, look);
            }
        } else if job.partial {
            self.reopen(id);
            self.agenda.now(id);
        } else {
            if let Some(kept) = self.services.get_mut(&id) {
                kept.stage = Stage::Written;
            }
            match self.mass {
                true => self.unconfirmed = true,
                false => self.agenda.now(id),
            }
        }
    }

    /// Deletes a service again that no usable destination could be added to: it would drop the
    /// packets of its clients.
    fn undo(&mut self, id: ServiceId, retry: Instant) {
        let delete = Step::new(Change::DeleteService(id), Phase::Delete, None, Purpose::Desired);
        let plan = Plan::of(vec![delete], &self.options.plan, BTreeSet::new());
        let mut job = Box::new(Job::new(plan, None));
        job.retry = Some(retry);
        self.queue(id, job);
    }

    /// Puts a job into the queue of those that have steps to be written.
    pub(super) fn queue(&mut self, id: ServiceId, mut job: Box<Job>) {
        job.queued = true;
        self.jobs.insert(id, job);
        self.ready.push_back(id);
    }
}

/// Judges a refusal.
fn refusal(job: &Job, step: &Step, error: &Error) -> Refusal {
    let is_gone = error.is_not_found();
    let because = job.execution.failed_before(step.service());
    match (&step.change, because) {
        // Both were sent together.
        (Change::AddDestination(..), Some(because)) if is_gone => Refusal::Skipped { because },
        (Change::DeleteService(_) | Change::DeleteDestination(..), _) if is_gone => {
            Refusal::AlreadySo
        }
        (Change::UpdateDestination(..), _) if is_gone && step.purpose == Purpose::Drain => {
            Refusal::AlreadySo
        }
        _ if is_gone
            || matches!(error.kind(), ErrorKind::ServiceExists | ErrorKind::DestinationExists) =>
        {
            Refusal::Conflict
        }
        _ if error.concerns_all_services() => Refusal::All,
        _ => Refusal::Failed,
    }
}
