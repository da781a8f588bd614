//! Prints changes as commands of `ipvsadm`.

use std::fmt::{self, Display, Write};
use std::net::SocketAddr;
use std::time::Duration;

use super::check_command::Unsaid;
use super::command::Command;
use super::option_values::WEIGHTS;
use super::statements::UNSAID;
use crate::model::{
    AddressFamily, Change, Destination, DestinationId, Forwarding, GueChecksum, InterfaceName,
    Netmask, PersistenceEngine, Protocol, Scheduler, Service, ServiceFlags, ServiceId, SyncDaemon,
    Timeouts, Tunnel,
};

impl Display for Change {
    /// Prints the `ipvsadm` command that makes the change, quoted for a shell. `FromStr` reads
    /// the command back.
    ///
    /// If `ipvsadm` has no such command, this prints a comment, `# ipvsadm cannot say ...`, which
    /// `FromStr` refuses. `ipvsadm` also refuses some commands whose settings the kernel accepts.
    /// [`check_command`](Change::check_command) finds both.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        PrintedCommand::new(self, true).write(f)
    }
}

impl Display for Command {
    /// Prints the command as [`Change`] does, but with a weight only if one was given.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        PrintedCommand::new(&self.change, self.weight_given).write(f)
    }
}

/// The text of a command, and what that text cannot express.
pub(crate) struct PrintedCommand {
    syntax: Syntax,
    text: String,
    /// The parts of the change that the command leaves out or would do differently.
    unsaid: Vec<String>,
}

/// Who is to read the command.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Syntax {
    /// A shell: the command begins with the name of the program, and words are quoted.
    Shell,
    /// `ipvsadm -R`, which knows neither the name of the program nor quotes.
    Saved,
}

impl PrintedCommand {
    /// Prints a change for a shell. Leaves out the weight of a destination unless `weighted`.
    pub(super) fn new(change: &Change, weighted: bool) -> Self {
        let start = |option| Self::start(Syntax::Shell, option);
        match change {
            Change::AddService(service) => start("-A").service(service),
            Change::UpdateService(service) => start("-E").service(service),
            Change::DeleteService(id) => start("-D").service_id(id),
            Change::ZeroService(id) => start("-Z").service_id(id),
            Change::AddDestination(id, destination) => {
                start("-a").destination(id, destination, weighted)
            }
            Change::UpdateDestination(id, destination) => {
                start("-e").destination(id, destination, weighted)
            }
            Change::DeleteDestination(id, destination) => {
                start("-d").service_id(id).destination_id(destination)
            }
            Change::SetTimeouts(timeouts) => start("--set").timeouts(timeouts),
            Change::StartDaemon(daemon) => start("--start-daemon").daemon(daemon),
            Change::StopDaemon(role) => start("--stop-daemon").word(role),
            Change::ZeroAll => start("-Z"),
            Change::Flush => start("-C"),
        }
    }

    /// Prints the line of a saved table that adds a service.
    pub(crate) fn saved_service(service: &Service) -> Self {
        Self::start(Syntax::Saved, "-A").service(service)
    }

    /// Prints the line of a saved table that adds a destination. Leaves out the weight unless
    /// `weighted`.
    ///
    /// If the service cannot be expressed, its destinations cannot, either: the text would add
    /// them to nothing.
    pub(crate) fn saved_destination(
        service: &Service,
        destination: &Destination,
        weighted: bool,
    ) -> Self {
        let mut line =
            Self::start(Syntax::Saved, "-a").destination(&service.id, destination, weighted);
        if !Self::saved_service(service).is_expressible() && line.is_expressible() {
            line.unsaid.push(format!("service {}", service.id));
        }
        line
    }

    /// Whether the command makes exactly the change.
    pub(crate) fn is_expressible(&self) -> bool {
        self.unsaid.is_empty()
    }

    /// Checks that the command makes exactly the change.
    pub(super) fn check(&self) -> Result<(), Unsaid> {
        if self.is_expressible() { Ok(()) } else { Err(Unsaid::NoWords(self.unsaid.join(", "))) }
    }

