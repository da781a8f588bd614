//! What the program reads of this host.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Read};
use std::net::{IpAddr, UdpSocket};
use std::path::Path;
use std::time::Duration;

use ipvs_netlink::explain::{Attempt, TableSizes, View};
use ipvs_netlink::procfs::{ConnectionReader, Ending, Procfs};
use ipvs_netlink::{Client, Listing, ServiceEntry, ServiceId};
use nix::sched::{CloneFlags, setns};

/// The most that is read of the kernel's configuration.
const LONGEST_CONFIG: u64 = 4 << 20;
/// The most time for the file of connections, which takes the kernel long if there are many.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a list is read until two readings agree.
const READINGS: usize = 5;

/// Moves the program into a network namespace.
pub(crate) fn enter(namespace: &Path) -> Result<(), Box<dyn Error>> {
    let told = |error: &dyn Error| format!("{}: {error}", namespace.display());
    let file = File::open(namespace).map_err(|error| told(&error))?;
    setns(file, CloneFlags::CLONE_NEWNET).map_err(|error| told(&error))?;
    Ok(())
}

/// The service of an attempt and its destinations, the service that would take the packets without
/// that one, and whether no entry can be missing.
pub(crate) fn view(
    ipvs: &mut Client,
    attempt: &Attempt,
) -> Result<(View, Option<ServiceId>, bool), Box<dyn Error>> {
    let (services, mut is_complete) =
        settled(|| ipvs.services(), |one, other| ids(one) == ids(other))?;
    let view = match attempt.service_in(&services) {
        None => View::without_service(),
        Some(entry) => {
            let read = || ipvs.destinations(entry.id());
            let (destinations, settled) = settled(read, |one, other| {
                one.iter().map(|it| it.id()).eq(other.iter().map(|it| it.id()))
            })?;
            is_complete &= settled;
            View::new(&entry.service, destinations.into_vec())
        }
    };
    let own = view.service().map(|service| service.id);
    let mut others = services.into_vec();
    others.retain(|entry| Some(entry.id()) != own);
    let next = attempt.service_in(&others).map(ServiceEntry::id);
    Ok((view, next, is_complete))
}

fn ids(services: &[ServiceEntry]) -> Vec<String> {
    services.iter().map(|entry| entry.id().to_string()).collect()
}

/// Reads a list until it is complete or two readings agree.
fn settled<T>(
    mut read: impl FnMut() -> ipvs_netlink::Result<Listing<T>>,
    agree: impl Fn(&[T], &[T]) -> bool,
) -> ipvs_netlink::Result<(Listing<T>, bool)> {
    let mut last = read()?;
    for _ in 1..READINGS {
        if last.is_complete() {
            return Ok((last, true));
        }
        let again = read()?;
        let same = agree(&last, &again);
        last = again;
        if same {
            return Ok((last, true));
        }
    }
    Ok((last, false))
}

/// Adds what the kernel keeps of the client, and the settings about that. What could not be read is
/// told and stays unknown.
pub(crate) fn with_kept(
    view: View,
    attempt: &Attempt,
    ipvs: &mut Client,
) -> Result<(View, Vec<String>), Box<dyn Error>> {
    let mut untold = Vec::new();
    let mut view = match Procfs::open() {
        Err(error) => {
            untold.push(format!("neither connections nor settings are known: {error}"));
            view
        }
        Ok(procfs) => with_files(view, attempt, &procfs, &mut untold),
    };
    if view.needs_other_services(attempt) {
        let table = ipvs.snapshot()?;
        if table.is_complete() {
            view = view.other_services(&table);
        } else {
            untold.push("other services are not known: other programs kept writing them".into());
        }
    }
    Ok((view, untold))
}

fn with_files(view: View, attempt: &Attempt, procfs: &Procfs, untold: &mut Vec<String>) -> View {
    let view = match procfs.settings() {
        Ok(settings) => view.settings(&settings),
        Err(error) => {
            untold.push(format!("the settings net.ipv4.vs.* are not known: {error}"));
            view
        }
    };
    match procfs.connections() {
        Ok(reader) => with_rows(view, attempt, reader.most_time(PATIENCE), untold),
        Err(error) => {
            untold.push(format!("connections are not known: {error}"));
            view
        }
    }
}

/// Reads the connections that concern the attempt.
fn with_rows(
    view: View,
    attempt: &Attempt,
    mut reader: ConnectionReader,
    untold: &mut Vec<String>,
) -> View {
    let (mut rows, mut first_error) = (Vec::new(), None);
    for row in &mut reader {
        match row {
            Ok(row) if view.concerns(attempt, &row) => rows.push(row),
            Ok(_) => {}
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    let why = match (first_error, reader.ending()) {
        (Some(error), _) => error.to_string(),
        (None, Some(Ending::Complete)) => return view.connections(rows),
        (None, _) => format!("{PATIENCE:?} were not enough"),
    };
    untold.push(format!("not all connections are known: {why}"));
    view.some_connections(rows)
}

fn number(path: &str) -> Option<u32> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// Whether the address of an attempt is one of this host, if this can be known.
pub(crate) fn has_address_of(attempt: &Attempt) -> Option<bool> {
    let local = is_local(attempt.address?.ip());
    // A rule of routing for the mark may deliver packets to any address.
    local.filter(|local| *local || !matches!(attempt.target, ServiceId::Fwmark { .. }))
}

/// Whether an address is one of this host, if this can be known.
pub(crate) fn is_local(ip: IpAddr) -> Option<bool> {
    let family = if ip.is_ipv4() { "ipv4" } else { "ipv6" };
    // Then every address can be bound.
    if number(&format!("/proc/sys/net/{family}/ip_nonlocal_bind")) != Some(0) {
        return None;
    }
    match UdpSocket::bind((ip, 0)) {
        Ok(_) => Some(true),
        // A route can make IPv6 addresses local that cannot be bound.
        Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => {
            matches!(ip, IpAddr::V4(_)).then_some(false)
        }
        Err(_) => None,
    }
}

/// The table sizes by the configuration of the running kernel.
pub(crate) fn table_sizes() -> TableSizes {
    let config = || -> io::Result<String> {
        let release = fs::read_to_string("/proc/sys/kernel/osrelease")?;
        let path = format!("/boot/config-{}", release.trim());
        let mut text = String::new();
        File::open(path)?.take(LONGEST_CONFIG).read_to_string(&mut text)?;
        Ok(text)
    };
    config().map_or(TableSizes::UNKNOWN, |text| TableSizes::from_config(&text))
}

/// Whether the running kernel is older than Linux 4.18.
pub(crate) fn has_old_hash() -> bool {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut numbers = release.split(['.', '-', '+']).map_while(|it| it.trim().parse::<u32>().ok());
    let version = (numbers.next(), numbers.next());
    matches!(version, (Some(major), Some(minor)) if (major, minor) < (4, 18))
}
