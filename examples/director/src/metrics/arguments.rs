use std::net::SocketAddr;

use clap::{Args, ValueEnum};
use ipvs_netlink::metrics::{Destinations, Options};

/// Where metrics are served, and which.
#[derive(Args, Clone, Debug)]
pub struct MetricsArguments {
    /// Serve metrics to Prometheus on this address, 127.0.0.1:9478 if none is given. There is neither TLS
    /// nor a password: keep it on loopback or a network that you trust.
    #[arg(
        long,
        value_name = "ADDRESS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "127.0.0.1:9478"
    )]
    pub metrics: Option<SocketAddr>,
    /// Which metrics of destinations there are.
    #[arg(
        long,
        value_name = "KIND,...",
        value_delimiter = ',',
        require_equals = true,
        value_enum,
        default_value = "health"
    )]
    pub metrics_destinations: Vec<Kind>,
    /// Leave metrics of destinations out if there are more destinations. A gauge says how many.
    #[arg(long, value_name = "NUMBER", default_value_t = 2000)]
    pub metrics_most_destinations: usize,
}

/// A kind of metrics of destinations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// None.
    None,
    /// All of those below.
    All,
    /// What checks and traffic say of them.
    Health,
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

impl MetricsArguments {
    /// Returns the samples that are wanted.
    pub(super) fn options(&self) -> Options {
        let kinds = self.metrics_destinations.iter();
        let destinations = kinds.fold(Destinations::NONE, |all, kind| match kind {
            Kind::None => all,
            Kind::All => Destinations::ALL,
            Kind::Health => all.health(true),
            Kind::Traffic => all.traffic(true),
            Kind::Connections => all.connections(true),
            Kind::Weight => all.weight(true),
            Kind::Thresholds => all.thresholds(true),
            Kind::Info => all.info(true),
        });
        Options::new()
            .destinations(destinations)
            .at_most_destinations(self.metrics_most_destinations)
    }
}
