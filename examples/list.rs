//! Prints the IPVS table as `ipvsadm -L -n` does.
//!
//! Needs `CAP_NET_ADMIN` and a kernel with IPVS; `tests/kernel/run --shell` gives
//! a shell on one.

use std::io::{self, Write};

use ipvs_netlink::{AddressFamily, Client, DestinationEntry, Service, ServiceFlags, ServiceId};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut ipvs = Client::connect()?;
    let info = ipvs.info()?;
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "IP Virtual Server version {} (size={})",
        info.version, info.connection_table_size
    )?;
    writeln!(out, "Prot LocalAddress:Port Scheduler Flags")?;
    writeln!(out, "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn")?;
    let mut services = ipvs.services()?;
    services.sort_by_key(|entry| entry.service.id);
    for entry in services {
        writeln!(out, "{}", service_line(&entry.service))?;
        let mut destinations = ipvs.destinations(entry.service.id)?;
        destinations.sort_by_key(|entry| entry.destination.id);
        for entry in destinations {
            writeln!(out, "{}", destination_line(&entry))?;
        }
    }
    Ok(())
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
