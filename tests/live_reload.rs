//! Tests that unload the kernel's IPVS: only ever on a kernel of our own.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ipvs_netlink::{Certainty, Client, Destination, ErrorKind, Service};

const MODPROBE: &str = "/proc/sys/kernel/modprobe";

/// Empties the table, whose schedulers are in use, and unloads the module.
fn unload(ipvs: &mut Client) {
    assert!(
        Path::new("/run/kernel/cache").exists(),
        "this test unloads IPVS, so it runs on a kernel of its own: IPVS_KERNEL=uml"
    );
    ipvs.flush().unwrap();
    let loaded = fs::read_to_string("/proc/modules").unwrap();
    let names = loaded.lines().filter_map(|line| line.split(' ').next());
    let mut modules: Vec<_> = names.filter(|name| name.starts_with("ip_vs")).collect();
    // Schedulers and engines first: they use ip_vs.
    modules.sort_by_key(|name| *name == "ip_vs");
    for module in modules {
        let status = Command::new("rmmod").arg(module).status().expect("rmmod");
        assert!(status.success(), "rmmod {module}");
    }
}

/// Unloads IPVS if nobody uses it, or a part of it.
fn try_to_unload() -> bool {
    let loaded = fs::read_to_string("/proc/modules").unwrap();
    let names = loaded.lines().filter_map(|line| line.split(' ').next());
    let mut modules: Vec<_> = names.filter(|name| name.starts_with("ip_vs")).collect();
    modules.sort_by_key(|name| *name == "ip_vs");
    if modules.is_empty() {
        return false;
    }
    let rmmod = Command::new("rmmod").args(modules).stderr(Stdio::null()).status();
    rmmod.expect("rmmod").success()
}

/// The module goes whenever the table is empty, while another thread works. A service holds
/// the module, so that what was added must be there.
#[test]
fn what_is_done_is_done_while_the_module_comes_and_goes() {
    assert!(Path::new("/run/kernel/cache").exists(), "on a kernel of its own: IPVS_KERNEL=uml");
    let ended = AtomicBool::new(false);
    let web = Service::tcp("192.0.2.10:80".parse().unwrap());
    let server = Destination::masquerade("10.0.0.2:80".parse().unwrap());
    let work = || {
        let mut ipvs = Client::connect().unwrap();
        let (mut done, mut refused) = (0, 0);
        let mut pauses = (0..60).step_by(7).cycle();
        while !ended.load(Ordering::Relaxed) {
            match ipvs.add_service(&web) {
                Ok(()) => {
                    done += 1;
                    ipvs.add_destination(web.id, &server).unwrap();
                    assert_eq!(ipvs.service(web.id).unwrap().service, web);
                    assert_eq!(ipvs.destinations(web.id).unwrap().len(), 1);
                    ipvs.delete_service(web.id).unwrap();
                }
                // It went between two tries to send, and nothing was done.
                Err(error) => {
                    refused += 1;
                    assert_eq!(error.certainty(), Some(Certainty::Refused), "{error}");
                    // The scheduler's module may be the one that is just going.
                    let scheduler = ErrorKind::UnknownScheduler;
                    let kinds = [ErrorKind::Unavailable, ErrorKind::FamilyMoved, scheduler];
                    assert!(kinds.contains(&error.kind()), "{error}");
                }
            }
            // Empty, for long enough that it can go, or not quite.
            match ipvs.services() {
                Ok(services) => assert!(services.is_empty()),
                Err(error) => assert!(
                    [ErrorKind::Unavailable, ErrorKind::FamilyMoved].contains(&error.kind()),
                    "{error}"
                ),
            }
            std::thread::sleep(Duration::from_millis(pauses.next().unwrap()));
        }
        (done, refused)
    };
    let (unloaded, (done, refused)) = std::thread::scope(|scope| {
        let worker = scope.spawn(work);
        let until = Instant::now() + Duration::from_secs(3);
        let mut unloaded = 0;
        while Instant::now() < until && !worker.is_finished() {
            unloaded += usize::from(try_to_unload());
        }
        ended.store(true, Ordering::Relaxed);
        (unloaded, worker.join().unwrap())
    });
    println!("{unloaded} unloads, {done} services added, {refused} additions refused");
    assert!(unloaded > 0 && done > 0, "{unloaded} unloads, {done} services added");
}

/// One test: both halves change what the whole kernel has.
#[test]
fn a_client_notices_that_the_module_is_gone_and_goes_on_when_it_is_back() {
    let web = Service::tcp("192.0.2.10:80".parse().unwrap());
    let server = Destination::masquerade("10.0.0.2:80".parse().unwrap());
    let mut ipvs = Client::connect().unwrap();

    // The kernel loads the module again when it is asked for the family.
    for _ in 0..3 {
        ipvs.add_service(&web).unwrap();
        ipvs.add_destination(web.id, &server).unwrap();
        unload(&mut ipvs);
        assert!(ipvs.services().unwrap().is_empty());
        unload(&mut ipvs);
        assert_eq!(ipvs.destinations(web.id).unwrap_err().kind(), ErrorKind::NoSuchService);
        unload(&mut ipvs);
        ipvs.add_service(&web).unwrap();
        assert_eq!(ipvs.services().unwrap().len(), 1);
        unload(&mut ipvs);
        assert_eq!(ipvs.service(web.id).unwrap_err().kind(), ErrorKind::NoSuchService);
        unload(&mut ipvs);
        let error = ipvs.delete_destination(web.id, server.id).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoSuchService);
    }

    // A kernel that cannot load it.
    let modprobe = fs::read_to_string(MODPROBE).unwrap();
    fs::write(MODPROBE, "/nonexistent").unwrap();
    unload(&mut ipvs);
    let unavailable = ErrorKind::Unavailable;
    assert_eq!(Client::connect().unwrap_err().kind(), unavailable);
    assert_eq!(ipvs.services().unwrap_err().kind(), unavailable);
    assert_eq!(ipvs.destinations(web.id).unwrap_err().kind(), unavailable);
    assert_eq!(ipvs.check().unwrap_err().kind(), unavailable);
    let error = ipvs.add_service(&web).unwrap_err();
    assert_eq!(error.kind(), unavailable);
    assert_eq!(error.certainty(), Some(Certainty::Refused));
    fs::write(MODPROBE, modprobe.trim()).unwrap();

    ipvs.add_service(&web).unwrap();
    assert_eq!(ipvs.services().unwrap().len(), 1);
    ipvs.flush().unwrap();
}
