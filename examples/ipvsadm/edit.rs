//! Commands that change something.

use ipvs_netlink::{
    Change, Command, Destination, Forwarding, Protocol, Service, ServiceFlags, ServiceId,
    SystemNames, Thresholds,
};

use crate::failure::Failure;
use crate::words::{Meaning, Piece, Pieces};

const LONGEST_DATAGRAM: u16 = 65_507;

/// Reads a command.
pub(crate) fn parse(words: &[String], names: &SystemNames) -> Result<Change, Failure> {
    // Words that are none have an exit code of their own, so look for them first.
    for piece in Pieces::of(words).collect::<Result<Vec<_>, _>>()? {
        if matches!(piece, Piece::Option { meaning: Meaning::Numeric, .. }) {
            return Err(Failure::usage("-n: this command prints nothing"));
        }
    }
    let command = Command::parse(words, names).map_err(|error| {
        let word = words.get(error.word()).map_or_else(String::new, |word| format!("{word:?}: "));
        Failure::usage(format!("{word}{error}"))
    })?;
    checked(command.change)
}

/// The change as the original would do it, if it would.
pub(crate) fn checked(mut change: Change) -> Result<Change, Failure> {
    match &mut change {
        Change::AddService(service) | Change::UpdateService(service) => check(service)?,
        Change::AddDestination(service, destination)
        | Change::UpdateDestination(service, destination) => {
            check_numbers(destination)?;
            adopt_port(*service, destination);
        }
        Change::StartDaemon(daemon) if daemon.max_length > Some(LONGEST_DATAGRAM) => {
            return Err(Failure::usage("a message longer than a datagram can be"));
        }
        _ => {}
    }
    Ok(change)
}

/// What the kernel would take and the original does not.
fn check(service: &Service) -> Result<(), Failure> {
    let wrong = |what: &str| Err(Failure::usage(format!("{}: {what}", service.id)));
    match (service.id, service.persistence) {
        (_, Some(persistence)) if persistence.timeout.is_zero() => {
            wrong("persistence takes a timeout of at least 1 s")
        }
        (ServiceId::Address { address, .. }, None) if address.port() == 0 => {
            wrong("port 0 takes persistence")
        }
        (ServiceId::Address { protocol, .. }, _)
            if protocol != Protocol::UDP && service.flags.contains(ServiceFlags::ONE_PACKET) =>
        {
            wrong("one-packet scheduling is for UDP")
        }
        _ => Ok(()),
    }
}

fn check_numbers(destination: &Destination) -> Result<(), Failure> {
    let Thresholds { upper, lower } = destination.thresholds;
    match [destination.weight, upper, lower].into_iter().find(|number| number >> 31 != 0) {
        Some(number) => Err(Failure::usage(format!("{number}: at most 2147483647"))),
        None => Ok(()),
    }
}

/// Without masquerading a packet keeps its port, so the destination has the service's,
/// whatever is said.
fn adopt_port(service: ServiceId, destination: &mut Destination) {
    let keeps = matches!(destination.forwarding, Forwarding::DirectRoute | Forwarding::Tunnel(_));
    if let (true, Some(address)) = (keeps, service.address()) {
        destination.id.address.set_port(address.port());
    }
}

/// The end that a change came to which was not done.
pub(crate) fn refusal(error: &ipvs_netlink::Error) -> Failure {
    Failure::unusable(error).unwrap_or_else(|| Failure::refused(error.to_string()))
}
