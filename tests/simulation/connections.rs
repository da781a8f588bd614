//! Clients, whose connections come and go.

use std::time::Duration;

use ipvs_netlink::{Connections, DestinationEntry, DestinationId, ServiceId, Snapshot};

use crate::profile::Profile;
use crate::random::Random;

/// What the kernel is to show of a destination.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traffic {
    pub(crate) service: ServiceId,
    pub(crate) destination: DestinationId,
    pub(crate) connections: Connections,
    /// The packets that pass.
    pub(crate) packets: u64,
}

/// All clients.
#[derive(Debug)]
pub(crate) struct Clients {
    random: Random,
    /// Some clients are bound to their destination.
    persistent: bool,
}

impl Clients {
    pub(crate) fn new(profile: &Profile) -> Self {
        let mut random = Random::fork(profile.seed, "clients");
        let persistent = random.chance(40);
        Self { random, persistent }
    }

    pub(crate) fn pause(&mut self) -> Duration {
        self.random.pause(200, 4_000)
    }

    /// What changes next.
    pub(crate) fn act(&mut self, truth: &Snapshot) -> Vec<Traffic> {
        let mut traffic = Vec::new();
        for present in truth {
            for entry in &present.destinations {
                if self.random.chance(40) {
                    traffic.extend(self.change(present.id(), entry));
                }
            }
        }
        traffic
    }

    fn change(&mut self, service: ServiceId, entry: &DestinationEntry) -> Option<Traffic> {
        let Connections { mut active, mut inactive, mut persistent, .. } = entry.connections;
        // Clients that persistence binds come back to weight 0.
        let bound = self.persistent && persistent > 0;
        match self.random.below(8) {
            0 | 1 if entry.destination.weight > 0 || bound => {
                active += 1;
                if self.persistent {
                    persistent += self.random.below(2);
                }
            }
            0 | 1 => inactive = inactive.saturating_sub(1),
            2 | 3 if active > 0 => {
                active -= 1;
                inactive += 1;
            }
            4 | 5 => inactive = inactive.saturating_sub(1),
            6 => persistent = persistent.saturating_sub(1),
            7 if active + inactive > 0 => {}
            _ => return None,
        }
        let connections = of(active, inactive, persistent);
        let packets = u64::from(active + inactive) * u64::from(self.random.below(3))
            + u64::from(connections != entry.connections);
        Some(Traffic { service, destination: entry.destination.id, connections, packets })
    }
}

/// The end of all connections.
pub(crate) fn ended(truth: &Snapshot) -> Vec<Traffic> {
    let mut traffic = Vec::new();
    for present in truth {
        for entry in &present.destinations {
            if entry.connections != Connections::default() {
                let connections = Connections::default();
                let (service, destination) = (present.id(), entry.destination.id);
                traffic.push(Traffic { service, destination, connections, packets: 1 });
            }
        }
    }
    traffic
}

/// Numbers of connections.
pub(crate) fn of(active: u32, inactive: u32, persistent: u32) -> Connections {
    let mut connections = Connections::default();
    (connections.active, connections.inactive, connections.persistent) =
        (active, inactive, persistent);
    connections
}
