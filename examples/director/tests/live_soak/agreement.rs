//! Whether table, state file and status say the same.

use std::collections::BTreeMap;

use director::state::Saved;
use director::status::Status;
use ipvs_netlink::{Client, DestinationId, ServiceId};

use crate::stage::{Daemon, Stage};

type Weights = BTreeMap<ServiceId, BTreeMap<DestinationId, u32>>;

fn table(stage: &Stage) -> Weights {
    let mut ipvs = Client::in_namespace_fd(&stage.network.director).unwrap();
    let snapshot = ipvs.snapshot().unwrap();
    let services = snapshot.services().map(|service| {
        let there =
            service.destinations.iter().map(|it| (it.destination.id, it.destination.weight));
        (service.id(), there.collect())
    });
    services.collect()
}

fn in_status(status: &Status) -> Weights {
    let services = status.services.iter().map(|service| {
        let there = service.destinations.iter().filter_map(|it| Some((it.id, it.in_table?)));
        (service.id, there.collect())
    });
    services.collect()
}

/// Returns what does not agree. `foreign` is a service that is not the daemon's.
pub(crate) fn disagreement(stage: &Stage, daemon: &Daemon, foreign: ServiceId) -> Option<String> {
    let mut table = table(stage);
    if table.remove(&foreign).is_none() {
        return Some(format!("the foreign service {foreign} is gone"));
    }
    let status = daemon.status();
    let shown = in_status(&status);
    if shown != table {
        return Some(format!("table {table:#?}\nstatus {shown:#?}"));
    }
    let saved = Saved::parse(&std::fs::read(daemon.state_path()).unwrap()).unwrap();
    let services: Vec<_> = table.keys().copied().collect();
    if saved.owned.iter().copied().collect::<Vec<_>>() != services {
        return Some(format!("owned {:?}, in the table {services:?}", saved.owned));
    }
    let all = status.services.iter();
    let all = all.flat_map(|it| it.destinations.iter().map(move |there| (it.id, there)));
    let maintained =
        |(_, there): &(_, &director::status::DestinationStatus)| there.maintenance.is_some();
    let maintenances: Vec<_> =
        all.clone().filter(maintained).map(|(id, there)| (id, there.id)).collect();
    if saved.maintenances.keys().copied().collect::<Vec<_>>() != maintenances {
        return Some(format!(
            "maintenances: saved {:?}, shown {maintenances:?}",
            saved.maintenances
        ));
    }
    let weights: BTreeMap<_, _> = all
        .filter(|(_, there)| there.is_weight_ordered)
        .map(|(id, there)| ((id, there.id), there.weight))
        .collect();
    if saved.weights != weights {
        return Some(format!("weights: saved {:?}, shown {weights:?}", saved.weights));
    }
    (!status.troubles.is_empty()).then(|| format!("troubles: {:?}", status.troubles))
}
