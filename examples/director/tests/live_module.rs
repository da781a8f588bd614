//! The kernel loses its module while the daemon runs. A test of its own, because all others need the module.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

#[allow(dead_code, reason = "other tests use more of it")]
#[path = "live_daemon/daemon.rs"]
mod daemon;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use ipvs_netlink::Client;

use crate::daemon::{Daemon, id, serve, service, wait_for, weight};

const MODPROBE: &str = "/proc/sys/kernel/modprobe";

/// Empties the table and unloads the module. A module in use stays.
fn try_to_unload(client: &mut Client) -> bool {
    // The daemon may have made its services again.
    let _ = client.flush();
    let loaded = fs::read_to_string("/proc/modules").unwrap();
    let names = loaded.lines().filter_map(|line| line.split(' ').next());
    let mut modules: Vec<_> = names.filter(|name| name.starts_with("ip_vs")).collect();
    // Schedulers use ip_vs.
    modules.sort_by_key(|name| *name == "ip_vs");
    let rmmod = Command::new("rmmod").args(modules).stderr(Stdio::null()).status();
    rmmod.expect("rmmod").success()
}

#[test]
fn a_kernel_without_the_module_is_told_and_the_table_comes_back_with_it() {
    assert!(Path::new("/run/kernel/cache").exists(), "on a kernel of its own: IPVS_KERNEL=uml");
    let server = serve();
    let mut daemon = Daemon::new("");
    daemon.write_all(&format!("resync: 1s\nservices:\n{}", service(1101, server)));
    let mut client = Client::connect().unwrap();
    daemon.start();
    wait_for("the server", || weight(id(1101), server) == Some(1));

    let modprobe = fs::read_to_string(MODPROBE).unwrap();
    fs::write(MODPROBE, "/nonexistent").unwrap();
    wait_for("the end of the module", || try_to_unload(&mut client));
    let trouble = "the table cannot be kept for now: ";
    wait_for("the trouble", || daemon.order(&["status"]).contains(trouble));
    assert!(daemon.log().contains(trouble), "{}", daemon.log());
    assert!(!daemon.log().contains("over: "), "{}", daemon.log());

    fs::write(MODPROBE, modprobe.trim()).unwrap();
    wait_for("the server again", || {
        let table = Client::connect().and_then(|mut client| client.services());
        table.is_ok_and(|services| !services.is_empty()) && weight(id(1101), server) == Some(1)
    });
    wait_for("the end of the trouble", || !daemon.order(&["status"]).contains(trouble));
    assert!(daemon.log().contains(&format!("over: {trouble}")), "{}", daemon.log());
    daemon.stop();
}
