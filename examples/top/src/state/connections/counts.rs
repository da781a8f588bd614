use std::collections::BTreeMap;

use ipvs_netlink::DestinationId;
use ipvs_netlink::procfs::{Connection, ConnectionState};

use crate::state::connections::Belonging;

/// How many pairs of a destination and a state are counted.
const MOST: usize = 20_000;

/// Numbers of connections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections and templates.
    pub all: u64,
    /// Templates of persistence.
    pub templates: u64,
    /// Lines that could not be read.
    pub malformed: u64,
    /// Connections by destination and state, without templates.
    states: BTreeMap<(DestinationId, ConnectionState), Number>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Number {
    all: u64,
    /// Those that may belong to another service.
    shared: u64,
}

impl Counts {
    /// Counts a connection.
    pub fn add(&mut self, connection: &Connection, belonging: Belonging) {
        self.all += 1;
        if connection.is_template() {
            self.templates += 1;
            return;
        }
        let key = (belonging.destination, connection.state);
        if self.states.len() < MOST || self.states.contains_key(&key) {
            let number = self.states.entry(key).or_default();
            number.all += 1;
            number.shared += u64::from(belonging.is_shared);
        }
    }

    /// The connections by state, of one destination or of all.
    #[must_use]
    pub fn by_state(&self, destination: Option<DestinationId>) -> BTreeMap<ConnectionState, u64> {
        let mut states = BTreeMap::new();
        for (state, number) in self.of(destination) {
            *states.entry(state).or_default() += number.all;
        }
        states
    }

    /// The connections, of one destination or of all, that may as well belong to another service: the kernel
    /// does not show which.
    #[must_use]
    pub fn shared(&self, destination: Option<DestinationId>) -> u64 {
        self.of(destination).map(|(_, number)| number.shared).sum()
    }

    fn of(
        &self,
        destination: Option<DestinationId>,
    ) -> impl Iterator<Item = (ConnectionState, Number)> {
        let is_of = move |of: &DestinationId| destination.is_none_or(|it| it == *of);
        let of_it = self.states.iter().filter(move |((of, _), _)| is_of(of));
        of_it.map(|((_, state), number)| (*state, *number))
    }
}
