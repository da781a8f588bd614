//! `node-proxy --cleanup`: removes what this program left on its host.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use ipvs_netlink::{Change, Client, ErrorKind, ServiceId};
use tokio::runtime::Builder;

use super::arguments::Place;
use super::interface::{Interface, InterfaceError};
use super::sysctl::Sysctls;
use super::{SYSCTLS, StateFolder};
use crate::agent::{owned, schedulers};
use crate::exit::Exit;
use crate::firewall::{self, FirewallOptions, TableName};
use crate::log;

/// How long a program that ends is waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// The arguments of `node-proxy --cleanup`.
#[derive(Args, Clone, Debug)]
pub struct CleanupArguments {
    /// Where something was left.
    #[command(flatten)]
    pub place: Place,
    /// The name of the table of nftables.
    #[arg(long, value_name = "NAME", default_value_t)]
    pub firewall_table: TableName,
    /// The program nft, in place of the one in the folders of the system.
    #[arg(long, value_name = "FILE")]
    pub nft: Option<PathBuf>,
}

/// Removes the addresses, the services and the firewall, and puts the sysctls back. Works after a crash. Leaves alone
/// what others made: it deletes no service but those that this program made.
///
/// Waits for a program that uses the state directory to end, and does nothing if it does not. Nothing else that fails
/// keeps the rest from being done.
#[must_use]
pub fn run(arguments: &CleanupArguments) -> Exit {
    let mut cleanup = Cleanup { failed: false };
    cleanup.all(arguments);
    if cleanup.failed { Exit::Failed } else { Exit::Done }
}

struct Cleanup {
    failed: bool,
}

impl Cleanup {
    fn all(&mut self, arguments: &CleanupArguments) {
        let Ok(runtime) = Builder::new_current_thread().enable_all().build() else {
            self.failed = true;
            return log::line("node-proxy: the system gives no event queue");
        };
        let place = &arguments.place;
        let state = StateFolder::new(&place.state_dir);
        // A program that still ran would put everything back.
        let Some(_claim) = self.check(owned::claim(&state, LONGEST_WAIT)) else { return };
        // Connections are led away before their services leave.
        let addresses = self.check(runtime.block_on(delete_interface(place))).unwrap_or_default();
        if let Some(owned) = self.check(owned::read(&state)) {
            let owned: BTreeSet<ServiceId> = owned.into_iter().collect();
            let at_own_address =
                |id: ServiceId| id.address().is_some_and(|it| addresses.contains(&it.ip()));
            // Where the file is lost, the addresses tell.
            let is_owned =
                |id| if owned.is_empty() { at_own_address(id) } else { owned.contains(&id) };
            if self.check(delete_services(is_owned)).is_some() {
                self.check(state.file(owned::FILE).remove());
            }
        }
        self.check(runtime.block_on(remove_trials()));
        self.check(runtime.block_on(remove_firewall(arguments)));
        let stored = state.file(SYSCTLS);
        self.check(Sysctls::open(stored, false).and_then(|sysctls| sysctls.put_back(log::line)));
    }

    fn check<T>(&mut self, done: Result<T, impl fmt::Display>) -> Option<T> {
        done.inspect_err(|error| {
            self.failed = true;
            log::line(format_args!("node-proxy: {error}"));
        })
        .ok()
    }
}

/// Deletes the interface, and returns the addresses that it had.
async fn delete_interface(place: &Place) -> Result<BTreeSet<IpAddr>, InterfaceError> {
    let mut interface = Interface::open(&place.interface)?;
    let reading = interface.read().await?;
    if interface.delete().await? {
        let (name, number) = (interface.name(), reading.own.len());
        log::line(format_args!("interface {name}: deleted, with {number} addresses"));
    }
    Ok(reading.own.into_iter().collect())
}

/// Deletes the services by which a program that was killed tried schedulers.
async fn remove_trials() -> Result<(), ipvs_netlink::Error> {
    match ipvs_netlink::tokio::Client::connect().await {
        Ok(mut client) => schedulers::remove_trials(&mut client).await,
        // A kernel without IPVS has no services.
        Err(error) if error.kind() == ErrorKind::Unavailable => Ok(()),
        Err(error) => Err(error),
    }
}

async fn remove_firewall(arguments: &CleanupArguments) -> Result<(), String> {
    let options = FirewallOptions {
        firewall_table: arguments.firewall_table.clone(),
        nft: arguments.nft.clone(),
        ..FirewallOptions::default()
    };
    let table = &options.firewall_table;
    let there = firewall::is_there(table).await;
    // Without the table nothing has to work.
    if matches!(there, Ok(false)) {
        return Ok(());
    }
    match (firewall::remove(&options).await, there) {
        (Ok(true), _) => log::line(format_args!("firewall: table {table} removed")),
        (Ok(false), _) => {}
        (Err(error), Ok(_)) => return Err(format!("firewall: table {table} is left: {error}")),
        (Err(error), Err(unknown)) => {
            return Err(format!(
                "firewall: table {table} may be left: {error}; the kernel: {unknown}"
            ));
        }
    }
    Ok(())
}

/// Deletes the services of the table that are owned. A service that is gone already counts as deleted.
fn delete_services(is_owned: impl Fn(ServiceId) -> bool) -> Result<(), ipvs_netlink::Error> {
    let mut client = match Client::connect() {
        Ok(client) => client,
        // A kernel without IPVS has no services.
        Err(error) if error.kind() == ErrorKind::Unavailable => return Ok(()),
        Err(error) => return Err(error),
    };
    let services = client.services()?;
    let owned = services.iter().map(|entry| entry.service.id).filter(|id| is_owned(*id));
    let deletions: Vec<Change> = owned.map(Change::DeleteService).collect();
    if deletions.is_empty() {
        return Ok(());
    }
    let report = client.submit(&deletions);
    let gone = |error: &&ipvs_netlink::Error| error.kind() == ErrorKind::NoSuchService;
    let failed: Vec<_> = report.failures().filter_map(|it| it.outcome.error()).collect();
    let failed: Vec<_> = failed.into_iter().filter(|error| !gone(error)).collect();
    let done = deletions.len() - failed.len();
    log::line(format_args!("table: {done} of {} own services deleted", deletions.len()));
    failed.first().map_or(Ok(()), |error| Err((*error).clone()))
}
