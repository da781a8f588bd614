//! `table drain`.

use std::ops::ControlFlow;

use ipvs_netlink::table::Drained;

use crate::apply::show;
use crate::arguments::Drain;
use crate::exit::{Failure, Status};
use crate::screen::Screen;

pub(crate) fn run(drain: &Drain, screen: &Screen) -> Result<Status, Failure> {
    let mut ipvs = drain.kernel.connect()?;
    let entry = ipvs.destination(drain.service, drain.destination).map_err(Failure::kernel)?;
    let weight = entry.destination.weight;
    if !drain.yes {
        screen.confirm(&format!("Take {} out of {}?", drain.destination, drain.service))?;
    }
    screen.note(&format!(
        "weight {weight} -> 0; if this is interrupted it stays 0 and draining can go on"
    ));
    let policy = drain.draining.policy();
    let drained = ipvs.drain_with(drain.service, drain.destination, policy, |progress| {
        show(screen, progress);
        ControlFlow::Continue(())
    });
    screen.progress("");
    match drained.map_err(Failure::kernel)? {
        Drained::Emptied => screen.print("deleted, with no connection left\n")?,
        Drained::Cut(connections) => screen.print(&format!(
            "deleted, with {} active and {} inactive connections left\n",
            connections.active, connections.inactive
        ))?,
        Drained::AlreadyGone => screen.print("somebody else had deleted it\n")?,
        Drained::Restored => {
            screen.note("somebody else gave it a weight again; it stays");
            return Ok(Status::PartlyFailed);
        }
        other => {
            screen.note(&format!("it stays: {other:?}"));
            return Ok(Status::PartlyFailed);
        }
    }
    Ok(Status::Changed)
}
