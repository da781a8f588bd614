//! What an administrator says about checks.

use std::time::Duration;

use clap::Args;
use ipvs_netlink::health::Pace;
use serde::de::Deserialize as _;
use serde::de::value::{Error, MapDeserializer};

/// The arguments of health checks.
#[derive(Args, Clone, Debug)]
pub struct CheckOptions {
    /// Ignore the annotations ipvs-netlink/health-checks.
    #[arg(long)]
    pub no_health_checks: bool,
    /// The least time between two checks of an endpoint that an annotation may ask for, such as 500ms.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = time)]
    pub least_check_interval: Duration,
    /// The most checks that the node does: of each endpoint those of its annotation. Services that would need
    /// more are served without checks until there is room.
    #[arg(long, value_name = "NUMBER", default_value_t = MOST_CHECKS)]
    pub most_checks: usize,
    /// The most of these checks that services of one namespace have.
    #[arg(long, value_name = "NUMBER", default_value_t = MOST_NAMESPACE_CHECKS)]
    pub most_namespace_checks: usize,
}

const MOST_CHECKS: usize = 10_000;
const MOST_NAMESPACE_CHECKS: usize = 2500;

impl CheckOptions {
    /// Returns why nothing is checked, if it is so.
    pub(super) fn off(&self) -> Option<String> {
        self.no_health_checks.then(|| "--no-health-checks".to_owned())
    }
}

impl Default for CheckOptions {
    fn default() -> Self {
        Self {
            no_health_checks: false,
            least_check_interval: Duration::from_secs(1),
            most_checks: MOST_CHECKS,
            most_namespace_checks: MOST_NAMESPACE_CHECKS,
        }
    }
}

/// Reads a time as annotations have it.
fn time(text: &str) -> Result<Duration, String> {
    let entries = MapDeserializer::<_, Error>::new([("interval", text)].into_iter());
    Pace::deserialize(entries).map(|pace| pace.interval).map_err(|error| error.to_string())
}
