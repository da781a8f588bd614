//! `-S`: the table as commands that make it again.

use std::io::Write;
use std::net::SocketAddr;

use ipvs_netlink::{
    AddressFamily, Client, Destination, Forwarding, GueChecksum, Protocol, Service, ServiceFlags,
    ServiceId, Tunnel,
};

use crate::failure::Failure;
use crate::names::Names;
use crate::order;
use crate::table::protocol;
use crate::words::{Meaning, Piece, Pieces};

/// Reads the options after `-S`: whether it has `-n`.
pub(crate) fn parse(pieces: Pieces) -> Result<bool, Failure> {
    let mut numeric = false;
    let mut wrong = None;
    for piece in pieces {
        match piece? {
            Piece::Option { meaning: Meaning::Numeric, spelling, .. } => {
                if numeric {
                    return Err(Failure::usage(format!("{spelling}: given twice")));
                }
                numeric = true;
            }
            Piece::Option { meaning: Meaning::Sort, .. } => {}
            Piece::Option { meaning, spelling, .. } if meaning.is_command() => {
                return Err(Failure::usage(format!("{spelling}: a second command")));
            }
            Piece::Option { spelling, .. } => {
                wrong = Some(Failure::usage(format!("{spelling}: not with -S")));
            }
            Piece::Argument(word) => {
                wrong = Some(Failure::usage(format!("unexpected argument {word:?}")));
            }
        }
    }
    wrong.map_or(Ok(numeric), Err)
}

/// Prints the commands. What no command can say is told at the end, and left out.
pub(crate) fn print(ipvs: &mut Client, numeric: bool, out: &mut impl Write) -> Result<(), Failure> {
    let mut names = Names::new(numeric);
    let mut unsaid = Vec::new();
    let mut services = ipvs.services()?.into_vec();
    order::sort_services(&mut services);
    for entry in services {
        let service = entry.service;
        let unnamed = without_name(service.flags);
        if !unnamed.is_empty() {
            unsaid.push(format!("{} (flags {unnamed})", service.id));
            continue;
        }
        let Some(name) = naming(service.id, &mut names) else {
            unsaid.push(service.id.to_string());
            continue;
        };
        writeln!(out, "-A {name}{}", settings(&service))?;
        let destinations = ipvs.stream_destinations(service.id)?;
        let mut destinations = destinations.collect::<Result<Vec<_>, _>>()?;
        order::sort_destinations(&mut destinations);
        for entry in destinations {
            let Destination { id, forwarding, .. } = entry.destination;
            let server = names.text(id.address, protocol(service.id));
            match (method(forwarding), tunnel(forwarding)) {
                (Some(method), Some(tunnel)) => {
                    let weight = entry.destination.weight;
                    write!(out, "-a {name} -r {server} {method} -w {weight}{tunnel}")?;
                    writeln!(out, "{}", thresholds(&entry.destination))?;
                }
                _ => unsaid.push(format!("{} -> {id} ({forwarding})", service.id)),
            }
        }
    }
    match unsaid.as_slice() {
        [] => Ok(()),
        _ => Err(Failure::list(format!("no command can say: {}", unsaid.join(", ")))),
    }
}

/// The words that name a service.
fn naming(id: ServiceId, names: &mut Names) -> Option<String> {
    let mut with = |option: &str, address: SocketAddr, protocol| {
        Some(format!("{option} {}", names.text(address, Some(protocol))))
    };
    match id {
        ServiceId::Address { protocol: Protocol::TCP, address } => {
            with("-t", address, Protocol::TCP)
        }
        ServiceId::Address { protocol: Protocol::UDP, address } => {
            with("-u", address, Protocol::UDP)
        }
        ServiceId::Address { protocol: Protocol::SCTP, address } => {
            with("--sctp-service", address, Protocol::SCTP)
        }
        ServiceId::Address { .. } => None,
        ServiceId::Fwmark { mark, family: AddressFamily::Ipv4 } => Some(format!("-f {mark}")),
        ServiceId::Fwmark { mark, family: AddressFamily::Ipv6 } => Some(format!("-f {mark} -6")),
    }
}

fn settings(service: &Service) -> String {
    let mut text = format!(" -s {}", service.scheduler);
    if let Some(persistence) = service.persistence {
        text += &format!(" -p {}", persistence.timeout.as_secs());
        if let Some(netmask) = persistence.netmask {
            text += &format!(" -M {netmask}");
        }
        if let Some(engine) = persistence.engine {
            text += &format!(" --pe {engine}");
        }
    }
    if service.flags.contains(ServiceFlags::ONE_PACKET) {
        text += " -o";
    }
    let flags = service.flags.scheduler_flags(service.scheduler);
    if !flags.is_empty() {
        text += &format!(" -b {flags}");
    }
    text
}

/// The bits for which there is no word.
fn without_name(flags: ServiceFlags) -> ServiceFlags {
    let scheduler = ServiceFlags::SCHED_1 | ServiceFlags::SCHED_2 | ServiceFlags::SCHED_3;
    flags.difference(ServiceFlags::ONE_PACKET | scheduler)
}

fn method(forwarding: Forwarding) -> Option<&'static str> {
    match forwarding {
        Forwarding::Masquerade => Some("-m"),
        Forwarding::Tunnel(_) => Some("-i"),
        // The kernel finds out by itself that a destination is this host.
        Forwarding::DirectRoute | Forwarding::LocalNode => Some("-g"),
        _ => None,
    }
}

fn tunnel(forwarding: Forwarding) -> Option<String> {
    let Forwarding::Tunnel(tunnel) = forwarding else { return Some(String::new()) };
    let words = match tunnel {
        Tunnel::Ipip => " --tun-type ipip".to_owned(),
        Tunnel::Gue { port, checksum } => {
            let checksum = match checksum {
                GueChecksum::None => "nocsum",
                GueChecksum::Full => "csum",
                GueChecksum::RemoteOffload => "remcsum",
                _ => return None,
            };
            format!(" --tun-type gue --tun-port {port} --tun-{checksum}")
        }
        Tunnel::Gre { checksum: false } => " --tun-type gre --tun-nocsum".to_owned(),
        Tunnel::Gre { checksum: true } => " --tun-type gre --tun-csum".to_owned(),
        _ => return None,
    };
    Some(words)
}

/// The original forgets these.
fn thresholds(destination: &Destination) -> String {
    let option = |option: &str, value: u32| match value {
        0 => String::new(),
        value => format!(" {option} {value}"),
    };
    let thresholds = destination.thresholds;
    option("-x", thresholds.upper) + &option("-y", thresholds.lower)
}
