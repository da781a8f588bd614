//! The command line.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Parser;

/// Keep the kernel's IPVS table as FILE or standard input says, and print what happens
#[derive(Debug, Parser)]
#[command(
    name = "controller",
    version,
    after_help = "\
Wishes are commands of ipvsadm, one a line: -A -E -D for services, -a -e -d for destinations, -C for
everything. They change what is wished, and the program changes the kernel's table accordingly: a
destination that leaves drains first. Hosts and ports are numbers.

The program ends with exit code 0 on Ctrl-C, or at the end of standard input when the table is as
wished. Destinations that drain keep weight 0 then, and the next run continues. A second Ctrl-C ends
the program at once."
)]
pub(crate) struct Arguments {
    /// The wishes, read again when the file changes; standard input if not given
    pub(crate) file: Option<PathBuf>,
    /// Work on a kernel in memory, without root
    #[arg(long)]
    pub(crate) fake: bool,
    /// How long to wait for connections to end: 30s, 5m, 1h, or `forever`
    #[arg(long, value_name = "TIME", default_value = "30s")]
    pub(crate) drain_deadline: Deadline,
    /// How long a service that leaves stays untouched after the line "... is about to leave"
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = time)]
    pub(crate) hold: Duration,
    /// How often to read the whole table, which undoes changes of other programs
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = time)]
    pub(crate) resync: Duration,
    /// At the end, let all services leave, and wait until they have
    #[arg(long)]
    pub(crate) withdraw: bool,
    /// Keep the names of the services in a file of this path, so that the next run lets those leave
    /// that FILE does not wish any more
    #[arg(long, value_name = "PATH", requires = "file")]
    pub(crate) state: Option<PathBuf>,
}

/// A time to wait. `None` waits for ever.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(pub(crate) Option<Duration>);

impl FromStr for Deadline {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "forever" { Ok(Self(None)) } else { time(text).map(|time| Self(Some(time))) }
    }
}

/// Parses a time such as `500ms`, `30s`, `5m` or `1h`.
fn time(text: &str) -> Result<Duration, &'static str> {
    let units = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)];
    units
        .into_iter()
        .filter_map(|(unit, millis)| Some((text.strip_suffix(unit)?, millis)))
        .find_map(|(number, millis)| number.parse::<u64>().ok()?.checked_mul(millis))
        .map(Duration::from_millis)
        .ok_or("must be like 500ms, 30s, 5m or 1h")
}
