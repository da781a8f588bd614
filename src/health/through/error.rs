use std::fmt;
use std::net::IpAddr;

use crate::model::{Forwarding, ServiceId};

/// Services in the range of marks that are not those of checks. See
/// [`Marks::new`](crate::health::through::Marks::new).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub struct ForeignServices {
    /// The services, in the order of their ids.
    pub services: Vec<ServiceId>,
}

impl fmt::Display for ForeignServices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the range of marks for checks has services that are not those of checks:")?;
        self.services.iter().enumerate().try_for_each(|(index, service)| {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma} {service}")
        })
    }
}

/// Why a check through the virtual address cannot be done, or cannot be done now. It says nothing
/// about the destination.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ThroughError {
    /// The runner has no range of marks.
    #[error("a check through the virtual address needs a range of marks")]
    NoMarks,
    /// All marks of the range are in use, or those that are not belong to services that have not
    /// left the table yet.
    #[error("{needed} more marks are needed for checks, and {free} are free")]
    #[non_exhaustive]
    NotEnoughMarks {
        /// The number of marks that are needed.
        needed: usize,
        /// The number of marks that are free.
        free: usize,
    },
    /// The service is one of a firewall mark, so there is no address to connect to.
    #[error("{0} has no virtual address that a check could connect to")]
    NoAddress(ServiceId),
    /// The service has port 0, which stands for all ports, and the check says no port.
    #[error("{0} has no port that a check could connect to: give the check one")]
    NoPort(ServiceId),
    /// IPVS schedules no packets of this kind of check, or the check opens its sockets itself. ICMP
    /// echo is never scheduled: the director itself would answer.
    #[error("a check by {0} cannot go through the virtual address")]
    Kind(&'static str),
    /// A check cannot be sent this way.
    #[error("a check cannot be forwarded by {0}")]
    Forwarding(Forwarding),
    /// The check has a firewall mark of its own, and a packet has only one.
    #[error("a check through the virtual address cannot have the mark {0} of its own")]
    MarkGiven(u32),
    /// The timeout of the check is longer than 60 s.
    #[error("a check through the virtual address takes at most 60 s")]
    TooLong,
    /// The source address of the check is not of the family of the virtual address.
    #[error("the source address {0} is not of the family of the virtual address")]
    SourceFamily(IpAddr),
    /// The destination is of the other family, so the route to it tells no source address.
    #[error("a check through a tunnel of the other address family needs a source address")]
    SourceNeeded,
    /// The source address is a virtual address. The answers would be sent to the server itself.
    #[error("the source address {0} of checks is a virtual address: give them another one")]
    SourceIsVirtual(IpAddr),
    /// This host has no route to the virtual address, so no packet leaves.
    #[error("this host has no route to the virtual address {0}")]
    NoRoute(IpAddr),
    /// The virtual address is an address of this host, so the kernel takes the answers, which come
    /// from it, for forged ones. Set the sysctl `net.ipv4.conf.IFACE.accept_local` to 1.
    #[error(
        "the virtual address is one of this host, and answers that arrive on {interface} are \
         dropped: net.ipv4.conf.{interface}.accept_local is 0"
    )]
    #[non_exhaustive]
    AcceptLocal {
        /// The interface on which the answers arrive.
        interface: String,
    },
    /// The kernel drops the answers because the route back to the virtual address has another
    /// interface. Set the sysctl `net.ipv4.conf.IFACE.rp_filter` to 0 or 2, and that of `all`, too:
    /// the larger one counts.
    #[error(
        "answers of the virtual address that arrive on {interface} are dropped: \
         net.ipv4.conf.{interface}.rp_filter or that of all is 1"
    )]
    #[non_exhaustive]
    ReversePath {
        /// The interface on which the answers arrive.
        interface: String,
    },
    /// All source ports were used so lately that the kernel may remember their connections. The check
    /// waits. The program is told once a check waits for a port more often than every third time.
    /// Then checks come too late: give more source ports, or a longer interval.
    #[error("all source ports for checks of this address were used a moment ago")]
    NoSourcePort,
    /// The table does not have the service of the mark yet, or the controller has it to write again.
    /// The check waits for a moment.
    #[error("the table does not have the service of the mark yet")]
    NotYet,
    /// The table has not had the service of the mark for many attempts, or nobody has said that it
    /// does. Look at the events of the controller, and hand all of them to
    /// [`Runner::event`](../probe/struct.Runner.html#method.event).
    #[error("the table does not have the service of the mark, or Runner::event was not told so")]
    NotServing,
    /// The destination is not checked through the virtual address any more.
    #[error("the check was taken back")]
    TakenBack,
    /// The system refused something, such as a socket. The text says what.
    #[error("{0}")]
    System(String),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::AddressFamily;

    #[test]
    fn errors_name_their_objects() {
        let [first, second] = [5, 6].map(|mark| ServiceId::fwmark(mark, AddressFamily::Ipv6));
        let foreign = ForeignServices { services: vec![first, second] };
        assert!(foreign.to_string().ends_with("not those of checks: FWM 5 IPv6, FWM 6 IPv6"));
        let local = ThroughError::AcceptLocal { interface: "eth1".to_owned() };
        assert!(local.to_string().contains("arrive on eth1"));
        assert!(local.to_string().contains("net.ipv4.conf.eth1.accept_local is 0"));
    }
}
