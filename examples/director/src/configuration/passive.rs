use std::time::Duration;

use ipvs_netlink::health::passive::ReadingSchedule;

/// What is done about signs in the traffic that a destination does not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassiveSigns {
    /// What a sign does, [`OnSign::Tell`] by default.
    pub on_sign: OnSign,
    /// The time between two readings, 10 s by default.
    pub interval: Duration,
    /// The number of connections above which they are not read, 50,000 by default.
    pub most_connections: u64,
}

/// What a sign does. It never takes a destination out by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OnSign {
    /// Nothing is read and told. `false` in files.
    Ignore,
    /// It is told. `tell` in files.
    #[default]
    Tell,
    /// It is told, and the next checks of the destination are due at once. `check` in files.
    Check,
}

impl Default for PassiveSigns {
    fn default() -> Self {
        Self {
            on_sign: OnSign::Tell,
            interval: ReadingSchedule::INTERVAL,
            most_connections: ReadingSchedule::MOST_CONNECTIONS,
        }
    }
}
