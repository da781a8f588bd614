//! Workloads for counting instructions, over a controller:
//! `icount_controller WORKLOAD SERVICES DESTINATIONS`.
//!
//! Each exits with 0 when it is done and checked. See `benches/README.md`.

#[path = "icount/table.rs"]
#[allow(dead_code, reason = "what only the other programs need")]
mod table;

use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant};

use ipvs_netlink::Client;
use ipvs_netlink::table::controller::{Controller, ControllerOptions, Event, Stepped};
use ipvs_netlink::table::{PlanOptions, Scope, Table, TableService};
use table::{Outcome, Size, destination, ensure, service};

/// How often `change-one` replaces a destination.
const ROUNDS: u32 = 1000;

/// The services that `churn` changes in a second, and for how many seconds.
const EACH_SECOND: u32 = 100;
const SECONDS: u32 = 60;

fn main() -> ExitCode {
    table::run(|workload, size| {
        Some(match workload {
            "noop" => Client::connect().map(drop).map_err(Into::into),
            "desired" => Keeper::new(size).map(drop),
            "settle" => Keeper::settled(size).map(drop),
            "resynchronize" => resynchronize(size),
            "from-nothing" => from_nothing(size),
            "change-one" => change_one(size),
            "churn" => churn(size),
            _ => return None,
        })
    })
}

/// A client, a controller that keeps the table of the workloads, and what the controller told.
struct Keeper {
    client: Client,
    controller: Controller,
    size: Size,
    /// The number of changes done.
    done: usize,
    /// The number of services that the last reading of the whole table found to differ.
    differed: Option<usize>,
}

impl Keeper {
    fn new(size: Size) -> Result<Self, Box<dyn std::error::Error>> {
        let plan = PlanOptions::new().scope(Scope::new().everything());
        let options = ControllerOptions::new().plan(plan).resync(Duration::from_secs(24 * 3600));
        let mut controller = Controller::new(options);
        controller.wish_all(wishes(size));
        Ok(Self { client: Client::connect()?, controller, size, done: 0, differed: None })
    }

    /// A keeper of a table that is as desired already.
    fn settled(size: Size) -> Result<Self, Box<dyn std::error::Error>> {
        let mut keeper = Self::new(size)?;
        keeper.work()?;
        keeper.expect(0)?;
        Ok(keeper)
    }

    /// Works until nothing is left to do.
    fn work(&mut self) -> Outcome {
        loop {
            let stepped = self.client.step(&mut self.controller);
            for event in self.controller.events() {
                match event {
                    Event::Done(_) => self.done += 1,
                    Event::Resynchronized { differed, .. } => self.differed = Some(differed),
                    Event::Failed { .. } | Event::Unknown { .. } | Event::BackingOff { .. } => {
                        return Err(event.to_string().into());
                    }
                    _ => {}
                }
            }
            match stepped {
                Stepped::Again => {}
                _ if self.controller.is_settled() => return Ok(()),
                Stepped::Until(until) => {
                    sleep(until.saturating_duration_since(Instant::now()));
                }
                Stepped::Idle => return Err("idle, but not settled".into()),
            }
        }
    }

    fn expect(&self, done: usize) -> Outcome {
        ensure(self.done == done, "another number of changes")
    }

    /// Replaces the last destination of a service by another one.
    fn replace(&mut self, index: u32, by: u32) {
        let others = self.size.destinations(index).take(self.size.destinations as usize - 1);
        let wish = others.fold(TableService::new(service(index)), TableService::with);
        self.controller.wish(wish.with(destination(by)));
    }
}

fn wishes(size: Size) -> Table {
    let service = |(index, service)| {
        size.destinations(index).fold(TableService::new(service), TableService::with)
    };
    (0..).zip(size.services()).map(service).collect()
}

/// Reads the whole table again, and finds nothing that differs.
fn resynchronize(size: Size) -> Outcome {
    let mut keeper = Keeper::settled(size)?;
    keeper.differed = None;
    keeper.controller.resynchronize();
    keeper.work()?;
    ensure(keeper.differed == Some(0), "something differs")?;
    keeper.expect(0)
}

fn from_nothing(size: Size) -> Outcome {
    let mut keeper = Keeper::new(size)?;
    keeper.work()?;
    keeper.expect(size.services as usize * (1 + size.destinations as usize))
}

/// Replaces the last destination of the service in the middle, each time by another one, and at
/// the end by the first one.
fn change_one(size: Size) -> Outcome {
    let mut keeper = Keeper::settled(size)?;
    let (index, added) = (size.services / 2, size.services * size.destinations);
    let first = (index + 1) * size.destinations - 1;
    for round in 1..=ROUNDS {
        keeper.replace(index, if round < ROUNDS { added + round } else { first });
        keeper.work()?;
    }
    keeper.expect(3 * ROUNDS as usize)
}

/// Replaces the last destination of a hundred services in each second, without waiting for the
/// next second.
fn churn(size: Size) -> Outcome {
    let mut keeper = Keeper::settled(size)?;
    let changed = size.services.min(EACH_SECOND * SECONDS);
    for first in (0..changed).step_by(EACH_SECOND as usize) {
        for index in first..changed.min(first + EACH_SECOND) {
            keeper.replace(index, size.services * size.destinations + index);
        }
        keeper.work()?;
    }
    keeper.expect(3 * changed as usize)
}
