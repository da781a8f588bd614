//! Prints plans: as a list of differences for people, and as commands for shells.

use std::collections::BTreeMap;
use std::fmt;

use crate::ipvsadm::Unsaid;
use crate::model::{
    Change, Connections, Destination, DestinationId, Forwarding, Service, ServiceId, Thresholds,
    Timeouts,
};
use crate::table::plan::{Before, Disruption, Phase, Plan, Step};
use crate::table::{DrainPolicy, DrainUntil};

/// The change of an object in a [`DiffLine`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Sign {
    /// The service stays as it is; changes of its destinations follow.
    Same,
    /// The object is added.
    Added,
    /// The object is changed.
    Changed,
    /// The object is deleted.
    Removed,
}

impl fmt::Display for Sign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Same => " ",
            Self::Added => "+",
            Self::Changed => "~",
            Self::Removed => "-",
        })
    }
}

/// A line of the differences of a [`Plan`]: a timeout, a setting, a service, or an indented
/// destination below its service.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DiffLine {
    /// The change of the object.
    pub sign: Sign,
    /// The object and its differences.
    pub text: String,
    /// What clients notice, if they notice anything.
    pub disruption: Option<Disruption>,
}

impl fmt::Display for DiffLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.sign, self.text)?;
        match self.disruption {
            Some(disruption) => write!(f, " (disruptive: {disruption})"),
            None => Ok(()),
        }
    }
}

/// The steps of a plan for a service and its destinations.
#[derive(Default)]
struct Changes<'p> {
    service: Option<&'p Step>,
    destinations: BTreeMap<DestinationId, &'p Step>,
}

impl Plan {
    /// Returns the differences: of timeouts and settings, and then by service in the order of the
    /// table.
    pub fn diff(&self) -> impl Iterator<Item = DiffLine> {
        let mut services: BTreeMap<ServiceId, Changes<'_>> = BTreeMap::new();
        for step in self.steps() {
            let Some(id) = step.service() else { continue };
            let changes = services.entry(id).or_default();
            match step.destination() {
                // A drain has two steps. Keep the last one, the deletion.
                Some(destination) => drop(changes.destinations.insert(destination, step)),
                None => changes.service = Some(step),
            }
        }
        let drain = self.drain();
        let services = services.into_iter().flat_map(move |(id, changes)| {
            let gone =
                changes.service.is_some_and(|step| matches!(step.change, Change::DeleteService(_)));
            let service = changes.service.map_or_else(
                || DiffLine { sign: Sign::Same, text: id.to_string(), disruption: None },
                |step| service_line(step, drain),
            );
            // Leave out the destinations of a deleted service: they drain with the service.
            let destinations = changes.destinations.into_values().filter(move |_| !gone);
            std::iter::once(service)
                .chain(destinations.map(move |step| destination_line(step, drain)))
        });
        self.settings_plan().lines().chain(services)
    }

    /// Returns the commands of `ipvsadm`, and of `sysctl` for settings that are
    /// [to be written](crate::table::SettingsPlan::to_be_written), that make the same changes, one
    /// a line, for a shell. A comment precedes the commands that must wait for connections to end. A step that `ipvsadm`
    /// cannot express is a comment, too: check [`unsaid`](Self::unsaid) before a program runs the
    /// commands.
    pub const fn commands(&self) -> impl fmt::Display {
        Commands(self)
    }
}

impl Plan {
    /// Returns the steps that `ipvsadm` 1.31 cannot make, or makes differently, when a program runs
    /// [`commands`](Self::commands): see [`Change::check_command`]. Run the commands only if there
    /// are no such steps: later commands may delete objects that these steps were to replace.
    ///
    /// ```
    /// use ipvs_netlink::Snapshot;
    /// use ipvs_netlink::table::{Plan, PlanOptions, Table, TableService};
    /// use ipvs_netlink::{Destination, Service};
    ///
    /// let server = Destination::direct_route("10.0.0.2:8080".parse()?);
    /// let web = TableService::new(Service::tcp("192.0.2.10:80".parse()?)).with(server);
    /// let plan = Plan::new(&Snapshot::default(), &Table::from_iter([web]), &PlanOptions::new())?;
    /// let (step, unsaid) = plan.unsaid().next().unwrap();
    /// assert_eq!(step.destination().unwrap().to_string(), "10.0.0.2:8080");
    /// assert_eq!(unsaid.to_string(), "ipvsadm cannot say port 8080 with -g");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn unsaid(&self) -> impl Iterator<Item = (&Step, Unsaid)> {
        self.steps().filter_map(|step| Some((step, step.change.check_command().err()?)))
    }
}

impl fmt::Display for Plan {
    /// Prints the lines of [`Plan::diff`], or `no changes` if there are none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() && self.settings_plan().is_empty() {
            return f.write_str("no changes\n");
        }
        self.diff().try_for_each(|line| writeln!(f, "{line}"))
    }
}

struct Commands<'p>(&'p Plan);

