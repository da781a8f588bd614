//! The timeouts and the synchronization daemons of the kernel.

use ipvs_netlink::tokio::Client;
use ipvs_netlink::{Result, SyncDaemon, Timeouts};

use crate::configuration::Configuration;

/// Makes timeouts and synchronization daemons as the configuration says. Writes only what differs.
/// Returns what was done, one line each.
///
/// # Errors
///
/// The kernel cannot be read, or refuses a change.
pub(super) async fn apply(
    client: &mut Client,
    configuration: &Configuration,
) -> Result<Vec<String>> {
    let mut done = Vec::new();
    let wanted = configuration.timeouts;
    if wanted != Timeouts::default() {
        let present = client.timeouts().await?;
        let same = |wanted: Option<_>, present: Option<_>| wanted.is_none() || wanted == present;
        let as_wanted = same(wanted.tcp, present.tcp)
            && same(wanted.tcp_fin, present.tcp_fin)
            && same(wanted.udp, present.udp);
        if !as_wanted {
            client.set_timeouts(wanted).await?;
            done.push("the timeouts are set".to_owned());
        }
    }
    if let Some(wanted) = &configuration.synchronization {
        let present = client.daemons().await?;
        for daemon in present.iter().filter(|it| !wanted.iter().any(|wanted| is(wanted, it))) {
            client.stop_daemon(daemon.role).await?;
            done.push(format!("the synchronization daemon {} is stopped", daemon.role));
        }
        for daemon in wanted.iter().filter(|it| !present.iter().any(|present| is(it, present))) {
            client.start_daemon(daemon).await?;
            done.push(format!("the synchronization daemon {} is started", daemon.role));
        }
    }
    Ok(done)
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
