//! `table apply`.

use std::collections::HashSet;
use std::ops::ControlFlow;

use ipvs_netlink::table::{Applied, Before, Phase, Plan, Progress, StepOutcome, Table};
use ipvs_netlink::{Change, Client, Connections, Snapshot};

use crate::arguments::Apply;
use crate::exit::{Failure, Status};
use crate::interrupt::Interrupt;
use crate::memory::Memory;
use crate::screen::{Screen, draining};
use crate::settings;
use crate::values::Deadline;
use crate::{file, json};

/// Shows the plan, asks, and does it.
pub(crate) fn run(apply: &Apply, screen: &Screen) -> Result<Status, Failure> {
    let planning = &apply.planning;
    if !apply.yes && file::is_standard_input(&planning.file.path) {
        return Err(Failure::new("a table from standard input cannot be confirmed: use --yes"));
    }
    // Report a bad file before waiting for the lock.
    let mut desired = file::read(&planning.file)?;
    let mut ipvs = planning.kernel.connect()?;
    let interrupt = Interrupt::new(false)?;
    let none = Memory::default();
    let mut alone = None;
    if apply.yes {
        alone = Some(planning.kernel.alone(apply.wait, screen)?);
        desired = file::read_again(&planning.file, desired)?;
    }
    screen.doubts(&desired).strictly(planning.strict)?;
    let (plan, planned, mut snapshot) = planning.plan(&mut ipvs, &desired, &none, screen)?;
    if !planning.json {
        screen.diff(&plan)?;
    }
    if !apply.yes && (!plan.is_empty() || settings::are_to_be_written(&plan)) {
        // Standard output is for the JSON alone.
        let shown = if planning.json { plan.to_string() } else { String::new() };
        screen.confirm(&format!("{shown}{}", question(&plan)))?;
        // The answer may have taken long, so read everything again.
        alone = Some(planning.kernel.alone(apply.wait, screen)?);
        desired = file::read_again(&planning.file, desired)?;
        let (now, _, again) = planning.plan(&mut ipvs, &desired, &none, screen)?;
        let same = now.steps().map(|step| &step.change).eq(plan.steps().map(|step| &step.change));
        if !same || now.settings_plan() != plan.settings_plan() {
            let changed = "the table or the file has changed since the question";
            screen.note(&format!("{changed}; the plan would now be:\n{now}"));
            return Err(Failure::new("nothing was changed; try again"));
        }
        snapshot = again;
    }
    settings::write(&mut ipvs, &plan)?;
    let work = Work { plan: &plan, planned, desired: &desired, apply, screen };
    let done = work.carry_out(&mut ipvs, &mut snapshot, &interrupt);
    drop(alone);
    done
}

/// Returns the question, after a line about the connections that the plan may break.
fn question(plan: &Plan) -> String {
    let deadline = Deadline(plan.drain().and_then(|drain| drain.deadline));
    let drains = match deadline.0 {
        Some(_) => {
            format!("drains for {deadline} at most, then cuts the connections that are left")
        }
        None => format!("drains for {deadline}"),
    };
    let leave = [
        (leaving(plan, |phase| phase == Phase::Drained), drains),
        (leaving(plan, |phase| phase != Phase::Drained), "leaves at once, which cuts them".into()),
    ];
    let mut text = String::new();
    for ((count, connections), how) in leave {
        // Clients do not notice the end of a destination without connections.
        if count > 0 && connections != Connections::default() {
            text += &format!("{count} with {connections} {how}\n");
        }
    }
    text + "Apply?"
}

/// Counts the destinations, and the services without any, that the plan deletes in the phases
/// `when`, and adds up their connections.
fn leaving(plan: &Plan, when: impl Fn(Phase) -> bool) -> (usize, Connections) {
    let (mut count, mut all) = (0, Connections::default());
    let mut counted = HashSet::new();
    for step in plan.steps().filter(|step| when(step.phase)) {
        let connections = match (&step.change, step.before()) {
            (Change::DeleteDestination(id, _), Some(Before::Destination { connections, .. })) => {
                counted.insert(*id);
                connections
            }
            // Do not count connections again that its destinations have been counted with.
            (Change::DeleteService(id), Some(Before::Service { connections, .. }))
                if !counted.contains(id) =>
            {
                connections
            }
            _ => continue,
        };
        count += 1;
        all.active = all.active.saturating_add(connections.active);
        all.inactive = all.inactive.saturating_add(connections.inactive);
        all.persistent = all.persistent.saturating_add(connections.persistent);
    }
    (count, all)
}

