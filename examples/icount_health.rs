//! Workloads for counting instructions, over health checks:
//! `icount_health WORKLOAD TARGETS ROUNDS [MILLISECONDS]`.
//!
//! Checks each of so many targets so many times, once in each interval (5 s unless another is given),
//! by TCP connects closed by a reset. A host in a network namespace of its own answers. `runner` does it with this crate,
//! `loop` is the least that must be paid: a bare loop over epoll. `noop` only makes the network.
//! It takes root. See `benches/README.md`.
#![allow(clippy::print_stderr, reason = "a program says on stderr what it measured")]

#[path = "quickstart/network.rs"]
#[allow(dead_code, reason = "what only the quickstart needs")]
mod network;

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use ipvs_netlink::health::probe::{Probe, Runner, RunnerOptions};
use ipvs_netlink::health::{Pace, Watched};
use ipvs_netlink::table::TableService;
use ipvs_netlink::{Destination, Service};
use network::Namespace;
use nix::net::if_::if_nametoindex;
use rtnetlink::packet_route::link::{InfoData, InfoVeth};
use rtnetlink::packet_route::route::{RouteScope, RouteType};
use rtnetlink::{LinkUnspec, LinkVeth, RouteMessageBuilder};
use rustix::event::epoll;
use rustix::io::Errno;
use rustix::net::sockopt::set_socket_linger;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with};
use rustix::time::Timespec;

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// The destinations of each service.
const DESTINATIONS: u32 = 10;
const PORT: u16 = 8080;

#[derive(Clone, Copy)]
struct Size {
    targets: u32,
    rounds: u32,
    interval: Duration,
}

impl Size {
    const fn checks(self) -> u32 {
        self.targets * self.rounds
    }

    fn target(self, check: u32) -> SocketAddr {
        let first = Ipv4Addr::new(10, 0, 0, 1).to_bits();
        (Ipv4Addr::from_bits(first + check % self.targets), PORT).into()
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((workload, size)) = parsed(&arguments) else {
        eprintln!("usage: WORKLOAD TARGETS ROUNDS [MILLISECONDS]; see benches/README.md");
        return ExitCode::from(2);
    };
    let outcome = (|| {
        let (director, host) = connected()?;
        let _listener = host.run(listen)?;
        match workload {
            "loop" => director.run(|| bare_loop(size))?,
            "runner" => {
                let start = || Runner::start(RunnerOptions::new());
                return check(&director.run(start)?, size);
            }
            _ => {}
        }
        Outcome::Ok(())
    })();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn parsed(arguments: &[String]) -> Option<(&str, Size)> {
    let (workload, numbers) = arguments.split_first()?;
    let numbers: Vec<u32> = numbers.iter().map(|it| it.parse().ok()).collect::<Option<_>>()?;
    let (targets, rounds, interval) = match *numbers {
        [targets, rounds] => (targets, rounds, 5000),
        [targets, rounds, interval] => (targets, rounds, interval),
        _ => return None,
    };
    let known = ["noop", "loop", "runner"].contains(&workload.as_str()) && targets > 0;
    let interval = Duration::from_millis(interval.into());
    known.then_some((workload, Size { targets, rounds, interval }))
}

/// Makes a namespace for the checks, and one for the host that has all addresses in 10.0.0.0/8.
fn connected() -> io::Result<(Namespace, Namespace)> {
    let (director, host) = (Namespace::new()?, Namespace::new()?);
    director.configure(async |network| {
        let end = LinkUnspec::new_with_name("eth0").setns_by_fd(host.as_fd().as_raw_fd());
        let cable = LinkVeth::new("host", "eth0")
            .set_info_data(InfoData::Veth(InfoVeth::Peer(end.build())));
        network.link().add(cable.build()).execute().await
    })?;
    let index = |name: &str| {
        if_nametoindex(name).map_err(|errno| rtnetlink::Error::NamespaceError(errno.to_string()))
    };
    let everything =
        || RouteMessageBuilder::<Ipv4Addr>::new().destination_prefix(Ipv4Addr::new(10, 0, 0, 0), 8);
    let near = Ipv4Addr::new(192, 168, 7, 1);
    let far = Ipv4Addr::new(192, 168, 7, 2);
    for (namespace, interface, address) in [(&host, "eth0", far), (&director, "host", near)] {
        namespace.configure(async |network| {
            let index = index(interface)?;
            network.link().set(LinkUnspec::new_with_index(index).up().build()).execute().await?;
            network.address().add(index, address.into(), 30).execute().await
        })?;
    }
    host.configure(async |network| {
        let local = everything().output_interface(index("lo")?).table_id(255);
        let local = local.kind(RouteType::Local).scope(RouteScope::Host);
        network.route().add(local.build()).execute().await
    })?;
    director.configure(async |network| {
        network.route().add(everything().gateway(far).build()).execute().await
    })?;
    Ok((director, host))
}

/// Listens on all addresses. Nobody accepts: the kernel alone answers, and its work is the same for
/// all workloads.
fn listen() -> io::Result<TcpListener> {
    const ALL: i32 = 1 << 24;
    fs::write("/proc/sys/net/core/somaxconn", ALL.to_string())?;
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, PORT))?;
    rustix::net::listen(&listener, ALL)?;
    Ok(listener)
}

