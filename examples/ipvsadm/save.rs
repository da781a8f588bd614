//! `-S`: the table as commands that make it again.

use std::fmt;
use std::io::Write;
use std::net::SocketAddr;

use ipvs_netlink::{
    AddressFamily, Change, Client, Command, Destination, Forwarding, GueChecksum, NumericNames,
    Protocol, Service, ServiceFlags, ServiceId, Tunnel, Unsaid,
};

use crate::failure::Failure;
use crate::names::Names;
use crate::reading::Reading;
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

/// Prints the commands. What `-R` would not restore is told at the end; what no command can
/// say is left out.
pub(crate) fn print(ipvs: &mut Client, numeric: bool, out: &mut impl Write) -> Result<(), Failure> {
    let mut names = Names::to_restore(numeric);
    let mut unsaid = Vec::new();
    let reading = Reading::table(ipvs, true)?;
    for (entry, destinations) in &reading.services {
        let service = &entry.service;
        let words = |name: &str| format!("-A {name}{}", settings(service));
        let number = naming(service.id, &mut Names::new(true)).unwrap_or_default();
        let change = Change::AddService(service.clone());
        if let Some(loss) = Loss::of(&change, &words(&number)) {
            unsaid.push(format!("{} ({loss})", service.id));
            if loss.is_whole() {
                continue;
            }
        }
        let name = naming(service.id, &mut names).unwrap_or_default();
        writeln!(out, "{}", words(&name))?;
        for entry in destinations {
            let destination = &entry.destination;
            let id = destination.id;
            let words = |name: &str, server: &str| server_words(name, server, destination);
            let change = Change::AddDestination(service.id, destination.clone());
            if let Some(loss) = Loss::of(&change, &words(&number, &id.to_string())) {
                unsaid.push(format!("{} -> {id} ({loss})", service.id));
                if loss.is_whole() {
                    continue;
                }
            }
            let server = names.text(id.address, protocol(service.id));
            writeln!(out, "{}", words(&name, &server))?;
        }
    }
    let told = match unsaid.as_slice() {
        [] => Ok(()),
        _ => Err(Failure::list(format!("-R does not restore: {}", unsaid.join(", ")))),
    };
    match (reading.told(), told) {
        // The code of the former, which may have made the other.
        (Err(former), Err(other)) => {
            Err(Failure { message: format!("{}\n{}", other.message, former.message), ..former })
        }
        (former, other) => former.and(other),
    }
}

/// Why `-R` does not make of a line what it was written for.
enum Loss {
    /// It makes something else, or the line has no words for it.
    Whole(String),
    /// It makes what serves alike.
    Form(&'static str),
    /// A client refuses it, though this kernel has it.
    Refused(String),
}

impl Loss {
    /// Reads the line, in which all names are numbers, as `-R` does.
    fn of(change: &Change, line: &str) -> Option<Self> {
        if let Change::AddDestination(service, destination) = change {
            if destination.forwarding == Forwarding::LocalNode {
                // The kernel finds out by itself that a destination is this host.
                let direct = destination.clone().forwarding(Forwarding::DirectRoute);
                let direct = Change::AddDestination(*service, direct);
                return Self::of(&direct, line).or(Some(Self::Form("Local, saved as -g")));
            }
        }
        if let Err(Unsaid::NoWords(what)) = change.check_command() {
            return Some(Self::Whole(what));
        }
        let read = Command::parse_lines(line, &NumericNames).next();
        match read {
            Some(Ok((_, command))) if command.change == *change => {}
            _ => return Some(Self::Whole("no words for it".to_owned())),
        }
        change.validate().err().map(|invalid| Self::Refused(invalid.to_string()))
    }

    fn is_whole(&self) -> bool {
        matches!(self, Self::Whole(_))
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(what) => write!(f, "no command can say {what}"),
            Self::Form(what) => f.write_str(what),
            Self::Refused(what) => f.write_str(what),
        }
    }
}

fn server_words(service: &str, server: &str, destination: &Destination) -> String {
    let Destination { forwarding, weight, .. } = destination;
    let method = method(*forwarding);
    let (tunnel, thresholds) = (tunnel(*forwarding), thresholds(destination));
    format!("-a {service} -r {server} {method} -w {weight}{tunnel}{thresholds}")
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

/// Methods without words are found before.
fn method(forwarding: Forwarding) -> &'static str {
    match forwarding {
        Forwarding::Masquerade => "-m",
        Forwarding::Tunnel(_) => "-i",
        _ => "-g",
    }
}

/// Tunnels without words are found before.
fn tunnel(forwarding: Forwarding) -> String {
    let Forwarding::Tunnel(tunnel) = forwarding else { return String::new() };
    match tunnel {
        Tunnel::Ipip => " --tun-type ipip".to_owned(),
        Tunnel::Gue { port, checksum } => {
            let checksum = match checksum {
                GueChecksum::None => "nocsum",
                GueChecksum::Full => "csum",
                GueChecksum::RemoteOffload => "remcsum",
                _ => "",
            };
            format!(" --tun-type gue --tun-port {port} --tun-{checksum}")
        }
        Tunnel::Gre { checksum: false } => " --tun-type gre --tun-nocsum".to_owned(),
        Tunnel::Gre { checksum: true } => " --tun-type gre --tun-csum".to_owned(),
        _ => String::new(),
    }
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
