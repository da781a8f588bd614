//! The files of a namespace and what they say.

use std::fs::File;

use rustix::fs::OFlags;

use crate::model::Stats;
use crate::procfs::applications::read_applications;
use crate::procfs::status::read_status;
use crate::procfs::totals::{read_per_processor, read_totals};
use crate::procfs::{
    Application, ConnectionReader, PerProcessor, Procfs, ProcfsError, TableStatus,
};

const CONNECTIONS: &str = "/proc/thread-self/net/ip_vs_conn";
const WITH_ORIGIN: &str = "/proc/thread-self/net/ip_vs_conn_sync";
const TOTALS: &str = "/proc/thread-self/net/ip_vs_stats";
const PER_PROCESSOR: &str = "/proc/thread-self/net/ip_vs_stats_percpu";
const APPLICATIONS: &str = "/proc/thread-self/net/ip_vs_app";
const STATUS: &str = "/proc/thread-self/net/ip_vs_status";

/// Reading. Each method opens its file anew.
impl Procfs {
    /// Opens a reader of all connections and templates of persistence. The reader reads while it is
    /// driven.
    #[doc = include_str!("errors_of_reading.md")]
    pub fn connections(&self) -> Result<ConnectionReader, ProcfsError> {
        Ok(ConnectionReader::at(CONNECTIONS, self.open_to_read(CONNECTIONS)?))
    }

    /// Opens a reader of all connections and templates, which says of each whether this host made
    /// it or the synchronization daemon received it. The data of persistence engines is missing.
    #[doc = include_str!("errors_of_reading.md")]
    pub fn connections_with_origin(&self) -> Result<ConnectionReader, ProcfsError> {
        Ok(ConnectionReader::at(WITH_ORIGIN, self.open_to_read(WITH_ORIGIN)?))
    }

    /// Reads the counters and rates of the whole network namespace. Netlink does not show them.
    ///
    /// The kernel updates the counters every two seconds, but not while the setting
    /// `net.ipv4.vs.run_estimation` is 0. They count since the namespace was created, or since all
    /// counters were zeroed ([`Client::zero_all`](crate::Client::zero_all)).
    #[doc = include_str!("errors_of_reading.md")]
    pub fn totals(&self) -> Result<Stats, ProcfsError> {
        read_totals(TOTALS, self.open_to_read(TOTALS)?)
    }

    /// Reads the counters of each processor.
    #[doc = include_str!("errors_of_reading.md")]
    pub fn per_processor(&self) -> Result<PerProcessor, ProcfsError> {
        read_per_processor(PER_PROCESSOR, self.open_to_read(PER_PROCESSOR)?)
    }

    /// Reads the application helpers and the ports that they watch. The list is empty unless the
    /// module `ip_vs_ftp` is loaded.
    #[doc = include_str!("errors_of_reading.md")]
    pub fn applications(&self) -> Result<Vec<Application>, ProcfsError> {
        read_applications(APPLICATIONS, self.open_to_read(APPLICATIONS)?)
    }

    /// Reads the sizes of the kernel's tables. Linux 7.1. Takes root or the group of root.
    ///
    /// Without the module `ip_vs` and on earlier kernels the error is
    /// [`Absent`](ProcfsError::Absent). On the latter [`connections`](Self::connections) works all the
    /// same.
    #[doc = include_str!("errors_of_reading.md")]
    pub fn status(&self) -> Result<TableStatus, ProcfsError> {
        read_status(STATUS, self.open_to_read(STATUS)?)
    }

    fn open_to_read(&self, path: &str) -> Result<File, ProcfsError> {
        self.open_file(path, OFlags::RDONLY)
    }
}