/// Checks with this crate.
fn check(runner: &Runner, size: Size) -> Outcome {
    let updates = runner.updates();
    let pace = Pace::new().interval(size.interval);
    for (service, first) in (0..).zip((0..size.targets).step_by(DESTINATIONS as usize)) {
        let address = Ipv4Addr::from_bits(Ipv4Addr::new(172, 16, 0, 1).to_bits() + service);
        let table = TableService::new(Service::tcp((address, 80).into()));
        let targets = first..size.targets.min(first + DESTINATIONS);
        let table = targets
            .fold(table, |table, target| table.with(Destination::masquerade(size.target(target))));
        runner.watch(Watched::new(table).check(Probe::tcp(), pace), None)?;
    }
    let mut stats = runner.stats();
    while stats.passed + stats.failed < size.checks().into() {
        // Half a second, unless there is news.
        while updates.next_within(Duration::from_millis(500)).is_some() {}
        stats = runner.stats();
        if stats.silent > Duration::from_secs(30) {
            return Err("the runner stands still".into());
        }
    }
    let status = fs::read_to_string("/proc/self/status")?;
    let memory = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    let late = &stats.lateness;
    eprintln!("{} passed, {} failed; {memory}", stats.passed, stats.failed);
    eprintln!("began late: {:?} at most, 99 % no more than {:?}", late.most(), late.percentile(99));
    for (bound, checks) in late.classes().filter(|(_, checks)| *checks > 0) {
        eprintln!("  {checks} by up to {:?}", bound.unwrap_or(late.most()));
    }
    if stats.failed > 0 { Err("checks failed".into()) } else { Ok(()) }
}

/// Checks with nothing but system calls: each target at its time, as many as are due at once.
fn bare_loop(size: Size) -> io::Result<()> {
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    let begin = Instant::now();
    let due = |check: u32| {
        let (round, target) = (check / size.targets, check % size.targets);
        begin + size.interval * round + size.interval * target / size.targets
    };
    let mut sockets: Vec<Option<OwnedFd>> = Vec::new();
    let (mut started, mut ended) = (0, 0);
    while ended < size.checks() {
        let now = Instant::now();
        while started < size.checks() && due(started) <= now {
            let socket = begin_connect(size.target(started))?;
            let slot = usize::try_from(socket.as_raw_fd()).map_err(io::Error::other)?;
            let data = epoll::EventData::new_u64(slot as u64);
            epoll::add(&epoll, &socket, data, epoll::EventFlags::OUT)?;
            sockets.resize_with(sockets.len().max(slot + 1), || None);
            if let Some(place) = sockets.get_mut(slot) {
                *place = Some(socket);
            }
            started += 1;
        }
        let wait = (started < size.checks()).then(|| due(started).saturating_duration_since(now));
        let wait = wait.and_then(|wait| Timespec::try_from(wait).ok());
        let mut events = [const { std::mem::MaybeUninit::uninit() }; 64];
        let (events, _) = epoll::wait(&epoll, &mut events, wait.as_ref())?;
        for event in events {
            let (flags, data) = (event.flags, event.data);
            if flags.intersects(epoll::EventFlags::ERR | epoll::EventFlags::HUP) {
                return Err(io::Error::other("a connect failed"));
            }
            let slot = usize::try_from(data.u64()).map_err(io::Error::other)?;
            // Closed when dropped, by a reset.
            drop(sockets.get_mut(slot).and_then(Option::take));
            ended += 1;
        }
    }
    Ok(())
}

fn begin_connect(target: SocketAddr) -> io::Result<OwnedFd> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
    set_socket_linger(&socket, Some(Duration::ZERO))?;
    match connect(&socket, &target) {
        Ok(()) | Err(Errno::INPROGRESS) => Ok(socket),
        Err(errno) => Err(errno.into()),
    }
}
