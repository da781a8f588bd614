//! What the file says: the services, how they are checked, and what is announced.

mod document;
mod file;
mod findings;
mod load;
mod passive;
#[path = "../../../table/regular_file.rs"]
mod regular_file;
#[cfg(test)]
mod tests;
mod tree;
mod written;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use ipvs_netlink::health::probe::Probe;
use ipvs_netlink::health::through::MarkRange;
use ipvs_netlink::health::{Combination, Pace, PoolPolicy};
use ipvs_netlink::table::{DrainPolicy, TableService};
use ipvs_netlink::{DestinationId, ServiceId, Settings, SyncDaemon, Timeouts};

pub use self::findings::{Problem, Problems};
pub use self::load::{Format, LoadError, Loaded, load, parse};
pub use self::passive::{OnSign, PassiveSigns};
pub use self::written::{WriteError, to_yaml};

/// What one file says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Configuration {
    /// The network namespace of the table, of checks and of commands: a path such as
    /// `/run/netns/NAME`. `None` for that of the process.
    pub namespace: Option<PathBuf>,
    /// The timeouts of connections. Those that the file does not give stay as they are.
    pub timeouts: Timeouts,
    /// The settings `net.ipv4.vs.*`. Those that the file does not give stay as they are.
    pub settings: Settings,
    /// Whether timeouts and settings are written. Otherwise their differences are only told.
    pub write_settings: bool,
    /// The synchronization daemons. `None` leaves those of the kernel alone.
    pub synchronization: Option<Vec<SyncDaemon>>,
    /// How destinations leave that are not in the file any more. `None`: at once.
    pub drain: Option<DrainPolicy>,
    /// How often the whole table is read, 60 s by default.
    pub resync: Option<Duration>,
    /// What is done about signs in the traffic that a destination does not work.
    pub passive_signs: PassiveSigns,
    /// The firewall marks of checks through virtual addresses. `None` where no check goes that way.
    pub marks: Option<MarkRange>,
    /// The services.
    pub services: BTreeMap<ServiceId, ServiceConfiguration>,
}

/// What the file says of one service.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceConfiguration {
    /// The service and its destinations, with their weights.
    pub table: TableService,
    /// How its destinations are checked.
    pub checks: Checks,
    /// Destinations that are checked otherwise.
    pub checks_of: BTreeMap<DestinationId, Checks>,
    /// What the table holds by verdicts.
    pub policy: PoolPolicy,
    /// The commands that announce and withdraw the service. `None` for no commands.
    pub commands: Option<Commands>,
}

/// How a destination is checked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checks {
    /// The checks. Without any, the destination counts as live.
    pub checks: Vec<(Probe, Pace)>,
    /// How many of the checks must pass.
    pub combination: Combination,
}

/// The commands that announce and withdraw a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commands {
    /// The program and its arguments for a service that is available. Empty for none.
    pub available: Vec<String>,
    /// The program and its arguments for a service that is not available. Empty for none.
    pub unavailable: Vec<String>,
    /// The longest time that a command may take, 5 s by default.
    pub timeout: Duration,
    /// The time after which a command that failed is tried again, 5 s by default. It doubles with
    /// each further failure.
    pub retry: Duration,
    /// What counts if several services have the same address, [`SharedAddress::Any`] by default.
    pub shared_address: SharedAddress,
}

/// When an address is announced that several services with commands have. It is the same for all of
/// them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SharedAddress {
    /// While any of the services serves. `any` in files.
    #[default]
    Any,
    /// While all of the services serve. `all` in files.
    All,
    /// Each service is announced for itself, as if the others had other addresses. `ignore` in files.
    Ignore,
}
