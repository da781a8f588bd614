use std::time::Duration;

use super::printed_command::Line;
use crate::model::{Change, Destination, Protocol, Service, ServiceFlags, ServiceId, Timeouts};

/// The longest timeout that `ipvsadm` takes: 31 days.
const LONGEST: Duration = Duration::from_secs(31 * 86_400);

/// The longest message of a daemon that `ipvsadm` takes: what a UDP datagram holds.
const LONGEST_DATAGRAM: u16 = 65_507;

/// Why `ipvsadm` 1.31 does not do what a change says, though a kernel may.
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
    /// It has no words for this. The change prints as a comment.
    #[error("ipvsadm cannot say {0}")]
    NoWords(String),
    /// It has words for this and refuses it. The change prints as a command, which can be
    /// read back.
    #[error("ipvsadm refuses {0}")]
    Refused(&'static str),
}

impl Change {
    /// Checks that `ipvsadm` 1.31 does the same when it is given the command that the change
    /// prints as. Check it before a program runs the command.
    ///
    /// Not checked is a weight over 65535: the 1.31 of the authors refuses it, that of Debian
    /// takes it.
    ///
    /// # Errors
    ///
    /// - [`Unsaid::NoWords`]: a destination of direct routing or of a tunnel whose port is not
    ///   its service's; a protocol other than TCP, UDP and SCTP; flags, tunnels and forwarding
    ///   methods without a name; names with control characters; values that
    ///   [`validate`](Self::validate) refuses, such as a weight over 2147483647.
    /// - [`Unsaid::Refused`]: a timeout of more than 31 days, persistence of 0 s, port 0
    ///   without persistence, one-packet scheduling of TCP or SCTP, a threshold over
    ///   2147483647, a daemon's message longer than 65507 bytes.
    pub fn check_command(&self) -> Result<(), Unsaid> {
        Line::of(self, true).said()?;
        match self {
            Self::AddService(service) | Self::UpdateService(service) => service_refused(service),
            Self::AddDestination(_, destination) | Self::UpdateDestination(_, destination) => {
                destination_refused(destination)
            }
            Self::SetTimeouts(timeouts) => timeouts_refused(timeouts),
            Self::StartDaemon(daemon) if daemon.max_length > Some(LONGEST_DATAGRAM) => {
                Some("--sync-maxlen over 65507")
            }
            _ => None,
        }
        .map_or(Ok(()), |what| Err(Unsaid::Refused(what)))
    }
}

fn service_refused(service: &Service) -> Option<&'static str> {
    let one_packet = service.flags.contains(ServiceFlags::ONE_PACKET);
    match (service.id, service.persistence) {
        (_, Some(persistence)) if persistence.timeout.is_zero() => Some("persistence of 0 s"),
        (_, Some(persistence)) if persistence.timeout > LONGEST => {
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

fn destination_refused(destination: &Destination) -> Option<&'static str> {
    let thresholds = destination.thresholds;
    let large = [thresholds.upper, thresholds.lower].into_iter().any(|it| it >> 31 != 0);
    large.then_some("a threshold over 2147483647")
}

fn timeouts_refused(timeouts: &Timeouts) -> Option<&'static str> {
    let all = [timeouts.tcp, timeouts.tcp_fin, timeouts.udp];
    let long = all.into_iter().flatten().any(|timeout| timeout > LONGEST);
    long.then_some("a timeout of more than 2678400 s")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `ipvsadm` refuses of a command that is read, if anything.
    fn refused(command: &str) -> Option<String> {
        let change: Change = command.parse().unwrap();
        assert_eq!(change.to_string().parse(), Ok(change.clone()), "{command}");
        change.check_command().err().map(|unsaid| unsaid.to_string())
    }

    #[test]
    fn commands_that_ipvsadm_refuses_are_known() {
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
