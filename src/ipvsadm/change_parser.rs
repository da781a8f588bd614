//! Options into a change.

use std::net::SocketAddr;
use std::time::Duration;

use super::Command;
use super::address::address;
use super::command_error::CommandError;
use super::names::Names;
use super::option_parser::{Given, Scanned, Value, scan};
use super::option_values::{
    group, mark, max_length, netmask, of_model, port_number, scheduler_flags, seconds, sync_id,
    threshold, ttl, weight,
};
use super::options::Opt;
use crate::model::{
    AddressFamily, Change, Destination, DestinationId, Forwarding, GueChecksum, InterfaceName,
    Persistence, PersistenceEngine, Protocol, Scheduler, Service, ServiceId, SyncDaemon, Timeouts,
    Tunnel,
};

/// The timeout of `-p` without a number.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(360);

/// `saved` tells whether `ipvsadm -S` may have written the words.
pub(super) fn command(
    words: &[&str],
    names: &dyn Names,
    saved: bool,
) -> Result<Command, CommandError> {
    let reading = Reading { scanned: scan(words, saved)?, names };
    let command = reading.command()?;
    reading.check(command)?;
    let change = match command.option {
        Opt::AddService => Change::AddService(reading.service()?),
        Opt::EditService => Change::UpdateService(reading.service()?),
        Opt::DeleteService => Change::DeleteService(reading.identity()?),
        Opt::Zero if !reading.has(Opt::Ipv6) && reading.choice(Opt::Tcp).is_none() => {
            Change::ZeroAll
        }
        Opt::Zero => Change::ZeroService(reading.identity()?),
        Opt::AddServer => {
            let id = reading.identity()?;
            Change::AddDestination(id, reading.destination(id)?)
        }
        Opt::EditServer => {
            let id = reading.identity()?;
            Change::UpdateDestination(id, reading.destination(id)?)
        }
        Opt::DeleteServer => {
            let id = reading.identity()?;
            Change::DeleteDestination(id, reading.server(id)?)
        }
        Opt::Set => Change::SetTimeouts(reading.timeouts()?),
        Opt::StartDaemon => Change::StartDaemon(reading.daemon(command)?),
        Opt::StopDaemon => {
            reading.value(Opt::SyncId).map(sync_id).transpose()?;
            Change::StopDaemon(of_model(reading.argument(command)?, "a role", str::parse)?)
        }
        _ => Change::Flush,
    };
    Ok(Command { change, weight_given: reading.value(Opt::Weight).is_some() })
}

/// The options of a command, each at most once.
struct Reading<'w> {
    scanned: Scanned<'w>,
    names: &'w dyn Names,
}

