//! Plans and their outcomes as JSON.

use std::io::{self, Write};

use ipvs_netlink::table::{
    Applied, Before, Disruption, Plan, SettingsPlan, StepOutcome, Table, TableService,
};
use ipvs_netlink::{Change, Connections, Destination, Error, Service, ServiceId};
use serde::{Serialize, Serializer};
use serde_json::Value;

pub(crate) fn plan(plan: &Plan, out: &mut impl Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Planned<'p, S> {
        #[serde(skip_serializing_if = "SettingsPlan::is_empty")]
        settings: &'p SettingsPlan,
        steps: S,
    }
    let steps = List(|| plan.steps().map(|step| Step::of(step, None)));
    write(out, &Planned { settings: plan.settings_plan(), steps })
}

pub(crate) fn applied(plan: &Plan, applied: &Applied, out: &mut impl Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Done<'p, S> {
        #[serde(skip_serializing_if = "SettingsPlan::is_empty")]
        settings: &'p SettingsPlan,
        steps: S,
        done: bool,
        unverified: Option<String>,
    }
    let steps = || {
        let steps = plan.steps().zip(applied.outcomes());
        steps.map(|(step, outcome)| Step::of(step, Some(outcome)))
    };
    let unverified = applied.unverified().map(Error::to_string);
    let done = applied.is_done();
    write(out, &Done { settings: plan.settings_plan(), steps: List(steps), done, unverified })
}

fn write(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    out.write_all(b"\n")
}

/// A list that makes one element at a time, to save memory.
struct List<F>(F);

impl<F: Fn() -> I, I: Iterator<Item: Serialize>> Serialize for List<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0())
    }
}

#[derive(Serialize)]
struct Step {
    phase: String,
    service: Option<String>,
    destination: Option<String>,
    command: String,
    /// The service or destination before and after the step, with the keys of a file.
    before: Option<Value>,
    after: Option<Value>,
    connections: Option<Counted>,
    disruption: Option<&'static str>,
    #[serde(flatten)]
    outcome: Option<Outcome>,
}

#[derive(Serialize)]
struct Counted {
    active: u32,
    inactive: u32,
    persistent: u32,
}

#[derive(Serialize)]
struct Outcome {
    outcome: &'static str,
    done: bool,
    text: String,
}

impl Step {
    fn of(step: &ipvs_netlink::table::Step, outcome: Option<&StepOutcome>) -> Self {
        let (before, connections) = match step.before() {
            Some(Before::Service { service, connections, .. }) => {
                (Some(self::service(service)), Some(*connections))
            }
            Some(Before::Destination { destination, connections, .. }) => {
                let before = step.service().map(|id| self::destination(id, destination));
                (before, Some(*connections))
            }
            _ => (None, None),
        };
        let after = match &step.change {
            Change::AddService(service) | Change::UpdateService(service) => {
                Some(self::service(service))
            }
            Change::AddDestination(id, destination)
            | Change::UpdateDestination(id, destination) => {
                Some(self::destination(*id, destination))
            }
            _ => None,
        };
        Self {
            phase: step.phase.to_string(),
            service: step.service().map(|id| id.to_string()),
            destination: step.destination().map(|id| id.to_string()),
            command: step.change.to_string(),
            before,
            after,
            connections: connections.map(|Connections { active, inactive, persistent, .. }| {
                Counted { active, inactive, persistent }
            }),
            disruption: step.disruption().map(|disruption| match disruption {
                Disruption::SchedulerChange => "scheduler-change",
                Disruption::ConnectionsBreak => "connections-break",
                _ => "other",
            }),
            outcome: outcome.map(|outcome| Outcome {
                outcome: outcome.name(),
                done: outcome.is_done(),
                text: outcome.to_string(),
            }),
        }
    }
}

/// Returns a service with the keys of a file.
fn service(service: &Service) -> Value {
    in_a_table(TableService::new(service.clone()), "/services/0")
}

fn destination(service: ServiceId, destination: &Destination) -> Value {
    let service = TableService::new(Service::new(service)).with(destination.clone());
    in_a_table(service, "/services/0/destinations/0")
}

fn in_a_table(service: TableService, pointer: &str) -> Value {
    let table = serde_json::to_value(Table::from_iter([service]));
    table.ok().and_then(|mut table| table.pointer_mut(pointer).map(Value::take)).unwrap_or_default()
}
