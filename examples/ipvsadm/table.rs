//! Prints services and destinations as lines of a list.

use std::io::{self, Write};
use std::net::SocketAddr;

use ipvs_netlink::{
    AddressFamily, DestinationEntry, Forwarding, GueChecksum, Protocol, Service, ServiceEntry,
    ServiceFlags, ServiceId, Stats, Tunnel,
};

use crate::names::Names;

/// The columns of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Columns {
    Plain,
    Stats,
    Rate,
    Thresholds,
    PersistentConn,
    TunInfo,
}

pub(crate) fn print_title(out: &mut impl Write, columns: Columns) -> io::Result<()> {
    const LOCAL: &str = "Prot LocalAddress:Port";
    const REMOTE: &str = "  -> RemoteAddress:Port";
    match columns {
        Columns::Plain => {
            writeln!(out, "{LOCAL} Scheduler Flags")?;
            writeln!(out, "{REMOTE:<33} Forward Weight ActiveConn InActConn")
        }
        Columns::TunInfo => {
            writeln!(out, "{LOCAL} Scheduler Flags")?;
            writeln!(out, "{REMOTE:<33} Forward TunnelInfo    Weight ActiveConn InActConn")
        }
        Columns::Stats => {
            writeln!(out, "{LOCAL:<33}    Conns   InPkts  OutPkts  InBytes OutBytes\n{REMOTE}")
        }
        Columns::Rate => {
            writeln!(out, "{LOCAL:<33}      CPS    InPPS   OutPPS    InBPS   OutBPS\n{REMOTE}")
        }
        Columns::Thresholds => {
            writeln!(out, "{LOCAL:<33} Uthreshold Lthreshold ActiveConn InActConn \n{REMOTE}")
        }
        Columns::PersistentConn => {
            writeln!(out, "{LOCAL:<33} Weight    PersistConn ActiveConn InActConn \n{REMOTE}")
        }
    }
}

/// Prints the lines of a list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Printer {
    pub(crate) columns: Columns,
    /// Whether large numbers keep all their digits.
    pub(crate) exact: bool,
}

impl Printer {
    pub(crate) fn service(
        self,
        out: &mut impl Write,
        entry: &ServiceEntry,
        names: &mut Names,
    ) -> io::Result<()> {
        let mut name = match entry.service.id {
            ServiceId::Address { protocol, address } => {
                format!("{protocol:<4} {}", names.cut(address, Some(protocol)))
            }
            ServiceId::Fwmark { mark, family: AddressFamily::Ipv4 } => format!("FWM  {mark}"),
            ServiceId::Fwmark { mark, family: AddressFamily::Ipv6 } => format!("FWM  {mark} IPv6"),
        };
        if matches!(entry.service.id.address(), Some(SocketAddr::V4(_))) {
            name.truncate(33);
        }
        match self.columns {
            Columns::Stats => writeln!(out, "{name:<33}{}", self.stats(&entry.stats)),
            Columns::Rate => {
                let rates = entry.stats.rates;
                let packets = [rates.connections, rates.incoming_packets, rates.outgoing_packets];
                let bytes = [rates.incoming_bytes, rates.outgoing_bytes];
                writeln!(out, "{name:<33}{}{}", self.numbers(packets), self.numbers(bytes))
            }
            _ => writeln!(out, "{name} {}", settings(&entry.service)),
        }
    }

    pub(crate) fn destination(
        self,
        out: &mut impl Write,
        service: ServiceId,
        entry: &DestinationEntry,
        names: &mut Names,
    ) -> io::Result<()> {
        let (destination, connections) = (&entry.destination, &entry.connections);
        let (address, forwarding) = (destination.id.address, destination.forwarding);
        let (weight, active, inactive) =
            (destination.weight, connections.active, connections.inactive);
        let mut name = names.cut(address, protocol(service));
        if address.is_ipv4() {
            name.truncate(28);
        }
        write!(out, "  -> {name:<28}")?;
        match self.columns {
            Columns::Plain => {
                let forwarding = forwarding.to_string();
                writeln!(out, " {forwarding:<7} {weight:<6} {active:<10} {inactive:<10}")
            }
            Columns::TunInfo => {
                let tunnel = tunnel_info(forwarding);
                let forwarding = forwarding.to_string();
                writeln!(
                    out,
                    " {forwarding:<7} {tunnel:<13} {weight:<6} {active:<10} {inactive:<10}"
                )
            }
            Columns::Stats => writeln!(out, "{}", self.stats(&entry.stats)),
            Columns::Rate => {
                let rates = entry.stats.rates;
                let packets = [rates.connections, rates.incoming_packets, rates.outgoing_packets];
                let [cps, incoming, outgoing] = packets;
                let bytes = self.numbers([rates.incoming_bytes, rates.outgoing_bytes]);
                // The original prints these numbers in full for destinations, unlike services.
                writeln!(out, " {cps:>8} {incoming:>8} {outgoing:>8}{bytes}")
            }
            Columns::Thresholds => {
                let (upper, lower) = (destination.thresholds.upper, destination.thresholds.lower);
                writeln!(out, " {upper:<10} {lower:<10} {active:<10} {inactive:<10}")
            }
            Columns::PersistentConn => {
                let persistent = connections.persistent;
                writeln!(out, " {weight:<9} {persistent:<11} {active:<10} {inactive:<10}")
            }
        }
    }

