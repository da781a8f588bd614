//! `table apply`.

use std::ops::ControlFlow;
use std::path::Path;

use ipvs_netlink::table::{Applied, DrainProgress, Plan, Progress, StepOutcome, Table};
use ipvs_netlink::{Change, Client};

use crate::arguments::Apply;
use crate::exit::{Failure, Status};
use crate::screen::Screen;
use crate::{file, json};

/// Shows the plan, asks, and does it.
pub(crate) fn run(apply: &Apply, screen: &Screen) -> Result<Status, Failure> {
    let planning = &apply.planning;
    if !apply.yes && planning.file.path == Path::new("-") {
        return Err(Failure::new("a table from standard input cannot be confirmed; say --yes"));
    }
    // What is wrong with it need not wait for the lock.
    let mut desired = file::read(&planning.file)?;
    let mut ipvs = planning.kernel.connect()?;
    let mut none = Table::new();
    let mut alone = None;
    if apply.yes {
        alone = Some(planning.kernel.alone(apply.wait, screen)?);
        desired = file::read_again(&planning.file, desired)?;
    }
    screen.doubts(&desired);
    let plan = planning.plan(&mut ipvs, &desired, &none, screen)?;
    if !planning.json {
        screen.diff(&plan)?;
    }
    if !apply.yes && !plan.is_empty() {
        // Standard output is for the JSON alone.
        let shown = if planning.json { plan.to_string() } else { String::new() };
        screen.confirm(&format!("{shown}Apply?"))?;
        // It may have taken long to answer.
        alone = Some(planning.kernel.alone(apply.wait, screen)?);
        desired = file::read_again(&planning.file, desired)?;
        let now = planning.plan(&mut ipvs, &desired, &none, screen)?;
        let same = now.steps().map(|step| &step.change).eq(plan.steps().map(|step| &step.change));
        if !same {
            let changed = "the table or the file has changed meanwhile";
            screen.note(&format!("{changed}; this would be done now:\n{now}"));
            return Err(Failure::new("nothing was changed; try again"));
        }
    }
    let status = carry_out(&plan, &desired, &mut none, &mut ipvs, apply, screen, |progress| {
        screen.progress(&progress.to_string());
        ControlFlow::Continue(())
    });
    drop(alone);
    status
}

/// Does a plan, and tells how it went. Of the services that were `formerly` ours those remain
/// that it should have deleted and did not.
pub(crate) fn carry_out(
    plan: &Plan,
    desired: &Table,
    formerly: &mut Table,
    ipvs: &mut Client,
    apply: &Apply,
    screen: &Screen,
    mut observer: impl FnMut(&DrainProgress<'_>) -> ControlFlow<()> + Send,
) -> Result<Status, Failure> {
    let applied = ipvs.apply_with(plan, |progress| match progress {
        Progress::Draining(progress) => observer(progress),
        _ => ControlFlow::Continue(()),
    });
    screen.progress("");
    *formerly = left(plan, &applied, formerly);
    let printed = match apply.planning.json {
        true => screen.write(|out| json::applied(plan, &applied, out)),
        false => Ok(()),
    };
    tell(plan, &applied, screen);
    if plan.is_empty() {
        return printed.map(|()| Status::NoChange);
    }
    if let Err(failure) = printed {
        screen.failure(&failure);
        return Ok(Status::PartlyFailed);
    }
    if !applied.is_done() {
        return Ok(Status::PartlyFailed);
    }
    match apply.planning.plan(ipvs, desired, formerly, screen) {
        Ok(rest) if rest.is_empty() => Ok(Status::Changed),
        Ok(rest) => {
            screen.note(&format!("somebody else writes the table; this differs again:\n{rest}"));
            Ok(Status::PartlyFailed)
        }
        Err(failure) => {
            screen.failure(&failure);
            Ok(Status::PartlyFailed)
        }
    }
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
