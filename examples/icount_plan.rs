//! Workloads for counting instructions, over declared tables:
//! `icount_plan WORKLOAD SERVICES DESTINATIONS`.
//!
//! Each exits with 0 when it is done and checked. See `benches/README.md`.

#[path = "icount/table.rs"]
#[allow(dead_code, reason = "what only the other programs need")]
mod table;

use std::ops::ControlFlow;
use std::process::ExitCode;

use ipvs_netlink::Client;
use ipvs_netlink::table::{Plan, PlanOptions, Scope, Table, TableService};
use table::{Outcome, Size, ensure};

fn main() -> ExitCode {
    table::run(|workload, size| {
        Some(match workload {
            "noop" => Client::connect().map(drop).map_err(Into::into),
            "desired" => desired(size),
            "program" => become_table(&declared(size)),
            "list" => list(size),
            "reconcile" => reconcile(size),
            "change" => change(size, false),
            "change-from" => change(size, true),
            "delete" => become_table(&Table::new()),
            _ => return None,
        })
    })
}

fn declared(size: Size) -> Table {
    let service = |(index, service)| {
        size.destinations(index).fold(TableService::new(service), TableService::with)
    };
    (0..).zip(size.services()).map(service).collect()
}

fn desired(size: Size) -> Outcome {
    let _ipvs = Client::connect()?;
    let desired = std::hint::black_box(declared(size));
    ensure(desired.len() == size.services as usize, "desired")
}

fn list(size: Size) -> Outcome {
    let snapshot = Client::connect()?.snapshot()?;
    ensure(snapshot.len() == size.services as usize, "services")
}

/// Reads everything, compares it with what is wanted, and finds nothing to do.
fn reconcile(size: Size) -> Outcome {
    let mut ipvs = Client::connect()?;
    let desired = declared(size);
    let plan = Plan::new(&ipvs.snapshot()?, &desired, &options())?;
    ensure(plan.is_empty(), "something differs")
}

/// Changes the weight of one destination and verifies it: by `reconcile`, or by `apply_from` from
/// a snapshot.
fn change(size: Size, from: bool) -> Outcome {
    let mut ipvs = Client::connect()?;
    let mut desired = declared(size);
    let middle = desired.services().nth(desired.len() / 2).cloned();
    if let Some((service, destination)) = middle.and_then(|service| {
        Some((service.id(), service.destinations().next()?.destination().clone()))
    }) {
        // Use a new weight each time, so that the workload can run several times.
        let weight =
            if ipvs.destination(service, destination.id)?.destination.weight == 5 { 7 } else { 5 };
        desired.edit(service, |service| service.insert(destination.weight(weight)));
    }
    if from {
        let mut snapshot = ipvs.snapshot()?;
        let plan = Plan::new(&snapshot, &desired, &options())?;
        ensure(plan.len() == 1, "not one step")?;
        ipvs.apply_from(&plan, &mut snapshot, |_| ControlFlow::Continue(())).into_result()?;
        let rest = Plan::new(&snapshot, &desired, &options())?;
        return ensure(rest.is_empty(), "something differs");
    }
    let reconciled = ipvs.reconcile(&desired, &options())?;
    ensure(reconciled.is_done() && reconciled.is_changed(), "not changed")
}

fn become_table(desired: &Table) -> Outcome {
    let reconciled = Client::connect()?.reconcile(desired, &options())?;
    ensure(reconciled.is_done() && reconciled.rounds.len() == 1, "not in one round")
}

/// Options that own every service and do not drain.
fn options() -> PlanOptions {
    PlanOptions::new().scope(Scope::new().everything()).drain(None)
}
