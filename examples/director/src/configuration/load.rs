//! Reads a file, for now with the services alone, each with the default check.

use std::fs;
use std::path::Path;

use ipvs_netlink::health::probe::Probe;
use ipvs_netlink::health::{Pace, PoolPolicy};
use ipvs_netlink::table::Table;

use crate::configuration::{Checks, Configuration, ServiceConfiguration};

/// Reads the file of a daemon.
///
/// # Errors
///
/// Everything that is wrong, one line each.
pub fn load(path: &Path) -> Result<Configuration, Vec<String>> {
    let shown = path.display();
    let text = fs::read_to_string(path).map_err(|error| vec![format!("{shown}: {error}")])?;
    let table: Table =
        serde_saphyr::from_str(&text).map_err(|error| vec![format!("{shown}: {error}")])?;
    let service = |table: ipvs_netlink::table::TableService| ServiceConfiguration {
        table,
        checks: Checks { checks: vec![(Probe::tcp(), Pace::new())], ..Checks::default() },
        checks_of: std::collections::BTreeMap::new(),
        policy: PoolPolicy::new(),
        commands: None,
    };
    let services = table.into_iter().map(|table| (table.id(), service(table))).collect();
    Ok(Configuration { services, ..Configuration::default() })
}
