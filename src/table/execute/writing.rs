//! Writes steps in portions, and finds out what came of each.

use std::borrow::Borrow;

use crate::engine::{Outcome, Report, not_attempted};
use crate::error::Error;
use crate::model::{Change, Connections, Protocol, ServiceId};
use crate::table::execute::applied::StepOutcome;
use crate::table::execute::conflicts::{Adaptation, Update, adapt, judge_refusal};
use crate::table::execute::execution::Execution;
use crate::table::execute::reading::ServiceReading;
use crate::table::execute::sequencer::Task;
use crate::table::options::OnFailure;
use crate::table::plan::{Before, Phase, Plan, Step};

/// The largest number of changes given to the engine at once. Each of them is copied.
const PORTION: usize = 1024;

/// Steps that are being written. They do not depend on one another's outcomes.
#[derive(Debug, Default)]
pub(crate) struct Writing {
    steps: Vec<usize>,
    /// The number of steps that were in a portion already.
    taken: usize,
    /// The steps of the portion that is written or judged.
    portion: Vec<usize>,
    /// What the kernel answered to the portion.
    report: Option<Report>,
    /// The number of steps of the portion that have been judged.
    judged: usize,
    /// What is to be found out or written before the next step is judged.
    doubt: Option<Doubt>,
    /// `true` if an answer was lost: nothing more is sent.
    lost: bool,
    /// The last service that was read because of a lost answer. `None` stands for a reading that
    /// failed.
    looked: Option<(ServiceId, Option<ServiceReading<'static>>)>,
}

/// What keeps a step from being judged.
#[derive(Debug)]
enum Doubt {
    /// The service is to be read: the answer to the step was lost.
    Unanswered(ServiceId),
    /// The settings of the service, or else the destinations, are to be read: another program has
    /// added the object.
    Exists { service: ServiceId, settings: bool, error: Error },
    /// An update of an object that another program added is to be written.
    Adapting(Box<Update>),
}

impl Writing {
    pub(crate) const fn new(steps: Vec<usize>) -> Self {
        Self {
            steps,
            taken: 0,
            portion: Vec::new(),
            report: None,
            judged: 0,
            doubt: None,
            lost: false,
            looked: None,
        }
    }

    /// Returns what is to be done next, or `None` if every step has an outcome.
    pub(crate) fn next<P: Borrow<Plan>>(&mut self, execution: &mut Execution<P>) -> Option<Task> {
        loop {
            self.judge(execution);
            match &self.doubt {
                None => {}
                Some(
                    Doubt::Unanswered(service) | Doubt::Exists { service, settings: false, .. },
                ) => return Some(Task::Read(*service)),
                Some(Doubt::Exists { service, .. }) => return Some(Task::ReadSettings(*service)),
                Some(Doubt::Adapting(update)) => {
                    return Some(Task::Write(vec![update.wanted.clone()]));
                }
            }
            if self.portion.is_empty() && !self.take_portion(execution) {
                return None;
            }
            let steps = self.portion.iter().filter_map(|index| execution.step(*index));
            if !self.lost {
                // Collecting would grow the list several times.
                let mut changes = Vec::with_capacity(self.portion.len());
                changes.extend(steps.map(|step| step.change.clone()));
                return Some(Task::Write(changes));
            }
            self.report = Some(steps.map(|step| not_attempted(&step.change)).collect());
        }
    }

    /// Takes the next portion that has steps to be written. Returns `false` if there is none.
    fn take_portion<P: Borrow<Plan>>(&mut self, execution: &mut Execution<P>) -> bool {
        while let Some(rest) = self.steps.get(self.taken..).filter(|rest| !rest.is_empty()) {
            let portion = execution.together(rest, PORTION);
            self.taken += portion.len();
            if execution.plan().on_failure == OnFailure::Stop {
                execution.skip_dependants(portion.iter().copied());
            }
            self.portion.extend(execution.undecided(portion.iter().copied()));
            if !self.portion.is_empty() {
                return true;
            }
        }
        false
    }

    /// Takes in what the kernel answered to [`Task::Write`].
    pub(crate) fn wrote<P: Borrow<Plan>>(&mut self, execution: &mut Execution<P>, report: Report) {
        match self.doubt.take() {
            None => self.report = Some(report),
            Some(Doubt::Adapting(_)) => {
                let outcome = match report.outcome(0).and_then(Outcome::error) {
                    None => StepOutcome::Replaced,
                    Some(error) => StepOutcome::Failed(error.clone()),
                };
                self.decide(execution, outcome);
            }
            reading => self.doubt = reading,
        }
    }

