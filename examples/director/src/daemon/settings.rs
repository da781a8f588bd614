//! The timeouts and the settings `net.ipv4.vs.*` of the kernel.

use ipvs_netlink::table::Table;
use ipvs_netlink::tokio::Client;

use crate::configuration::Configuration;

/// What was done about settings, timeouts and synchronization daemons, one line each, what differs and
/// is not written, and what failed.
#[derive(Debug, Default)]
pub(super) struct SettingsOutcome {
    pub(super) done: Vec<String>,
    pub(super) differs: Vec<String>,
    pub(super) failed: Vec<String>,
}

/// Makes timeouts and settings as the configuration says if `write` is set, else tells what differs.
/// Writes only what differs.
pub(super) async fn apply(
    client: &mut Client,
    configuration: &Configuration,
    write: bool,
) -> SettingsOutcome {
    let mut declared = Table::new();
    declared.set_timeouts(configuration.timeouts);
    declared.set_settings(configuration.settings.clone());
    let mut outcome = SettingsOutcome::default();
    let plan = match client.settings_plan(&declared).await {
        Ok(plan) => plan,
        Err(error) => {
            outcome.failed.push(error.to_string());
            return outcome;
        }
    };
    if !write {
        outcome.differs = plan.changes().map(|change| format!("{change}, not written")).collect();
        return outcome;
    }
    let told = client.write_settings(&plan.to_be_written(true)).await;
    outcome.done = told.written().iter().map(ToString::to_string).collect();
    outcome.failed.extend(told.errors().iter().map(ToString::to_string));
    outcome.failed.extend(told.left().iter().map(|change| format!("not written: {change}")));
    outcome.failed.extend(told.unknown().iter().map(|change| format!("perhaps written: {change}")));
    outcome
}
