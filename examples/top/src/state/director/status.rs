use std::collections::{BTreeMap, HashMap};
use std::time::SystemTime;

use ipvs_netlink::{DestinationId, ServiceId};
use serde::Deserialize;

use crate::manners::LONGEST_SHOWN;

/// How many troubles are kept.
const MOST_TROUBLES: usize = 100;

/// The state of all services of the director.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Status {
    /// What is wrong with all of it.
    pub troubles: Vec<String>,
    /// The services.
    pub services: HashMap<ServiceId, Service>,
}

/// A service, as the director sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// The service.
    pub id: ServiceId,
    /// Whether enough destinations are live.
    pub available: bool,
    /// Why, such as `1 of 2 live, quorum 1`.
    pub reason: String,
    destinations: BTreeMap<DestinationId, Destination>,
}

impl Service {
    /// The destinations, in order.
    pub fn destinations(&self) -> impl Iterator<Item = &Destination> {
        self.destinations.values()
    }

    /// A destination.
    #[must_use]
    pub fn destination(&self, id: DestinationId) -> Option<&Destination> {
        self.destinations.get(&id)
    }
}

/// A destination, as the director sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Destination {
    /// The destination.
    pub id: DestinationId,
    /// Its state.
    pub state: DestinationState,
    /// Since when the checks say so.
    pub since: Option<SystemTime>,
    /// What the checks say.
    pub reason: String,
    /// What an operator has ordered.
    pub maintenance: Option<Maintenance>,
    /// The weight that the file or an order gives.
    pub weight: u32,
    /// Whether that is an order.
    pub weight_ordered: bool,
}

/// A maintenance of a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maintenance {
    /// What becomes of the destination.
    pub kind: Kind,
    /// Who has ordered it.
    pub by: String,
    /// When it ends by itself.
    pub until: Option<SystemTime>,
}

/// What a maintenance does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Connections continue, and no new ones come.
    Drain,
    /// The destination leaves the table.
    Out,
}

/// The state of a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DestinationState {
    /// It is dead.
    Down,
    /// It is dead, and stays in rotation because too few are live.
    Kept,
    /// An operator has taken it out.
    Out,
    /// An operator drains it.
    Drained,
    /// It is not in the director's file any more, and its connections end.
    Leaving,
    /// It is live.
    Up,
    /// No check has decided yet, or the director is newer than this program.
    #[serde(other)]
    Unknown,
}

impl DestinationState {
    /// Whether checks call it dead.
    #[must_use]
    pub const fn is_dead(self) -> bool {
        matches!(self, Self::Down | Self::Kept)
    }

    /// The state in a word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Down => "dead",
            Self::Kept => "dead, kept",
            Self::Out => "out",
            Self::Drained => "drained",
            Self::Leaving => "leaving",
            Self::Up => "up",
            Self::Unknown => "unchecked",
        }
    }
}

/// The form on the socket. Keys that are not named here are ignored, as the protocol demands.
#[derive(Deserialize)]
pub(super) struct Written {
    #[serde(default)]
    troubles: Vec<String>,
    services: Vec<WrittenService>,
}

#[derive(Deserialize)]
struct WrittenService {
    service: String,
    available: bool,
    #[serde(default)]
    reason: String,
    destinations: Vec<WrittenDestination>,
}

#[derive(Deserialize)]
struct WrittenDestination {
    destination: String,
    state: DestinationState,
    #[serde(default)]
    since: Option<String>,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    maintenance: Option<WrittenMaintenance>,
    weight: u32,
    #[serde(default)]
    weight_ordered: bool,
}

#[derive(Deserialize)]
struct WrittenMaintenance {
    kind: Kind,
    #[serde(default)]
    by: String,
    #[serde(default)]
    until: Option<String>,
}

impl From<Written> for Status {
    /// Leaves out services and destinations whose names cannot be read.
    fn from(written: Written) -> Self {
        let services = written.services.into_iter().filter_map(|service| {
            let id: ServiceId = service.service.parse().ok()?;
            let destinations = service.destinations.into_iter().filter_map(read).collect();
            let WrittenService { available, reason, .. } = service;
            Some((id, Service { id, available, reason: bounded(reason), destinations }))
        });
        // The screen has room for a few, and `--json` names none.
        let troubles = written.troubles.into_iter().take(MOST_TROUBLES).map(bounded).collect();
        Self { services: services.collect(), troubles }
    }
}

fn read(written: WrittenDestination) -> Option<(DestinationId, Destination)> {
    let id: DestinationId = written.destination.parse().ok()?;
    let maintenance = written.maintenance.map(|it| Maintenance {
        kind: it.kind,
        by: bounded(it.by),
        until: it.until.as_deref().and_then(time),
    });
    let destination = Destination {
        id,
        state: written.state,
        since: written.since.as_deref().and_then(time),
        reason: bounded(written.reason),
        maintenance,
        weight: written.weight,
        weight_ordered: written.weight_ordered,
    };
    Some((id, destination))
}

/// The part of a text that a screen shows at most. The director may send megabytes, and changes keep it.
pub(super) fn bounded(text: String) -> String {
    match text.char_indices().nth(LONGEST_SHOWN) {
        Some((end, _)) => text.get(..end).unwrap_or_default().to_owned(),
        None => text,
    }
}

fn time(text: &str) -> Option<SystemTime> {
    text.parse::<jiff::Timestamp>().ok().map(SystemTime::from)
}
