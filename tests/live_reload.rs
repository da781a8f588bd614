//! Tests that unload the module `ip_vs`. They run only on a kernel that the runner started.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

#[path = "live/examples.rs"]
mod examples;

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ipvs_netlink::table::TableService;
use ipvs_netlink::table::controller::{Controller, ControllerOptions, Event, RetryPolicy};
use ipvs_netlink::{Certainty, Client, Destination, ErrorKind, Service};

const MODPROBE: &str = "/proc/sys/kernel/modprobe";

/// Empties the table, so that its schedulers are not in use, and unloads the module.
fn unload(ipvs: &mut Client) {
    assert!(
        Path::new("/run/kernel/cache").exists(),
        "this test unloads IPVS, so it runs on a kernel of its own: IPVS_KERNEL=uml"
    );
    ipvs.flush().unwrap();
    let loaded = fs::read_to_string("/proc/modules").unwrap();
    let names = loaded.lines().filter_map(|line| line.split(' ').next());
    let mut modules: Vec<_> = names.filter(|name| name.starts_with("ip_vs")).collect();
    // Unload schedulers and engines first, because they use ip_vs.
    modules.sort_by_key(|name| *name == "ip_vs");
    for module in modules {
        let status = Command::new("rmmod").arg(module).status().expect("rmmod");
        assert!(status.success(), "rmmod {module}");
    }
}

/// Unloads a module of IPVS. A module in use stays.
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

/// Unloads the module whenever the table is empty, while another thread adds services. A service
/// holds the module, so a service that was added must be there.
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
                // The module was unloaded between two attempts to send; nothing was done.
                Err(error) => {
                    refused += 1;
                    assert_eq!(error.certainty(), Some(Certainty::Refused), "{error}");
                    // The module of the scheduler may be unloading at this moment.
                    let scheduler = ErrorKind::UnknownScheduler;
                    let kinds = [ErrorKind::Unavailable, ErrorKind::FamilyMoved, scheduler];
                    assert!(kinds.contains(&error.kind()), "{error}");
                }
            }
            // Leave the table empty for about as long as an unload takes.
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

/// One test of two halves, because both change the state of the whole kernel.
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

    // Make loading impossible.
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

/// A module that was loaded again has an empty table.
#[test]
fn a_controller_makes_everything_again_after_a_reload() {
    let mut ipvs = Client::connect().unwrap();
    let web = Service::tcp("192.0.2.10:80".parse().unwrap());
    let server = Destination::masquerade("10.0.0.2:80".parse().unwrap());
    let soon = Duration::from_millis(100);
    let retry = RetryPolicy::new().first(soon).most(soon);
    let mut controller = Controller::new(ControllerOptions::new().resync(soon).retry(retry));
    controller.wish(TableService::new(web.clone()).with(server));
    let until =
        |ipvs: &mut Client, controller: &mut Controller, is_over: &dyn Fn(&Event) -> bool| {
            let begin = Instant::now();
            ipvs.keep(controller, soon, |_, event| {
                assert!(begin.elapsed() < Duration::from_secs(20), "never over");
                match event.is_some_and(|event| is_over(&event)) {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            });
        };
    let settled = |event: &Event| *event == Event::Settled(web.id);
    until(&mut ipvs, &mut controller, &settled);
    let mut other = Client::connect().unwrap();

    // The next reading loads the module again.
    unload(&mut other);
    until(&mut ipvs, &mut controller, &settled);
    assert_eq!(other.destinations(web.id).unwrap().len(), 1);

    // While it cannot be loaded, everything waits.
    let modprobe = fs::read_to_string(MODPROBE).unwrap();
    fs::write(MODPROBE, "/nonexistent").unwrap();
    unload(&mut other);
    until(&mut ipvs, &mut controller, &|event| matches!(event, Event::BackingOff { .. }));
    fs::write(MODPROBE, modprobe.trim()).unwrap();
    until(&mut ipvs, &mut controller, &|event| *event == Event::Recovered);
    until(&mut ipvs, &mut controller, &settled);
    assert_eq!(other.destinations(web.id).unwrap().len(), 1);
    other.flush().unwrap();
}

/// Programs run on user-mode Linux alone.
mod doctor_program {
    use super::*;

    fn is_loaded() -> bool {
        Path::new("/proc/net/ip_vs").exists()
    }

    #[test]
    fn doctor_finds_that_ipvs_is_not_loaded_and_loads_nothing() {
        let mut ipvs = Client::connect().unwrap();
        unload(&mut ipvs);
        let doctor = || {
            let output = Command::new(examples::example("doctor")).output().unwrap();
            (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
        };
        let (code, printed) = doctor();
        assert_eq!(code, 1, "{printed}");
        assert!(printed.starts_with("note: IPVS is not loaded [modules]\n"), "{printed}");
        assert!(!is_loaded(), "it changes nothing");
        Client::connect().unwrap();
        assert!(is_loaded());
        let (code, printed) = doctor();
        assert_eq!(code, 1, "{printed}");
        assert!(
            printed.starts_with("note: the table has no services [empty-table]\n"),
            "{printed}"
        );
    }
}