/// A plan, and everything that applying it needs.
pub(crate) struct Work<'w> {
    pub(crate) plan: &'w Plan,
    /// The status of the planning.
    pub(crate) planned: Status,
    pub(crate) desired: &'w Table,
    pub(crate) apply: &'w Apply,
    pub(crate) screen: &'w Screen,
}

impl Work<'_> {
    /// Applies the plan and reports the result. `snapshot` is what the plan was made from; it is
    /// brought up to date.
    fn carry_out(
        &self,
        ipvs: &mut Client,
        snapshot: &mut Snapshot,
        interrupt: &Interrupt,
    ) -> Result<Status, Failure> {
        let observer = |progress: &Progress<'_>| {
            if let Progress::Draining(progress) = progress {
                self.screen.progress(&draining(progress));
            }
            if interrupt.came() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let applied = interrupt.hold(|| ipvs.apply_from(self.plan, snapshot, observer));
        self.screen.progress("");
        self.report(&applied, interrupt, || self.verify(&applied, snapshot))
    }

    /// Reports the result. `verify` returns the status if every step is done.
    pub(crate) fn report(
        &self,
        applied: &Applied,
        interrupt: &Interrupt,
        verify: impl FnOnce() -> Status,
    ) -> Result<Status, Failure> {
        let &Self { plan, screen, .. } = self;
        let printed = match self.apply.planning.json {
            true => screen.write(|out| json::applied(plan, applied, out)),
            false => Ok(()),
        };
        tell(plan, applied, screen);
        let done = match applied.is_done() {
            true if plan.is_empty() => self.planned,
            true => verify(),
            false if is_unfinished(applied) => Status::Unfinished,
            false => Status::PartlyFailed,
        };
        if interrupt.came() && !applied.is_done() {
            screen.note(
                "interrupted: draining destinations keep weight 0 and their connections, changes \
                 that were made stay, other objects are unchanged; apply the file again to continue",
            );
        }
        match (printed, done) {
            (Ok(()), done) => Ok(done),
            (Err(failure), _) if plan.is_empty() && !settings::are_to_be_written(plan) => {
                Err(failure)
            }
            (Err(failure), done) => {
                screen.failure(&failure);
                Ok(match done {
                    Status::Changed | Status::Cut => Status::Untold,
                    done => done,
                })
            }
        }
    }

    /// Compares the desired table with what was read after the last step: the list of services,
    /// and the services of the plan.
    fn verify(&self, applied: &Applied, snapshot: &Snapshot) -> Status {
        let none = Memory::default();
        match self.apply.planning.compare(snapshot, self.desired, &none, self.screen) {
            Ok((_, Status::NoChange)) if applied.cut().next().is_some() => Status::Cut,
            Ok((_, Status::NoChange)) => Status::Changed,
            Ok((rest, status)) if rest.is_empty() => status,
            Ok((rest, _)) => {
                self.screen.note(&format!(
                    "another program writes the table; these differences are new:\n{rest}"
                ));
                Status::PartlyFailed
            }
            Err(failure) => {
                self.screen.failure(&failure);
                Status::PartlyFailed
            }
        }
    }
}

/// Returns `true` if nothing failed and steps are missing only because the work was ended.
fn is_unfinished(applied: &Applied) -> bool {
    let ended =
        |outcome: &StepOutcome| matches!(outcome, StepOutcome::Draining | StepOutcome::Stopped);
    applied.unverified().is_none() && applied.failures().all(|(_, outcome)| ended(outcome))
}

/// Reports the steps whose outcome is not "done", and how many steps are done.
fn tell(plan: &Plan, applied: &Applied, screen: &Screen) {
    for (step, outcome) in plan.steps().zip(applied.outcomes()) {
        if !matches!(outcome, StepOutcome::Done) {
            screen.note(&format!("{step}: {outcome}"));
        }
    }
    if !plan.is_empty() {
        screen.note(&applied.to_string());
    }
}
