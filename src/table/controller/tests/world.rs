//! A controller, a model of the kernel's table, and a clock.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::engine::{Outcome, Report};
use crate::error::{Error, ErrorKind};
use crate::model::{
    Change, Connections, DestinationEntry, DestinationId, Listing, Service, ServiceEntry,
    ServiceId, ServiceSnapshot, Stats,
};
use crate::table::controller::{
    Answer, Controller, ControllerOptions, Event, MOST, Next, Reading, Task, Work,
};
use crate::table::tests::kernel::{self, Rows};
use crate::table::tests::planning::{server, web};
use crate::table::{DrainPolicy, PlanOptions, Scope, TableService};

/// A kernel's table, and a controller for it.
pub(super) struct World {
    pub(super) controller: Controller,
    pub(super) now: Instant,
    pub(super) begin: Instant,
    pub(super) table: Rows,
    /// What was read and written, in short.
    pub(super) log: Vec<String>,
    /// Answers a change instead of the table.
    pub(super) refuse: Option<fn(&Change) -> Option<Outcome>>,
    /// Answers readings instead of the table.
    pub(super) broken: Option<ErrorKind>,
}

pub(super) fn options() -> ControllerOptions {
    ControllerOptions::new().plan(plan())
}

/// Options with short drains: `NoTraffic`, quiet for 5 s, deadline 30 s, a look each 500 ms.
pub(super) fn plan() -> PlanOptions {
    PlanOptions::new().scope(Scope::new().everything()).drain(Some(DrainPolicy::new()))
}

/// A web service with these servers, by the last byte of their address.
pub(super) fn web_with(hosts: &[u8]) -> TableService {
    hosts.iter().fold(TableService::new(web()), |service, host| service.with(server(*host)))
}

/// The `number`th of many services.
pub(super) fn numbered(number: u16) -> TableService {
    TableService::new(Service::tcp(([192, 0, 2, 20], number).into())).with(server(1))
}

pub(super) fn id_of(host: u8) -> DestinationId {
    server(host).id
}

impl World {
    pub(super) fn new(options: ControllerOptions) -> Self {
        let begin = Instant::now();
        Self {
            controller: Controller::new(options),
            now: begin,
            begin,
            table: BTreeMap::new(),
            log: Vec::new(),
            refuse: None,
            broken: None,
        }
    }

    /// Puts a service into the kernel's table, as another program would.
    pub(super) fn put(&mut self, service: &TableService) {
        self.write(&Change::AddService(service.service().clone())).unwrap();
        for destination in service.destinations() {
            let destination = destination.destination().clone();
            self.write(&Change::AddDestination(service.id(), destination)).unwrap();
        }
    }

    /// Sets the connections of a server of the web service.
    pub(super) fn connect(&mut self, host: u8, active: u32, inactive: u32) {
        let entry = self.table.get_mut(&web().id).unwrap().1.get_mut(&id_of(host)).unwrap();
        entry.connections = Connections { active, inactive, persistent: 0 };
    }

    /// Returns the weights of the servers of the web service, by the last byte of their address.
    pub(super) fn weights(&self) -> Vec<(u8, u32)> {
        let Some((_, destinations)) = self.table.get(&web().id) else { return Vec::new() };
        let weight = |entry: &DestinationEntry| {
            let host = entry.destination.id.to_string();
            let host = host.trim_start_matches("10.0.0.").trim_end_matches(":8080");
            (host.parse().unwrap(), entry.destination.weight)
        };
        destinations.values().map(weight).collect()
    }

    /// Makes a change like the kernel.
    pub(super) fn write(&mut self, change: &Change) -> Result<(), Error> {
        kernel::write(&mut self.table, change)
    }

    fn read(&self, id: ServiceId) -> Option<ServiceSnapshot> {
        let (service, destinations) = self.table.get(&id)?;
        let entry = ServiceEntry::new(service.clone(), Stats::default());
        Some(ServiceSnapshot::new(entry, destinations.values().cloned().collect()))
    }

