//! Turns options into a change.

use std::net::SocketAddr;
use std::time::Duration;

use super::address::parse_address;
use super::command::Command;
use super::command_error::CommandError;
use super::names::Names;
use super::option_parser::{GivenOption, ParsedOptions, Value, parse_options};
use super::option_values::{
    group, mark, max_length, netmask, port_number, scheduler_flags, seconds, sync_id, threshold,
    ttl, weight, with_model,
};
use super::options::Opt;
use crate::model::{
    AddressFamily, Change, Destination, DestinationId, Forwarding, GueChecksum, InterfaceName,
    Persistence, PersistenceEngine, Protocol, Scheduler, Service, ServiceId, SyncDaemon, Timeouts,
    Tunnel,
};

/// The timeout of `-p` without a number.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(360);

/// Parses the words of a command. For `bare_flags` see [`parse_options`].
pub(super) fn parse_command(
    words: &[&str],
    names: &dyn Names,
    bare_flags: bool,
) -> Result<Command, CommandError> {
    let parser = ChangeParser { parsed: parse_options(words, bare_flags)?, names };
    let command = parser.command()?;
    parser.check_options(command)?;
    let change = match command.option {
        Opt::AddService => Change::AddService(parser.service()?),
        Opt::EditService => Change::UpdateService(parser.service()?),
        Opt::DeleteService => Change::DeleteService(parser.service_id()?),
        Opt::Zero if !parser.has(Opt::Ipv6) && parser.choice(Opt::Tcp).is_none() => Change::ZeroAll,
        Opt::Zero => Change::ZeroService(parser.service_id()?),
        Opt::AddServer => {
            let id = parser.service_id()?;
            Change::AddDestination(id, parser.destination(id)?)
        }
        Opt::EditServer => {
            let id = parser.service_id()?;
            Change::UpdateDestination(id, parser.destination(id)?)
        }
        Opt::DeleteServer => {
            let id = parser.service_id()?;
            Change::DeleteDestination(id, parser.destination_id(id)?)
        }
        Opt::Set => Change::SetTimeouts(parser.timeouts()?),
        Opt::StartDaemon => Change::StartDaemon(parser.daemon(command)?),
        Opt::StopDaemon => {
            parser.value(Opt::SyncId).map(sync_id).transpose()?;
            Change::StopDaemon(with_model(
                parser.argument(command)?,
                "a role of the daemon",
                str::parse,
            )?)
        }
        _ => Change::Flush,
    };
    Ok(Command { change, weight_given: parser.value(Opt::Weight).is_some() })
}

/// Builds the parts of a change from the options of a command.
struct ChangeParser<'w> {
    parsed: ParsedOptions<'w>,
    names: &'w dyn Names,
}

