//! Changes as commands of `ipvsadm`.

use std::fmt::{self, Write};

use crate::model::{
    AddressFamily, Change, Destination, Forwarding, GueChecksum, Protocol, Service, ServiceFlags,
    ServiceId, SyncDaemon, Timeouts, Tunnel,
};

impl fmt::Display for Change {
    /// The `ipvsadm` command that does the same, quoted for a shell. Where `ipvsadm` has
    /// no words for something it is a comment of the shell.
    ///
    /// `ipvsadm` itself refuses some settings that the kernel accepts: persistence of
    /// 0 s, port 0 without persistence, one-packet scheduling of TCP.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = Line(String::new(), Vec::new());
        line.write(self)?;
        let Line(command, unsaid) = line;
        if !unsaid.is_empty() {
            write!(f, "# ipvsadm cannot say {}: ", unsaid.join(", "))?;
        }
        f.write_str(&command)
    }
}

/// A command under construction, and what it cannot say.
struct Line(String, Vec<String>);

impl Line {
    fn write(&mut self, change: &Change) -> fmt::Result {
        self.0.write_str("ipvsadm")?;
        match change {
            Change::AddService(service) => self.service("-A", service),
            Change::UpdateService(service) => self.service("-E", service),
            Change::DeleteService(id) => self.about("-D", id),
            Change::ZeroService(id) => self.about("-Z", id),
            Change::AddDestination(id, destination) => self.destination("-a", id, destination),
            Change::UpdateDestination(id, destination) => self.destination("-e", id, destination),
            Change::DeleteDestination(id, destination) => {
                self.about("-d", id)?;
                write!(self.0, " -r {destination}")
            }
            Change::SetTimeouts(timeouts) => self.timeouts(timeouts),
            Change::StartDaemon(daemon) => self.daemon(daemon),
            Change::StopDaemon(role) => write!(self.0, " --stop-daemon {role}"),
            Change::ZeroAll => self.0.write_str(" -Z"),
            Change::Flush => self.0.write_str(" -C"),
        }
    }

    fn about(&mut self, command: &str, id: &ServiceId) -> fmt::Result {
        write!(self.0, " {command} ")?;
        match id {
            ServiceId::Address { protocol: Protocol::TCP, address } => {
                write!(self.0, "-t {address}")
            }
            ServiceId::Address { protocol: Protocol::UDP, address } => {
                write!(self.0, "-u {address}")
            }
            ServiceId::Address { protocol: Protocol::SCTP, address } => {
                write!(self.0, "--sctp-service {address}")
            }
            ServiceId::Address { protocol, address } => {
                self.1.push(format!("protocol {protocol}"));
                write!(self.0, "-t {address}")
            }
            ServiceId::Fwmark { mark, family: AddressFamily::Ipv4 } => write!(self.0, "-f {mark}"),
            ServiceId::Fwmark { mark, family: AddressFamily::Ipv6 } => {
                write!(self.0, "-f {mark} -6")
            }
        }
    }

    fn word(&mut self, option: &str, name: &[u8]) -> fmt::Result {
        write!(self.0, " {option} {}", quoted(name))
    }

    fn service(&mut self, command: &str, service: &Service) -> fmt::Result {
        self.about(command, &service.id)?;
        self.word("-s", service.scheduler.as_bytes())?;
        if let Some(persistence) = service.persistence {
            write!(self.0, " -p {}", persistence.timeout.as_secs())?;
            if let Some(netmask) = persistence.netmask {
                write!(self.0, " -M {netmask}")?;
            }
            if let Some(engine) = persistence.engine {
                self.word("--pe", engine.as_bytes())?;
            }
        }
        if service.flags.contains(ServiceFlags::ONE_PACKET) {
            self.0.write_str(" -o")?;
        }
        let names = service.flags.scheduler_flags(service.scheduler);
        if !names.is_empty() {
            write!(self.0, " -b {names}")?;
        }
        let unnamed = service.flags.unnamed();
        if !unnamed.is_empty() {
            self.1.push(format!("flags {unnamed}"));
        }
        Ok(())
    }

    fn destination(
        &mut self,
        command: &str,
        id: &ServiceId,
        destination: &Destination,
    ) -> fmt::Result {
        self.about(command, id)?;
        write!(self.0, " -r {}", destination.id)?;
        match destination.forwarding {
            Forwarding::Masquerade => self.0.write_str(" -m")?,
            Forwarding::DirectRoute => self.0.write_str(" -g")?,
            Forwarding::Tunnel(tunnel) => self.tunnel(tunnel)?,
            other => self.1.push(format!("forwarding {other}")),
        }
        write!(self.0, " -w {}", destination.weight)?;
        if destination.thresholds.upper != 0 {
            write!(self.0, " -x {}", destination.thresholds.upper)?;
        }
        if destination.thresholds.lower != 0 {
            write!(self.0, " -y {}", destination.thresholds.lower)?;
        }
        Ok(())
    }

    fn tunnel(&mut self, tunnel: Tunnel) -> fmt::Result {
        self.0.write_str(" -i")?;
        match tunnel {
            Tunnel::Ipip => Ok(()),
            Tunnel::Gue { port, checksum } => {
                let checksum = match checksum {
                    GueChecksum::None => "--tun-nocsum",
                    GueChecksum::Full => "--tun-csum",
                    GueChecksum::RemoteOffload => "--tun-remcsum",
                };
                write!(self.0, " --tun-type gue --tun-port {port} {checksum}")
            }
            Tunnel::Gre { checksum: false } => self.0.write_str(" --tun-type gre --tun-nocsum"),
            Tunnel::Gre { checksum: true } => self.0.write_str(" --tun-type gre --tun-csum"),
            Tunnel::Unknown(_) => {
                self.1.push(format!("tunnel {tunnel}"));
                Ok(())
            }
        }
    }

