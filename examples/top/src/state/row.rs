use ipvs_netlink::explain::Availability;
use ipvs_netlink::growth::PerSecond;
use ipvs_netlink::{Scheduler, ServiceId, ServiceSnapshot, Stats};

use crate::state::director::{self, Director};
use crate::state::readings::Readings;
use crate::state::speed::speed;

/// A service in the overview.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The service.
    pub id: ServiceId,
    /// Its scheduler.
    pub scheduler: Scheduler,
    /// Its destinations by state.
    pub count: Count,
    /// Active connections of all destinations.
    pub active: u64,
    /// Inactive connections of all destinations.
    pub inactive: u64,
    /// The rates, if they are known.
    pub speed: Option<PerSecond>,
    /// The counters.
    pub stats: Stats,
}

/// Numbers of destinations by state. A destination counts once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// They take connections.
    pub up: u32,
    /// Their weight is 0.
    pub drained: u32,
    /// They have reached their upper threshold.
    pub overloaded: u32,
    /// The director's checks call them dead, whether they are in the table or not.
    pub dead: u32,
    /// The kernel gives them new connections: those that are up, and dead ones that stay in the table. They
    /// are counted above.
    pub serving: u32,
}

impl Count {
    /// Whether the service refuses new clients: no destination takes any.
    #[must_use]
    pub const fn is_down(&self) -> bool {
        self.serving == 0
    }

    /// The number of destinations.
    #[must_use]
    pub const fn all(&self) -> u32 {
        self.up
            .saturating_add(self.drained)
            .saturating_add(self.overloaded)
            .saturating_add(self.dead)
    }

    /// Adds another count.
    pub const fn add(&mut self, more: &Self) {
        self.up = self.up.saturating_add(more.up);
        self.drained = self.drained.saturating_add(more.drained);
        self.overloaded = self.overloaded.saturating_add(more.overloaded);
        self.dead = self.dead.saturating_add(more.dead);
        self.serving = self.serving.saturating_add(more.serving);
    }
}

/// Makes the rows of the latest reading, ordered by service.
#[must_use]
pub(crate) fn rows(readings: &Readings, director: &Director) -> Vec<Row> {
    let (Some(latest), Some(growth)) = (readings.latest(), readings.growth()) else {
        return Vec::new();
    };
    // Both have the services of the latest reading in the same order.
    let grown = growth.services().filter(|service| service.after().is_some());
    let both = latest.snapshot.services().zip(grown);
    both.map(|(service, grown)| {
        let (mut active, mut inactive) = (0_u64, 0_u64);
        for entry in &service.destinations {
            active += u64::from(entry.connections.active);
            inactive += u64::from(entry.connections.inactive);
        }
        let stats = service.entry.stats;
        Row {
            id: service.id(),
            scheduler: service.entry.service.scheduler,
            count: count(service, director.service(service.id())),
            active,
            inactive,
            speed: speed(&growth, &grown.grown(), &stats),
            stats,
        }
    })
    .collect()
}

fn count(service: &ServiceSnapshot, checked: Option<&director::Service>) -> Count {
    let mut count = Count::default();
    for entry in &service.destinations {
        let is_dead = checked
            .and_then(|checked| checked.destination(entry.id()))
            .is_some_and(|checked| checked.state.is_dead());
        let availability = Availability::of(&entry.destination, entry.connections);
        if !matches!(availability, Availability::Quiesced | Availability::Overloaded) {
            count.serving = count.serving.saturating_add(1);
        }
        let number = match availability {
            _ if is_dead => &mut count.dead,
            Availability::Quiesced => &mut count.drained,
            Availability::Overloaded => &mut count.overloaded,
            _ => &mut count.up,
        };
        *number = number.saturating_add(1);
    }
    for checked in checked.into_iter().flat_map(director::Service::destinations) {
        let is_missing = || service.destination(checked.id).is_none();
        if checked.state.is_dead() && is_missing() {
            count.dead = count.dead.saturating_add(1);
        }
    }
    count
}
