use ipvs_netlink::explain::Availability;
use ipvs_netlink::growth::PerSecond;
use ipvs_netlink::{DestinationEntry, DestinationId, ServiceId, ServiceSnapshot};
use jiff::tz::TimeZone;

use crate::Moment;
use crate::state::clock::{length, time_of_day};
use crate::state::director::{self, DestinationState, Director, Kind, left};
use crate::state::promise;
use crate::state::readings::Readings;
use crate::state::shares::{Basis, Shares};
use crate::state::speed::speed;

/// A destination on the screen of its service.
#[derive(Clone, Debug)]
pub struct DestinationRow {
    /// The destination.
    pub id: DestinationId,
    /// What the kernel has of it. `None`: it is not in the table.
    pub entry: Option<DestinationEntry>,
    /// Its state.
    pub standing: Standing,
    /// The rates, if they are known.
    pub speed: Option<PerSecond>,
    /// Its share of the connections, if there are any.
    pub share: Option<f64>,
    /// The share that the weights promise.
    pub promised: Option<f64>,
    /// Why it is in this state, for people. Contains texts from outside.
    pub reason: String,
}

/// The state of a destination, by what the kernel shows and the director says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It takes connections.
    Up,
    /// Its connections are between the thresholds, so perhaps it takes none.
    PerhapsOverloaded,
    /// It has reached its upper threshold.
    Overloaded,
    /// Its weight is 0.
    Drained,
    /// The director's checks call it dead.
    Dead,
    /// The director keeps it out of the table, for another reason.
    Out,
}

impl Standing {
    /// The state in a word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::PerhapsOverloaded => "up?",
            Self::Overloaded => "overloaded",
            Self::Drained => "drained",
            Self::Dead => "dead",
            Self::Out => "out",
        }
    }
}

/// Makes the rows of a service, ordered by destination: those in the table, and those that the director
/// keeps out of the table.
pub(crate) fn rows(
    service: &ServiceSnapshot,
    readings: &Readings,
    director: &Director,
    shares: &Shares,
    now: Moment,
    zone: &TimeZone,
) -> (Basis, Vec<DestinationRow>) {
    let id = service.id();
    let (basis, counted) = shares.of(service);
    let promised = promise::promised(service.entry.service.scheduler, &service.destinations)
        .unwrap_or_default();
    let growth = readings.growth();
    let grown = growth.and_then(|growth| growth.service(id));
    let mut grown = grown
        .into_iter()
        .flat_map(|service| service.destinations())
        .filter(|destination| destination.after().is_some());
    let mut rows: Vec<DestinationRow> = Vec::with_capacity(service.destinations.len());
    for (nth, entry) in service.destinations.iter().enumerate() {
        let speed = growth
            .zip(grown.next())
            .and_then(|(growth, destination)| speed(&growth, &destination.grown(), &entry.stats));
        let checked = director.destination(id, entry.id());
        rows.push(DestinationRow {
            id: entry.id(),
            entry: Some(entry.clone()),
            standing: standing(entry, checked),
            speed,
            share: counted.get(nth).and_then(|count| fraction(*count, basis.connections)),
            promised: promised.get(nth).copied(),
            reason: reason(Some(entry), checked, now, zone),
        });
    }
    rows.extend(outside(id, service, director, now, zone));
    rows.sort_by_key(|row| row.id);
    (basis, rows)
}

fn outside(
    id: ServiceId,
    service: &ServiceSnapshot,
    director: &Director,
    now: Moment,
    zone: &TimeZone,
) -> Vec<DestinationRow> {
    let known = director.service(id).into_iter().flat_map(director::Service::destinations);
    let missing = known.filter(|checked| service.destination(checked.id).is_none());
    let row = |checked: &director::Destination| DestinationRow {
        id: checked.id,
        entry: None,
        standing: if checked.state.is_dead() { Standing::Dead } else { Standing::Out },
        speed: None,
        share: None,
        promised: None,
        reason: reason(None, Some(checked), now, zone),
    };
    missing.map(row).collect()
}

