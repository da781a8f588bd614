//! IPVS in a minute: balances real connections over three servers with six schedulers, shows the
//! kernel's counters, keeps clients with their servers, and takes a server out of rotation while
//! its connections continue.
//!
//! `cargo run --example quickstart` needs neither root nor a host with IPVS: Cargo's runner boots a
//! kernel that has it. As root on a host with IPVS it uses the host's kernel. Everything happens in
//! network namespaces of this process, which end with it.

/// Prints a line like `println!`, but does not panic if standard output is closed.
macro_rules! say {
    ($($text:tt)*) => { print_line(format_args!($($text)*)) };
}

mod crowd;
mod greeting;
mod network;

use std::error::Error;
use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant};
use std::{fmt, io, process};

use crowd::Crowd;
use greeting::{Connection, serve};
use ipvs_netlink::{Client, Destination, DestinationEntry, DestinationId, Scheduler, Service};
use network::{Network, client_addresses, server_addresses, virtual_addresses};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const HELP: &str = "\
IPVS in a minute: balances real connections over three servers, in network namespaces of its
own, and shows the kernel's counters.

usage: quickstart

`cargo run --example quickstart` needs neither root nor a kernel with IPVS.
Exit codes: 0 all connections were served, 1 some failed, 2 wrong arguments";

const NAMES: [&str; 3] = ["alice", "bob", "carol"];
const ALIKE: [u32; 3] = [1, 1, 1];

fn main() -> ExitCode {
    match std::env::args_os().nth(1) {
        None => {}
        Some(word) if word == "-h" || word == "--help" => {
            say!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Some(_) => {
            writeln!(io::stderr(), "{HELP}").ok();
            return ExitCode::from(2);
        }
    }
    let told = match run() {
        Ok(0) => return ExitCode::SUCCESS,
        Ok(1) => "1 connection failed".to_owned(),
        Ok(failed) => format!("{failed} connections failed"),
        Err(error) => error.to_string(),
    };
    writeln!(io::stderr(), "quickstart: {told}").ok();
    ExitCode::FAILURE
}

/// Prints a line. Ends the program, and with it its namespaces, if standard output is closed.
fn print_line(text: fmt::Arguments<'_>) {
    match writeln!(io::stdout(), "{text}") {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => process::exit(0),
        Err(error) => {
            writeln!(io::stderr(), "quickstart: standard output: {error}").ok();
            process::exit(1);
        }
    }
}

/// Returns how many connections failed.
fn run() -> Result<u64> {
    let network = Network::with_servers(3)
        .map_err(|error| format!("cannot make a network of namespaces, as root can: {error}"))?;
    let mut servers = Vec::new();
    for ((n, name), namespace) in (0..).zip(NAMES).zip(&network.servers) {
        servers.push(serve(namespace, server(n), name)?);
    }
    // Each network namespace has an IPVS table of its own. This client works on the director's,
    // and this thread stays in its own namespace.
    let mut ipvs = Client::in_namespace_fd(&network.director)?;
    let mut crowd = Crowd::of(&network.client);

    say!("IPVS {}, in a network of namespaces:\n", ipvs.info()?.version);
    say!("                                              +-- alice  {}", server(0));
    say!("   client ----------- director ---------------+-- bob    {}", server(1));
    say!("   10.1.0.11 to .16   192.0.2.10 to .12       +-- carol  {}", server(2));

    heading("SIX SCHEDULERS: WHO ANSWERED");
    let held = schedule(&mut ipvs, &mut crowd)?;
    say!("\nTHE KERNEL'S COUNTERS (brought up to date every two seconds)");
    count(&mut ipvs, crowd.attempted - crowd.failed)?;
    drop(held);

    heading("PERSISTENCE: A CLIENT KEEPS ITS SERVER");
    persist(&mut ipvs, &mut crowd)?;
    heading("DRAINING: ALICE GETS NOTHING NEW");
    drain(&mut ipvs, &mut crowd)?;

    for entry in ipvs.services()? {
        ipvs.delete_service(entry.service.id)?;
    }
    say!("\nserved {} of {} connections", crowd.attempted - crowd.failed, crowd.attempted);
    Ok(crowd.failed)
}

/// Shows six schedulers at work. Returns the connections that are still open.
fn schedule(ipvs: &mut Client, crowd: &mut Crowd<'_>) -> Result<Vec<Connection>> {
    let rr = address(0, 8001);
    program(ipvs, &Service::tcp(rr).scheduler(Scheduler::ROUND_ROBIN), ALIKE)?;
    report("rr   9 connections: each server in turn", &crowd.visit(9, client(0), rr));

    let lc = address(0, 8002);
    program(ipvs, &Service::tcp(lc).scheduler(Scheduler::LEAST_CONNECTION), ALIKE)?;
    let held = crowd.hold(6, client(0), lc);
    report("lc   6 held open: to the one that has the fewest", &held);
    let mut held = crowd.hang_up(held, "alice");
    let more = crowd.hold(2, client(0), lc);
    report("     2 more, after those of alice have hung up", &more);
    held.extend(more);

    // `dh` hashes the address that the client asks for. It is meant for caches, where one service
    // of a firewall mark takes all addresses of the Internet. Here are three of them.
    let mut visitors = Vec::new();
    for n in 0..3 {
        let dh = address(n, 8003);
        program(ipvs, &Service::tcp(dh).scheduler(Scheduler::DESTINATION_HASHING), ALIKE)?;
        visitors.extend(crowd.visit(3, client(0), dh));
    }
    report("dh   3 to each of 3 addresses: one server per address", &visitors);

    // `sh` hashes the address of the client.
    let sh = address(0, 8004);
    program(ipvs, &Service::tcp(sh).scheduler(Scheduler::SOURCE_HASHING), ALIKE)?;
    let visitors: Vec<_> = (0..6).flat_map(|n| crowd.visit(2, client(n), sh)).collect();
    report("sh   2 from each of 6 clients: one server per client", &visitors);

    // Carol has ten times the weight of the others. `sed` gives her every connection until she has
    // ten; `nq` gives an idle server a connection first.
    let sed = address(0, 8005);
    program(ipvs, &Service::tcp(sed).scheduler(Scheduler::SHORTEST_EXPECTED_DELAY), [1, 1, 10])?;
    let waiting = crowd.hold(6, client(0), sed);
    report("sed  6 held open, weights 1 1 10: the shortest wait", &waiting);
    held.extend(waiting);

    let nq = address(0, 8006);
    program(ipvs, &Service::tcp(nq).scheduler(Scheduler::NEVER_QUEUE), [1, 1, 10])?;
    let waiting = crowd.hold(6, client(0), nq);
    report("nq   the same: an idle server first", &waiting);
    held.extend(waiting);
    Ok(held)
}

/// Prints the table with its counters.
fn count(ipvs: &mut Client, served: u64) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(5);
    let mut table = read(ipvs)?;
    while connections(&table) < served && Instant::now() < deadline {
        sleep(Duration::from_millis(50));
        table = read(ipvs)?;
    }
    say!("                           active inactive total packets in out bytes in   out");
    for (service, entries) in table {
        let mut title = format!("{} {}", service.id, service.scheduler);
        for (entry, name) in entries.iter().zip(NAMES) {
            let (now, ever) = (entry.connections, entry.stats);
            say!(
                "{title:23} {name:5}{:4}{:9}{:6}{:11}{:4}{:9}{:6}",
                now.active,
                now.inactive,
                ever.connections,
                ever.incoming_packets,
                ever.outgoing_packets,
                ever.incoming_bytes,
                ever.outgoing_bytes
            );
            title.clear();
        }
    }
    Ok(())
}

