use std::sync::Arc;
use std::time::Duration;

use ipvs_netlink::procfs::PerProcessor;
use ipvs_netlink::{Info, Snapshot};

use crate::Moment;

/// What one reading of the kernel found.
#[derive(Clone, Debug)]
pub struct Reading {
    /// When the reading began.
    pub at: Moment,
    /// How long it took.
    pub took: Duration,
    /// The services and destinations.
    pub snapshot: Arc<Snapshot>,
    /// The version, and the size of the connection table.
    pub info: Option<Info>,
    /// The counters of the processors, where `/proc` shows them.
    pub processors: Option<PerProcessor>,
    /// Whether the kernel keeps counters up to date, where it has the setting `run_estimation`.
    pub estimation: Option<bool>,
    /// Programs that are known to write the table.
    pub writers: Writers,
}

/// The processes that are known to write the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Writers {
    /// Those that were found.
    pub found: Vec<Writer>,
    /// Whether there may be others that this process is not shown.
    pub are_hidden: bool,
}

/// A process that is known to write the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Writer {
    /// The name of its program.
    pub name: String,
    /// The number of the process.
    pub process: u32,
}

impl Writer {
    /// The name of the director's program.
    pub const DIRECTOR: &str = "director";
}