#[allow(clippy::cast_precision_loss, reason = "a share is no exact number")]
fn fraction(part: u64, all: u64) -> Option<f64> {
    (all > 0).then(|| part as f64 / all as f64)
}

fn standing(entry: &DestinationEntry, checked: Option<&director::Destination>) -> Standing {
    if checked.is_some_and(|it| it.state.is_dead()) {
        return Standing::Dead;
    }
    match Availability::of(&entry.destination, entry.connections) {
        Availability::Quiesced => Standing::Drained,
        Availability::Overloaded => Standing::Overloaded,
        Availability::Unknown => Standing::PerhapsOverloaded,
        _ => Standing::Up,
    }
}

/// Says why a destination is in its state: `dead since 12:03:04: connect refused`, or `drains, 12 active,
/// 40 s left`.
fn reason(
    entry: Option<&DestinationEntry>,
    checked: Option<&director::Destination>,
    now: Moment,
    zone: &TimeZone,
) -> String {
    let active = entry.map_or(0, |entry| entry.connections.active);
    let drains = || match active {
        _ if entry.is_none() => "drained, not in the table".to_owned(),
        0 => "drained, none active".to_owned(),
        active => format!("drains, {active} active"),
    };
    let Some(checked) = checked else { return of_kernel(entry, &drains) };
    let ordered = checked.maintenance.as_ref();
    let mut text = match (checked.state, ordered.map(|it| it.kind)) {
        (DestinationState::Down, _) => "dead".to_owned(),
        (DestinationState::Kept, _) => "dead, kept in the table: too few are live".to_owned(),
        (DestinationState::Drained, _) | (_, Some(Kind::Drain)) => drains(),
        (DestinationState::Out, _) | (_, Some(Kind::Out)) if entry.is_some() => {
            format!("leaves the table, {active} active")
        }
        (DestinationState::Out, _) | (_, Some(Kind::Out)) => "out of the table".to_owned(),
        (DestinationState::Leaving, _) => format!("leaves the director's file, {active} active"),
        (DestinationState::Unknown, _) => "not checked yet".to_owned(),
        (DestinationState::Up, _) => of_kernel(entry, &drains),
    };
    if checked.state.is_dead() {
        if let Some(since) = checked.since {
            text += &format!(" since {}", time_of_day(since, now.clock, zone));
        }
        if !checked.reason.is_empty() {
            text += &format!(": {}", checked.reason);
        }
    }
    if let Some(ordered) = ordered {
        if let Some(until) = ordered.until {
            text += &format!(", {} left", length(left(until, now.clock)));
        }
        if !ordered.by.is_empty() {
            text += &format!(", by {}", ordered.by);
        }
        // What the checks say of it counts once the maintenance ends.
        if !checked.state.is_dead() && !checked.reason.is_empty() {
            text += &format!("; {}", checked.reason);
        }
    }
    if checked.state == DestinationState::Up && checked.weight_ordered {
        let comma = if text.is_empty() { "" } else { ", " };
        text += &format!("{comma}weight {} ordered", checked.weight);
    }
    text
}

/// What the kernel alone tells.
fn of_kernel(entry: Option<&DestinationEntry>, drains: &dyn Fn() -> String) -> String {
    let Some(entry) = entry else { return "not in the table".to_owned() };
    let connections = u64::from(entry.connections.active) + u64::from(entry.connections.inactive);
    let upper = entry.destination.thresholds.upper;
    match Availability::of(&entry.destination, entry.connections) {
        Availability::Quiesced => drains(),
        Availability::Overloaded => format!("overloaded: {connections} of {upper} connections"),
        Availability::Unknown => {
            format!("perhaps overloaded: {connections} connections, between the thresholds")
        }
        _ => String::new(),
    }
}
