//! Undoes additions that do harm: a new service without a usable destination, which drops packets,
//! and new destinations in a service of another program.

use std::borrow::Borrow;
use std::ops::Range;

use crate::engine::{Outcome, Report};
use crate::error::{Certainty, Error};
use crate::model::{Change, ServiceId};
use crate::table::execute::applied::StepOutcome;
use crate::table::execute::execution::Execution;
use crate::table::execute::reading::ServiceReading;
use crate::table::execute::sequencer::Task;
use crate::table::plan::{Phase, Plan};

/// The search for harmful additions of [`Phase::Add`], service by service.
#[derive(Debug)]
pub(crate) struct Undoing {
    /// The steps of the services that were not looked at.
    rest: Range<usize>,
    /// What is to be read or written next.
    now: Option<Undo>,
}

#[derive(Debug)]
enum Undo {
    /// The new service is to be read: none of its usable destinations could be added.
    Read(Useless),
    /// The new service is to be deleted.
    Delete(Useless),
    /// The first of these destinations that was added to a service of another program is to be
    /// deleted. They were sent together with a new service that the kernel refused.
    Destinations { because: usize, destinations: Range<usize> },
}

/// A new service without a usable destination.
#[derive(Clone, Debug)]
struct Useless {
    id: ServiceId,
    /// The step that added the service.
    added: usize,
    /// The steps of its destinations.
    destinations: Range<usize>,
    /// The step that failed.
    because: usize,
}

impl Undoing {
    pub(crate) fn new<P: Borrow<Plan>>(execution: &Execution<P>) -> Self {
        let all = execution.range(Phase::Add);
        // Without a failure every addition is of use.
        let rest = if execution.has_failed() { all } else { 0..0 };
        Self { rest, now: None }
    }

    /// Returns what is to be done next, or `None` if nothing is left to be undone.
    pub(crate) fn next<P: Borrow<Plan>>(&mut self, execution: &Execution<P>) -> Option<Task> {
        loop {
            match &mut self.now {
                Some(Undo::Read(useless)) => return Some(Task::Read(useless.id)),
                Some(Undo::Delete(useless)) => {
                    return Some(Task::Write(vec![Change::DeleteService(useless.id)]));
                }
                Some(Undo::Destinations { destinations, .. }) => {
                    if let Some(task) = delete_first(execution, destinations) {
                        return Some(task);
                    }
                    self.now = None;
                }
                None => {
                    let (added, destinations) = self.next_service(execution)?;
                    self.now = judge(execution, added, destinations);
                }
            }
        }
    }

    /// Takes the next step that adds a service, and the steps of its destinations.
    fn next_service<P: Borrow<Plan>>(
        &mut self,
        execution: &Execution<P>,
    ) -> Option<(usize, Range<usize>)> {
        let added = self.rest.next()?;
        let is_destination =
            |at: &usize| execution.step(*at).is_some_and(|step| step.destination().is_some());
        let first = self.rest.start;
        let count = self.rest.clone().take_while(is_destination).count();
        self.rest.start += count;
        Some((added, first..self.rest.start))
    }

    /// Takes in the service that was to be read.
    pub(crate) fn saw(&mut self, reading: Result<ServiceReading<'static>, Error>) {
        match self.now.take() {
            Some(Undo::Read(useless)) => {
                // Another program may have added a destination, or may have made the service anew.
                let serves = reading.map_or(true, |reading| {
                    let entries = reading.destinations.iter();
                    let mut weights = entries.map(|entry| entry.destination.weight);
                    !reading.complete || weights.any(|weight| weight > 0)
                });
                self.now = (!serves).then_some(Undo::Delete(useless));
            }
            writing => self.now = writing,
        }
    }

    /// Takes in what the kernel answered to the deletion.
    pub(crate) fn wrote<P: Borrow<Plan>>(&mut self, execution: &mut Execution<P>, report: &Report) {
        let answer = report.outcome(0);
        match self.now.take() {
            Some(Undo::Delete(Useless { added, destinations, because, .. })) => {
                if !undone(execution, added, because, answer) {
                    return;
                }
                // The destinations of weight 0 were deleted with the service.
                for index in destinations {
                    if execution.outcome(index).is_some_and(StepOutcome::is_done) {
                        execution.set(index, StepOutcome::Undone { because });
                    }
                }
            }
            Some(Undo::Destinations { because, mut destinations }) => {
                if let Some(index) = destinations.next() {
                    undone(execution, index, because, answer);
                }
                self.now = Some(Undo::Destinations { because, destinations });
            }
            reading => self.now = reading,
        }
    }
}

/// Finds out what is to be undone of a service and its destinations, by the outcomes of the steps.
fn judge<P: Borrow<Plan>>(
    execution: &Execution<P>,
    added: usize,
    destinations: Range<usize>,
) -> Option<Undo> {
    match execution.outcome(added)? {
        StepOutcome::Done => find_useless(execution, added, destinations).map(Undo::Read),
        StepOutcome::Failed(error) if error.certainty() != Some(Certainty::Unknown) => {
            Some(Undo::Destinations { because: added, destinations })
        }
        _ => None,
    }
}

/// Returns the service if it was to have usable destinations and none of them could be added.
fn find_useless<P: Borrow<Plan>>(
    execution: &Execution<P>,
    added: usize,
    destinations: Range<usize>,
) -> Option<Useless> {
    let (mut wanted, mut usable, mut failed) = (false, false, None);
    for index in destinations.clone() {
        let weight = match execution.step(index).map(|step| &step.change) {
            Some(Change::AddDestination(_, destination)) => destination.weight,
            _ => 0,
        };
        wanted |= weight > 0;
        match execution.outcome(index) {
            Some(outcome) if outcome.is_done() => usable |= weight > 0,
            // The kernel may have added the destination.
            Some(StepOutcome::Failed(error)) if error.certainty() == Some(Certainty::Unknown) => {
                usable = true;
            }
            Some(StepOutcome::Skipped { because }) => failed = failed.or(Some(*because)),
            _ => failed = failed.or(Some(index)),
        }
    }
    let id = execution.service(added)?;
    (wanted && !usable).then_some(Useless { id, added, destinations, because: failed? })
}

/// Passes the destinations that were not added. Returns the deletion of the first that was, or
/// `None` if there is none.
fn delete_first<P: Borrow<Plan>>(
    execution: &Execution<P>,
    destinations: &mut Range<usize>,
) -> Option<Task> {
    let deletion = |index: usize| match (execution.outcome(index)?, &execution.step(index)?.change)
    {
        (StepOutcome::Done, Change::AddDestination(service, destination)) => {
            Some(Change::DeleteDestination(*service, destination.id))
        }
        _ => None,
    };
    while let Some(index) = destinations.clone().next() {
        if let Some(deletion) = deletion(index) {
            return Some(Task::Write(vec![deletion]));
        }
        destinations.next();
    }
    None
}

/// Sets the outcome of a step whose opposite was written, by the kernel's answer to that. Returns
/// `true` if the step is undone.
fn undone<P: Borrow<Plan>>(
    execution: &mut Execution<P>,
    index: usize,
    because: usize,
    answer: Option<&Outcome>,
) -> bool {
    match answer.and_then(Outcome::error) {
        Some(error) if error.certainty() == Some(Certainty::Unknown) => {
            execution.set(index, StepOutcome::Failed(error.clone()));
            false
        }
        // The kernel refused: the step stays done.
        Some(error) if !error.is_not_found() => false,
        _ => {
            execution.set(index, StepOutcome::Undone { because });
            true
        }
    }
}
