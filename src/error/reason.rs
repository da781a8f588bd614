//! Likely reasons why the kernel refused a change with a bare EINVAL.
//!
//! The checks of the kernel are in `net/netfilter/ipvs/ip_vs_ctl.c` (`ip_vs_genl_set_cmd`,
//! `ip_vs_new_dest`), `ip_vs_mh.c` and `ip_vs_sync.c`. Rules that depend only on the values
//! are checked before a change is sent, so each reason here is a state of the host.
//!
//! The state of the host is not read. Reading it would need one more socket in the network
//! namespace of the client, opened together with the client, because the thread may leave
//! the namespace later.

use std::fmt;
use std::net::IpAddr;

use rustix::io::Errno;

use crate::model::{Change, Destination, Scheduler, ServiceId};

/// A state of the host in which the kernel refuses a change without giving the reason.
///
/// [`Error::likely_reasons`](crate::Error::likely_reasons) returns the reasons that are
/// possible for a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The network namespace has never had an IPv4 address, because its loopback interface
    /// has never been up. The kernel then treats every IPv4 address as a broadcast address.
    /// Run `ip link set lo up` in the namespace.
    NoLoopback,
    /// The address of the destination is a broadcast address of this host.
    BroadcastAddress,
    /// The address of the destination is an IPv6 link-local address of another host.
    LinkLocalAddress,
    /// A synchronization daemon runs. While it runs, the kernel refuses a destination whose
    /// address family differs from that of its service.
    SyncDaemonRuns,
    /// A service has a destination of the other address family. While it has one, the kernel
    /// refuses to start a synchronization daemon.
    MixedFamilies,
    /// The service has more destinations than the table of the scheduler `mh` has entries.
    TooManyDestinations,
    /// A timeout is over the limit of this kernel: 2147483 s at 1000 ticks per second
    /// (`CONFIG_HZ`), 8589934 s at 250, 21474836 s at 100.
    LongTimeout,
}

impl fmt::Display for Reason {
    /// A clause, such as `a synchronization daemon runs, ...`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoLoopback => {
                "the loopback interface of this network namespace has never been up \
                 (`ip link set lo up`)"
            }
            Self::BroadcastAddress => "the address is a broadcast address of this host",
            Self::LinkLocalAddress => "the address is a link-local address of another host",
            Self::SyncDaemonRuns => {
                "a synchronization daemon runs, so destinations of the other address family \
                 are refused"
            }
            Self::MixedFamilies => {
                "a service has a destination of the other address family, so synchronization \
                 daemons are refused"
            }
            Self::TooManyDestinations => {
                "the service has more destinations than the table of the scheduler mh has \
                 entries"
            }
            Self::LongTimeout => {
                "a timeout is over the limit of this kernel, which is 2147483 s at 1000 ticks \
                 per second"
            }
        })
    }
}

/// Returns the likely reasons why the kernel refused `change` with `errno`, the most likely
/// one first.
pub(crate) fn likely_reasons(change: &Change, errno: i32) -> &'static [Reason] {
    if errno != Errno::INVAL.raw_os_error() {
        return &[];
    }
    match change {
        Change::AddDestination(service, destination) => of_addition(*service, destination),
        Change::UpdateDestination(service, destination) => {
            match destination.id.family() == service.family() {
                true => &[],
                false => &[Reason::SyncDaemonRuns],
            }
        }
        Change::UpdateService(service) if service.scheduler == Scheduler::MAGLEV_HASHING => {
            &[Reason::TooManyDestinations]
        }
        Change::SetTimeouts(_) => &[Reason::LongTimeout],
        Change::StartDaemon(_) => &[Reason::MixedFamilies],
        _ => &[],
    }
}

fn of_addition(service: ServiceId, destination: &Destination) -> &'static [Reason] {
    use Reason::{BroadcastAddress, LinkLocalAddress, NoLoopback, SyncDaemonRuns};
    let is_mixed = destination.id.family() != service.family();
    match (destination.id.address.ip(), is_mixed) {
        // The host part of a broadcast address has at least two bits, all of them 1.
        (IpAddr::V4(v4), false) if v4.to_bits() & 0b11 == 0b11 => &[BroadcastAddress, NoLoopback],
        (IpAddr::V4(_), false) => &[NoLoopback, BroadcastAddress],
        (IpAddr::V4(_), true) => &[SyncDaemonRuns, NoLoopback, BroadcastAddress],
        (IpAddr::V6(v6), false) if v6.is_unicast_link_local() => &[LinkLocalAddress],
        (IpAddr::V6(_), false) => &[],
        (IpAddr::V6(v6), true) if v6.is_unicast_link_local() => &[LinkLocalAddress, SyncDaemonRuns],
        (IpAddr::V6(_), true) => &[SyncDaemonRuns],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Role, Service, SyncDaemon, Timeouts, Tunnel};

    fn adding(service: &str, server: &str) -> Change {
        let server = Destination::tunnel(server.parse().unwrap(), Tunnel::Ipip);
        Change::AddDestination(service.parse().unwrap(), server)
    }

    #[test]
    fn the_likeliest_reason_comes_first() {
        let v4 = "FWM 256";
        let v6 = "FWM 256 IPv6";
        let cases = [
            (adding(v4, "10.255.0.9:0"), Reason::NoLoopback),
            (adding(v4, "10.255.0.255:0"), Reason::BroadcastAddress),
            (adding(v4, "10.255.0.63:0"), Reason::BroadcastAddress),
            (adding(v6, "[fe80::2]:0"), Reason::LinkLocalAddress),
            (adding(v4, "[2001:db8::2]:0"), Reason::SyncDaemonRuns),
            (adding(v6, "10.0.0.2:0"), Reason::SyncDaemonRuns),
            (Change::SetTimeouts(Timeouts::default()), Reason::LongTimeout),
            (
                Change::StartDaemon(SyncDaemon::new(Role::Master, "lo".parse().unwrap())),
                Reason::MixedFamilies,
            ),
            (
                Change::UpdateService(
                    Service::tcp("192.0.2.10:80".parse().unwrap())
                        .scheduler(Scheduler::MAGLEV_HASHING),
                ),
                Reason::TooManyDestinations,
            ),
        ];
        for (change, reason) in cases {
            let reasons = likely_reasons(&change, Errno::INVAL.raw_os_error());
            assert_eq!(reasons.first(), Some(&reason), "{change}");
            assert_eq!(likely_reasons(&change, Errno::SRCH.raw_os_error()), [], "{change}");
        }
    }

    #[test]
    fn where_nothing_is_likely_nothing_is_said() {
        let change = adding("FWM 256 IPv6", "[2001:db8::2]:0");
        assert_eq!(likely_reasons(&change, Errno::INVAL.raw_os_error()), []);
    }
}
