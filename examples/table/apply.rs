//! `table apply`.

use std::collections::HashSet;
use std::ops::ControlFlow;

use ipvs_netlink::table::{Applied, Before, Phase, Plan, Progress, StepOutcome, Table};
use ipvs_netlink::{Change, Client, Connections, Snapshot};

use crate::arguments::Apply;
use crate::exit::{Failure, Status};
use crate::interrupt::Interrupt;
use crate::screen::{Screen, draining};
use crate::values::Deadline;
use crate::{file, json};

/// Shows the plan, asks, and does it.
pub(crate) fn run(apply: &Apply, screen: &Screen) -> Result<Status, Failure> {
    let planning = &apply.planning;
    if !apply.yes && file::is_standard_input(&planning.file.path) {
        return Err(Failure::new("a table from standard input cannot be confirmed; say --yes"));
    }
    // What is wrong with it need not wait for the lock.
    let mut desired = file::read(&planning.file)?;
    let mut ipvs = planning.kernel.connect()?;
    let interrupt = Interrupt::new(false)?;
    let mut none = Table::new();
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
    if !apply.yes && !plan.is_empty() {
        // Standard output is for the JSON alone.
        let shown = if planning.json { plan.to_string() } else { String::new() };
        screen.confirm(&format!("{shown}{}", question(&plan)))?;
        // It may have taken long to answer.
        alone = Some(planning.kernel.alone(apply.wait, screen)?);
        desired = file::read_again(&planning.file, desired)?;
        let (now, _, again) = planning.plan(&mut ipvs, &desired, &none, screen)?;
        let same = now.steps().map(|step| &step.change).eq(plan.steps().map(|step| &step.change));
        if !same {
            let changed = "the table or the file has changed meanwhile";
            screen.note(&format!("{changed}; this would be done now:\n{now}"));
            return Err(Failure::new("nothing was changed; try again"));
        }
        snapshot = again;
    }
    let work = Work { plan: &plan, planned, desired: &desired, apply, screen };
    let done = work.carry_out(&mut ipvs, &mut snapshot, &mut none, &interrupt, || false);
    drop(alone);
    done
}

/// What is asked, after what it takes from clients.
fn question(plan: &Plan) -> String {
    let deadline = Deadline(plan.drain().and_then(|drain| drain.deadline));
    let cut = deadline.0.map_or("", |_| ", then cuts the connections that are left");
    let leave = [
        (
            leaving(plan, |phase| phase == Phase::Drained),
            format!("drains for {deadline} at most{cut}"),
        ),
        (leaving(plan, |phase| phase != Phase::Drained), "leaves at once, which cuts them".into()),
    ];
    let mut text = String::new();
    for ((count, connections), how) in leave {
        // Nobody notices what has no connections.
        if count > 0 && connections != Connections::default() {
            text += &format!("{count} with {connections} {how}\n");
        }
    }
    text + "Apply?"
}

/// How many destinations, or services without any, are deleted in these phases, and the
/// connections that they have together.
fn leaving(plan: &Plan, when: impl Fn(Phase) -> bool) -> (usize, Connections) {
    let (mut count, mut all) = (0, Connections::default());
    let mut counted = HashSet::new();
    for step in plan.steps().filter(|step| when(step.phase)) {
        let connections = match (&step.change, step.before()) {
            (Change::DeleteDestination(id, _), Some(Before::Destination { connections, .. })) => {
                counted.insert(*id);
                connections
            }
            // Those of its destinations are not another time its own.
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

/// A plan that is to be done.
pub(crate) struct Work<'w> {
    pub(crate) plan: &'w Plan,
    /// What came of making it.
    pub(crate) planned: Status,
    pub(crate) desired: &'w Table,
    pub(crate) apply: &'w Apply,
    pub(crate) screen: &'w Screen,
}

impl Work<'_> {
    /// Does the plan, and tells how it went. Of the services that were `formerly` ours those
    /// remain that it should have deleted and did not. `snapshot` is what the plan was made
    /// from, and becomes what is there afterwards. Waiting for what drains ends early
    /// where it is `superseded`.
    pub(crate) fn carry_out(
        &self,
        ipvs: &mut Client,
        snapshot: &mut Snapshot,
        formerly: &mut Table,
        interrupt: &Interrupt,
        mut superseded: impl FnMut() -> bool + Send,
    ) -> Result<Status, Failure> {
        let &Self { plan, screen, .. } = self;
        let observer = |progress: &Progress<'_>| {
            let mut ends = interrupt.came();
            if let Progress::Draining(progress) = progress {
                screen.progress(&draining(progress));
                ends = ends || superseded();
            }
            if ends { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let applied = interrupt.hold(|| ipvs.apply_from(plan, snapshot, observer));
        screen.progress("");
        *formerly = left(plan, &applied, formerly);
        let printed = match self.apply.planning.json {
            true => screen.write(|out| json::applied(plan, &applied, out)),
            false => Ok(()),
        };
        tell(plan, &applied, screen);
        let done = match applied.is_done() {
            true if plan.is_empty() => self.planned,
            true => self.verify(&applied, snapshot, formerly),
            false if is_unfinished(&applied) => Status::Unfinished,
            false => Status::PartlyFailed,
        };
        if interrupt.came() && !applied.is_done() {
            screen.note(
                "interrupted: what drains keeps weight 0 and its connections, what was not begun \
                 stays as it was, what is done stays done; applying the file again goes on",
            );
        }
        match (printed, done) {
            (Ok(()), done) => Ok(done),
            (Err(failure), _) if plan.is_empty() => Err(failure),
            (Err(failure), done) => {
                screen.failure(&failure);
                Ok(match done {
                    Status::Changed | Status::Cut => Status::Untold,
                    done => done,
                })
            }
        }
    }

    /// Looks whether everything is as it should be now, in what was read after the last step:
    /// the list of services, and the services that the plan was about.
    fn verify(&self, applied: &Applied, snapshot: &Snapshot, formerly: &Table) -> Status {
        match self.apply.planning.compare(snapshot, self.desired, formerly, self.screen) {
            Ok((_, Status::NoChange)) if applied.cut().next().is_some() => Status::Cut,
            Ok((_, Status::NoChange)) => Status::Changed,
            Ok((rest, status)) if rest.is_empty() => status,
            Ok((rest, _)) => {
                self.screen
                    .note(&format!("somebody else writes the table; this differs again:\n{rest}"));
                Status::PartlyFailed
            }
            Err(failure) => {
                self.screen.failure(&failure);
                Status::PartlyFailed
            }
        }
    }
}

/// Whether what is not done is so only because somebody ended the work.
fn is_unfinished(applied: &Applied) -> bool {
    let ended =
        |outcome: &StepOutcome| matches!(outcome, StepOutcome::Draining | StepOutcome::Stopped);
    applied.unverified().is_none() && applied.failures().all(|(_, outcome)| ended(outcome))
}

/// Whoever adds again what was deleted is somebody else, even before it could be verified.
fn left(plan: &Plan, applied: &Applied, formerly: &Table) -> Table {
    let steps = plan.steps().zip(applied.outcomes());
    let left = steps.filter(|(step, outcome)| {
        let gone = outcome.is_done() || matches!(outcome, StepOutcome::Differs);
        matches!(step.change, Change::DeleteService(_)) && !gone
    });
    left.filter_map(|(step, _)| formerly.service(step.service()?)).cloned().collect()
}

/// Says what did not go as planned, and how much was done.
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
