//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use crate::manners::Colors;
use crate::state::Column;

/// Shows the IPVS load balancer of this host live: services, destinations, connections.
#[derive(Clone, Debug, Parser)]
#[command(name = "ipvs-top", version, after_help = AFTER)]
pub struct Arguments {
    /// Look at this network namespace: a name of `ip netns`, or an absolute path. Needs CAP_SYS_ADMIN
    #[arg(long, value_name = "NAME")]
    pub netns: Option<String>,

    /// Read the table every so many seconds, 1 to 3600. The kernel brings counters up to date every 2 s
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    pub interval: Duration,

    /// Sort services by this column; otherwise as the last time
    #[arg(long, value_name = "COLUMN")]
    pub sort: Option<SortColumn>,

    /// Show only services with these words; otherwise as the last time
    #[arg(long, value_name = "WORDS")]
    pub filter: Option<String>,

    /// Print all services once, as text, and end
    #[arg(long, conflicts_with = "json")]
    pub once: bool,

    /// Print everything once, as JSON, and end
    #[arg(long)]
    pub json: bool,

    /// Show a table with traffic of the demo's own, in network namespaces that end with the program
    #[cfg(feature = "demo")]
    #[arg(long, conflicts_with_all = ["netns", "director"])]
    pub demo: bool,

    /// The control socket of the director; with --netns, the director is only asked if this is given
    #[arg(long, value_name = "PATH", conflicts_with = "no_director")]
    pub director: Option<PathBuf>,

    /// Do not ask the director
    #[arg(long)]
    pub no_director: bool,

    /// Show the labels of services in this table file, such as their names: .yaml, .toml or .json
    #[arg(long, value_name = "FILE")]
    pub table: Option<PathBuf>,

    /// Give no orders: only look
    #[arg(long)]
    pub read_only: bool,

    /// Which colours to use. `auto` looks at NO_COLOR, TERM and COLORFGBG
    #[arg(long, value_name = "WHICH", default_value = "auto")]
    pub colors: WhichColors,

    /// Take clicks and the wheel of the mouse. The terminal can then not select text without Shift
    #[arg(long)]
    pub mouse: bool,

    /// Remember nothing, and do not read what was remembered
    #[arg(long)]
    pub forget: bool,
}

const AFTER: &str = "\
Press ? for the keys. Takes CAP_NET_ADMIN: the kernel shows its table to nobody else.
Exit codes: 0 success, 1 the table cannot be read, or the terminal or the last order failed,
2 the command line is wrong, 128 + N signal N ended it";

/// The socket on which the director listens by default.
const SOCKET: &str = "/run/director/control.socket";

/// Colours on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum WhichColors {
    /// By the environment.
    Auto,
    /// For a dark background.
    Dark,
    /// For a light background.
    Light,
    /// No colours.
    None,
}

/// A column on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SortColumn(pub Column);

impl ValueEnum for SortColumn {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: [SortColumn; Column::ALL.len()] = {
            let mut all = [SortColumn(Column::Service); Column::ALL.len()];
            let mut at = 0;
            while at < all.len() {
                #[allow(clippy::indexing_slicing, reason = "both have this length")]
                {
                    all[at] = SortColumn(Column::ALL[at]);
                }
                at += 1;
            }
            all
        };
        &ALL
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(self.0.name()))
    }
}

impl Arguments {
    /// The director's socket, if the director is to be asked.
    #[must_use]
    pub fn socket(&self) -> Option<PathBuf> {
        // With `--netns`, nobody says that the host's director keeps that namespace.
        let default = || self.netns.is_none().then(|| SOCKET.into());
        if self.no_director { None } else { self.director.clone().or_else(default) }
    }

    /// The colours. `environment` reads a variable.
    #[must_use]
    pub fn colors(&self, environment: impl Fn(&str) -> Option<String>) -> Colors {
        match self.colors {
            WhichColors::Dark => Colors::Dark,
            WhichColors::Light => Colors::Light,
            WhichColors::None => Colors::None,
            WhichColors::Auto => Colors::of_environment(
                environment("NO_COLOR").as_deref(),
                environment("TERM").as_deref(),
                environment("COLORFGBG").as_deref(),
            ),
        }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    match number.is_finite() && (1.0..=3600.0).contains(&number) {
        true => Ok(Duration::from_secs_f64(number)),
        false => Err("must be from 1 to 3600".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn parse(arguments: &[&str]) -> Arguments {
        Arguments::try_parse_from(std::iter::once(&"top").chain(arguments)).unwrap()
    }

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
        assert_eq!(parse(&["--sort", "dead"]).sort, Some(SortColumn(Column::Dead)));
        assert_eq!(parse(&[]).interval, Duration::from_secs(1));
        for wrong in ["0", "0.5", "nan", "3601", "x"] {
            assert!(Arguments::try_parse_from(["top", "--interval", wrong]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_director_of_another_namespace_is_asked_only_if_it_is_named() {
        assert_eq!(parse(&[]).socket(), Some(SOCKET.into()));
        assert_eq!(parse(&["--netns", "blue"]).socket(), None);
        assert_eq!(parse(&["--netns", "blue", "--director", "/s"]).socket(), Some("/s".into()));
        assert_eq!(parse(&["--no-director"]).socket(), None);
    }
}
