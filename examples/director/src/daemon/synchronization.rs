//! The synchronization daemons of the kernel.

use ipvs_netlink::tokio::Client;
use ipvs_netlink::{Result, SyncDaemon};

/// Stops synchronization daemons that are not wanted, starts those that are missing, and adds a line
/// for each to `done`.
pub(super) async fn apply(
    client: &mut Client,
    wanted: &[SyncDaemon],
    done: &mut Vec<String>,
) -> Result<()> {
    let running = client.daemons().await?;
    let is_wanted = |running: &SyncDaemon| wanted.iter().any(|wanted| wanted.is_met_by(running));
    for daemon in running.iter().filter(|running| !is_wanted(running)) {
        client.stop_daemon(daemon.role).await?;
        done.push(format!("the synchronization daemon {} is stopped", daemon.role));
    }
    let runs = |wanted: &SyncDaemon| running.iter().any(|running| wanted.is_met_by(running));
    for daemon in wanted.iter().filter(|wanted| !runs(wanted)) {
        client.start_daemon(daemon).await?;
        done.push(format!("the synchronization daemon {} is started", daemon.role));
    }
    Ok(())
}
