//! The arguments of the commands that talk to the daemon.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Subcommand};
use ipvs_netlink::{DestinationId, ServiceId};
use jiff::{SignedDuration, Span, SpanRelativeTo};

use crate::arguments::default_socket;
use crate::control::request::LONGEST_MAINTENANCE;

/// Which daemon, and how long it may take.
#[derive(Args, Clone, Debug)]
pub struct DaemonArguments {
    /// The control socket of the daemon, or its status socket for `status` and `events`
    #[arg(long, value_name = "PATH", env = "DIRECTOR_SOCKET", default_value_os_t = default_socket())]
    pub socket: PathBuf,
    /// How many seconds the daemon may take to answer
    #[arg(long, value_name = "SECONDS", default_value_t = 30,
        value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub timeout: u64,
}

/// A destination, in one service or in all that have it.
#[derive(Args, Clone, Debug)]
pub struct Place {
    /// The destination, such as `10.0.0.2:8080` or `[2001:db8::2]:8080`
    pub destination: DestinationId,
    /// The service, such as "TCP 192.0.2.10:80" or "FWM 5"; otherwise all that have the destination
    #[arg(long)]
    pub service: Option<ServiceId>,
}

/// How a maintenance is ordered.
#[derive(Args, Clone, Debug)]
pub struct Ordered {
    /// After which time it ends by itself, such as 90s, 15m, 1h30m or 2d
    #[arg(long = "for", value_name = "TIME", value_parser = time)]
    pub lasts: Option<Duration>,
    /// Who orders it and why, for people; otherwise the user that the daemon sees
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
    /// Wait until the active connections of the destination have ended
    #[arg(long)]
    pub wait: bool,
    /// The longest wait, such as 10m; then the exit code is 8, and the maintenance goes on
    #[arg(long, value_name = "TIME", requires = "wait", value_parser = time)]
    pub wait_at_most: Option<Duration>,
}

/// The arguments of `director status`.
#[derive(Args, Clone, Debug)]
pub struct StatusArguments {
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would take it for help")]
    pub daemon: DaemonArguments,
    /// Only this service, such as "TCP 192.0.2.10:80" or "FWM 5"
    #[arg(long)]
    pub service: Option<ServiceId>,
    /// Only this destination
    #[arg(long)]
    pub destination: Option<DestinationId>,
    /// Leave out destinations that are up
    #[arg(long, conflicts_with = "json")]
    pub troubles: bool,
    /// Print the state as JSON; PROTOCOL.md documents its shape
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `director events`.
#[derive(Args, Clone, Debug)]
pub struct EventsArguments {
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would take it for help")]
    pub daemon: DaemonArguments,
    /// Do not print the states first
    #[arg(long)]
    pub from_now: bool,
    /// Print each line as it comes; PROTOCOL.md documents its shape
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `director drain`.
#[derive(Args, Clone, Debug)]
pub struct Drain {
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would take it for help")]
    pub daemon: DaemonArguments,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would take it for help")]
    pub place: Place,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would take it for help")]
    pub ordered: Ordered,
}

/// The arguments of `director maintenance`.
#[derive(Args, Clone, Debug)]
pub struct MaintenanceArguments {
    /// Whether it begins or ends
    #[command(subcommand)]
    pub turn: Turn,
}

/// Whether a maintenance begins or ends.
#[derive(Clone, Debug, Subcommand)]
pub enum Turn {
    /// Take a destination out of the table. Its connections drain as the file says.
    On(Drain),
    /// End a maintenance or a drain.
    Off(Off),
}

/// The arguments of `director maintenance off`.
#[derive(Args, Clone, Debug)]
pub struct Off {
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would take it for help")]
    pub daemon: DaemonArguments,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would take it for help")]
    pub place: Place,
}

/// The arguments of `director weight`.
#[derive(Args, Clone, Debug)]
pub struct Weight {
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would take it for help")]
    pub daemon: DaemonArguments,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would take it for help")]
    pub place: Place,
    /// The weight, 0 to 2147483647, or `file` for that of the file
    pub weight: OrderedWeight,
}

/// A weight, or `None` for that of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderedWeight(pub Option<u32>);

/// The arguments of `director check-now`.
#[derive(Args, Clone, Debug)]
pub struct CheckNow {
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would take it for help")]
    pub daemon: DaemonArguments,
    /// The destination, such as `10.0.0.2:8080` or `[2001:db8::2]:8080`
    pub destination: DestinationId,
}

/// The arguments of `director reload`.
#[derive(Args, Clone, Debug)]
pub struct Reload {
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would take it for help")]
    pub daemon: DaemonArguments,
}

impl FromStr for OrderedWeight {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "file" {
            return Ok(Self(None));
        }
        let weight = text.parse().ok().filter(|weight| *weight <= i32::MAX.unsigned_abs());
        match weight {
            Some(weight) => Ok(Self(Some(weight))),
            None => Err("a weight is 0 to 2147483647, or `file`".to_owned()),
        }
    }
}

/// Reads a time such as `1h30m`.
fn time(text: &str) -> Result<Duration, String> {
    let expected = "a time is 1 s to 10 years, such as 90s, 15m, 1h30m or 2d".to_owned();
    let span: Span = text.parse().map_err(|_| expected.clone())?;
    let days = SpanRelativeTo::days_are_24_hours();
    let time = span.to_duration(days).map_err(|_| expected.clone())?;
    let whole = SignedDuration::from_secs(time.as_secs());
    match Duration::try_from(whole) {
        Ok(time) if !time.is_zero() && time <= LONGEST_MAINTENANCE => Ok(time),
        _ => Err(expected),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        for (text, seconds) in [
            ("90s", 90),
            ("15m", 900),
            ("1h30m", 5400),
            ("2d", 172_800),
            ("1h 5m", 3900),
            ("3650d", 315_360_000),
        ] {
            assert_eq!(time(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in
            ["", "5", "0s", "-1h", "1h ago", "200ms", "3651d", "1y", "99999999999999h", "soon"]
        {
            assert!(time(text).is_err(), "{text}: {:?}", time(text));
        }
    }
}
