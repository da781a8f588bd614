//! Workloads for counting the instructions of a running `ipvs-top`:
//! `icount_top WORKLOAD SERVICES DESTINATIONS`.
//!
//! Writes a table of so many services, each with so many destinations, and then for 60 s:
//!
//! - `idle`: nothing, to be subtracted;
//! - `watch`: reads and draws the overview, on a screen of 80 x 24 that is not a terminal, as the
//!   program does every second;
//! - `typing`: the same, and types a filter and moves through the list, one key every second.
//!
//! The last line on standard error is the peak of memory. `noop` does nothing. It takes a kernel of its
//! own: see the member's README.
#![allow(clippy::print_stderr, reason = "a program says on stderr what it measured")]

use std::error::Error;
use std::net::Ipv4Addr;
use std::os::fd::AsFd as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use std::{fs, io};

use ipvs_netlink::{Change, Client, Destination, Scheduler, Service};
use jiff::tz::TimeZone;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use top::keys::{Input, Key};
use top::manners::Manners;
use top::program::{Beginning, Session};
use top::reading::{Bell, Source};
use top::state::{Settings, View};

/// How long the table is watched.
const TIME: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let workload = arguments.next().unwrap_or_default();
    let numbers: Vec<u32> = arguments.filter_map(|it| it.parse().ok()).collect();
    let [services, each] = *numbers else {
        eprintln!("usage: WORKLOAD SERVICES DESTINATIONS; see the member's README");
        return ExitCode::from(2);
    };
    match measure(&workload, services, each) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{workload}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(workload: &str, services: u32, each: u32) -> Result<(), Box<dyn Error>> {
    if workload == "noop" {
        return Ok(());
    }
    write(services, each)?;
    match workload {
        "idle" => thread::sleep(TIME),
        "watch" => watch(services, &[])?,
        "typing" => {
            let keys = ["/10.0", "\n", "jjjj", "G", ">", "R", "g"].concat();
            watch(services, &keys.chars().collect::<Vec<_>>())?;
        }
        _ => return Err("no such workload".into()),
    }
    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
    eprintln!("{workload}: {peak}");
    // The next workload finds an empty table.
    Ok(Client::connect()?.flush()?)
}

fn write(services: u32, each: u32) -> Result<(), Box<dyn Error>> {
    let mut changes = Vec::new();
    for service in 0..services {
        let address = Ipv4Addr::from_bits(0x0a00_0001 + service);
        let new = Service::tcp((address, 80).into()).scheduler(Scheduler::ROUND_ROBIN);
        let id = new.id;
        changes.push(Change::AddService(new));
        for number in 0..each {
            let address = Ipv4Addr::from_bits(0xac10_0001 + service * each + number);
            let destination = Destination::masquerade((address, 8080).into());
            changes.push(Change::AddDestination(id, destination));
        }
    }
    Ok(Client::connect()?.submit(&changes).into_result()?)
}

fn watch(services: u32, keys: &[char]) -> Result<(), Box<dyn Error>> {
    let bell = Bell::new()?;
    let beginning = Beginning {
        source: Source::own(),
        director: None,
        settings: Settings {
            namespace: None,
            interval: Duration::from_secs(1),
            read_only: false,
            labels: Arc::default(),
            zone: TimeZone::UTC,
        },
        manners: Manners::default(),
        view: View::default(),
        remembered: None,
    };
    let mut session = Session::begin(beginning, bell.clone())?;
    let viewport = Viewport::Fixed(Rect::new(0, 0, 80, 24));
    let options = TerminalOptions { viewport };
    let mut terminal = Terminal::with_options(CrosstermBackend::new(io::sink()), options)?;
    let begun = Instant::now();
    let mut keys = keys.iter();
    let second = Timespec::try_from(Duration::from_secs(1))?;
    let (mut draws, mut pressed) = (0, 0);
    while begun.elapsed() < TIME {
        session.learn();
        session.draw(&mut terminal)?;
        draws += 1;
        let mut descriptors = [PollFd::from_borrowed_fd(bell.as_fd(), PollFlags::IN)];
        poll(&mut descriptors, Some(&second))?;
        bell.silence();
        if begun.elapsed().as_secs() > pressed
            && let Some(key) = keys.next()
        {
            pressed += 1;
            let key = if *key == '\n' { Key::Enter } else { Key::Char(*key) };
            session.take(Input::Key(key));
        }
    }
    let seen = session.state.totals().services;
    if seen != usize::try_from(services)? {
        return Err(format!("{seen} services were seen").into());
    }
    eprintln!("{draws} draws");
    Ok(())
}
