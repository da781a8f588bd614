//! Writes plans portion by portion, and takes in the outcomes.

use std::collections::BTreeSet;
use std::time::Instant;

use crate::engine::{Outcome, Report};
use crate::error::{Error, ErrorKind};
use crate::model::{Change, ServiceId};
use crate::table::controller::job::Job;
use crate::table::controller::{Controller, Event, MOST, Stage, Work, Write};
use crate::table::execute::done;
use crate::table::plan::Purpose;
use crate::table::{OnFailure, Phase, Plan, Step, StepOutcome};

/// The steps that a task writes, by their services.
type Parts = Vec<(ServiceId, Vec<usize>)>;

/// What a refusal means.
enum Refusal {
    /// There was nothing to do: another program has done it.
    AlreadySo,
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
        while writes.len() < MOST {
            let Some(id) = self.ready.pop_front() else { break };
            let Some(job) = self.jobs.get_mut(&id) else { continue };
            let portion = match job.obsolete {
                true => None,
                false => job.execution.next_portion(MOST - writes.len()),
            };
            let Some(steps) = portion else {
                if let Some(job) = self.jobs.remove(&id) {
                    self.finish_job(id, job, now);
                }
                continue;
            };
            writes.extend(
                steps
                    .iter()
                    .filter_map(|at| job.execution.step(*at))
                    .map(|step| Write { change: step.change.clone(), read: step.read() }),
            );
            parts.push((id, steps));
            if let Some(sweep) = &mut self.sweep {
                sweep.wrote(id);
            }
        }
        (!writes.is_empty()).then_some((Work::Write(writes), parts))
    }

    /// Takes in the outcomes of a task.
    pub(super) fn written(&mut self, parts: Parts, report: &Report, now: Instant) {
        let mut outcomes = report.outcomes();
        let mut concerning_all = None;
        for (id, steps) in parts {
            let Some(mut job) = self.jobs.remove(&id) else {
                for _ in steps {
                    outcomes.next();
                }
                continue;
            };
            for at in steps {
                let Some(step) = job.execution.step(at).cloned() else { continue };
                let outcome = match outcomes.next() {
                    Some(Outcome::Done) => {
                        self.recover();
                        self.step_done(id, &step, now);
                        job.done(&step.change);
                        done(&step)
                    }
                    Some(Outcome::Refused(error)) => match refusal(&step, error) {
                        Refusal::AlreadySo => {
                            job.done(&step.change);
                            job.conflict = true;
                            StepOutcome::AlreadySo
                        }
                        Refusal::Conflict => {
                            job.conflict = true;
                            StepOutcome::Failed(error.clone())
                        }
                        Refusal::All => {
                            concerning_all = Some((error.clone(), None));
                            StepOutcome::Failed(error.clone())
                        }
                        Refusal::Failed => {
                            let retry =
                                job.retry.unwrap_or_else(|| self.fail(id, Some(step.phase), now));
                            job.retry = Some(retry);
                            if self.options.plan.on_failure == OnFailure::Stop {
                                concerning_all = Some((error.clone(), job.retry));
                            }
                            let (change, error) = (step.change.clone(), error.clone());
                            let failed = StepOutcome::Failed(error.clone());
                            self.events.push_back(Event::Failed { change, error, retry });
                            failed
                        }
                    },
                    Some(Outcome::NotSent(error)) => {
                        if error.concerns_all_services() {
                            concerning_all = Some((error.clone(), None));
                        }
                        job.unknown = Some(step.phase);
                        StepOutcome::Failed(error.clone())
                    }
                    Some(Outcome::Unknown(error)) => {
                        if let Change::DeleteService(_) | Change::DeleteDestination(..) =
                            step.change
                        {
                            self.drains.may_be_deleted(id, step.destination(), now);
                        }
                        job.unknown = Some(step.phase);
                        let (change, error) = (step.change.clone(), error.clone());
                        let failed = StepOutcome::Failed(error.clone());
                        self.events.push_back(Event::Unknown { change, error });
                        failed
                    }
                    None => {
                        job.unknown = Some(step.phase);
                        StepOutcome::Stopped
                    }
                };
                job.execution.set(at, outcome);
            }
            self.tell_serving(id, job.serves());
            self.jobs.insert(id, job);
            self.ready.push_back(id);
        }
        if let Some((error, at_least)) = concerning_all {
            self.back_off(error, at_least, now);
        }
    }

    /// Takes in a step that the kernel has done.
    fn step_done(&mut self, id: ServiceId, step: &Step, now: Instant) {
        self.options.plan.drained_weights.note_step(step);
        self.events.push_back(Event::Done(step.change.clone()));
        let cut = |destination, connections| Event::Cut { service: id, destination, connections };
        match &step.change {
            Change::UpdateDestination(_, destination) if step.purpose == Purpose::Drain => {
                if let Some(policy) = self.options.plan.drain {
                    self.events.extend(self.drains.begin(id, destination.id, policy, None, now));
                }
            }
            Change::DeleteDestination(_, destination) => {
                match self.drains.deleted(id, *destination, now) {
                    Some(event) => self.events.push_back(event),
                    None => {
                        let broken = done(step).cut();
                        self.events.extend(broken.map(|broken| cut(Some(*destination), broken)));
                    }
                }
            }
            Change::DeleteService(_) => {
                let broken = done(step).cut();
                self.events.extend(broken.map(|broken| cut(None, broken)));
                self.events.extend(self.drains.deleted_service(id, now));
            }
            _ => {}
        }
    }

    /// Ends the writing of a plan. Decides when the service is read again.
    fn finish_job(&mut self, id: ServiceId, job: Job, now: Instant) {
        if job.conflict && !job.obsolete {
            self.undone(id, false, now);
        }
        if job.obsolete || job.conflict {
            self.reopen(id);
            self.agenda.now(id);
        } else if job.unknown.is_some() {
            self.reopen(id);
            self.fail(id, job.unknown, now);
            self.agenda.now(id);
        } else if let Some(retry) = job.retry {
            self.reopen(id);
            if job.added_in_vain() {
                self.undo(id, retry);
            }
            self.agenda.at(id, retry);
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
        let mut job = Job::new(plan, None);
        job.retry = Some(retry);
        self.jobs.insert(id, job);
        self.ready.push_back(id);
    }
}

/// Judges a refusal.
fn refusal(step: &Step, error: &Error) -> Refusal {
    let is_gone = error.is_not_found();
    match &step.change {
        Change::DeleteService(_) | Change::DeleteDestination(..) if is_gone => Refusal::AlreadySo,
        Change::UpdateDestination(..) if is_gone && step.purpose == Purpose::Drain => {
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
