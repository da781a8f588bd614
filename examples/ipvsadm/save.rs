//! The command `-S`, which prints the table as commands that restore it.

use std::fmt;
use std::io::Write;
use std::net::SocketAddr;

use ipvs_netlink::{
    AddressFamily, Change, Client, Command, CommandOption, Destination, Forwarding, GueChecksum,
    NumericNames, Protocol, Service, ServiceFlags, ServiceId, Tunnel, Unsaid,
};

use crate::command_line::{Part, Parts, is_command};
use crate::failure::Failure;
use crate::names::Names;
use crate::reading::Reading;
use crate::table::protocol;

/// Parses `-S`, the `command`, and the options after it. Returns whether `-n` is among them.
pub(crate) fn parse(command: &CommandOption, parts: Parts) -> Result<bool, Failure> {
    let mut numeric = false;
    let mut wrong = None;
    for part in parts {
        match part? {
            Part::Option { option, spelling, .. } if option.name() == "numeric" => {
                if numeric {
                    return Err(Failure::usage(format!("{spelling}: given twice")));
                }
                numeric = true;
            }
            Part::Option { option, spelling, .. } if is_command(option) => {
                return Err(Failure::usage(format!("{spelling}: a second command")));
            }
            Part::Option { option, spelling, .. } if !command.takes(option) => {
                wrong = Some(Failure::usage(format!("{spelling}: not with -S")));
            }
            Part::Option { .. } => {}
            Part::Argument(word) => {
                wrong = Some(Failure::usage(format!("unexpected argument {word:?}")));
            }
        }
    }
    wrong.map_or(Ok(numeric), Err)
}

/// Prints the commands. Leaves out objects that no command can express. The error at the end names
/// all objects that `-R` would not restore.
pub(crate) fn print(ipvs: &mut Client, numeric: bool, out: &mut impl Write) -> Result<(), Failure> {
    let mut names = Names::to_restore(numeric);
    let mut lost = Vec::new();
    let reading = Reading::table(ipvs, true)?;
    for (entry, destinations) in &reading.services {
        let service = &entry.service;
        let words = |name: &str| format!("-A {name}{}", settings(service));
        let number = service_words(service.id, &mut Names::new(true)).unwrap_or_default();
        let change = Change::AddService(service.clone());
        if let Some(loss) = Loss::of(&change, &words(&number)) {
            lost.push(format!("{} ({loss})", service.id));
            if loss.is_whole() {
                continue;
            }
        }
        let name = service_words(service.id, &mut names).unwrap_or_default();
        writeln!(out, "{}", words(&name))?;
        for entry in destinations {
            let destination = &entry.destination;
            let id = destination.id;
            let words = |name: &str, server: &str| server_words(name, server, destination);
            let change = Change::AddDestination(service.id, destination.clone());
            if let Some(loss) = Loss::of(&change, &words(&number, &id.to_string())) {
                lost.push(format!("{} -> {id} ({loss})", service.id));
                if loss.is_whole() {
                    continue;
                }
            }
            let server = names.text(id.address, protocol(service.id));
            writeln!(out, "{}", words(&name, &server))?;
        }
    }
    let restored = match lost.as_slice() {
        [] => Ok(()),
        _ => Err(Failure::list(format!("-R does not restore: {}", lost.join(", ")))),
    };
    match (reading.check_complete(), restored) {
        // An incomplete reading may be the cause of the other failure: its exit code counts.
        (Err(incomplete), Err(lost)) => {
            let message = format!("{}\n{}", lost.message, incomplete.message);
            Err(Failure { message, ..incomplete })
        }
        (complete, restored) => complete.and(restored),
    }
}

/// Why `-R` does not restore an object from its line.
enum Loss {
    /// The line would make another object.
    Whole(String),
    /// The line makes an object that works the same.
    Form(&'static str),
    /// The client refuses the object, although this kernel has it.
    Refused(String),
}

impl Loss {
    /// Reads the line as `-R` does. All names in it must be numbers.
    fn of(change: &Change, line: &str) -> Option<Self> {
        if let Change::AddDestination(service, destination) = change {
            if destination.forwarding == Forwarding::LocalNode {
                // The kernel itself makes a destination local if its address is on this host.
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
            _ => return Some(Self::Whole("this object".to_owned())),
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
            Self::Whole(what) => write!(f, "no command can express {what}"),
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

/// The words that identify a service. `None` for a protocol without an option.
fn service_words(id: ServiceId, names: &mut Names) -> Option<String> {
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

/// The option of a forwarding method. [`Loss::of`] has found methods without one.
fn method(forwarding: Forwarding) -> &'static str {
    match forwarding {
        Forwarding::Masquerade => "-m",
        Forwarding::Tunnel(_) => "-i",
        _ => "-g",
    }
}

/// The options of a tunnel. [`Loss::of`] has found tunnels without options.
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

/// The options of thresholds, which the original does not save.
fn thresholds(destination: &Destination) -> String {
    let option = |option: &str, value: u32| match value {
        0 => String::new(),
        value => format!(" {option} {value}"),
    };
    let thresholds = destination.thresholds;
    option("-x", thresholds.upper) + &option("-y", thresholds.lower)
}