    fn timeouts(&mut self, timeouts: &Timeouts) -> fmt::Result {
        self.0.write_str(" --set")?;
        for timeout in [timeouts.tcp, timeouts.tcp_fin, timeouts.udp] {
            write!(self.0, " {}", timeout.map_or(0, |timeout| timeout.as_secs()))?;
        }
        Ok(())
    }

    fn daemon(&mut self, daemon: &SyncDaemon) -> fmt::Result {
        write!(self.0, " --start-daemon {}", daemon.role)?;
        self.word("--mcast-interface", daemon.interface.as_bytes())?;
        write!(self.0, " --syncid {}", daemon.sync_id)?;
        if let Some(max_length) = daemon.max_length {
            write!(self.0, " --sync-maxlen {max_length}")?;
        }
        if let Some(group) = daemon.group {
            write!(self.0, " --mcast-group {group}")?;
        }
        if let Some(port) = daemon.port {
            write!(self.0, " --mcast-port {port}")?;
        }
        if let Some(ttl) = daemon.ttl {
            write!(self.0, " --mcast-ttl {ttl}")?;
        }
        Ok(())
    }
}

/// `name` as one word of a POSIX shell, with odd bytes shown as escapes.
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{
        InterfaceName, Persistence, PersistenceEngine, Role, Scheduler, UnknownForwarding,
    };

    fn web() -> Service {
        Service::tcp("192.0.2.10:80".parse().unwrap())
    }

    #[test]
    fn a_change_prints_as_the_command_that_does_it() {
        let persistence = Persistence::new(Duration::from_secs(60))
            .netmask([255, 255, 255, 0].into())
            .engine(PersistenceEngine::SIP);
        let sip =
            Service::udp("192.0.2.10:5060".parse().unwrap()).persistence(persistence).one_packet();
        let hashed = Service::fwmark(5, AddressFamily::Ipv6)
            .scheduler(Scheduler::SOURCE_HASHING)
            .flags(ServiceFlags::SH_FALLBACK | ServiceFlags::SH_PORT);
        let server = Destination::masquerade("10.0.0.2:8080".parse().unwrap()).weight(3);
        let gue = Tunnel::Gue { port: 6080, checksum: GueChecksum::Full };
        let tunnelled = Destination::tunnel("[2001:db8::2]:80".parse().unwrap(), gue);
        let daemon = SyncDaemon::new(Role::Master, "eth0".parse().unwrap()).sync_id(5).ttl(2);
        let cases = [
            (Change::AddService(web()), "-A -t 192.0.2.10:80 -s wlc"),
            (
                Change::UpdateService(sip),
                "-E -u 192.0.2.10:5060 -s wlc -p 60 -M 255.255.255.0 --pe sip -o",
            ),
            (Change::AddService(hashed.clone()), "-A -f 5 -6 -s sh -b sh-fallback,sh-port"),
            (Change::DeleteService(hashed.id), "-D -f 5 -6"),
            (Change::ZeroService(web().id), "-Z -t 192.0.2.10:80"),
            (
                Change::AddDestination(web().id, server.clone().thresholds(9, 5)),
                "-a -t 192.0.2.10:80 -r 10.0.0.2:8080 -m -w 3 -x 9 -y 5",
            ),
            (
                Change::UpdateDestination(web().id, tunnelled),
                "-e -t 192.0.2.10:80 -r [2001:db8::2]:80 -i --tun-type gue --tun-port 6080 --tun-csum -w 1",
            ),
            (
                Change::DeleteDestination(web().id, server.id),
                "-d -t 192.0.2.10:80 -r 10.0.0.2:8080",
            ),
            (
                Change::SetTimeouts(Timeouts::default().tcp_fin(Duration::from_secs(60))),
                "--set 0 60 0",
            ),
            (
                Change::StartDaemon(daemon),
                "--start-daemon master --mcast-interface eth0 --syncid 5 --mcast-ttl 2",
            ),
            (Change::StopDaemon(Role::Backup), "--stop-daemon backup"),
            (Change::ZeroAll, "-Z"),
            (Change::Flush, "-C"),
        ];
        for (change, command) in cases {
            assert_eq!(change.to_string(), format!("ipvsadm {command}"));
        }
    }

    #[test]
    fn what_ipvsadm_cannot_say_is_a_comment() {
        let mut server = Destination::masquerade("10.0.0.2:8080".parse().unwrap());
        server.forwarding = Forwarding::Unknown(UnknownForwarding::new(5));
        let id = ServiceId::Address {
            protocol: Protocol::from_number(50),
            address: "192.0.2.10:0".parse().unwrap(),
        };
        assert_eq!(
            Change::AddDestination(id, server).to_string(),
            "# ipvsadm cannot say protocol IP_50, forwarding Method-5: \
             ipvsadm -a -t 192.0.2.10:0 -r 10.0.0.2:8080 -w 1"
        );
    }

    #[test]
    fn names_cannot_break_out_of_their_word() {
        let name = InterfaceName::new("a';$(b)\u{1b}").unwrap();
        let change = Change::StartDaemon(SyncDaemon::new(Role::Backup, name));
        assert_eq!(
            change.to_string(),
            r"ipvsadm --start-daemon backup --mcast-interface 'a'\'';$(b)\u{1b}' --syncid 0"
        );
    }
}
