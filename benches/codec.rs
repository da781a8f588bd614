//! Encoding and decoding: time, allocations and instructions of each message.
//!
//! `cargo bench --bench codec` measures time and fails when an operation that must not
//! allocate does; with `-- --instructions` it counts instructions instead, under
//! valgrind, and with `-- --compare` it also fails where a count is not the one that
//! `benches/README.md` states.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program reports on them")]

use std::env;
use std::error::Error;
use std::hint::black_box;
use std::process::{Command, ExitCode};
use std::time::Duration;

use criterion::Criterion;
use ipvs_netlink::{
    AddressFamily, Change, Destination, GueChecksum, InterfaceName, IpvsMessage, Role, Scheduler,
    Service, SyncDaemon, Timeouts, Tunnel,
};
use netlink_packet_core::ParseableParametrized;
use netlink_packet_generic::{GenlFamily, GenlHeader};

/// Real answers of Linux 6.12, of which the first message is taken. The padded one is of
/// user-mode Linux, as it is where 64-bit numbers have to be aligned.
const SERVICE: &str = include_str!("../tests/fixtures/k612-022-get-svc-v4.hex");
const FWMARK: &str = include_str!("../tests/fixtures/k612-024-get-svc-fwm.hex");
const PERSISTENT: &str = include_str!("../tests/fixtures/k612-data-get-service-persistent.hex");
const PERSISTENT_V6: &str =
    include_str!("../tests/fixtures/k612-data-get-service-v6-persistent.hex");
const DESTINATION: &str = include_str!("../tests/fixtures/k612-data-dump-dest-stats-nonzero.hex");
const DESTINATION_V6: &str = include_str!("../tests/fixtures/k612-048-dump-dests-v6.hex");
const PADDED: &str = include_str!("../tests/fixtures/k61-data-dump-dest-stats-nonzero.hex");
const DAEMON: &str = include_str!("../tests/fixtures/k612-083-dump-daemons-both.hex");
const TIMEOUTS: &str = include_str!("../tests/fixtures/k612-004-get-config.hex");
const INFO: &str = include_str!("../tests/fixtures/k612-009-get-info.hex");

/// What netlink and generic netlink put before the attributes.
const HEADERS: usize = 20;

/// The repetitions whose difference is what one repetition costs, without start-up:
/// of as many digits, so that reading them costs the same.
const FEW: u32 = 1000;
const MANY: u32 = 2000;

const README: &str = include_str!("README.md");

/// A count may differ from the stated one by this part of it: compilers differ.
const TOLERANCE: u64 = 20;

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

struct Case {
    name: String,
    work: Work,
}

enum Work {
    Encode(IpvsMessage),
    Decode(GenlHeader, Vec<u8>),
}

impl Work {
    /// Does it once; `buffer` is reused.
    #[inline(never)]
    fn run(&self, buffer: &mut Vec<u8>) {
        match self {
            Self::Encode(message) => {
                buffer.clear();
                black_box(message).append(buffer);
                black_box(buffer);
            }
            Self::Decode(header, bytes) => {
                let message = IpvsMessage::parse_with_param(black_box(bytes), *header);
                let _ = black_box(message);
            }
        }
    }
}

