//! A scrape with real traffic: clients and servers in network namespaces, the exporter in front of the
//! director's table, and the lines that say what has happened.
//!
//! `cargo run -p exporter -- --demo` needs neither root nor a host with IPVS: Cargo's runner boots a kernel
//! that has it. Everything happens in network namespaces of this process, which end with it.

#[path = "../../../quickstart/greeting.rs"]
#[allow(dead_code, reason = "what only the example needs")]
mod greeting;
#[path = "../../../quickstart/network.rs"]
#[allow(dead_code, reason = "what only the example needs")]
mod network;

use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use ipvs_netlink::Client;
use ipvs_netlink::metrics::{Destinations, Options, ServiceLabels};
use ipvs_netlink::table::Table;
use tokio::runtime::Builder;
use tokio::sync::oneshot;

use self::greeting::{Connection, serve};
use self::network::{Network, client_addresses, server_addresses, virtual_addresses};
use crate::{NamespaceReading, Readings, Show, Target, server, text, values};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const TABLE: &str = include_str!("web.yaml");
const NAMES: [&str; 3] = ["alice", "bob", "carol"];
/// The longest wait, for a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is shown of a scrape.
const SHOWN: &[&str] = &[
    "ipvs_scrape_success",
    "ipvs_services",
    "ipvs_connections_total",
    "ipvs_service_destinations",
    "ipvs_service_connections_total",
    "ipvs_destination_active_connections",
    "ipvs_destination_connections_total",
];

/// Plays the demo.
#[must_use]
pub fn run() -> ExitCode {
    match play() {
        Ok(()) => ExitCode::SUCCESS,
        // Nobody reads any further.
        Err(error) if is_broken_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "exporter: {error}");
            ExitCode::FAILURE
        }
    }
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref().is_some_and(|error: &io::Error| error.kind() == ErrorKind::BrokenPipe)
}

fn say(text: fmt::Arguments<'_>) -> io::Result<()> {
    writeln!(io::stdout(), "{text}")
}

fn play() -> Result<()> {
    let network = Network::with_servers(3)
        .map_err(|error| format!("cannot make a network of namespaces, as root can: {error}"))?;
    let mut servers = Vec::new();
    for ((number, name), namespace) in (0..).zip(NAMES).zip(&network.servers) {
        let address = SocketAddr::new(server_addresses(number).v4, 8080);
        servers.push(serve(namespace, address, name)?);
    }
    let table = text::parse(TABLE.as_bytes(), values::Format::Yaml, false)?;
    let mut ipvs = Client::in_namespace_fd(&network.director)?;
    write(&mut ipvs, &table)?;

    let visit = |number| {
        let to = SocketAddr::new(virtual_addresses(number).v4, 80);
        Connection::open(&network.client, client_addresses(0).v4, to, PATIENCE)
    };
    for _ in 0..4 {
        visit(0)?.close()?;
    }
    let open = [visit(0)?, visit(0)?, visit(1)?];
    wait_for_counters(&mut ipvs, 7)?;

    say(format_args!("web.yaml:\n"))?;
    TABLE.lines().try_for_each(|line| say(format_args!("    {line}")))?;
    say(format_args!(
        "\nSix connections to 192.0.2.10, of which two are open, and one to 192.0.2.11."
    ))?;
    say(format_args!("\n$ exporter --namespaces director --destinations --table web.yaml"))?;
    say(format_args!("$ curl http://127.0.0.1:9790/metrics      # the interesting lines\n"))?;
    let path = format!("/proc/self/fd/{}", network.director.as_fd().as_raw_fd());
    let director = Target::Named { name: String::from("director"), path: path.into() };
    let text = scrape(director, &table)?;
    for line in text.lines().filter(|line| is_shown(line)) {
        say(format_args!("{line}"))?;
    }
    let series = text.lines().filter(|line| !line.starts_with('#')).count();
    say(format_args!("\n{series} series in all, {} open connections", open.len()))?;
    Ok(())
}

fn is_shown(line: &str) -> bool {
    let name = line.split(['{', ' ']).next().unwrap_or_default();
    SHOWN.contains(&name)
}

fn write(ipvs: &mut Client, table: &Table) -> Result<()> {
    for service in table.services() {
        ipvs.add_service(service.service())?;
        for destination in service.destinations() {
            ipvs.add_destination(service.id(), destination.destination())?;
        }
    }
    Ok(())
}

/// The kernel brings its counters up to date every two seconds.
fn wait_for_counters(ipvs: &mut Client, connections: u64) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let counted: u64 = ipvs.services()?.iter().map(|entry| entry.stats.connections).sum();
        if counted >= connections && ipvs.procfs()?.totals()?.connections >= connections {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err("the kernel has not counted the connections".into());
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// Serves one scrape on the loopback interface, and returns its text.
fn scrape(target: Target, table: &Table) -> Result<String> {
    let options = Options::new().destinations(Destinations::ALL);
    let show = Show { options, labels: Arc::new(ServiceLabels::of(table)) };
    let readings = Readings::new(move || vec![NamespaceReading::of(&target)], show);
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let (end, ended) = oneshot::channel::<()>();
    thread::scope(|scope| {
        let server = scope.spawn(move || -> io::Result<()> {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener)?;
                let ended = async { drop(ended.await) };
                server::serve(listener, readings, PATIENCE, ended).await;
                Ok(())
            })
        });
        let text = get(address);
        drop(end);
        let served = server.join().map_err(|_| "the exporter panicked")?;
        served.map_err(|error| format!("cannot serve: {error}"))?;
        text
    })
}

fn get(address: SocketAddr) -> Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    // In HTTP/1.0 the text is in one piece.
    stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    match answer.split_once("\r\n\r\n") {
        Some((head, text)) if head.contains(" 200 ") => Ok(text.to_owned()),
        _ => Err(format!("the exporter answered: {answer}").into()),
    }
}