    /// Takes in a service that was to be read.
    pub(crate) fn saw<P: Borrow<Plan>>(
        &mut self,
        execution: &mut Execution<P>,
        reading: Result<ServiceReading<'static>, Error>,
    ) {
        match self.doubt.take() {
            Some(Doubt::Unanswered(service)) => self.looked = Some((service, reading.ok())),
            Some(Doubt::Exists { error, .. }) => {
                let Some(step) = self.step_in_doubt(execution) else { return };
                match adapt(execution, step, reading.ok().as_ref(), &error) {
                    Adaptation::Decided(outcome) => self.decide(execution, outcome),
                    Adaptation::Update(update) => self.doubt = Some(Doubt::Adapting(update)),
                }
            }
            writing => self.doubt = writing,
        }
    }

    /// Returns the update to the settings that the object of a change has which
    /// [`Task::Write`] writes.
    pub(crate) fn before<P: Borrow<Plan>>(
        &self,
        execution: &Execution<P>,
        at: usize,
    ) -> Option<Change> {
        match &self.doubt {
            Some(Doubt::Adapting(update)) => Some(update.read.clone()),
            _ => execution.step(*self.portion.get(at)?)?.read(),
        }
    }

    fn step_in_doubt<'e, P: Borrow<Plan>>(&self, execution: &'e Execution<P>) -> Option<&'e Step> {
        execution.step(*self.portion.get(self.judged)?)
    }

    /// Sets the outcome of the step that is judged.
    fn decide<P: Borrow<Plan>>(&mut self, execution: &mut Execution<P>, outcome: StepOutcome) {
        if let Some(index) = self.portion.get(self.judged) {
            execution.set(*index, outcome);
        }
        self.judged += 1;
    }

    /// Judges the steps of the portion that were answered, in order, until one is in doubt.
    fn judge<P: Borrow<Plan>>(&mut self, execution: &mut Execution<P>) {
        while let (None, Some(report)) = (&self.doubt, &self.report) {
            let (Some(outcome), Some(step)) =
                (report.outcome(self.judged), self.step_in_doubt(execution))
            else {
                (self.report, self.judged) = (None, 0);
                self.portion.clear();
                return;
            };
            self.lost |= matches!(outcome, Outcome::Unknown(_));
            match self.judge_step(execution, step, outcome) {
                Ok(outcome) => self.decide(execution, outcome),
                Err(doubt) => self.doubt = Some(doubt),
            }
        }
    }

    /// Returns the outcome of a step by the kernel's answer, or what is to be found out first.
    fn judge_step<P: Borrow<Plan>>(
        &self,
        execution: &Execution<P>,
        step: &Step,
        outcome: &Outcome,
    ) -> Result<StepOutcome, Doubt> {
        let (error, service) = match (outcome, step.service()) {
            (Outcome::Done, _) => return Ok(done(step)),
            (Outcome::Refused(error) | Outcome::Unknown(error), Some(service)) => (error, service),
            (Outcome::Refused(error) | Outcome::Unknown(error) | Outcome::NotSent(error), _) => {
                return Ok(StepOutcome::Failed(error.clone()));
            }
        };
        if matches!(outcome, Outcome::Refused(_)) {
            return judge_refusal(execution, step, error).ok_or_else(|| Doubt::Exists {
                service,
                settings: step.destination().is_none(),
                error: error.clone(),
            });
        }
        match &self.looked {
            Some((looked, reading)) if *looked == service => Ok(match reading {
                Some(reading) if reading.shows(step) => done(step),
                _ => StepOutcome::Failed(error.clone()),
            }),
            _ => Err(Doubt::Unanswered(service)),
        }
    }
}

/// Returns the outcome of a step that the kernel executed: `Done`, or `Cut` if connections broke.
pub(crate) fn done(step: &Step) -> StepOutcome {
    cut_at_once(step).map_or(StepOutcome::Done, StepOutcome::Cut)
}

/// Returns the connections that a deletion without a wait breaks, or `None` if none carries data.
/// Inactive connections of UDP may carry data: the kernel never counts UDP as active.
fn cut_at_once(step: &Step) -> Option<Connections> {
    let deletes = matches!(step.change, Change::DeleteService(_) | Change::DeleteDestination(..));
    if !deletes || step.phase == Phase::Drained {
        return None;
    }
    let (Before::Service { connections, .. } | Before::Destination { connections, .. }) =
        step.before()?;
    let udp = matches!(step.service(), Some(ServiceId::Address { protocol: Protocol::UDP, .. }));
    let carries = connections.active > 0 || (udp && connections.inactive > 0);
    carries.then_some(*connections)
}