    /// Writes the command, or a comment if the command would not make exactly the change.
    pub(crate) fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.is_expressible() {
            write!(f, "{UNSAID}{}: ", self.unsaid.join(", "))?;
        }
        let program = if self.syntax == Syntax::Shell { "ipvsadm " } else { "" };
        write!(f, "{program}{}", self.text)
    }

    fn start(syntax: Syntax, option: &str) -> Self {
        Self { syntax, text: option.to_owned(), unsaid: Vec::new() }
    }

    fn word(mut self, word: impl Display) -> Self {
        write!(self.text, " {word}").ok();
        self
    }

    fn option(self, option: &str, value: impl Display) -> Self {
        self.word(option).word(value)
    }

    fn option_if(self, option: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.option(option, value),
            None => self,
        }
    }

    /// Notes a part of the change that the command does not express.
    fn unsaid(mut self, what: impl Into<String>) -> Self {
        self.unsaid.push(what.into());
        self
    }

    fn unsaid_if(self, wrong: bool, what: impl FnOnce() -> String) -> Self {
        if wrong { self.unsaid(what()) } else { self }
    }

    /// An option with a number. The command does not express a number that is `wrong`, because
    /// the number is refused when it is read back.
    fn number<N: Display>(self, option: &str, number: N, wrong: impl FnOnce(&N) -> bool) -> Self {
        let wrong = wrong(&number);
        let what = || format!("{option} {number}");
        self.option(option, &number).unsaid_if(wrong, what)
    }

    fn number_if<N: Display>(
        self,
        option: &str,
        number: Option<N>,
        wrong: impl FnOnce(&N) -> bool,
    ) -> Self {
        match number {
            Some(number) => self.number(option, number, wrong),
            None => self,
        }
    }

    /// An option with a name, quoted for a shell. `is_name` tells whether the name is accepted
    /// when it is read back.
    fn name(self, option: &str, name: &[u8], is_name: impl FnOnce(&str) -> bool) -> Self {
        let line = self.option(option, quoted(name));
        let said = std::str::from_utf8(name)
            .is_ok_and(|text| is_name(text) && !text.chars().any(char::is_control));
        if said { line } else { line.unsaid(format!("{option} \"{}\"", name.escape_ascii())) }
    }

    fn seconds(self, timeout: Duration) -> Self {
        let seconds = timeout.as_secs();
        let line = self.word(seconds);
        let said = u32::try_from(seconds).is_ok() && timeout.subsec_nanos() == 0;
        if said { line } else { line.unsaid(format!("timeout {timeout:?}")) }
    }

    fn address(self, option: &str, address: &SocketAddr) -> Self {
        let line = match (self.syntax, address) {
            // A shell takes brackets for a pattern.
            (Syntax::Shell, SocketAddr::V6(_)) => self.option(option, format_args!("'{address}'")),
            _ => self.option(option, address),
        };
        match address {
            SocketAddr::V6(v6) if v6.scope_id() != 0 || v6.flowinfo() != 0 => {
                line.unsaid("an IPv6 scope or flow label")
            }
            _ => line,
        }
    }

    /// The options that identify a service.
    fn service_id(self, id: &ServiceId) -> Self {
        match id {
            ServiceId::Address { protocol, address } => match *protocol {
                Protocol::TCP => self.address("-t", address),
                Protocol::UDP => self.address("-u", address),
                Protocol::SCTP => self.address("--sctp-service", address),
                _ => self.unsaid(format!("protocol {protocol}")).address("-t", address),
            },
            ServiceId::Fwmark { mark, family } => {
                let line = self.number("-f", mark, |mark| **mark == 0);
                if *family == AddressFamily::Ipv6 { line.word("-6") } else { line }
            }
        }
    }

    fn service(self, service: &Service) -> Self {
        let is_scheduler = |name: &str| Scheduler::new(name).is_ok();
        let mut line =
            self.service_id(&service.id).name("-s", service.scheduler.as_bytes(), is_scheduler);
        if let Some(persistence) = service.persistence {
            let family = service.id.family();
            line = line.word("-p").seconds(persistence.timeout).number_if(
                "-M",
                persistence.netmask,
                |mask| !is_mask(*mask, family),
            );
            if let Some(engine) = persistence.engine {
                let is_engine = |name: &str| PersistenceEngine::new(name).is_ok();
                line = line.name("--pe", engine.as_bytes(), is_engine);
            }
        }
        if service.flags.contains(ServiceFlags::ONE_PACKET) {
            line = line.word("-o");
        }
        let names = service.flags.scheduler_flags(service.scheduler);
        line = line.option_if("-b", Some(names).filter(|names| !names.is_empty()));
        let unnamed = service.flags.unnamed();
        if unnamed.is_empty() { line } else { line.unsaid(format!("flags {unnamed}")) }
    }

    /// The option that identifies a destination.
    fn destination_id(self, id: &DestinationId) -> Self {
        self.address("-r", &id.address)
    }

    fn destination(self, id: &ServiceId, destination: &Destination, weighted: bool) -> Self {
        let line = self.service_id(id).destination_id(&destination.id);
        let other_family = destination.id.family() != id.family();
        let in_family = |line: Self, option: &str| {
            let what = || format!("{option} to an {} address", destination.id.family());
            line.word(option).unsaid_if(other_family, what)
        };
        let line = match destination.forwarding {
            Forwarding::Masquerade => in_family(line, "-m"),
            Forwarding::DirectRoute => in_family(line, "-g").check_port(id, destination, "-g"),
            Forwarding::Tunnel(tunnel) => line.tunnel(tunnel).check_port(id, destination, "-i"),
            other => line.unsaid(format!("forwarding {other}")),
        };
        let nonzero = |number: u32| Some(number).filter(|number| *number != 0);
        let weight = Some(destination.weight).filter(|_| weighted);
        line.number_if("-w", weight, |weight| !WEIGHTS.contains(weight))
            .option_if("-x", nonzero(destination.thresholds.upper))
            .option_if("-y", nonzero(destination.thresholds.lower))
    }

    /// Notes a port that `ipvsadm` would replace: with direct routing and tunnels it uses the port
    /// of the service.
    fn check_port(self, id: &ServiceId, destination: &Destination, option: &str) -> Self {
        let port = destination.id.address.port();
        let changed = id.address().is_some_and(|service| service.port() != port);
        self.unsaid_if(changed, || format!("port {port} with {option}"))
    }

    fn tunnel(self, tunnel: Tunnel) -> Self {
        let line = self.word("-i");
        match tunnel {
            Tunnel::Ipip => line,
            Tunnel::Gue { port, checksum } => {
                let checksum = match checksum {
                    GueChecksum::None => "--tun-nocsum",
                    GueChecksum::Full => "--tun-csum",
                    GueChecksum::RemoteOffload => "--tun-remcsum",
                };
                line.option("--tun-type", "gue")
                    .number("--tun-port", port, |port| *port == 0)
                    .word(checksum)
            }
            Tunnel::Gre { checksum: false } => {
                line.option("--tun-type", "gre").word("--tun-nocsum")
            }
            Tunnel::Gre { checksum: true } => line.option("--tun-type", "gre").word("--tun-csum"),
            Tunnel::Unknown(_) => line.unsaid(format!("tunnel {tunnel}")),
        }
    }

    fn timeouts(self, timeouts: &Timeouts) -> Self {
        let all = [timeouts.tcp, timeouts.tcp_fin, timeouts.udp];
        all.into_iter().fold(self, |line, timeout| {
            // `ipvsadm` reads 0 as "keep the timeout".
            let zero = timeout == Some(Duration::ZERO);
            let line = line.seconds(timeout.unwrap_or_default());
            line.unsaid_if(zero, || "timeout 0s".to_owned())
        })
    }

    fn daemon(self, daemon: &SyncDaemon) -> Self {
        let is_interface = |name: &str| InterfaceName::new(name).is_ok();
        self.word(daemon.role)
            .name("--mcast-interface", daemon.interface.as_bytes(), is_interface)
            .number("--syncid", daemon.sync_id, |id| *id > 255)
            .number_if("--sync-maxlen", daemon.max_length, |length| *length == 0)
            .number_if("--mcast-group", daemon.group, |group| !group.is_multicast())
            .number_if("--mcast-port", daemon.port, |port| *port == 0)
            .number_if("--mcast-ttl", daemon.ttl, |ttl| *ttl == 0)
    }
}

/// Whether `-M` can express the mask for a service of `family`.
fn is_mask(mask: Netmask, family: AddressFamily) -> bool {
    match (mask, family) {
        (Netmask::Ipv4(_), AddressFamily::Ipv4) => true,
        (Netmask::Ipv6Prefix(length), AddressFamily::Ipv6) => (1..=128).contains(&length),
        _ => false,
    }
}

/// Quotes a name as one word of a POSIX shell. Control characters become escapes.
fn quoted(name: &[u8]) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.,@%+".contains(byte);
    let text = String::from_utf8_lossy(name);
    if !name.is_empty() && name.iter().all(plain) {
        return text.into_owned();
    }
    let mut word = String::from("'");
    for character in text.chars() {
        match character {
            '\'' => word.push_str("'\\''"),
            control if control.is_control() => word.extend(control.escape_default()),
            other => word.push(other),
        }
    }
    word.write_char('\'').ok();
    word
}