impl<'w> Reading<'w> {
    /// The first option, which says what to do.
    fn command(&self) -> Result<Given<'w>, CommandError> {
        const EXPECTED: &str = "a command that changes something, such as -A or -a, first";
        match (self.scanned.options.first(), self.scanned.arguments.first()) {
            (Some(given), _) if given.option.is_command() => Ok(*given),
            (Some(given), _) => Err(given.refused(EXPECTED)),
            (None, Some(argument)) => Err(argument.refused(EXPECTED)),
            (None, None) => Err(self.missing(EXPECTED)),
        }
    }

    /// Every option belongs to the command, and none is there twice.
    fn check(&self, command: Given<'_>) -> Result<(), CommandError> {
        let options = self.scanned.options.get(1..).unwrap_or_default();
        let mut seen = 0;
        for given in options {
            if !command.option.takes(given.option) {
                return Err(given.refused(format!("an option of {}", command.written())));
            }
            let choice = given.option.choice();
            if seen & choice.bit() != 0 {
                let first = options.iter().find(|first| first.option.choice() == choice);
                let first = first.map_or_else(String::new, Given::written);
                return Err(given.refused(format!("nothing beside {first}")));
            }
            seen |= choice.bit();
        }
        match self.scanned.arguments.first() {
            Some(argument) if command.option != Opt::Set => {
                Err(argument.refused(format!("an option of {}", command.written())))
            }
            _ => Ok(()),
        }
    }

    fn missing(&self, expected: impl Into<String>) -> CommandError {
        CommandError::at_end(self.scanned.words, expected.into())
    }

    /// The one that was given of the options that exclude each other.
    fn choice(&self, choice: Opt) -> Option<Given<'w>> {
        if self.scanned.choices & choice.bit() == 0 {
            return None;
        }
        self.scanned.options.iter().find(|given| given.option.choice() == choice).copied()
    }

    fn value(&self, option: Opt) -> Option<Value<'w>> {
        self.choice(option.choice()).filter(|given| given.option == option)?.value
    }

    /// A name, of which an empty one is none.
    fn name(&self, option: Opt) -> Option<Value<'w>> {
        self.value(option).filter(|value| !value.text.is_empty())
    }

    fn has(&self, option: Opt) -> bool {
        self.choice(option.choice()).is_some_and(|given| given.option == option)
    }

    /// The argument of an option that must have one.
    fn argument(&self, given: Given<'w>) -> Result<Value<'w>, CommandError> {
        let expected = || self.missing(format!("an argument of {}", given.written()));
        given.value.ok_or_else(expected)
    }

    /// What names the service.
    fn identity(&self) -> Result<ServiceId, CommandError> {
        let given = self.choice(Opt::Tcp);
        let given = given.ok_or_else(|| self.missing("one of -t, -u, --sctp-service and -f"))?;
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
            return Err(ipv6.refused("-6 beside -f only"));
        }
        let (ip, port) = address(value, protocol, self.names)?;
        Ok(ServiceId::Address { protocol, address: SocketAddr::new(ip, port.unwrap_or(0)) })
    }

    fn service(&self) -> Result<Service, CommandError> {
        let mut service = Service::new(self.identity()?);
        if let Some(value) = self.name(Opt::Scheduler) {
            service.scheduler = of_model(value, "a scheduler name", Scheduler::new)?;
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
            of_model(value, "the name of a persistence engine", PersistenceEngine::new)
        });
        let engine = engine.transpose()?;
        let netmask = self.value(Opt::Netmask).map(|value| netmask(value, family)).transpose()?;
        // Without persistence the kernel stores a mask and never looks at it.
        let Some(given) = self.choice(Opt::Persistent) else { return Ok(None) };
        let timeout = given.value.map_or(Ok(DEFAULT_TIMEOUT), seconds)?;
        Ok(Some(Persistence { netmask, engine, ..Persistence::new(timeout) }))
    }

    /// What names the destination.
    fn server(&self, service: ServiceId) -> Result<DestinationId, CommandError> {
        let value = self.value(Opt::Server).ok_or_else(|| self.missing("-r and a destination"))?;
        let (protocol, default) = match service {
            ServiceId::Address { protocol, address } => (protocol, address.port()),
            ServiceId::Fwmark { .. } => (Protocol::TCP, 0),
        };
        let (ip, port) = address(value, protocol, self.names)?;
        Ok(SocketAddr::new(ip, port.unwrap_or(default)).into())
    }

    fn destination(&self, service: ServiceId) -> Result<Destination, CommandError> {
        let mut id = self.server(service)?;
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
            self.refuse(option, "beside -i only")?;
        }
        Ok(forwarding)
    }

    /// Refuses the option, if it is there.
    fn refuse(&self, choice: Opt, place: &str) -> Result<(), CommandError> {
        match self.choice(choice) {
            Some(given) => Err(given.refused(format!("{} {place}", given.written()))),
            None => Ok(()),
        }
    }

    /// Refuses the option's value, if it is there.
    fn refuse_value(&self, option: Opt, expected: String) -> Result<(), CommandError> {
        self.value(option).map_or(Ok(()), |value| Err(value.refused(expected)))
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
                let port = port.ok_or_else(|| self.missing("--tun-port and the port of GUE"))?;
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
        let mut arguments = self.scanned.arguments.iter();
        let mut next = || {
            let argument = arguments.next();
            let argument = argument.ok_or_else(|| self.missing("three timeouts after --set"))?;
            let seconds = seconds(*argument)?;
            Ok(Some(seconds).filter(|seconds| !seconds.is_zero()))
        };
        let timeouts = Timeouts { tcp: next()?, tcp_fin: next()?, udp: next()? };
        match arguments.next() {
            Some(argument) => Err(argument.refused("three timeouts after --set, not more")),
            None => Ok(timeouts),
        }
    }

    fn daemon(&self, command: Given<'w>) -> Result<SyncDaemon, CommandError> {
        let role = of_model(self.argument(command)?, "a role", str::parse)?;
        let interface = match self.value(Opt::Interface) {
            Some(value) => of_model(value, "the name of an interface", InterfaceName::new)?,
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
