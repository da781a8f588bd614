//! Workloads for counting the instructions of a reload: `icount_reload WORKLOAD SERVICES DESTINATIONS`.
//!
//! Runs the daemon for 130 s with a file of so many services, each with so many destinations, all up, and
//! after 90 s has it reload the file as the workload says:
//!
//! - `still`: not at all, to be subtracted;
//! - `same`: the file is as before;
//! - `weights`: one destination in each of 100 services has another weight;
//! - `all`: every destination has another weight;
//! - `moves`: one destination in each of 100 services gives way to a new one.
//!
//! The table is checked at the end. `noop` does nothing. It takes root, and a kernel of its own: see
//! `benches/README.md`.
#![allow(clippy::print_stderr, reason = "a program says on stderr what went wrong")]

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, ExitCode};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser as _;
use director::arguments::{Arguments, Command as Director};
use director::daemon;
use ipvs_netlink::{Client, DestinationId, ServiceId};
use nix::sched::{CloneFlags, unshare};
use rustix::process::{Pid, Signal, kill_process};

const FILE: &str = "/run/director.yaml";
const STATE: &str = "/run/director/state.json";
const SOCKET: &str = "/run/director/control.socket";
const PORT: u16 = 8080;

/// The services of which one destination changes.
const SOME: u32 = 100;

#[derive(Clone, Copy)]
struct Size {
    services: u32,
    each: u32,
}

/// What is in the file: the weight of a destination, and what its address is moved by.
type Row = (u32, u32);

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let workload = arguments.next().unwrap_or_default();
    if ["run", "reload"].contains(&workload.as_str()) {
        return match Arguments::parse().command {
            Director::Run(arguments) => daemon::run(&arguments).into(),
            Director::Reload(arguments) => arguments.run().into(),
            _ => ExitCode::from(2),
        };
    }
    let numbers: Vec<u32> = arguments.filter_map(|it| it.parse().ok()).collect();
    let [services, each] = *numbers else {
        eprintln!("usage: WORKLOAD SERVICES DESTINATIONS; see benches/README.md");
        return ExitCode::from(2);
    };
    match measure(&workload, Size { services, each }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{workload}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(workload: &str, size: Size) -> Result<(), Box<dyn Error>> {
    let after: fn(u32, u32) -> Row = match workload {
        "noop" => return Ok(()),
        "still" | "same" => |_, _| (1, 0),
        "weights" => |service, at| if service < SOME && at == 0 { (2, 0) } else { (1, 0) },
        "all" => |_, _| (2, 0),
        "moves" => |service, at| if service < SOME && at == 0 { (1, 1 << 20) } else { (1, 0) },
        _ => return Err("no such workload".into()),
    };
    enter()?;
    let _listener = listen()?;
    // What the workload before has left.
    let _ = fs::remove_file(STATE);
    let begin = Instant::now();
    fs::write(FILE, text(size, |_, _| (1, 0))?)?;
    let mut daemon =
        itself(&["run", FILE, "--state", STATE, "--socket", SOCKET, "--log-level", "error"])?;
    until(begin, 90);
    if workload != "still" {
        fs::write(FILE, text(size, after)?)?;
        let reload = itself(&["reload", "--socket", SOCKET])?.wait()?;
        if !reload.success() {
            return Err(format!("the reload ended with {reload}").into());
        }
    }
    until(begin, 130);
    kill_process(Pid::from_child(&daemon), Signal::TERM)?;
    let ended = daemon.wait()?;
    if !ended.success() {
        return Err(format!("the daemon ended with {ended}").into());
    }
    check(size, after)
}

/// Enters a network namespace of its own, whose table is empty.
fn enter() -> Result<(), Box<dyn Error>> {
    unshare(CloneFlags::CLONE_NEWNET)?;
    match Command::new("ip").args(["link", "set", "lo", "up"]).status()?.success() {
        true => Ok(()),
        false => Err("the loopback interface cannot be set up".into()),
    }
}

/// Runs another command of this program.
fn itself(arguments: &[&str]) -> Result<Child, Box<dyn Error>> {
    Ok(Command::new(std::env::current_exe()?).args(arguments).spawn()?)
}

fn until(begin: Instant, seconds: u64) {
    thread::sleep(Duration::from_secs(seconds).saturating_sub(begin.elapsed()));
}

/// Listens on all addresses. Nobody accepts: the kernel alone answers.
fn listen() -> Result<TcpListener, Box<dyn Error>> {
    const ALL: i32 = 1 << 24;
    fs::write("/proc/sys/net/core/somaxconn", ALL.to_string())?;
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, PORT))?;
    rustix::net::listen(&listener, ALL)?;
    Ok(listener)
}

fn service(service: u32) -> SocketAddr {
    (Ipv4Addr::from_bits(Ipv4Addr::new(10, 0, 0, 1).to_bits() + service), 80).into()
}

fn destination(size: Size, service: u32, at: u32, moved: u32) -> SocketAddr {
    let index = service * size.each + at + moved;
    (Ipv4Addr::from_bits(Ipv4Addr::new(127, 1, 0, 1).to_bits() + index), PORT).into()
}

/// Writes the configuration as people write it.
fn text(size: Size, row: impl Fn(u32, u32) -> Row) -> Result<String, Box<dyn Error>> {
    let mut text = "services:\n".to_owned();
    for index in 0..size.services {
        writeln!(text, "  - tcp: {}", service(index))?;
        writeln!(text, "    scheduler: wrr\n    forward: masquerade")?;
        writeln!(text, "    checks: [tcp]\n    pace: {{interval: 30s}}")?;
        writeln!(text, "    destinations:")?;
        for at in 0..size.each {
            let (weight, moved) = row(index, at);
            let address = destination(size, index, at, moved);
            writeln!(text, "      - {{address: \"{address}\", weight: {weight}}}")?;
        }
    }
    Ok(text)
}

/// Holds the table of the kernel against the file.
fn check(size: Size, row: impl Fn(u32, u32) -> Row) -> Result<(), Box<dyn Error>> {
    let snapshot = Client::connect()?.snapshot()?;
    for index in 0..size.services {
        let id = ServiceId::tcp(service(index));
        let held = snapshot.service(id).ok_or_else(|| format!("there is no {id}"))?;
        for at in 0..size.each {
            let (weight, moved) = row(index, at);
            let wanted = DestinationId::from(destination(size, index, at, moved));
            let there = held.destination(wanted).map(|entry| entry.destination.weight);
            if there != Some(weight) {
                return Err(format!("{id} -> {wanted} has weight {there:?}, not {weight}").into());
            }
        }
        if held.destinations.len() != size.each as usize {
            return Err(format!("{id} has {} destinations", held.destinations.len()).into());
        }
    }
    Ok(())
}
