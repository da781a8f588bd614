//! Prints the IPVS table as `ipvsadm -L -n` does.
//!
//! Needs `CAP_NET_ADMIN` and a kernel with IPVS; `tests/kernel/run --shell` gives
//! a shell on one.

use std::error::Error;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::process::ExitCode;

use ipvs_netlink::{AddressFamily, Client, DestinationEntry, Service, ServiceFlags, ServiceId};

const HELP: &str = "\
Prints the IPVS table as `ipvsadm -L -n` does.

usage: list

Exit codes: 0 success, 1 failure, 2 wrong arguments, 6 other programs kept writing the table
while it was read, so objects may be missing
";

fn main() -> ExitCode {
    let done = match std::env::args_os().nth(1) {
        None => list(),
        Some(word) if word == "-h" || word == "--help" => print(HELP).map(|()| 0),
        Some(_) => {
            writeln!(io::stderr(), "usage: list").ok();
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(code) => ExitCode::from(code),
        // The reader of standard output has closed it, as `head` does.
        Err(error) if is_broken_pipe(error.as_ref()) => ExitCode::SUCCESS,
        Err(error) => {
            writeln!(io::stderr(), "list: {error}").ok();
            ExitCode::FAILURE
        }
    }
}

fn print(text: &str) -> Result<(), Box<dyn Error>> {
    Ok(io::stdout().write_all(text.as_bytes())?)
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

fn list() -> Result<u8, Box<dyn Error>> {
    let mut ipvs = Client::connect()?;
    let info = ipvs.info()?;
    let snapshot = ipvs.snapshot()?;
    let mut out = BufWriter::new(io::stdout().lock());
    writeln!(
        out,
        "IP Virtual Server version {} (size={})",
        info.version, info.connection_table_size
    )?;
    writeln!(out, "Prot LocalAddress:Port Scheduler Flags")?;
    writeln!(out, "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn")?;
    for service in snapshot.services() {
        writeln!(out, "{}", service_line(&service.entry.service))?;
        for entry in &service.destinations {
            writeln!(out, "{}", destination_line(entry))?;
        }
    }
    out.flush()?;
    if !snapshot.is_complete() {
        let restless =
            "other programs kept writing the table while it was read; objects may be missing";
        writeln!(io::stderr(), "list: {restless}").ok();
        return Ok(6);
    }
    Ok(0)
}

fn service_line(service: &Service) -> String {
    let mut line = match service.id {
        ServiceId::Address { protocol, address } => format!("{protocol:<4} {address}"),
        ServiceId::Fwmark { mark, family: AddressFamily::Ipv4 } => format!("FWM  {mark}"),
        ServiceId::Fwmark { mark, family: AddressFamily::Ipv6 } => format!("FWM  {mark} IPv6"),
    };
    line += &format!(" {}", service.scheduler);
    let flags = service.flags.scheduler_flags(service.scheduler);
    if !flags.is_empty() {
        line += &format!(" ({flags})");
    }
    if let Some(persistence) = service.persistence {
        line += &format!(" persistent {}", persistence.timeout.as_secs());
        if let Some(netmask) = persistence.netmask {
            line += &format!(" mask {netmask}");
        }
        if let Some(engine) = persistence.engine {
            line += &format!(" pe {engine}");
        }
    }
    if service.flags.contains(ServiceFlags::ONE_PACKET) {
        line += " ops";
    }
    line
}

fn destination_line(entry: &DestinationEntry) -> String {
    let (destination, connections) = (&entry.destination, &entry.connections);
    format!(
        "  -> {:<28} {:<7} {:<6} {:<10} {:<10}",
        destination.id.to_string(),
        destination.forwarding.to_string(),
        destination.weight,
        connections.active,
        connections.inactive,
    )
}