/// Reads the services with their destinations, in the order of their addresses.
fn read(ipvs: &mut Client) -> Result<Vec<(Service, Vec<DestinationEntry>)>> {
    let mut table = Vec::new();
    for entry in ipvs.services()? {
        let mut destinations = ipvs.destinations(entry.service.id)?.into_vec();
        destinations.sort_by_key(|entry| entry.destination.id);
        table.push((entry.service, destinations));
    }
    table.sort_by_key(|(service, _)| service.id);
    Ok(table)
}

fn connections(table: &[(Service, Vec<DestinationEntry>)]) -> u64 {
    table.iter().flat_map(|(_, entries)| entries).map(|entry| entry.stats.connections).sum()
}

/// Shows a service that remembers its clients.
fn persist(ipvs: &mut Client, crowd: &mut Crowd<'_>) -> Result<()> {
    let web = address(0, 80);
    let service =
        Service::tcp(web).scheduler(Scheduler::ROUND_ROBIN).persistent(Duration::from_secs(300));
    program(ipvs, &service, ALIKE)?;
    for n in 0..3 {
        let visitors = crowd.visit(3, client(n), web);
        report(&format!("rr   3 connections from {}", client(n)), &visitors);
    }
    let entries = ipvs.destinations(service.id)?;
    let clients: u32 = entries.iter().map(|entry| entry.connections.persistent).sum();
    say!("     The kernel will remember these {clients} clients for five minutes.");
    Ok(())
}

/// Takes a server out of a service that is in use.
fn drain(ipvs: &mut Client, crowd: &mut Crowd<'_>) -> Result<()> {
    let shop = Service::tcp(address(0, 81)).scheduler(Scheduler::ROUND_ROBIN);
    program(ipvs, &shop, ALIKE)?;
    let held = crowd.hold(6, client(0), address(0, 81));
    report("rr   6 connections are held open", &held);

    let alice = DestinationId::from(server(0));
    ipvs.set_weight(shop.id, alice, 0)?;
    report("     with weight 0 for alice, 6 new ones", &crowd.visit(6, client(0), address(0, 81)));
    let held = crowd.ask_again(held);
    report("     those that were open are served as before", &held);

    crowd.hang_up(held, "alice");
    let left = ipvs.destination(shop.id, alice)?.connections.active;
    ipvs.delete_destination(shop.id, alice)?;
    say!("     Hers hang up. She has {left} active ones left and is deleted; nobody noticed.");
    Ok(())
}

/// Adds a service with the three servers.
fn program(ipvs: &mut Client, service: &Service, weights: [u32; 3]) -> Result<()> {
    ipvs.add_service(service)?;
    for (n, weight) in (0..).zip(weights) {
        ipvs.add_destination(service.id, &Destination::masquerade(server(n)).weight(weight))?;
    }
    Ok(())
}

fn client(n: u8) -> IpAddr {
    client_addresses(n).v4
}

fn address(n: u8, port: u16) -> SocketAddr {
    SocketAddr::new(virtual_addresses(n).v4, port)
}

fn server(n: u8) -> SocketAddr {
    SocketAddr::new(server_addresses(n).v4, 8080)
}

fn heading(title: &str) {
    let [alice, bob, carol] = NAMES;
    say!("\n{title:57}{alice:>7}{bob:>7}{carol:>7}");
}

/// Prints how many of the connections each server has answered.
fn report(what: &str, connections: &[Connection]) {
    let [alice, bob, carol] =
        NAMES.map(|name| connections.iter().filter(|connection| connection.server == name).count());
    say!("{what:57}{alice:7}{bob:7}{carol:7}");
}
