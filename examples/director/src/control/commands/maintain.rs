//! `director drain` and `director maintenance`.

use ipvs_netlink::health::MaintenanceKind;

use crate::control::commands::arguments::{Drain, MaintenanceArguments, Turn};
use crate::control::commands::{Outcome, wait};
use crate::control::protocol::Order;
use crate::exit::Exit;

pub(super) fn drain(arguments: &Drain) -> Outcome {
    begin(arguments, MaintenanceKind::Drain)
}

pub(super) fn maintenance(arguments: &MaintenanceArguments) -> Outcome {
    match &arguments.turn {
        Turn::On(on) => begin(on, MaintenanceKind::Out),
        Turn::Off(off) => {
            let (service, destination) = (off.place.service, off.place.destination);
            off.daemon.order(&Order::EndMaintenance { service, destination })
        }
    }
}

fn begin(arguments: &Drain, kind: MaintenanceKind) -> Outcome {
    let (service, destination) = (arguments.place.service, arguments.place.destination);
    let by = arguments.ordered.by.clone().unwrap_or_default();
    let lasts = arguments.ordered.lasts;
    let order = Order::Maintain { service, destination, kind, by, lasts };
    let begun = arguments.daemon.order(&order)?;
    if !arguments.ordered.wait || !matches!(begun, Exit::Done | Exit::NotSaved) {
        return Ok(begun);
    }
    let at_most = arguments.ordered.wait_at_most;
    let ended = wait::until_drained(&arguments.daemon, &arguments.place, at_most)?;
    Ok(if ended == Exit::Done { begun } else { ended })
}
