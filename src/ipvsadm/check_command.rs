use std::time::Duration;

use super::printed_command::PrintedCommand;
use crate::model::{Change, Destination, Protocol, Service, ServiceFlags, ServiceId, Timeouts};

/// The longest timeout that `ipvsadm` accepts: 31 days.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(31 * 86_400);

/// The longest message of a daemon that `ipvsadm` accepts: the payload of a UDP datagram.
const LONGEST_DATAGRAM: u16 = 65_507;

/// Why `ipvsadm` 1.31 cannot make a change that a kernel may accept.
///
/// ```
/// use ipvs_netlink::{Change, Destination, ServiceId, Unsaid};
///
/// let web = ServiceId::tcp("192.0.2.10:80".parse()?);
/// let server = Destination::direct_route("10.0.0.2:8080".parse()?);
/// let unsaid = Change::AddDestination(web, server).check_command().unwrap_err();
/// assert!(matches!(unsaid, Unsaid::NoWords(_)));
/// assert_eq!(unsaid.to_string(), "ipvsadm cannot say port 8080 with -g");
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unsaid {
    /// `ipvsadm` has no command for this. The change prints as a comment.
    #[error("ipvsadm cannot say {0}")]
    NoWords(String),
    /// `ipvsadm` has a command for this and refuses the value. The change prints as that command,
    /// and this crate can read the command back.
    #[error("ipvsadm refuses {0}")]
    Refused(&'static str),
}

impl Change {
    /// Checks that `ipvsadm` 1.31 makes this change when it runs the command that the change
    /// prints as. Call this before a program runs the command.
    ///
    /// A weight over 65535 passes the check: Debian's `ipvsadm` 1.31 accepts it, the original
    /// 1.31 refuses it.
    ///
    /// # Errors
    ///
    /// - [`Unsaid::NoWords`]: direct routing or a tunnel to another port than the service's; a
    ///   protocol other than TCP, UDP and SCTP; a flag, tunnel or forwarding method without a
    ///   name; a name with control characters; a value that [`validate`](Self::validate)
    ///   refuses, such as a weight over 2147483647.
    /// - [`Unsaid::Refused`]: a timeout of more than 31 days, persistence of 0 s, port 0
    ///   without persistence, one-packet scheduling of TCP or SCTP, a threshold over
    ///   2147483647, a daemon's message longer than 65507 bytes.
    pub fn check_command(&self) -> Result<(), Unsaid> {
        PrintedCommand::new(self, true).check()?;
        match self {
            Self::AddService(service) | Self::UpdateService(service) => refused_of_service(service),
            Self::AddDestination(_, destination) | Self::UpdateDestination(_, destination) => {
                refused_of_destination(destination)
            }
            Self::SetTimeouts(timeouts) => refused_of_timeouts(timeouts),
            Self::StartDaemon(daemon) if daemon.max_length > Some(LONGEST_DATAGRAM) => {
                Some("--sync-maxlen over 65507")
            }
            _ => None,
        }
        .map_or(Ok(()), |what| Err(Unsaid::Refused(what)))
    }
}

/// What `ipvsadm` refuses in the settings of a service.
fn refused_of_service(service: &Service) -> Option<&'static str> {
    let one_packet = service.flags.contains(ServiceFlags::ONE_PACKET);
    match (service.id, service.persistence) {
        (_, Some(persistence)) if persistence.timeout.is_zero() => Some("persistence of 0 s"),
        (_, Some(persistence)) if persistence.timeout > LONGEST_TIMEOUT => {
            Some("persistence of more than 2678400 s")
        }
        (ServiceId::Address { address, .. }, None) if address.port() == 0 => {
            Some("port 0 without persistence")
        }
        (ServiceId::Address { protocol, .. }, _) if protocol != Protocol::UDP && one_packet => {
            Some("one-packet scheduling of anything but UDP")
        }
        _ => None,
    }
}

fn refused_of_destination(destination: &Destination) -> Option<&'static str> {
    let thresholds = destination.thresholds;
    let large = [thresholds.upper, thresholds.lower].into_iter().any(|it| it >> 31 != 0);
    large.then_some("a threshold over 2147483647")
}

fn refused_of_timeouts(timeouts: &Timeouts) -> Option<&'static str> {
    let all = [timeouts.tcp, timeouts.tcp_fin, timeouts.udp];
    let long = all.into_iter().flatten().any(|timeout| timeout > LONGEST_TIMEOUT);
    long.then_some("a timeout of more than 2678400 s")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The error of a command that this crate reads.
    fn refused(command: &str) -> Option<String> {
        let change: Change = command.parse().unwrap();
        assert_eq!(change.to_string().parse(), Ok(change.clone()), "{command}");
        change.check_command().err().map(|unsaid| unsaid.to_string())
    }

    #[test]
    fn commands_that_ipvsadm_refuses_are_found() {
        let cases = [
            ("-A -t 10.0.0.1:80 -p 0", "persistence of 0 s"),
            ("-E -f 5 -p 2678401", "persistence of more than 2678400 s"),
            ("-A -t 10.0.0.1:0", "port 0 without persistence"),
            ("-A -t 10.0.0.1:80 -o", "one-packet scheduling of anything but UDP"),
            ("-a -f 5 -r 10.0.0.2 -x 2147483648", "a threshold over 2147483647"),
            ("--set 1 2678401 1", "a timeout of more than 2678400 s"),
            ("--start-daemon master --sync-maxlen 65508", "--sync-maxlen over 65507"),
        ];
        for (command, what) in cases {
            assert_eq!(refused(command), Some(format!("ipvsadm refuses {what}")), "{command}");
        }
        for command in [
            "-A -t 10.0.0.1:80 -p 2678400",
            "-A -t 10.0.0.1:0 -p",
            "-D -t 10.0.0.1:0",
            "-A -u 10.0.0.1:80 -o",
            "-A -f 5 -o",
            "-a -f 5 -r 10.0.0.2 -x 2147483647",
            "--set 2678400 0 1",
            "--start-daemon master --sync-maxlen 65507",
        ] {
            assert_eq!(refused(command), None, "{command}");
        }
    }
}
