//! `table apply`.

use std::ops::ControlFlow;
use std::path::Path;

use ipvs_netlink::Client;
use ipvs_netlink::table::{Applied, DrainProgress, Plan, Table};

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
    let desired = file::read(&planning.file)?;
    let mut ipvs = planning.kernel.connect()?;
    let plan = planning.plan(&mut ipvs, &desired)?;
    if !planning.json {
        screen.diff(&plan)?;
    }
    if !apply.yes && !plan.is_empty() {
        screen.confirm("Apply?")?;
    }
    carry_out(&plan, &desired, &mut ipvs, apply, screen)
}

/// Does a plan, and tells how it went.
pub(crate) fn carry_out(
    plan: &Plan,
    desired: &Table,
    ipvs: &mut Client,
    apply: &Apply,
    screen: &Screen,
) -> Result<Status, Failure> {
    let applied = ipvs.apply_with(plan, |progress| {
        show(screen, progress);
        ControlFlow::Continue(())
    });
    screen.progress("");
    let status = status(plan, &applied, desired, ipvs, apply, screen)?;
    if apply.planning.json {
        screen.print(&json::applied(plan, &applied))?;
    }
    Ok(status)
}

pub(crate) fn show(screen: &Screen, progress: &DrainProgress) {
    let left = match progress.left {
        Some(left) => format!(", {} s left", left.as_secs()),
        None => String::new(),
    };
    let connections = progress.connections;
    screen.progress(&format!(
        "draining {}: {} active, {} inactive, {} persistent{left}",
        progress.waiting, connections.active, connections.inactive, connections.persistent
    ));
}

/// Says what failed, and whether the table is as desired now.
fn status(
    plan: &Plan,
    applied: &Applied,
    desired: &Table,
    ipvs: &mut Client,
    apply: &Apply,
    screen: &Screen,
) -> Result<Status, Failure> {
    for (step, outcome) in plan.steps().zip(applied.outcomes()) {
        if !outcome.is_done() || outcome.is_foreign() {
            screen.note(&format!("{}: {outcome}", step.change));
        }
    }
    if let Some(error) = applied.unverified() {
        screen.note(&format!("the table could not be read again: {error}"));
    }
    if plan.is_empty() {
        return Ok(Status::NoChange);
    }
    if !applied.is_done() {
        return Ok(Status::PartlyFailed);
    }
    let rest = apply.planning.plan(ipvs, desired)?;
    if rest.is_empty() {
        return Ok(Status::Changed);
    }
    screen.note(&format!("somebody else writes the table; this differs again:\n{rest}"));
    Ok(Status::PartlyFailed)
}
