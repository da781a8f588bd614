//! Workloads for counting instructions of readers of `/proc`: `icount_procfs WORKLOAD CONNECTIONS 0`.
//!
//! `fill` makes the connections, which stay for five minutes. `cat` reads their file without
//! looking at it. Each workload exits with 0 when it is done and checked. See `benches/README.md`.

#[path = "icount/table.rs"]
#[allow(dead_code, reason = "what only the other programs need")]
mod table;

use std::fs::File;
use std::io::Read;
use std::net::{Ipv4Addr, UdpSocket};
use std::process::ExitCode;

use ipvs_netlink::procfs::{ConnectionFilter, Procfs};
use ipvs_netlink::{Client, Destination, ErrorKind, Service};
use table::{Outcome, Size, ensure};

/// The addresses of clients.
const ADDRESSES: u32 = 50;

fn main() -> ExitCode {
    table::run(|workload, size| {
        Some(match workload {
            "noop" => Procfs::open().map(drop).map_err(Into::into),
            "fill" => fill(size.services),
            "cat" => cat(size.services),
            "read" => read(size),
            "filter" => filter(size),
            _ => return None,
        })
    })
}

/// Makes connections by UDP: one packet each, from a port of its own.
fn fill(connections: u32) -> Outcome {
    let mut ipvs = Client::connect()?;
    let service = Service::udp("127.0.0.80:53".parse()?);
    match ipvs.add_service(&service) {
        Err(error) if error.kind() == ErrorKind::ServiceExists => {}
        added => added?,
    }
    let server = Destination::masquerade("127.0.0.1:5353".parse()?);
    match ipvs.add_destination(service.id, &server) {
        Err(error) if error.kind() == ErrorKind::DestinationExists => {}
        added => added?,
    }
    for client in 0..connections {
        let address = Ipv4Addr::from_bits(0x7f01_0001 + client % ADDRESSES);
        let port = u16::try_from(1024 + client / ADDRESSES)?;
        UdpSocket::bind((address, port))?.send_to(b"?", "127.0.0.80:53")?;
    }
    Ok(())
}

/// Reads as `cat` does.
fn cat(connections: u32) -> Outcome {
    let mut file = File::open("/proc/net/ip_vs_conn")?;
    let mut buffer = vec![0; 128 * 1024];
    let mut bytes = 0;
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            length => bytes += length,
        }
    }
    ensure(bytes >= connections as usize * 60, "bytes")
}

fn read(size: Size) -> Outcome {
    let mut count = 0;
    for connection in Procfs::open()?.connections()? {
        count += u32::from(connection?.client.is_ipv4());
    }
    ensure(count == size.services, "connections")
}

/// Looks for one client.
fn filter(size: Size) -> Outcome {
    let filter = ConnectionFilter::new()
        .service("UDP 127.0.0.80:53".parse()?)
        .client("127.1.0.1/32".parse()?);
    let mut count = 0;
    for connection in Procfs::open()?.connections()?.matching(filter) {
        connection?;
        count += 1;
    }
    ensure(count == size.services / ADDRESSES, "connections of one client")
}
