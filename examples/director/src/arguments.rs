//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::check::CheckArguments;
use crate::control::commands::{
    CheckNow, Drain, EventsArguments, MaintenanceArguments, Reload, StatusArguments, Weight,
};
use crate::convert::ConvertArguments;
use crate::daemon::RunArguments;

/// Keeps an IPVS table, checks its servers, takes orders and announces addresses.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
pub struct Arguments {
    /// What is to be done.
    #[command(subcommand)]
    pub command: Command,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the daemon in the foreground.
    Run(RunArguments),
    /// Show the state of all services and destinations, troubles first.
    Status(StatusArguments),
    /// Follow what happens, after a look at the troubles there are.
    Events(EventsArguments),
    /// Give a destination no new connections, and let those that it has end.
    Drain(Drain),
    /// Take a destination out of the table for maintenance, or back in.
    Maintenance(MaintenanceArguments),
    /// Give a destination another weight than the file does, until `weight DESTINATION file`.
    Weight(Weight),
    /// Check a destination now.
    CheckNow(CheckNow),
    /// Have the file read again, all or nothing.
    Reload(Reload),
    /// Tell everything that is wrong with a configuration, without a kernel or a network.
    Check(CheckArguments),
    /// Show what the director does, with servers and clients in network namespaces of its own.
    #[cfg(feature = "demo")]
    Demo,
    /// Convert a configuration of keepalived, and tell what cannot be said.
    Convert(ConvertArguments),
}

const EXIT_CODES: &str = "\
Exit codes:
  0  all was done
  1  the kernel, a privilege, a file or the socket is missing, or the daemon
     failed while it ran
  2  the command line is wrong
  3  the configuration, or another file, is wrong; nothing was changed
  4  another daemon has the lock; nothing was changed
  5  the daemon refused the order; nothing was changed
  6  no daemon answers on the socket
  7  the daemon took the order and did not say whether it was carried out: see
     `director status`
  8  --wait: the order was carried out, but the connections did not end in the
     time given, or somebody ended the maintenance meanwhile
  9  converted, and something of the configuration was left out or changed
  10 the order was carried out, but not saved: a restart of the daemon forgets it";

/// Returns the path of the control socket where none is given: in the folder that systemd has made,
/// or in `/run/director`.
#[must_use]
pub fn default_socket() -> PathBuf {
    folder("RUNTIME_DIRECTORY", "/run/director").join("control.socket")
}

/// Returns the path of the state file where none is given: in the folder that systemd has made, or in
/// `/var/lib/director`.
#[must_use]
pub fn default_state() -> PathBuf {
    folder("STATE_DIRECTORY", "/var/lib/director").join("state.json")
}

/// Returns the first folder of a variable, which systemd separates by colons.
fn folder(variable: &str, otherwise: &str) -> PathBuf {
    let value = std::env::var_os(variable);
    let first = value.iter().flat_map(std::env::split_paths).next();
    first.filter(|path| path.is_absolute()).unwrap_or_else(|| PathBuf::from(otherwise))
}