impl<'w> ChangeParser<'w> {
    /// The command: the first option.
    fn command(&self) -> Result<GivenOption<'w>, CommandError> {
        const EXPECTED: &str = "a command that changes something, such as -A, as the first option";
        match (self.parsed.options.first(), self.parsed.arguments.first()) {
            (Some(given), _) if given.option.is_change() => Ok(*given),
            (Some(given), _) => Err(given.expected(EXPECTED)),
            (None, Some(argument)) => Err(argument.expected(EXPECTED)),
            (None, None) => Err(self.missing(EXPECTED)),
        }
    }

    /// Checks that the command takes every option, and that no two options exclude each other.
    fn check_options(&self, command: GivenOption<'_>) -> Result<(), CommandError> {
        let options = self.parsed.options.get(1..).unwrap_or_default();
        let mut seen = 0;
        for given in options {
            if !command.option.takes(given.option) {
                return Err(given.expected(format!("an option of {}", command.name())));
            }
            let choice = given.option.choice();
            if seen & choice.bit() != 0 {
                let first = options.iter().find(|first| first.option.choice() == choice);
                let first = first.map_or_else(String::new, GivenOption::name);
                return Err(given.expected(if first == given.name() {
                    format!("{first} only once")
                } else {
                    format!("only one of {first} and {}", given.name())
                }));
            }
            seen |= choice.bit();
        }
        match self.parsed.arguments.first() {
            Some(argument) if command.option != Opt::Set => {
                Err(argument.expected(format!("an option of {}", command.name())))
            }
            _ => Ok(()),
        }
    }

    /// An error: the command ends without something that it needs.
    fn missing(&self, expected: impl Into<String>) -> CommandError {
        CommandError::at_end(self.parsed.words, expected.into())
    }

    /// The given option among those that exclude each other, by their [`Opt::choice`].
    fn choice(&self, choice: Opt) -> Option<GivenOption<'w>> {
        if self.parsed.choices & choice.bit() == 0 {
            return None;
        }
        self.parsed.options.iter().find(|given| given.option.choice() == choice).copied()
    }

    /// The argument of the option, if the option was given with one.
    fn value(&self, option: Opt) -> Option<Value<'w>> {
        self.choice(option.choice()).filter(|given| given.option == option)?.value
    }

    /// The argument of the option. An empty argument counts as none, as in `ipvsadm`.
    fn name(&self, option: Opt) -> Option<Value<'w>> {
        self.value(option).filter(|value| !value.text.is_empty())
    }

    /// Whether the option was given.
    fn has(&self, option: Opt) -> bool {
        self.choice(option.choice()).is_some_and(|given| given.option == option)
    }

    /// The argument of an option that needs one.
    fn argument(&self, given: GivenOption<'w>) -> Result<Value<'w>, CommandError> {
        let expected = || self.missing(format!("an argument of {}", given.name()));
        given.value.ok_or_else(expected)
    }

    /// The service that the command is about.
    fn service_id(&self) -> Result<ServiceId, CommandError> {
        let given = self.choice(Opt::Tcp);
        let given = given.ok_or_else(|| self.missing("a service: -t, -u, --sctp-service or -f"))?;
        let value = self.argument(given)?;
        let ipv6 = self.choice(Opt::Ipv6);
        let protocol = match given.option {
            Opt::Fwmark => {
                let family = if ipv6.is_some() { AddressFamily::Ipv6 } else { AddressFamily::Ipv4 };
                return Ok(ServiceId::fwmark(mark(value)?, family));
            }
            Opt::Udp => Protocol::UDP,
            Opt::Sctp => Protocol::SCTP,
            _ => Protocol::TCP,
        };
        if let Some(ipv6) = ipv6 {
            return Err(ipv6.expected("-6 with -f only"));
        }
        let (ip, port) = parse_address(value, protocol, self.names)?;
        Ok(ServiceId::Address { protocol, address: SocketAddr::new(ip, port.unwrap_or(0)) })
    }

    fn service(&self) -> Result<Service, CommandError> {
        let mut service = Service::new(self.service_id()?);
        if let Some(value) = self.name(Opt::Scheduler) {
            service.scheduler = with_model(value, "a scheduler name", Scheduler::new)?;
        }
        if let Some(value) = self.name(Opt::SchedulerFlags) {
            service.flags = scheduler_flags(value, service.scheduler)?;
        }
        if self.has(Opt::OnePacket) {
            service = service.one_packet();
        }
        service.persistence = self.persistence(service.id.family())?;
        Ok(service)
    }

    fn persistence(&self, family: AddressFamily) -> Result<Option<Persistence>, CommandError> {
        let engine = self.name(Opt::Engine).map(|value| {
            with_model(value, "the name of a persistence engine", PersistenceEngine::new)
        });
        let engine = engine.transpose()?;
        let netmask = self.value(Opt::Netmask).map(|value| netmask(value, family)).transpose()?;
        // Without persistence the kernel stores a mask and never uses it.
        let Some(given) = self.choice(Opt::Persistent) else { return Ok(None) };
        let timeout = given.value.map_or(Ok(DEFAULT_TIMEOUT), seconds)?;
        Ok(Some(Persistence { netmask, engine, ..Persistence::new(timeout) }))
    }

    /// The destination that the command is about.
    fn destination_id(&self, service: ServiceId) -> Result<DestinationId, CommandError> {
        let value = self.value(Opt::Server).ok_or_else(|| self.missing("-r with a destination"))?;
        let (protocol, default) = match service {
            ServiceId::Address { protocol, address } => (protocol, address.port()),
            ServiceId::Fwmark { .. } => (Protocol::TCP, 0),
        };
        let (ip, port) = parse_address(value, protocol, self.names)?;
        Ok(SocketAddr::new(ip, port.unwrap_or(default)).into())
    }

    fn destination(&self, service: ServiceId) -> Result<Destination, CommandError> {
        let mut id = self.destination_id(service)?;
        let forwarding = self.forwarding()?;
        if let (Forwarding::DirectRoute | Forwarding::Tunnel(_), Some(address)) =
            (forwarding, service.address())
        {
            id.address.set_port(address.port());
        }
        if id.family() != service.family() && !matches!(forwarding, Forwarding::Tunnel(_)) {
            self.refuse_value(Opt::Server, format!("an {} address, or -i", service.family()))?;
        }
        let mut destination = Destination::new(id, forwarding);
        if let Some(value) = self.value(Opt::Weight) {
            destination.weight = weight(value)?;
        }
        if let Some(value) = self.value(Opt::UpperThreshold) {
            destination.thresholds.upper = threshold(value)?;
        }
        if let Some(value) = self.value(Opt::LowerThreshold) {
            destination.thresholds.lower = threshold(value)?;
        }
        Ok(destination)
    }

    fn forwarding(&self) -> Result<Forwarding, CommandError> {
        let forwarding = match self.choice(Opt::Masquerading).map(|given| given.option) {
            Some(Opt::Ipip) => return self.tunnel().map(Forwarding::Tunnel),
            Some(Opt::Masquerading) => Forwarding::Masquerade,
            _ => Forwarding::DirectRoute,
        };
        for option in [Opt::TunnelType, Opt::TunnelPort, Opt::NoChecksum] {
            self.refuse(option, "with -i only")?;
        }
        Ok(forwarding)
    }

    /// Refuses the option, if it was given.
    fn refuse(&self, choice: Opt, condition: &str) -> Result<(), CommandError> {
        match self.choice(choice) {
            Some(given) => Err(given.expected(format!("{} {condition}", given.name()))),
            None => Ok(()),
        }
    }

    /// Refuses the argument of the option, if the option was given.
    fn refuse_value(&self, option: Opt, expected: String) -> Result<(), CommandError> {
        self.value(option).map_or(Ok(()), |value| Err(value.expected(expected)))
    }

    fn tunnel(&self) -> Result<Tunnel, CommandError> {
        const GUE_ONLY: &str = "with --tun-type gue only";
        let checksum = self.choice(Opt::NoChecksum).map(|given| given.option);
        let kind = self.value(Opt::TunnelType);
        match kind.map_or("ipip", |kind| kind.text) {
            "ipip" => {
                self.refuse(Opt::TunnelPort, GUE_ONLY)?;
                self.refuse(Opt::NoChecksum, "with --tun-type gue or gre only")?;
                Ok(Tunnel::Ipip)
            }
            "gue" => {
                let port = self.value(Opt::TunnelPort);
                let port =
                    port.ok_or_else(|| self.missing("--tun-port with the UDP port of the tunnel"))?;
                let checksum = match checksum {
                    Some(Opt::Checksum) => GueChecksum::Full,
                    Some(Opt::RemoteChecksum) => GueChecksum::RemoteOffload,
                    _ => GueChecksum::None,
                };
                Ok(Tunnel::Gue { port: port_number(port, 1)?, checksum })
            }
            "gre" => {
                self.refuse(Opt::TunnelPort, GUE_ONLY)?;
                if checksum == Some(Opt::RemoteChecksum) {
                    self.refuse(Opt::NoChecksum, GUE_ONLY)?;
                }
                Ok(Tunnel::Gre { checksum: checksum == Some(Opt::Checksum) })
            }
            _ => {
                self.refuse_value(Opt::TunnelType, "ipip, gue or gre".to_owned())?;
                Ok(Tunnel::Ipip)
            }
        }
    }

    fn timeouts(&self) -> Result<Timeouts, CommandError> {
        let mut arguments = self.parsed.arguments.iter();
        let mut next = || {
            let argument = arguments.next();
            let argument = argument.ok_or_else(|| self.missing("three timeouts after --set"))?;
            let seconds = seconds(*argument)?;
            Ok(Some(seconds).filter(|seconds| !seconds.is_zero()))
        };
        let timeouts = Timeouts { tcp: next()?, tcp_fin: next()?, udp: next()? };
        match arguments.next() {
            Some(argument) => Err(argument.expected("no more than three timeouts after --set")),
            None => Ok(timeouts),
        }
    }

    fn daemon(&self, command: GivenOption<'w>) -> Result<SyncDaemon, CommandError> {
        let role = with_model(self.argument(command)?, "a role of the daemon", str::parse)?;
        let interface = match self.value(Opt::Interface) {
            Some(value) => with_model(value, "the name of an interface", InterfaceName::new)?,
            None => InterfaceName::ETH0,
        };
        let mut daemon = SyncDaemon::new(role, interface);
        if let Some(value) = self.value(Opt::SyncId) {
            daemon.sync_id = sync_id(value)?;
        }
        daemon.max_length = self.value(Opt::MaxLength).map(max_length).transpose()?;
        daemon.group = self.value(Opt::Group).map(group).transpose()?;
        daemon.port = self.value(Opt::Port).map(|value| port_number(value, 1)).transpose()?;
        daemon.ttl = self.value(Opt::Ttl).map(ttl).transpose()?;
        Ok(daemon)
    }
}