    fn stats(self, stats: &Stats) -> String {
        self.numbers([
            stats.connections,
            stats.incoming_packets,
            stats.outgoing_packets,
            stats.incoming_bytes,
            stats.outgoing_bytes,
        ])
    }

    fn numbers<const N: usize>(self, numbers: [u64; N]) -> String {
        numbers.map(|number| self.number(number)).concat()
    }

    /// A number in its column. Without `--exact` a large number loses its last digits and gets a
    /// unit.
    fn number(self, number: u64) -> String {
        const UNITS: [(u64, u64, char); 3] = [
            (1_000_000_000, 1_000, 'K'),
            (100_000_000_000, 1_000_000, 'M'),
            (100_000_000_000_000, 1_000_000_000, 'G'),
        ];
        if self.exact {
            return format!(" {number:>8}");
        }
        if number < 100_000_000 {
            return format!("{number:>9}");
        }
        let unit = UNITS.into_iter().find(|(limit, ..)| number < *limit);
        let (_, unit, suffix) = unit.unwrap_or((0, 1_000_000_000_000, 'T'));
        format!("{:>8}{suffix}", number / unit)
    }
}

/// The protocol that the ports of a service and its destinations belong to.
pub(crate) fn protocol(service: ServiceId) -> Option<Protocol> {
    match service {
        ServiceId::Address { protocol, .. } => Some(protocol),
        ServiceId::Fwmark { .. } => None,
    }
}

fn settings(service: &Service) -> String {
    let mut text = service.scheduler.to_string();
    let scheduler_flags = ServiceFlags::SCHED_1 | ServiceFlags::SCHED_2 | ServiceFlags::SCHED_3;
    if service.flags.intersects(scheduler_flags) {
        text += &format!(" ({})", service.flags.scheduler_flags(service.scheduler));
    }
    if let Some(persistence) = service.persistence {
        text += &format!(" persistent {}", persistence.timeout.as_secs());
        if let Some(netmask) = persistence.netmask {
            text += &format!(" mask {netmask}");
        }
        if let Some(engine) = persistence.engine {
            text += &format!(" pe {engine}");
        }
    }
    if service.flags.contains(ServiceFlags::ONE_PACKET) {
        text += " ops";
    }
    text
}

fn tunnel_info(forwarding: Forwarding) -> String {
    let Forwarding::Tunnel(tunnel) = forwarding else { return "n/a".to_owned() };
    match tunnel {
        Tunnel::Gue { port, checksum } => {
            let checksum = match checksum {
                GueChecksum::None => "-c",
                GueChecksum::Full => "+c",
                GueChecksum::RemoteOffload => "r+c",
                _ => return tunnel.to_string(),
            };
            format!("gue:{port}:{checksum}")
        }
        Tunnel::Gre { checksum } => format!("gre:{}c", if checksum { '+' } else { '-' }),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Columns, Printer};

    #[test]
    fn large_numbers_lose_digits_and_keep_their_column() {
        let text = |number| Printer { columns: Columns::Stats, exact: false }.number(number);
        assert_eq!(text(0), "        0");
        assert_eq!(text(99_999_999), " 99999999");
        assert_eq!(text(100_000_000), "  100000K");
        assert_eq!(text(999_999_999), "  999999K");
        assert_eq!(text(1_000_000_000), "    1000M");
        assert_eq!(text(99_999_999_999), "   99999M");
        assert_eq!(text(100_000_000_000), "     100G");
        assert_eq!(text(99_999_999_999_999), "   99999G");
        assert_eq!(text(u64::MAX), "18446744T");
        let exact = |number| Printer { columns: Columns::Stats, exact: true }.number(number);
        assert_eq!(exact(7), "        7");
        assert_eq!(exact(99_999_999), " 99999999");
        assert_eq!(exact(123_456_789), " 123456789");
    }
}
