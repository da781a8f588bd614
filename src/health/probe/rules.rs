//! The rules that settings of checks over the network follow.

use std::time::Duration;

use crate::health::probe::exchange::LONGEST_ANSWER;
use crate::health::probe::{Exchange, Origin, Probe, ProbeKind};
use crate::health::rules::{ensure, interval};
use crate::model::{InvalidValue, seconds};

/// The most that a datagram of UDP holds over IPv4, in bytes.
const LARGEST_DATAGRAM: usize = 65_507;

/// The longest timeout.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(86_400);

impl Probe {
    /// Returns `true` if the check connects or sends to a port, and has none of its own: it goes to that
    /// of the destination, which must not be 0 then.
    /// [`Runner::watch`](crate::health::probe::Runner::watch) refuses such a destination.
    #[must_use]
    pub const fn needs_port(&self) -> bool {
        let has_port =
            !matches!(self.kind, ProbeKind::Icmp | ProbeKind::Command(_) | ProbeKind::Custom(_));
        self.port.is_none() && has_port
    }

    /// Checks that the settings are in their ranges and go together.
    /// [`Runner::watch`](crate::health::probe::Runner::watch) does this, too.
    ///
    /// # Errors
    ///
    /// - the timeout is less than 1 ms or more than a day;
    /// - the port is 0, or the check is by ICMP, which has no ports;
    /// - the origin is [out of range](Origin::validate);
    /// - the check is of the program's own, and the origin has anything;
    /// - the check is by a program, and the origin has something else than a network namespace;
    /// - the program or an argument has a NUL, or the program is empty;
    /// - what is sent or expected is longer than 65536 bytes, or a datagram than 65507.
    pub fn validate(&self) -> Result<(), InvalidValue> {
        interval("timeout", self.timeout)?;
        let value = || seconds::shown(self.timeout);
        ensure(self.timeout <= LONGEST_TIMEOUT, "timeout", value, "must be at most a day")?;
        if let Some(port) = self.port {
            ensure(port != 0, "port", || port.to_string(), "must be 1 to 65535")?;
            let has_ports = !matches!(self.kind, ProbeKind::Icmp);
            ensure(has_ports, "port", || port.to_string(), "must not be given: ICMP has no ports")?;
        }
        self.origin.validate()?;
        match &self.kind {
            ProbeKind::TcpExchange(exchange) => exchange.validate(LONGEST_ANSWER),
            #[cfg(feature = "health-tls")]
            ProbeKind::Tls(check) => match &check.exchange {
                Some(exchange) => exchange.validate(LONGEST_ANSWER),
                None => Ok(()),
            },
            ProbeKind::Udp(exchange) => exchange.validate(LARGEST_DATAGRAM),
            ProbeKind::UdpSend(datagram) => sends(datagram, LARGEST_DATAGRAM),
            ProbeKind::Agent(agent) => sends(&agent.send, LONGEST_ANSWER),
            ProbeKind::Command(command) => {
                let Origin { source, interface, mark, .. } = &self.origin;
                let is_free = source.is_none() && interface.is_none() && mark.is_none();
                let value = || "of a command".to_owned();
                ensure(is_free, "origin", value, "must have a network namespace alone")?;
                let value = || format!("{:?}", command.program);
                ensure(!command.program.is_empty(), "program", value, "must not be empty")?;
                let mut texts = std::iter::once(&command.program).chain(&command.arguments);
                match texts.find(|text| text.contains('\0')) {
                    Some(text) => {
                        ensure(false, "program", || format!("{text:?}"), "must have no NUL")
                    }
                    None => Ok(()),
                }
            }
            ProbeKind::Custom(_) => {
                let value = || "of a check of the program's own".to_owned();
                ensure(self.origin == Origin::new(), "origin", value, "must not be given")
            }
            _ => Ok(()),
        }
    }
}

fn sends(bytes: &[u8], most: usize) -> Result<(), InvalidValue> {
    let value = || format!("of {} bytes", bytes.len());
    ensure(bytes.len() <= most, "send", value, "must be at most 65536 bytes, a datagram 65507")
}

