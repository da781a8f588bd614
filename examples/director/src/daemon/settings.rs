//! The timeouts and the synchronization daemons of the kernel.

use ipvs_netlink::tokio::Client;
use ipvs_netlink::{Error, Result, SyncDaemon, Timeouts};

use crate::configuration::Configuration;

/// What was done about the settings, one line each, and what failed.
#[derive(Debug, Default)]
pub(super) struct Applied {
    pub(super) done: Vec<String>,
    pub(super) failed: Option<Error>,
}

/// Makes timeouts and synchronization daemons as the configuration says. Writes only what differs.
pub(super) async fn apply(client: &mut Client, configuration: &Configuration) -> Applied {
    let mut applied = Applied::default();
    let done = &mut applied.done;
    let mut failed = set_timeouts(client, configuration.timeouts, done).await.err();
    if let Some(wanted) = &configuration.synchronization {
        failed = failed.or(run_daemons(client, wanted, done).await.err());
    }
    applied.failed = failed;
    applied
}

async fn set_timeouts(client: &mut Client, wanted: Timeouts, done: &mut Vec<String>) -> Result<()> {
    if wanted == Timeouts::default() {
        return Ok(());
    }
    let present = client.timeouts().await?;
    let same = |wanted: Option<_>, present: Option<_>| wanted.is_none() || wanted == present;
    let is_as_wanted = same(wanted.tcp, present.tcp)
        && same(wanted.tcp_fin, present.tcp_fin)
        && same(wanted.udp, present.udp);
    if !is_as_wanted {
        client.set_timeouts(wanted).await?;
        done.push("the timeouts are set as the file says".to_owned());
    }
    Ok(())
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