    /// Does a task.
    pub(super) fn perform(&mut self, task: &Task) -> Answer {
        if let Some(kind) = self.broken {
            let error = Error::for_test(kind, crate::model::Operation::ReadServices);
            return match task.work() {
                Work::Write(writes) => Answer::Written(
                    writes.iter().map(|_| Outcome::Refused(error.clone())).collect(),
                ),
                _ => Answer::Failed(error),
            };
        }
        match task.work() {
            Work::ListServices => {
                self.log.push("list".to_owned());
                let entries = self.table.values().rev();
                let entries = entries.map(|(service, _)| service.clone());
                let entries = entries.map(|service| ServiceEntry::new(service, Stats::default()));
                Answer::Services(Listing::new(entries.collect(), self.table.len() < 80))
            }
            Work::ReadDestinations(ids) => {
                assert!(!ids.is_empty() && ids.len() <= MOST);
                self.log.push(format!("destinations {}", ids.len()));
                let read = |id: &ServiceId| {
                    let entries = self.read(*id).map(|there| there.destinations);
                    (*id, Listing::new(entries.unwrap_or_default(), true))
                };
                Answer::Destinations(ids.iter().map(read).collect())
            }
            Work::ReadServices(ids) => {
                assert!(!ids.is_empty() && ids.len() <= MOST);
                self.log.push(format!("read {}", ids.len()));
                Answer::Readings(ids.iter().map(|id| Reading::new(*id, self.read(*id))).collect())
            }
            Work::Write(writes) => {
                assert!(!writes.is_empty() && writes.len() <= MOST);
                let mut report = Vec::new();
                if writes.len() > 4 {
                    self.log.push(format!("write {}", writes.len()));
                }
                for write in writes {
                    write.validate().unwrap();
                    if writes.len() <= 4 {
                        self.log.push(short(write));
                    }
                    let outcome = match self.refuse.and_then(|refuse| refuse(write)) {
                        Some(outcome) => outcome,
                        None => match self.write(write) {
                            Ok(()) => Outcome::Done,
                            Err(error) => Outcome::Refused(error),
                        },
                    };
                    report.push(outcome);
                }
                Answer::Written(report.into_iter().collect::<Report>())
            }
        }
    }

    /// Does what is due now. Returns when something is due next.
    pub(super) fn work(&mut self) -> Option<Instant> {
        for _ in 0..10_000 {
            match self.controller.next(self.now) {
                Next::Wait(until) => return until,
                Next::Do(task) => {
                    let answer = self.perform(&task);
                    assert!(self.controller.answer(task.number(), answer, self.now));
                }
            }
        }
        panic!("a busy loop: {:?}", self.log.iter().rev().take(20).collect::<Vec<_>>());
    }

    /// Lets time pass, and does what becomes due.
    pub(super) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            match self.work() {
                Some(next) if next <= end => {
                    assert!(next > self.now, "it waits for the past");
                    self.now = next;
                }
                _ => break,
            }
        }
        self.now = end;
        self.work();
    }

    /// Takes out what was read and written since the last call.
    pub(super) fn take_log(&mut self) -> Vec<String> {
        std::mem::take(&mut self.log)
    }

    /// Takes out the events, in short.
    pub(super) fn take_events(&mut self) -> Vec<String> {
        let events: Vec<Event> = self.controller.events().collect();
        let text = |event: &Event| {
            let text = event.to_string().replace(&format!("{}", web().id), "web");
            text.replace("ipvsadm ", "").replace("-t 192.0.2.10:80", "web")
        };
        events.iter().map(text).collect()
    }
}

/// A change in short, such as `-a web 10.0.0.1:8080 -w 1`.
fn short(change: &Change) -> String {
    let text = change.to_string().replace("ipvsadm ", "");
    text.replace("-t 192.0.2.10:80", "web").replace(" -r 10.0.0.", " ").replace(":8080 -m", "")
}
