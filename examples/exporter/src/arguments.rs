//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use ipvs_netlink::metrics::{Destinations, Names, Options};

use crate::Target;

/// Serves the IPVS table of this host to Prometheus, on /metrics.
#[derive(Debug, Parser)]
#[command(version, after_help = AFTER)]
pub struct Arguments {
    /// Listen on this address. There is neither TLS nor a password: keep it on loopback or a network that
    /// you trust.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9790")]
    pub listen: SocketAddr,

    /// Read these network namespaces in place of this process's: names of `ip netns`, or paths. Samples have
    /// the label `netns`. Needs CAP_SYS_ADMIN, too.
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', value_parser = Target::parse)]
    pub namespaces: Vec<Target>,

    /// Serve samples of destinations: all, or some kinds of them.
    #[arg(
        long,
        value_name = "KIND,...",
        value_delimiter = ',',
        num_args = 0..,
        require_equals = true,
        default_missing_value = "all"
    )]
    pub destinations: Vec<Kind>,

    /// Leave samples of destinations out if there are more destinations. A gauge says how many.
    #[arg(long, value_name = "NUMBER")]
    pub most_destinations: Option<usize>,

    /// Leave samples of services out if there are more services. A gauge says how many.
    #[arg(long, value_name = "NUMBER")]
    pub most_services: Option<usize>,

    /// Serve the series of node_exporter, beside the others or alone.
    #[arg(
        long,
        value_name = "HOW",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "both"
    )]
    pub node_exporter_names: Option<Series>,

    /// Take labels of services from this table file: .yaml, .toml or .json. It is read at the start
    /// and at SIGHUP.
    #[arg(long, value_name = "FILE")]
    pub table: Option<PathBuf>,

    /// Give up a scrape after so many seconds, or earlier if the scraper says so.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub timeout: Duration,

    /// Show what a scrape looks like, with traffic in network namespaces of its own, and end.
    #[cfg(feature = "demo")]
    #[arg(long)]
    pub demo: bool,
}

const AFTER: &str = "\
Takes CAP_NET_ADMIN: the kernel shows its table to nobody else.
Exit codes: 0 ended by SIGTERM or SIGINT, 1 cannot listen or read the table file,
2 the command line is wrong";

/// A kind of samples of destinations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// All of the others.
    All,
    /// Counters: connections, packets and bytes.
    Traffic,
    /// Numbers of active, inactive and persistent connections.
    Connections,
    /// Weights.
    Weight,
    /// Upper and lower thresholds.
    Thresholds,
    /// Forwarding methods and tunnels.
    Info,
}

/// Where the names of node_exporter appear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Series {
    /// Beside the exporter's own.
    Both,
    /// Alone.
    Only,
}

impl Arguments {
    /// The samples that are wanted.
    #[must_use]
    pub fn options(&self) -> Options {
        let destinations =
            self.destinations.iter().fold(Destinations::NONE, |all, kind| match kind {
                Kind::All => Destinations::ALL,
                Kind::Traffic => all.traffic(true),
                Kind::Connections => all.connections(true),
                Kind::Weight => all.weight(true),
                Kind::Thresholds => all.thresholds(true),
                Kind::Info => all.info(true),
            });
        let names = match self.node_exporter_names {
            None => Names::Own,
            Some(Series::Both) => Names::Both,
            Some(Series::Only) => Names::NodeExporter,
        };
        Options::new()
            .names(names)
            .destinations(destinations)
            .at_most_destinations(self.most_destinations.unwrap_or(usize::MAX))
            .at_most_services(self.most_services.unwrap_or(usize::MAX))
    }

    /// The namespaces that are read.
    #[must_use]
    pub fn targets(&self) -> Vec<Target> {
        match self.namespaces.is_empty() {
            true => vec![Target::Own],
            false => self.namespaces.clone(),
        }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number: f64 = text.parse().map_err(|_| String::from("not a number of seconds"))?;
    match number.is_finite() && (0.1..=600.0).contains(&number) {
        true => Ok(Duration::from_secs_f64(number)),
        false => Err(String::from("must be from 0.1 to 600")),
    }
}
