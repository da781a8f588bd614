//! The table goes away and comes back while somebody looks.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use ipvs_netlink::Client;

use crate::scene::Scene;
use crate::tmux::{PATIENCE, Tmux};

const MODPROBE: &str = "/proc/sys/kernel/modprobe";

#[test]
fn an_emptied_table_is_told_and_comes_back() {
    let mut scene = Scene::new();
    let tmux = Tmux::start(&scene.home, 80, 24);
    tmux.top("--forget");
    tmux.wait_text("3 services");
    scene.ipvs.flush().unwrap();
    let screen = tmux.wait_text("the table has no services");
    assert!(screen.contains("0 services") && screen.contains("removed"), "{screen}");
    scene.fill();
    let screen = tmux.wait_text("3 services");
    assert!(screen.contains("TCP 127.0.0.80:80"), "{screen}");
    tmux.press("e");
    let screen = tmux.wait_text("since the last look");
    for text in ["TCP 127.0.0.80:80 added", "TCP 127.0.0.80:80 removed"] {
        assert!(screen.contains(text), "{screen}");
    }
}

#[test]
fn a_kernel_without_the_module_is_told_and_the_table_comes_back_with_it() {
    assert!(Path::new("/run/kernel/cache").exists(), "on a kernel of its own: IPVS_KERNEL=uml");
    let mut scene = Scene::new();
    let tmux = Tmux::start(&scene.home, 80, 24);
    tmux.top("--forget");
    tmux.wait_text("3 services");

    let modprobe = fs::read_to_string(MODPROBE).unwrap();
    fs::write(MODPROBE, "/nonexistent").unwrap();
    scene.ipvs.flush().unwrap();
    let deadline = Instant::now() + PATIENCE;
    while !unloaded() {
        assert!(Instant::now() < deadline, "the module stays");
        sleep(Duration::from_millis(100));
    }
    let screen = tmux.wait_text("the table cannot be read: ");
    fs::write(MODPROBE, modprobe.trim()).unwrap();

    let screen_of_keys = |screen: &str| screen.contains("? help");
    assert!(screen_of_keys(&screen), "{screen}");
    scene.ipvs = Client::in_namespace_fd(&scene.home).unwrap();
    scene.fill();
    let screen = tmux.wait_for("table", |screen| {
        screen.contains("3 services") && !screen.contains("cannot be read")
    });
    assert!(screen.contains("TCP 127.0.0.80:80"), "{screen}");
}

/// Tries to unload the module. A module in use stays, as while the program reads.
fn unloaded() -> bool {
    let loaded = fs::read_to_string("/proc/modules").unwrap();
    let names = loaded.lines().filter_map(|line| line.split(' ').next());
    let mut modules: Vec<_> = names.filter(|name| name.starts_with("ip_vs")).collect();
    // Schedulers use ip_vs.
    modules.sort_by_key(|name| *name == "ip_vs");
    let rmmod = Command::new("rmmod").args(modules).stderr(Stdio::null()).status();
    rmmod.expect("rmmod").success()
}
