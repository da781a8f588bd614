//! The timeouts, the settings `net.ipv4.vs.*` and the synchronization daemons of the kernel.

use std::fmt::Display;

use ipvs_netlink::table::{SettingsPlan, Table};
use ipvs_netlink::tokio::Client;
use ipvs_netlink::{Result, Settings, SyncDaemon, Timeouts};
use tokio::task::spawn_blocking;

use crate::configuration::Configuration;

/// What was done about the settings, one line each, what differs and is not written, and what failed.
#[derive(Debug, Default)]
pub(super) struct Applied {
    pub(super) done: Vec<String>,
    pub(super) differs: Vec<String>,
    pub(super) failed: Option<String>,
}

/// Makes synchronization daemons as the configuration says, and timeouts and settings if `write` is
/// set. Writes only what differs.
pub(super) async fn apply(
    client: &mut Client,
    configuration: &Configuration,
    write: bool,
) -> Applied {
    let mut applied = Applied::default();
    let failed = match compared(client, configuration).await {
        Ok(plan) if write => written(client, &plan, &mut applied.done).await.err(),
        Ok(plan) => {
            let lines = plan.changes().map(|change| format!("{change}, not written"));
            applied.differs = lines.collect();
            None
        }
        Err(error) => Some(error),
    };
    applied.failed = failed;
    if let Some(wanted) = &configuration.synchronization {
        let failed = run_daemons(client, wanted, &mut applied.done).await.err();
        applied.failed = applied.failed.or(failed.map(|error| error.to_string()));
    }
    applied
}

fn text(error: impl Display) -> String {
    error.to_string()
}

/// Compares timeouts and settings with the kernel's. Reads nothing if the file declares none.
async fn compared(
    client: &mut Client,
    configuration: &Configuration,
) -> Result<SettingsPlan, String> {
    let mut declared = Table::new();
    declared.set_timeouts(configuration.timeouts);
    declared.set_settings(configuration.settings.clone());
    let mut timeouts = Timeouts::default();
    if configuration.timeouts != Timeouts::default() {
        timeouts = client.timeouts().await.map_err(text)?;
    }
    let mut settings = Settings::new();
    if !configuration.settings.is_empty() {
        let files = client.procfs().map_err(text)?;
        let read = spawn_blocking(move || files.settings()).await;
        settings = read.map_err(text)?.map_err(text)?;
    }
    declared.settings_plan(timeouts, &settings).map_err(text)
}

async fn written(
    client: &mut Client,
    plan: &SettingsPlan,
    done: &mut Vec<String>,
) -> Result<(), String> {
    let settings = plan.settings();
    let failed = match settings.is_empty() {
        true => None,
        false => {
            let files = client.procfs().map_err(text)?;
            let set = spawn_blocking(move || files.set_settings(&settings)).await;
            set.map_err(text)?.err().map(text)
        }
    };
    let timeouts = plan.timeouts();
    if timeouts != Timeouts::default() {
        client.set_timeouts(timeouts).await.map_err(text)?;
    }
    let is_timeout = |name: &str| name.starts_with("timeout ");
    let set = plan.changes().filter(|change| failed.is_none() || is_timeout(&change.name));
    done.extend(set.map(|change| change.to_string()));
    failed.map_or(Ok(()), Err)
}

async fn run_daemons(
    client: &mut Client,
    wanted: &[SyncDaemon],
    done: &mut Vec<String>,
) -> Result<()> {
    let present = client.daemons().await?;
    for daemon in present.iter().filter(|there| !wanted.iter().any(|wanted| is(wanted, there))) {
        client.stop_daemon(daemon.role).await?;
        done.push(format!("the synchronization daemon {} is stopped", daemon.role));
    }
    for daemon in wanted.iter().filter(|wanted| !present.iter().any(|there| is(wanted, there))) {
        client.start_daemon(daemon).await?;
        done.push(format!("the synchronization daemon {} is started", daemon.role));
    }
    Ok(())
}

/// Whether the kernel's daemon is the wanted one. The kernel fills in what is not given.
fn is(wanted: &SyncDaemon, present: &SyncDaemon) -> bool {
    fn same<T: PartialEq>(wanted: Option<T>, present: Option<T>) -> bool {
        wanted.is_none() || wanted == present
    }
    wanted.role == present.role
        && wanted.interface == present.interface
        && wanted.sync_id == present.sync_id
        && same(wanted.max_length, present.max_length)
        && same(wanted.group, present.group)
        && same(wanted.port, present.port)
        && same(wanted.ttl, present.ttl)
}
