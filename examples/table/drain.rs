//! `table drain`.

use std::ops::ControlFlow;

use ipvs_netlink::table::Drained;

use crate::arguments::Drain;
use crate::exit::{Failure, Status};
use crate::screen::Screen;

pub(crate) fn run(drain: &Drain, screen: &Screen) -> Result<Status, Failure> {
    let mut ipvs = drain.kernel.connect()?;
    let service = ipvs.service(drain.service).map_err(Failure::kernel)?.service;
    let entry = ipvs.destination(drain.service, drain.destination).map_err(Failure::kernel)?;
    let gently = service.drains_at_weight_zero();
    if !gently {
        screen.note("weight 0 does no good in this service: it is deleted at once");
    }
    let others = ipvs.destinations(drain.service).map_err(Failure::kernel)?;
    let mut others = others.iter().map(|other| &other.destination);
    if !others.any(|other| other.id != drain.destination && other.weight > 0) {
        screen.note(&format!("no other destination of {} takes connections", drain.service));
    }
    if !drain.yes {
        let question = format!("Take {} out of {}?", drain.destination, drain.service);
        screen.confirm(&question)?;
    }
    let _alone = drain.kernel.alone(drain.wait, screen)?;
    if gently {
        let weight = entry.destination.weight;
        screen.note(&format!(
            "weight {weight} -> 0; if interrupted it stays 0, and running this again goes on"
        ));
    }
    let policy = drain.draining.policy();
    let drained = ipvs.drain_with(drain.service, drain.destination, policy, |progress| {
        screen.progress(&progress.to_string());
        ControlFlow::Continue(())
    });
    screen.progress("");
    match drained {
        Ok(drained) => {
            if let Err(failure) = screen.print(&format!("{drained}\n")) {
                screen.failure(&failure);
                return Ok(Status::PartlyFailed);
            }
            match drained {
                Drained::Emptied | Drained::Cut(_) | Drained::AlreadyGone => Ok(Status::Changed),
                _ => Ok(Status::PartlyFailed),
            }
        }
        // Its weight may be 0 by now.
        Err(error) => {
            screen.failure(&Failure::kernel(error));
            Ok(Status::PartlyFailed)
        }
    }
}