impl Exchange {
    fn validate(&self, most: usize) -> Result<(), InvalidValue> {
        sends(&self.send, most)?;
        let value = || format!("of {} bytes", self.expect.len());
        ensure(self.expect.len() <= most, "expect", value, "must be at most what an answer holds")
    }
}

impl Origin {
    /// Checks that the settings are in their ranges.
    ///
    /// # Errors
    ///
    /// - the name of the interface is empty or longer than 15 bytes, has a slash, a colon, a space or a control
    ///   character, or is `.` or `..`;
    /// - the path of the network namespace is empty or has a NUL.
    pub fn validate(&self) -> Result<(), InvalidValue> {
        if let Some(name) = &self.interface {
            let odd = |c: char| c == '/' || c == ':' || c.is_whitespace() || c.is_control();
            let is_name = (1..=15).contains(&name.len()) && !name.contains(odd);
            let is_name = is_name && name != "." && name != "..";
            let rule =
                "must be 1 to 15 bytes without slashes, colons, spaces and control characters";
            ensure(is_name, "interface", || format!("{name:?}"), rule)?;
        }
        if let Some(path) = &self.namespace {
            let bytes = path.as_os_str().as_encoded_bytes();
            let is_path = !bytes.is_empty() && !bytes.contains(&0);
            ensure(is_path, "namespace", || format!("{path:?}"), "must be the path of a file")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::Outcome;
    use crate::health::probe::{AgentCheck, Check, CheckFuture, CommandCheck};

    struct Own;

    impl Check for Own {
        fn check(&self, _: std::net::SocketAddr) -> CheckFuture<'_> {
            Box::pin(async { Outcome::passed() })
        }
    }

    #[test]
    fn what_is_out_of_range_or_does_not_go_together_is_named() {
        let command = || Probe::command(CommandCheck::new("true", ["-x"]));
        let own = || Probe::custom("own", Own);
        let origin = |origin| Probe::tcp().origin(origin);
        let named = |name: &str| origin(Origin::new().interface(name));
        for valid in [
            Probe::tcp(),
            Probe::icmp(),
            own(),
            command().origin(Origin::new().namespace("/run/netns/blue")),
            Probe::udp(Exchange::new(vec![0; 65_507], "")),
            named("eth0.100@x"),
        ] {
            assert_eq!(valid.validate(), Ok(()), "{valid:?}");
        }
        let second = Duration::from_secs(1);
        for (probe, message) in [
            (Probe::tcp().timeout(Duration::ZERO), "timeout 0s: must be at least 1 ms"),
            (Probe::tcp().timeout(90_000 * second), "timeout 90000s: must be at most a day"),
            (Probe::tcp().port(0), "port 0: must be 1 to 65535"),
            (Probe::icmp().port(7), "port 7: must not be given: ICMP has no ports"),
            (command().origin(Origin::new().mark(1)), "origin of a command: must have a network"),
            (
                own().origin(Origin::new().mark(1)),
                "origin of a check of the program's own: must not",
            ),
            (Probe::command(CommandCheck::new("", [""; 0])), "program \"\": must not be empty"),
            (Probe::command(CommandCheck::new("a", ["b\0"])), "program \"b\\0\": must have no NUL"),
            (Probe::udp(Exchange::new(vec![0; 65_508], "")), "send of 65508 bytes: must be"),
            (Probe::udp_send(vec![0; 65_508]), "send of 65508 bytes: must be"),
            (Probe::agent(AgentCheck::new().send(vec![0; 65_537])), "send of 65537 bytes: must be"),
            (Probe::tcp_exchange(Exchange::new("", vec![0; 65_537])), "expect of 65537 bytes"),
            (named(""), "interface \"\": must be 1 to 15 bytes"),
            (named("sixteen_letters_"), "interface \"sixteen_letters_\": must be 1 to 15"),
            (named("a b"), "interface \"a b\": must be"),
            (named(".."), "interface \"..\": must be"),
            (origin(Origin::new().namespace("")), "namespace \"\": must be the path of a file"),
        ] {
            let error = probe.validate().unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }
}
