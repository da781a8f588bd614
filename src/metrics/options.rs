/// Which samples there are, and how many at most.
///
/// By default there are samples of the namespace and of each service, none of destinations, and no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Options {
    pub(super) names: Names,
    pub(super) destinations: Destinations,
    pub(super) most_services: usize,
    pub(super) most_destinations: usize,
}

impl Options {
    /// Creates the default options.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            names: Names::Own,
            destinations: Destinations::NONE,
            most_services: usize::MAX,
            most_destinations: usize::MAX,
        }
    }

    /// Sets under which names samples appear. [`Names::Own`] by default.
    #[must_use]
    pub const fn names(mut self, names: Names) -> Self {
        self.names = names;
        self
    }

    /// Sets which samples of destinations there are. [`Destinations::NONE`] by default.
    #[must_use]
    pub const fn destinations(mut self, destinations: Destinations) -> Self {
        self.destinations = destinations;
        self
    }

    /// Sets the number of services up to which each has samples of its own, over all namespaces. If there
    /// are more, none has, and `ipvs_omitted_services` says how many they are. No limit by default.
    ///
    /// A part of the services would look like all of them, and sums over them would be wrong without
    /// notice.
    #[must_use]
    pub const fn at_most_services(mut self, most: usize) -> Self {
        self.most_services = most;
        self
    }

    /// Sets the number of destinations up to which each has samples of its own, over all namespaces. If
    /// there are more, none has, and `ipvs_omitted_destinations` says how many they are. No limit by
    /// default.
    ///
    /// The samples under node_exporter's names and those of health checks are of destinations, too, and
    /// obey this limit.
    #[must_use]
    pub const fn at_most_destinations(mut self, most: usize) -> Self {
        self.most_destinations = most;
        self
    }
}

impl Options {
    /// Whether there is any sample of a destination of the table.
    pub(super) fn wants_table(&self) -> bool {
        self.names != Names::Own || self.destinations.health(false) != Destinations::NONE
    }

    /// Whether there is any sample of a destination with health checks.
    pub(super) fn wants_health(&self) -> bool {
        self.names != Names::NodeExporter && self.destinations.health
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}

/// Under which names samples appear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Names {
    /// Those of this crate: `ipvs_service_connections_total` and so on.
    #[default]
    Own,
    /// The eight names of node_exporter, `node_ipvs_connections_total` and so on, with its labels. Beside
    /// them appear `ipvs_scrape_success`, `ipvs_scrape_duration_seconds`, `ipvs_table_complete` and
    /// `ipvs_omitted_destinations`, without which a table that cannot be read would look empty. The
    /// chapter "node_exporter's names" of the [module](super) says where the values differ.
    NodeExporter,
    /// Both.
    Both,
}

/// Which samples of destinations there are. Every family is a line for each destination in every scrape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Destinations {
    /// The five counters: connections, packets and bytes, in and out.
    pub traffic: bool,
    /// The three numbers of open connections: active, inactive and persistent.
    pub connections: bool,
    /// The weight.
    pub weight: bool,
    /// The two thresholds.
    pub thresholds: bool,
    /// `ipvs_destination_info`: the forwarding method and the tunnel.
    pub info: bool,
    /// What [`Source::health`](super::Source::health) adds of destinations: whether they are up, and
    /// their checks by result.
    pub health: bool,
}

impl Destinations {
    /// None, the default.
    pub const NONE: Self = Self {
        traffic: false,
        connections: false,
        weight: false,
        thresholds: false,
        info: false,
        health: false,
    };

    /// All fourteen families. The two of health checks appear with
    /// [`Source::health`](super::Source::health) only.
    pub const ALL: Self = Self {
        traffic: true,
        connections: true,
        weight: true,
        thresholds: true,
        info: true,
        health: true,
    };

    /// Adds or removes the counters of traffic.
    #[must_use]
    pub const fn traffic(mut self, wanted: bool) -> Self {
        self.traffic = wanted;
        self
    }

    /// Adds or removes the numbers of open connections.
    #[must_use]
    pub const fn connections(mut self, wanted: bool) -> Self {
        self.connections = wanted;
        self
    }

    /// Adds or removes the weight.
    #[must_use]
    pub const fn weight(mut self, wanted: bool) -> Self {
        self.weight = wanted;
        self
    }

    /// Adds or removes the thresholds.
    #[must_use]
    pub const fn thresholds(mut self, wanted: bool) -> Self {
        self.thresholds = wanted;
        self
    }

    /// Adds or removes the forwarding method.
    #[must_use]
    pub const fn info(mut self, wanted: bool) -> Self {
        self.info = wanted;
        self
    }
    /// Adds or removes what health checks say.
    #[must_use]
    pub const fn health(mut self, wanted: bool) -> Self {
        self.health = wanted;
        self
    }
}
