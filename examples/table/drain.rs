//! `table drain`.

use std::ops::ControlFlow;

use ipvs_netlink::Connections;
use ipvs_netlink::table::Drained;

use crate::arguments::Drain;
use crate::exit::{Failure, Status};
use crate::interrupt::Interrupt;
use crate::screen::{Screen, draining};
use crate::values::Deadline;

pub(crate) fn run(drain: &Drain, screen: &Screen) -> Result<Status, Failure> {
    let mut ipvs = drain.kernel.connect()?;
    let interrupt = Interrupt::new(false)?;
    let service = ipvs.service(drain.service).map_err(Failure::kernel)?.service;
    let entry = ipvs.destination(drain.service, drain.destination).map_err(Failure::kernel)?;
    let gently = service.drains_at_weight_zero();
    if !gently {
        screen.note("weight 0 does not drain in this service: the destination is deleted at once");
    }
    let others = ipvs.destinations(drain.service).map_err(Failure::kernel)?;
    let mut others = others.iter().map(|other| &other.destination);
    if !others.any(|other| other.id != drain.destination && other.weight > 0) {
        screen.note(&format!("no other destination of {} takes connections", drain.service));
    }
    if !drain.yes {
        let connections = entry.connections;
        let ends = match (gently, drain.draining.policy().deadline) {
            (false, _) => "are cut at once".to_owned(),
            (true, None) => "get as long as they need".to_owned(),
            (true, deadline) => format!("are cut after {} at most", Deadline(deadline)),
        };
        if connections != Connections::default() {
            screen.note(&format!("its connections ({connections}) {ends}"));
        }
        let question = format!("Take {} out of {}?", drain.destination, drain.service);
        screen.confirm(&question)?;
    }
    let _alone = drain.kernel.alone(drain.wait, screen)?;
    if gently {
        let weight = match entry.destination.weight {
            0 => "weight 0 already".to_owned(),
            weight => format!("weight {weight} -> 0"),
        };
        screen.note(&format!(
            "{weight}; after an interruption it stays 0; run this again to continue"
        ));
    }
    let policy = drain.draining.policy();
    let drained = interrupt.hold(|| {
        ipvs.drain_with(drain.service, drain.destination, policy, |progress| {
            screen.progress(&draining(progress));
            if interrupt.came() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
    });
    screen.progress("");
    let drained = match drained {
        Ok(drained) => drained,
        // The destination may have weight 0 already, so this is no failure without a change.
        Err(error) => {
            screen.failure(&Failure::kernel(error));
            return Ok(Status::PartlyFailed);
        }
    };
    let status = match drained {
        Drained::Emptied | Drained::AlreadyGone => Status::Changed,
        Drained::Cut(_) => Status::Cut,
        Drained::Cancelled { .. } => Status::Unfinished,
        _ => Status::PartlyFailed,
    };
    if let Drained::Cancelled { weight, .. } = drained {
        screen.note(&format!(
            "interrupted: {} stays in {} with weight 0 (it was {weight}) and its connections; \
             run this again to continue",
            drain.destination, drain.service
        ));
    }
    if let Err(failure) = screen.print(&format!("{drained}\n")) {
        screen.failure(&failure);
        return Ok(match status {
            Status::Changed | Status::Cut => Status::Untold,
            status => status,
        });
    }
    Ok(status)
}
