//! Why the kernel may have refused a change with a bare EINVAL.
//!
//! The kernel's checks stand in `net/netfilter/ipvs/ip_vs_ctl.c` (`ip_vs_genl_set_cmd`,
//! `ip_vs_new_dest`), `ip_vs_mh.c` and `ip_vs_sync.c`. What the values alone tell is
//! validated before anything is sent, so each of these depends on the host.
//!
//! Nothing is looked up. A look-up would take one more socket in the network namespace of
//! the client, opened with every client for the sake of a rare refusal: the thread may have
//! left that namespace since.

use std::fmt;
use std::net::IpAddr;

use rustix::io::Errno;

use crate::model::{Change, Destination, Scheduler, ServiceId};

/// A state of the host for which the kernel refuses a change without saying so.
///
/// See [`Error::likely_reasons`](crate::Error::likely_reasons).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The network namespace has never had an IPv4 address, not even that of its loopback
    /// interface. The kernel then takes every IPv4 address for a broadcast address.
    /// `ip link set lo up` in the namespace mends it.
    NoLoopback,
    /// The address of the destination is the broadcast address of a network of this host.
    BroadcastAddress,
    /// The address of the destination is an IPv6 link-local one of another host.
    LinkLocalAddress,
    /// A synchronization daemon runs. Meanwhile the kernel takes no destination of the other
    /// address family than its service's.
    SyncDaemonRuns,
    /// A service has a destination of the other address family. Meanwhile the kernel starts
    /// no synchronization daemon.
    MixedFamilies,
    /// The service has more destinations than the table of the scheduler `mh` has places.
    TooManyDestinations,
    /// A timeout is longer than the kernel can count in its ticks: 2147483 s at 1000 ticks a
    /// second, 8589934 s at 250, 21474836 s at 100.
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
            Self::BroadcastAddress => {
                "the address is the broadcast address of a network of this host"
            }
            Self::LinkLocalAddress => "the address is link-local and not one of this host's own",
            Self::SyncDaemonRuns => {
                "a synchronization daemon runs, which excludes destinations of the other \
                 address family"
            }
            Self::MixedFamilies => {
                "a service has a destination of the other address family, which excludes \
                 synchronization daemons"
            }
            Self::TooManyDestinations => {
                "the service has more destinations than the table of mh has places"
            }
            Self::LongTimeout => {
                "a timeout is over what this kernel can count, which is 2147483 s at 1000 ticks \
                 a second and more at fewer"
            }
        })
    }
}

/// Why the kernel may have refused `change` with `errno`, the likeliest reason first.
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
        // The host part of a broadcast address is all ones, two bits at least.
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
