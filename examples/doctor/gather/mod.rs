//! Reads the host. Writes nothing, and loads no module.

mod files;
pub(crate) mod modules;
mod network;
mod processes;
mod processors;
mod programs;
mod protocols;
mod settings;
mod sockets;

use std::collections::BTreeSet;
use std::fs::File;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::thread;

use ipvs_netlink::Client;
use nix::errno::Errno;
use nix::sched::{CloneFlags, setns};

use super::host::{Gaps, Host, Ipvs, Kernel, Part};

/// Reads the host, in the network namespace of this file or in that of the caller.
///
/// # Errors
///
/// Returns a text if the namespace or the network cannot be read. Smaller gaps are in
/// [`Host::unread`].
pub(crate) fn host(namespace: Option<&Path>) -> Result<Host, String> {
    // The main thread stays where it is.
    let work = || {
        if let Some(path) = namespace {
            let path = named(path);
            let said = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
            let file = File::open(&path).map_err(|error| said(&error))?;
            setns(file, CloneFlags::CLONE_NEWNET).map_err(|errno| match errno {
                Errno::EINVAL => said(&"not a network namespace"),
                errno => said(&errno.desc()),
            })?;
        }
        here()
    };
    thread::scope(|scope| scope.spawn(work).join())
        .unwrap_or_else(|_| Err("the thread that reads the host has panicked".to_owned()))
}

/// Returns the file of a namespace: one without a slash is a name that `ip netns` has given.
fn named(path: &Path) -> PathBuf {
    match path.to_str() {
        Some(name) if !name.contains('/') => Path::new("/run/netns").join(name),
        _ => path.to_owned(),
    }
}

/// Reads the host in the network namespace of this thread.
fn here() -> Result<Host, String> {
    let mut unread = Gaps::default();
    let release = files::text(Path::new("/proc/sys/kernel/osrelease"))
        .map_err(|error| error.to_string())?
        .unwrap_or_default();
    let kernel = Kernel { processors: processors::count(), release: release.trim_end().to_owned() };
    if !Path::new("/proc/thread-self/net").exists() {
        return Err("/proc is not mounted, or has no entry for this process".to_owned());
    }
    // Connecting would load the module.
    let is_loaded = Path::new("/proc/thread-self/net/ip_vs").exists();
    let ipvs = if is_loaded { ipvs(&mut unread) } else { None };
    if ipvs.as_ref().is_some_and(|ipvs| !ipvs.table.is_complete()) {
        let text = "other programs kept writing the table; objects may be missing";
        unread.push(Part::Table, text);
    }
    let addresses = wanted(ipvs.as_ref(), &mut unread);
    let network = network::read(&addresses)?;
    let vs = settings::of_ipvs(&mut unread);
    // Linux 6.1 has none in a namespace that belongs to another user namespace than the first.
    if ipvs.is_some() && vs.is_empty() {
        let text = "net.ipv4.vs: the kernel shows no settings in this namespace";
        unread.push(Part::Settings, text);
    }
    let sysctls = settings::others(&network, &mut unread);
    let listeners = sockets::listeners(&mut unread);
    let unknown_protocols = protocols::unknown_protocols(&mut unread);
    let processes = processes::writers(&mut unread);
    let modules = modules::read(Path::new(modules::FOLDER), &kernel.release, &mut unread);
    Ok(Host {
        kernel,
        ipvs,
        vs,
        sysctls,
        links: network.links,
        addresses: network.addresses,
        routes: network.routes,
        listeners,
        processes,
        modules,
        unknown_protocols,
        unread: unread.0,
    })
}

fn ipvs(unread: &mut Gaps) -> Option<Ipvs> {
    let read = || {
        let mut ipvs = Client::connect()?;
        Ok(Ipvs {
            table: ipvs.snapshot()?,
            daemons: ipvs.daemons()?.into_vec(),
            timeouts: ipvs.timeouts()?,
            buckets: ipvs.info()?.connection_table_size,
        })
    };
    read()
        .map_err(|error: ipvs_netlink::Error| {
            unread.push(Part::Table, format!("the table: {error}"))
        })
        .ok()
}

/// The number of addresses that the kernel is asked about.
const ROUTES: usize = 16_384;

/// Returns the addresses whose routes matter.
fn wanted(ipvs: Option<&Ipvs>, unread: &mut Gaps) -> BTreeSet<IpAddr> {
    let services = ipvs.iter().flat_map(|ipvs| ipvs.table.services());
    let mut all = BTreeSet::new();
    for service in services {
        all.extend(service.id().address().map(|it| it.ip()));
        all.extend(service.destinations.iter().map(|it| it.id().address.ip()));
    }
    let more = all.len().saturating_sub(ROUTES);
    if more == 0 {
        return all;
    }
    let text = format!("the routes to {more} more addresses: only {ROUTES} are asked for");
    unread.push(Part::Routes, text);
    all.into_iter().take(ROUTES).collect()
}