fn main() -> ExitCode {
    let outcome = match env::args().collect::<Vec<_>>().as_slice() {
        [_, mode, name, count] if mode == "--repeat" => repeat(name, count),
        [_, arguments @ ..] if arguments.iter().any(|it| it == "--compare") => compare(),
        [_, arguments @ ..] if arguments.iter().any(|it| it == "--instructions") => instructions(),
        _ => allocations().and_then(|()| times()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("codec: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Every message, written and read.
fn cases() -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    let mut add = |name: &str, work| cases.push(Case { name: name.to_owned(), work });
    for (name, message) in requests()? {
        add(&format!("encode/{name}"), Work::Encode(message));
    }
    let answers = [
        ("service", SERVICE),
        ("service-fwmark", FWMARK),
        ("service-persistent", PERSISTENT),
        ("service-persistent-IPv6", PERSISTENT_V6),
        ("destination", DESTINATION),
        ("destination-IPv6", DESTINATION_V6),
        ("daemon", DAEMON),
        ("timeouts", TIMEOUTS),
        ("info", INFO),
    ];
    for (name, capture) in answers {
        let (command, attributes) = answer(capture)?;
        let header = GenlHeader { cmd: command, version: 1 };
        let message = IpvsMessage::parse_with_param(&attributes, header)?;
        if message.command() != command {
            return Err(format!("{name}: read as another command").into());
        }
        add(&format!("encode/{name}"), Work::Encode(message));
        add(&format!("decode/{name}"), Work::Decode(header, attributes));
    }
    let (command, attributes) = answer(PADDED)?;
    let header = GenlHeader { cmd: command, version: 1 };
    add("decode/destination-padded", Work::Decode(header, attributes));
    cases.sort_by_key(|case| matches!(case.work, Work::Decode(..)));
    Ok(cases)
}

/// What is asked of the kernel: every change, then every read.
fn requests() -> Result<Vec<(&'static str, IpvsMessage)>> {
    let service = Service::tcp("10.0.0.1:80".parse()?).scheduler(Scheduler::ROUND_ROBIN);
    let v6 = Service::tcp("[2001:db8::1]:80".parse()?).scheduler(Scheduler::ROUND_ROBIN);
    let fwmark = Service::fwmark(1, AddressFamily::Ipv4).scheduler(Scheduler::ROUND_ROBIN);
    let persistent = service.clone().persistent(Duration::from_secs(300));
    let destination = Destination::masquerade("172.16.0.1:8080".parse()?);
    let destination_v6 = Destination::masquerade("[2001:db8::2]:8080".parse()?);
    let gue = Tunnel::Gue { port: 6080, checksum: GueChecksum::None };
    let tunnelled = Destination::tunnel("172.16.0.1:80".parse()?, gue);
    let daemon = SyncDaemon::new(Role::Master, InterfaceName::new("eth0")?)
        .group("224.0.0.81".parse()?)
        .port(8848);
    let timeouts = Timeouts::default().tcp(Duration::from_secs(600));
    let (id, server) = (service.id, destination.id);
    let (id_v6, server_v6) = (v6.id, destination_v6.id);
    let changes = [
        ("NEW_SERVICE", Change::AddService(service.clone())),
        ("NEW_SERVICE-IPv6", Change::AddService(v6)),
        ("NEW_SERVICE-fwmark", Change::AddService(fwmark)),
        ("NEW_SERVICE-persistent", Change::AddService(persistent)),
        ("SET_SERVICE", Change::UpdateService(service)),
        ("DEL_SERVICE", Change::DeleteService(id)),
        ("NEW_DEST", Change::AddDestination(id, destination.clone())),
        ("NEW_DEST-IPv6", Change::AddDestination(id_v6, destination_v6)),
        ("NEW_DEST-tunnel", Change::AddDestination(id, tunnelled)),
        ("SET_DEST", Change::UpdateDestination(id, destination)),
        ("DEL_DEST", Change::DeleteDestination(id, server)),
        ("DEL_DEST-IPv6", Change::DeleteDestination(id_v6, server_v6)),
        ("NEW_DAEMON", Change::StartDaemon(daemon)),
        ("DEL_DAEMON", Change::StopDaemon(Role::Master)),
        ("SET_CONFIG", Change::SetTimeouts(timeouts)),
        ("ZERO", Change::ZeroService(id)),
        ("ZERO-all", Change::ZeroAll),
        ("FLUSH", Change::Flush),
    ];
    let reads = [
        ("GET_SERVICE", IpvsMessage::ReadService(id)),
        ("GET_SERVICE-all", IpvsMessage::ReadServices),
        ("GET_DEST", IpvsMessage::ReadDestinations(id)),
        ("GET_DAEMON", IpvsMessage::ReadDaemons),
        ("GET_CONFIG", IpvsMessage::ReadTimeouts),
        ("GET_INFO", IpvsMessage::ReadInfo),
    ];
    let changes = changes.map(|(name, change)| (name, change.into()));
    Ok(changes.into_iter().chain(reads).collect())
}

/// The command and the attributes of the first message that was received.
fn answer(capture: &str) -> Result<(u8, Vec<u8>)> {
    let hex = capture.lines().find_map(|line| line.strip_prefix("< ")).ok_or("no answer")?;
    let bytes: Vec<u8> = (0..hex.len() / 2)
        .map(|at| u8::from_str_radix(hex.get(2 * at..2 * at + 2).unwrap_or_default(), 16))
        .collect::<Result<_, _>>()?;
    let length = bytes.first_chunk().map_or(0, |length| u32::from_le_bytes(*length));
    let attributes = bytes.get(HEADERS..usize::try_from(length)?).ok_or("a short answer")?;
    Ok((*bytes.get(16).ok_or("no command")?, attributes.to_vec()))
}

/// Counts allocations, none of which is allowed.
fn allocations() -> Result<()> {
    println!("{:31} {:>11} {:>6}", "", "allocations", "bytes");
    let control = allocation_counter::measure(|| drop(black_box(Box::new(0_u8))));
    if control.count_total != 1 {
        return Err("allocations are not counted".into());
    }
    let mut allocating = Vec::new();
    for case in cases()? {
        let mut buffer = Vec::with_capacity(512);
        case.work.run(&mut buffer);
        let counted = allocation_counter::measure(|| case.work.run(&mut buffer));
        println!("{:31} {:>11} {:>6}", case.name, counted.count_total, counted.bytes_total);
        if counted.count_total != 0 {
            allocating.push(case.name);
        }
    }
    println!();
    match allocating.as_slice() {
        [] => Ok(()),
        names => Err(format!("these allocate and must not: {}", names.join(", ")).into()),
    }
}

fn times() -> Result<()> {
    let mut criterion = Criterion::default().configure_from_args();
    for case in cases()? {
        let mut buffer = Vec::with_capacity(512);
        criterion.bench_function(&case.name, |bencher| {
            bencher.iter(|| case.work.run(&mut buffer));
        });
    }
    criterion.final_summary();
    Ok(())
}

/// Does a case `count` times, for [`instructions`].
fn repeat(name: &str, count: &str) -> Result<()> {
    let case = cases()?.into_iter().find(|case| case.name == name).ok_or("no such case")?;
    let mut buffer = Vec::with_capacity(512);
    for _ in 0..count.parse::<u32>()? {
        case.work.run(&mut buffer);
    }
    Ok(())
}

/// Counts the instructions of each case with callgrind.
fn instructions() -> Result<()> {
    println!("{:31} {:>12}", "", "instructions");
    for case in cases()? {
        println!("{:31} {:>12}", case.name, count(&case.name)?);
    }
    Ok(())
}

/// The instructions of one repetition of a case.
fn count(name: &str) -> Result<u64> {
    let (few, many) = (collect(name, FEW)?, collect(name, MANY)?);
    Ok((many - few) / u64::from(MANY - FEW))
}

/// Counts again what the table in `benches/README.md` states.
fn compare() -> Result<()> {
    let stated: Vec<_> = README.lines().filter_map(stated).collect();
    let mut wrong = Vec::new();
    for case in cases()? {
        let counted = count(&case.name)?;
        let stated = stated.iter().find(|(name, _)| *name == case.name).map(|(_, count)| *count);
        let text = stated.map_or_else(|| "nothing".to_owned(), |count| count.to_string());
        println!("{:31} {counted:>12}, stated {text}", case.name);
        let is_near = |stated: u64| counted.abs_diff(stated) <= (stated / TOLERANCE).max(2);
        if !stated.is_some_and(is_near) {
            wrong.push(format!("{}: {counted}, stated {text}", case.name));
        }
    }
    match wrong.as_slice() {
        [] => Ok(()),
        all => Err(format!("benches/README.md is wrong about {}", all.join("; ")).into()),
    }
}

/// A row of the table: the name of a case and its count.
fn stated(row: &str) -> Option<(&str, u64)> {
    let (name, count) = row.strip_prefix("| `")?.strip_suffix(" |")?.split_once("` | ")?;
    Some((name, count.parse().ok()?))
}

fn collect(name: &str, count: u32) -> Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env::current_exe()?)
        .args(["--repeat", name, &count.to_string()])
        .output()
        .map_err(|error| format!("valgrind: {error}"))?;
    let report = String::from_utf8_lossy(&output.stderr);
    let collected = report.lines().find_map(|line| line.split("Collected : ").nth(1));
    match collected {
        Some(number) if output.status.success() => Ok(number.trim().parse()?),
        _ => Err(format!("valgrind: {report}").into()),
    }
}