impl fmt::Display for Commands<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let declared = self.0.settings_plan();
        if declared.is_to_be_written() {
            for (setting, value) in declared.settings().iter() {
                let value = value.to_string().replace('\'', r"'\''");
                writeln!(f, "sysctl -w 'net.ipv4.vs.{setting}={value}'")?;
            }
            if declared.timeouts() != Timeouts::default() {
                writeln!(f, "{}", Change::SetTimeouts(declared.timeouts()))?;
            }
        }
        let mut waited = false;
        for step in self.0 {
            if step.phase == Phase::Drained && !waited {
                waited = true;
                if let Some(drain) = self.0.drain() {
                    writeln!(f, "# now wait until what has weight 0 has {drain}")?;
                }
            }
            writeln!(f, "{}", step.change)?;
        }
        Ok(())
    }
}

impl fmt::Display for DrainPolicy {
    /// Prints what the drain waits for and the deadline, such as `no connections, 30 s at most`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.until {
            DrainUntil::NoTraffic => "no connections that carry data",
            DrainUntil::NoActive => "no active connections",
            DrainUntil::NoConnections => "no connections",
            DrainUntil::NoClients => "no connections and no persistent clients",
        })?;
        match self.deadline {
            Some(deadline) => write!(f, ", {} s at most", deadline.as_secs_f64()),
            None => Ok(()),
        }
    }
}

fn service_line(step: &Step, drain: Option<DrainPolicy>) -> DiffLine {
    let (sign, text) = match (&step.change, step.before()) {
        (Change::UpdateService(after), Some(Before::Service { service, .. })) => {
            (Sign::Changed, format!("{} {}", after.id, service_difference(service, after)))
        }
        (Change::DeleteService(id), before) => {
            let text = match before {
                Some(Before::Service { service, destinations, connections }) => {
                    let left = drained(step, *connections, drain);
                    format!("{service}, destinations {destinations}{left}")
                }
                _ => id.to_string(),
            };
            (Sign::Removed, text)
        }
        (Change::AddService(service) | Change::UpdateService(service), _) => {
            (Sign::Added, service.to_string())
        }
        (other, _) => (Sign::Changed, other.to_string()),
    };
    DiffLine { sign, text, disruption: step.disruption() }
}

fn destination_line(step: &Step, drain: Option<DrainPolicy>) -> DiffLine {
    let (sign, text) = match (&step.change, step.before()) {
        (
            Change::UpdateDestination(_, after),
            Some(Before::Destination { destination: before, .. }),
        ) => (Sign::Changed, format!("{} {}", after.id, destination_difference(before, after))),
        (Change::DeleteDestination(..), Some(Before::Destination { destination, connections })) => {
            let left = drained(step, *connections, drain);
            (Sign::Removed, format!("{destination}{left}"))
        }
        (Change::AddDestination(_, destination) | Change::UpdateDestination(_, destination), _) => {
            (Sign::Added, destination.to_string())
        }
        (other, _) => (Sign::Removed, other.to_string()),
    };
    DiffLine { sign, text: format!("  {text}"), disruption: step.disruption() }
}

/// Returns the end of the line of a deleted object: how long it drains, and its connections.
fn drained(step: &Step, connections: Connections, drain: Option<DrainPolicy>) -> String {
    let drains = match (step.phase, drain.and_then(|drain| drain.deadline)) {
        (Phase::Drained, Some(deadline)) => format!(", drains up to {} s", deadline.as_secs_f64()),
        (Phase::Drained, None) => ", drains".to_owned(),
        _ => String::new(),
    };
    if connections == Connections::default() {
        return drains;
    }
    // Persistent clients keep opening connections to weight 0: see `DrainUntil`.
    let back = match step.phase {
        Phase::Drained if connections.persistent > 0 => " (persistent clients may come back)",
        _ => "",
    };
    format!("{drains}, {connections}{back}")
}

fn service_difference(before: &Service, after: &Service) -> String {
    let persistence = |service: &Service| match service.persistence {
        Some(persistence) => persistence.to_string(),
        None => "not persistent".to_owned(),
    };
    let flags = |service: &Service| match service.flags.is_empty() {
        true => "none".to_owned(),
        false => service.flags.named_for(service.scheduler),
    };
    differences([
        ("scheduler ", before.scheduler.to_string(), after.scheduler.to_string()),
        ("flags ", flags(before), flags(after)),
        ("", persistence(before), persistence(after)),
    ])
}

fn forwarding(destination: &Destination) -> String {
    match destination.forwarding {
        Forwarding::Tunnel(tunnel) => format!("Tunnel {tunnel}"),
        other => other.to_string(),
    }
}

fn thresholds(Thresholds { upper, lower }: Thresholds) -> String {
    format!("{upper}/{lower}")
}

fn destination_difference(before: &Destination, after: &Destination) -> String {
    differences([
        ("", forwarding(before), forwarding(after)),
        ("weight ", before.weight.to_string(), after.weight.to_string()),
        ("thresholds ", thresholds(before.thresholds), thresholds(after.thresholds)),
    ])
}

fn differences(fields: [(&str, String, String); 3]) -> String {
    let differ = fields.into_iter().filter(|(_, before, after)| before != after);
    let words = differ.map(|(name, before, after)| format!("{name}{before} -> {after}"));
    words.collect::<Vec<_>>().join(", ")
}
