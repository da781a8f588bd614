//! The arguments of `director run`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::arguments::default_state;
use crate::configuration::Format;
use crate::control::server::SocketArguments;
use crate::log::{LogFormat, LogLevel};
use crate::metrics::MetricsArguments;

/// The arguments of `director run`.
#[derive(Args, Clone, Debug)]
pub struct RunArguments {
    /// The configuration.
    pub file: PathBuf,
    /// The format of the configuration, that of the file's extension by default.
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub format: Option<Format>,
    /// The sockets.
    #[command(flatten)]
    pub sockets: SocketArguments,
    /// The state file.
    #[arg(long, value_name = "PATH", default_value_os_t = default_state())]
    pub state: PathBuf,
    /// What becomes of the table at the end.
    #[arg(long, value_name = "WHAT", value_enum, default_value_t)]
    pub on_stop: OnStop,
    /// The most seconds that withdrawals at the end take.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub stop_within: u64,
    /// Leave services in the table that an earlier run had and that the file has no more.
    #[arg(long)]
    pub keep_former: bool,
    /// Write the timeouts and settings of the file, as its key `write_settings` does.
    #[arg(long)]
    pub write_settings: bool,
    /// The metrics.
    #[command(flatten)]
    pub metrics: MetricsArguments,
    /// How the log on standard error is written.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub log_format: LogFormat,
    /// The least level that the log has.
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t)]
    pub log_level: LogLevel,
}

/// What becomes of the table at the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OnStop {
    /// The table stays as it is. Only withdrawals run that are due already.
    #[default]
    Keep,
    /// Services are withdrawn and leave the table, with their drains.
    Withdraw,
}

impl RunArguments {
    /// Returns the most time that withdrawals at the end take.
    #[must_use]
    pub const fn longest_stop(&self) -> Duration {
        Duration::from_secs(self.stop_within)
    }
}
